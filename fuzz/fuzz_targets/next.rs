//! The rule for `next`, compared with a browser's URL parser.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use login_runtime::fuzzing::{is_local, wanted};
use rocket::http::RawStr;
use rocket_login::{login_url, redirect::make_next_param};
use url::{Url, form_urlencoded};

const SITES: [&str; 4] = [
    "https://app.example/",
    "http://app.example/",
    "http://localhost:8000/deep/page?x=y#z",
    "https://[2001:db8::1]:8443/login?next=%2F",
];

// The first line is a target; the second and third are a login view and the name of its field.
fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let target = lines.next().unwrap_or_default();
    judge(target);

    let (path, query) = cut(target, '?');
    if let Some(emitted) = wanted(path, query) {
        assert!(
            is_local(&emitted),
            "{emitted:?} is emitted, and would be refused"
        );
        judge(&emitted);
        assert_eq!(
            wanted_back(&login_url("/login", Some(&emitted), "next")),
            emitted
        );
        // It is escaped, and the same text; a page that is too long may lose its query.
        if let Some(kept) = cut(&emitted, '?').1 {
            assert_eq!(decoded(kept), decoded(query.unwrap_or_default()));
        }
    }
    let escaped = target.replace('\'', "%27");
    if is_local(target) && escaped.len() <= 2048 {
        assert_eq!(wanted(path, query).as_deref(), Some(&*escaped));
    }

    let view = lines.next().unwrap_or("/login");
    the_view_keeps_its_own(view, target, lines.next().unwrap_or("next"));
    the_host_goes_and_the_rest_stays(target);
});

/// An accepted target stays on the site, with the same path and query, in every browser.
fn judge(target: &str) {
    if !is_local(target) {
        assert!(!is_harmless(target), "{target:?} is refused");
        return;
    }
    let (path, query) = cut(target, '?');
    for site in SITES {
        let url = stays_on(site, target);
        assert_eq!(url.path(), path, "{target:?}");
        // The only accepted character that a browser escapes in a query.
        let query = query.map(|query| query.replace('\'', "%27"));
        assert_eq!(url.query(), query.as_deref(), "{target:?}");
        assert_eq!(url.fragment(), None, "{target:?}");
        // A proxy may decode the path that it forwards, and the next proxy once more.
        let mut forwarded = path.to_owned();
        loop {
            let again = decoded(&forwarded);
            if again == forwarded {
                break;
            }
            stays_on(site, &again);
            assert!(!again.contains(|char: char| char.is_ascii_control()));
            forwarded = again;
        }
    }
    assert!(target.len() <= 2048);
}

fn decoded(text: &str) -> String {
    RawStr::new(text).percent_decode_lossy().into_owned()
}

fn stays_on(site: &str, target: &str) -> Url {
    let site = Url::parse(site).expect("a site");
    let url = site.join(target).expect("what is accepted can be followed");
    assert_eq!(url.origin(), site.origin(), "{target:?}");
    assert_eq!(url.scheme(), site.scheme(), "{target:?}");
    assert!(
        url.username().is_empty() && url.password().is_none(),
        "{target:?}"
    );
    url
}

/// Plain names between single slashes are always accepted.
fn is_harmless(target: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    target.len() <= 2048
        && target.strip_prefix('/').is_some_and(|path| {
            path.split('/')
                .rev()
                .enumerate()
                .all(|(from_the_end, segment)| {
                    segment.bytes().all(plain) && (from_the_end == 0 || !segment.is_empty())
                })
        })
}

/// The login view's URL has `next` once, and everything else of the view in its order.
fn the_view_keeps_its_own(view: &str, target: &str, field: &str) {
    assert_eq!(login_url(view, None, field), view);
    let url = login_url(view, Some(target), field);
    let next = make_next_param(view, target);
    let [(old, old_fragment), (new, new_fragment)] = [view, &*url].map(|url| cut(url, '#'));
    assert_eq!(new_fragment, old_fragment);
    let [(old_path, old_query), (new_path, new_query)] = [old, new].map(|url| cut(url, '?'));
    assert_eq!(new_path, old_path);
    let fields = |query: Option<&str>| -> Vec<(String, String)> {
        form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .into_owned()
            .collect()
    };
    let (mut old, mut new) = (fields(old_query), fields(new_query));
    let place = old
        .iter()
        .position(|(name, _)| name == field)
        .unwrap_or(old.len());
    old.retain(|(name, _)| name != field);
    assert_eq!(new.remove(place), (field.to_owned(), next));
    assert_eq!(new, old);
}

/// The current address, shortened for a login page of the same site.
fn the_host_goes_and_the_rest_stays(current: &str) {
    let short = make_next_param("/login", current);
    let (path, _) = cut(&short, '?');
    assert!(!path.contains("//") && !short.contains('#'), "{short:?}");
    // A target that a browser would send unchanged.
    if let Ok(url) = Url::parse(current)
        && url.as_str() == current
        && ["http", "https"].contains(&url.scheme())
    {
        let mut path = Cow::from(url.path());
        while path.contains("//") {
            path = path.replace("//", "/").into();
        }
        let query = url
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        assert_eq!(short, format!("{path}{query}"));
        let site = url.origin().ascii_serialization();
        if current.starts_with(&format!("{site}/")) {
            assert_eq!(make_next_param(&format!("{site}/login"), current), short);
        }
        assert_eq!(
            make_next_param("https://accounts.invalid/login", current),
            current
        );
    }
}

/// The page to which the login view leads back, as Rocket reads it.
fn wanted_back(location: &str) -> String {
    let value = location
        .strip_prefix("/login?next=")
        .expect("the login view");
    assert!(
        value
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"&#+\\".contains(&byte))
    );
    RawStr::new(value).url_decode().expect("UTF-8").into_owned()
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}
