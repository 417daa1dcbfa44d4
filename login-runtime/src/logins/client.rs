//! What a person calls a client: "Firefox on Linux".

/// The longest `User-Agent` that is read.
#[cfg(feature = "client-names")]
const MAX_USER_AGENT: usize = 512;

/// Returns the name of a client, or an empty text for one that is unknown. It is what the client says, which proves nothing.
#[cfg(feature = "client-names")]
pub(crate) fn name(user_agent: Option<&str>) -> String {
    let Some(agent) = user_agent.filter(|agent| agent.len() <= MAX_USER_AGENT) else {
        return String::new();
    };
    let Some(found) = woothee::parser::Parser::new().parse(agent) else {
        return String::new();
    };
    // Browsers no longer tell one Windows from another.
    let system = known(found.os).map(|os| match os {
        os if os.starts_with("Windows") => "Windows",
        "Mac OSX" => "macOS",
        os => os,
    });
    match (known(found.name), system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(feature = "client-names")]
fn known(name: &str) -> Option<&str> {
    (name != woothee::woothee::VALUE_UNKNOWN).then_some(name)
}

/// Without the feature `client-names`, no client has a name.
#[cfg(not(feature = "client-names"))]
pub(crate) fn name(_: Option<&str>) -> String {
    String::new()
}

#[cfg(all(test, feature = "client-names"))]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_the_name_that_a_person_knows() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 \
                 Safari/537.36 Edg/141.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 \
                 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile \
                 Safari/537.36",
                "Chrome on Android",
            ),
            ("a program", ""),
            ("", ""),
        ] {
            assert_eq!(name(Some(agent)), expected, "{agent}");
        }
        assert_eq!(name(None), "");
        let long = format!(
            "Mozilla/5.0 (X11; Linux x86_64) {} Firefox/140.0",
            "a".repeat(600)
        );
        assert_eq!(name(Some(&long)), "");
    }
}
