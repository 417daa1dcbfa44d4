//! The JSON that tells a browser how to keep a bound session.

use serde::Serialize;

/// A session that is bound to a device.
pub(crate) struct Instructions<'a> {
    pub(crate) identifier: &'a str,
    pub(crate) refresh_path: &'a str,
    pub(crate) cookie_name: &'a str,
    /// The attributes with which the cookie is set: the browser compares them.
    pub(crate) cookie_attributes: &'a str,
}

impl Instructions<'_> {
    /// Writes the session as JSON.
    pub(crate) fn to_json(&self) -> Option<String> {
        serde_json::to_string(&Json {
            session_identifier: self.identifier,
            refresh_url: self.refresh_path,
            scope: Scope {
                include_site: false,
            },
            credentials: [Credential {
                r#type: "cookie",
                name: self.cookie_name,
                attributes: self.cookie_attributes,
            }],
        })
        .ok()
    }
}

#[derive(Serialize)]
struct Json<'a> {
    session_identifier: &'a str,
    refresh_url: &'a str,
    scope: Scope,
    credentials: [Credential<'a>; 1],
}

#[derive(Serialize)]
struct Scope {
    /// Whether other hosts of the site take part. The cookie is this host's alone.
    include_site: bool,
}

#[derive(Serialize)]
struct Credential<'a> {
    r#type: &'static str,
    name: &'a str,
    attributes: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_the_one_of_the_draft() {
        let json = Instructions {
            identifier: "S",
            refresh_path: "/x/refresh",
            cookie_name: "N",
            cookie_attributes: "Path=/; Secure; HttpOnly; SameSite=Lax",
        };
        assert_eq!(
            json.to_json().unwrap(),
            r#"{"session_identifier":"S","refresh_url":"/x/refresh","scope":{"include_site":false},"credentials":[{"type":"cookie","name":"N","attributes":"Path=/; Secure; HttpOnly; SameSite=Lax"}]}"#
        );
    }
}
