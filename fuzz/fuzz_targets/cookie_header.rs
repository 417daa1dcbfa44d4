//! Our cookies in raw `Cookie` headers, compared with a parser that reads byte by byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use login_runtime::fuzzing::{cookie_values, find_cookies};
use rocket_login_fuzz as reference;

const NAMES: [&str; 3] = ["__Host-login_session", "__Host-remember_token", "id"];

// Each line is one header.
fuzz_target!(|text: &str| {
    let headers: Vec<&str> = text.split('\n').collect();
    let found = find_cookies(&headers, NAMES);
    for (name, found) in NAMES.into_iter().zip(found) {
        let expected = reference::cookie_values(&headers, name);
        assert_eq!(cookie_values(&headers, name), expected);
        match expected[..] {
            [] => assert_eq!(found, Ok(None)),
            [value] => assert_eq!(found, Ok(Some(value))),
            _ => assert_eq!(found, Err(())),
        }
    }
    impostors(text);
});

/// A name with text around it, or in another spelling, is another name: next to our cookie it changes nothing, and
/// alone it logs nobody in.
fn impostors(text: &str) {
    let [name, ..] = NAMES;
    let around: String = text
        .chars()
        .filter(|char| !";= \t".contains(*char))
        .take(64)
        .collect();
    let mut spellings = vec![
        name.to_lowercase(),
        name.to_uppercase(),
        format!("\"{name}\""),
    ];
    if let Some(at) = text
        .bytes()
        .next()
        .map(|byte| usize::from(byte) % name.len())
    {
        let [before, after] = [&name[..at], &name[at + 1..]];
        spellings.push(format!("{before}%{:02X}{after}", name.as_bytes()[at]));
        spellings.push(format!("{before}%{:02x}{after}", name.as_bytes()[at]));
    }
    if !around.is_empty() {
        spellings.push(format!("{around}{name}"));
        spellings.push(format!("{name}{around}"));
        if around != name {
            spellings.push(around);
        }
    }
    for impostor in spellings {
        let alone = format!("{impostor}=bob");
        assert_eq!(find_cookies(&[&alone], [name]), [Ok(None)]);
        let own = format!("{name}=alice");
        for pair in [format!("{own}; {alone}"), format!("{alone}; {own}")] {
            assert_eq!(find_cookies(&[&pair], [name]), [Ok(Some("alice"))]);
        }
        for pair in [[&*own, &*alone], [&*alone, &*own]] {
            assert_eq!(find_cookies(&pair, [name]), [Ok(Some("alice"))]);
        }
    }
}
