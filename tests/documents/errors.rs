//! The guide's pages of errors have every error that the code can give.

use std::collections::BTreeSet;
use std::path::Path;

use crate::source::{files, texts};

const COMPILE: &str = include_str!("../../docs/guide/errors/compile.md");
const LAUNCH: &str = include_str!("../../docs/guide/errors/launch.md");

/// Texts of these files that are no errors: defaults of settings, the table of the audit, and what errors are made of.
const OTHERS: [&str; 16] = [
    "Please log in to access this page.",
    "Please reauthenticate to access this page.",
    "Rocket's own `secret_key`",
    "`true`, but without TLS `false` in the debug profile or with `insecure_cookies`",
    "`true` with a `login_registry`",
    "as long as the session",
    "the oldest of the secrets",
    "set by a method of `LoginManager`",
    "everybody, by `exempt_methods`",
    ", if its condition holds",
    "the secret key",
    "a key of any length fits",
    " <- check this: {doubt}",
    "valid HTTP method string", // of serde
    "`#[user]` on a field",
    "`#[user]` on a struct",
];

#[test]
fn the_guide_names_every_compile_error() {
    let macros = files("login-macros/src", "rs");
    let macros = macros.iter().flat_map(|file| texts(file));
    let traits = files("login-runtime/src", "rs");
    let traits = traits.iter().flat_map(|file| texts(file));
    let traits = traits.filter(|text| text.contains("{Self}"));
    assert_all_on(
        COMPILE,
        "docs/guide/errors/compile.md",
        macros.chain(traits),
    );
}

#[test]
fn the_guide_names_every_launch_error_and_warning() {
    let mut launch = files("login-runtime/src/audit", "rs");
    launch.extend(files("login-runtime/src/config", "rs"));
    launch.extend(
        [
            "access/guard.rs",
            "access/launch.rs",
            "app/id_type.rs",
            "flask/end_date.rs",
            "flask/key.rs",
            "flask/settings.rs",
            "manager/clash.rs",
            "manager/flask.rs",
            "manager/store.rs",
            "realm/registry.rs",
            "token/secret.rs",
        ]
        .map(|file| Path::new("login-runtime/src").join(file)),
    );
    launch.retain(|file| !file.ends_with("tests.rs"));
    let launch = launch.iter().flat_map(|file| texts(file));
    assert_all_on(LAUNCH, "docs/guide/errors/launch.md", launch);
}

/// Asserts that a page has every part of these texts that is three words or more, between their placeholders.
fn assert_all_on(page: &str, name: &str, texts: impl Iterator<Item = String>) {
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut count = 0;
    let mut missing = BTreeSet::new();
    for text in texts.filter(|text| !OTHERS.contains(&text.as_str()) && !text.contains("\n    ")) {
        count += 1;
        let parts = parts(&text);
        if !parts.iter().all(|part| page.contains(part.as_str())) {
            missing.insert(parts.join(".."));
        }
    }
    assert!(count > 50, "{count}");
    let missing: Vec<_> = missing.into_iter().collect();
    assert!(
        missing.is_empty(),
        "add this to {name}, with its fix:\n\n- {}",
        missing.join("\n- ")
    );
}

/// Splits a format string at its placeholders, and keeps the parts that are sentences.
fn parts(text: &str) -> Vec<String> {
    let text = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let parts = text
        .split('{')
        .enumerate()
        .map(|(number, part)| match number {
            0 => part,
            _ => part.split_once('}').map_or(part, |(_, rest)| rest),
        });
    let parts = parts.map(|part| {
        let part = part.replace('\u{1}', "{").replace('\u{2}', "}");
        part.split_whitespace().collect::<Vec<_>>().join(" ")
    });
    parts
        .map(|part| part.trim_matches([';', ':', ',', '`', ' ']).to_owned())
        .filter(|part| part.split(' ').count() > 2)
        .collect()
}
