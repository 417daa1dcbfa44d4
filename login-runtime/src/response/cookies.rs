//! The login cookies of a response, written in this one place.

use std::net::IpAddr;

use rocket::http::{Header, SameSite};
use rocket::{Request, Response};

use crate::clock::UnixTime;
use crate::config::CookieSpec;
use crate::login::pending::{Change, NextChange, Pending};
use crate::realm::RealmCore;
use crate::token::value::{self, Purpose};
use crate::token::{Flags, Kind, Token};

/// The purpose under which the wanted page is signed into its cookie.
pub(crate) fn next_purpose(core: &RealmCore) -> Purpose {
    Purpose::of_library(&core.name, "next")
}

/// How long the wanted page is kept while somebody logs in: 10 minutes.
const NEXT_SECONDS: u64 = 600;

/// Writes every pending cookie of a realm onto the response.
pub(crate) fn write(
    core: &RealmCore,
    req: &Request<'_>,
    pending: &Pending,
    res: &mut Response<'_>,
) {
    let config = &core.config;
    let now = core.clock.now();
    for kind in &pending.elsewhere {
        remove_elsewhere(config.cookie(*kind), req, res);
    }
    if let Some(change) = &pending.session {
        write_token(core, &config.session_cookie, change, now, res);
        if let Change::Set(session) = change
            && session.is_bound()
        {
            write_copy(core, session, now, res);
        }
    }
    if let Some(change) = &pending.remember {
        write_token(core, &config.remember_cookie, change, now, res);
    }
    if let Some(change) = &pending.device {
        write_token(core, &config.device.cookie, change, now, res);
        if *change == Change::Remove {
            remove(&config.device.session_cookie, res);
        }
    }
    #[cfg(feature = "flask")]
    if let Some(flask) = &core.flask {
        let is_taken = |theirs: &CookieSpec| {
            let ours = [
                (&pending.session, &config.session_cookie),
                (&pending.remember, &config.remember_cookie),
            ];
            ours.iter().any(|(change, ours)| {
                matches!(change, Some(Change::Set(_))) && place(ours) == place(theirs)
            })
        };
        let gone = pending
            .flask_gone
            .iter()
            .map(|kind| flask.cookies.cookie(*kind));
        // A cookie of ours that takes the place of Flask's must not be removed with it.
        gone.filter(|spec| !is_taken(spec))
            .for_each(|spec| remove(spec, res));
    }
    match &pending.next {
        Some(NextChange::Set(path)) => {
            let expires_at = now.plus(NEXT_SECONDS);
            if let Some(value) = value::encode(&core.ring, &next_purpose(core), path, expires_at) {
                set(&config.next_cookie, &value, Some(NEXT_SECONDS), res);
            }
        }
        Some(NextChange::Remove) => remove(&config.next_cookie, res),
        None => {}
    }
    if pending.clear_site_data {
        res.set_raw_header("Clear-Site-Data", r#""cache", "storage""#);
    }
}

fn write_token(
    core: &RealmCore,
    spec: &CookieSpec,
    change: &Change,
    now: UnixTime,
    res: &mut Response<'_>,
) {
    let value = match change {
        Change::Set(token) => token
            .encode(core.ring.current())
            .map(|value| (token, value)),
        Change::Remove => None,
    };
    match value {
        Some((token, value)) => set(spec, &value, max_age(token, now), res),
        None => remove(spec, res),
    }
}

/// Keeps a bound session where a refresh finds it after the session cookie is gone.
fn write_copy(core: &RealmCore, session: &Token, now: UnixTime, res: &mut Response<'_>) {
    let is_permanent = session.flags.contains(Flags::PERMANENT);
    let max_age = is_permanent.then(|| session.expires_at.since(now));
    if let Some(value) = session.encode(core.ring.current()) {
        set(&core.config.device.session_cookie, &value, max_age, res);
    }
}

/// A session cookie ends with the browser, unless the login is permanent or must be proven before.
fn max_age(token: &Token, now: UnixTime) -> Option<u64> {
    if let Some(bound_until) = token.bound_until {
        return Some(bound_until.min(token.expires_at).since(now));
    }
    let lasting = match token.kind {
        Kind::Session => Flags::PERMANENT,
        Kind::Remember => Flags::empty(),
        Kind::Device => Flags::PERMANENT | Flags::REMEMBERED,
    };
    let outlives_the_browser = lasting.is_empty() || token.flags.intersects(lasting);
    outlives_the_browser.then(|| token.expires_at.since(now))
}

fn set(spec: &CookieSpec, value: &str, max_age: Option<u64>, res: &mut Response<'_>) {
    match max_age {
        Some(seconds) => send(spec, value, &format!("; Max-Age={seconds}"), res),
        None => send(spec, value, "", res),
    }
}

/// A removal carries every attribute the cookie was set with: browsers ignore one for a
/// `__Host-` name that is not Secure.
fn remove(spec: &CookieSpec, res: &mut Response<'_>) {
    let past = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    send(spec, "", past, res);
}

/// Writes the header directly: the formatter of the crate `cookie` writes the same, and takes 2,300 instructions more.
fn send(spec: &CookieSpec, value: &str, expiry: &str, res: &mut Response<'_>) {
    let flag = |is_set, flag| if is_set { flag } else { "" };
    let line = [
        spec.name.as_str(),
        "=",
        value,
        flag(spec.http_only, "; HttpOnly"),
        match spec.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        },
        flag(spec.secure, "; Secure"),
        "; Path=",
        &spec.path,
        flag(spec.domain.is_some(), "; Domain="),
        spec.domain.as_deref().unwrap_or_default(),
        expiry,
        flag(spec.partitioned, "; Partitioned"),
    ];
    res.adjoin_header(Header::new("Set-Cookie", line.concat()));
}

/// What tells a cookie from every other one of a browser.
#[cfg(feature = "flask")]
fn place(spec: &CookieSpec) -> (&str, Option<&str>, &str) {
    (&spec.name, spec.domain.as_deref(), &spec.path)
}

/// How many places at most are tried when a cookie is removed.
const MOST_PLACES: usize = 12;

/// Removes a cookie from every other place that its name may stand under: the host itself, each domain above it, and
/// each path above the request's. Otherwise a site that has moved its cookie would get two of them and could use neither.
fn remove_elsewhere(spec: &CookieSpec, req: &Request<'_>, res: &mut Response<'_>) {
    // Browsers accept a `__Host-` cookie only for this host and the path `/`.
    if spec.name.starts_with("__Host-") {
        return;
    }
    let host = req.host().map_or("", |host| host.domain().as_str());
    let domains = std::iter::once(None).chain(domains_above(host).map(Some));
    let places = domains.flat_map(|domain| {
        let paths =
            std::iter::once(spec.path.as_str()).chain(paths_above(req.uri().path().as_str()));
        paths.map(move |path| (domain, path))
    });
    let own = (spec.domain.as_deref(), spec.path.as_str());
    let mut seen = vec![own];
    for place in places {
        if seen.len() > MOST_PLACES {
            return;
        }
        if !seen.contains(&place) {
            seen.push(place);
            let (domain, path) = place;
            let elsewhere = CookieSpec {
                domain: domain.map(str::to_owned),
                path: path.to_owned(),
                ..spec.clone()
            };
            remove(&elsewhere, res);
        }
    }
}

/// Returns a host and the domains above it that a cookie can have; none for an address or a single label.
fn domains_above(host: &str) -> impl Iterator<Item = &str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let is_name = host.chars().all(is_plain) && host.parse::<IpAddr>().is_err();
    let first = is_name.then_some(host);
    std::iter::successors(first, |domain| Some(domain.split_once('.')?.1))
        .filter(|domain| domain.contains('.'))
}

/// Returns `/` and the folders that contain a path.
fn paths_above(path: &str) -> impl Iterator<Item = &str> {
    let folders = path
        .match_indices('/')
        .filter_map(|(at, _)| path.get(..at.max(1)));
    folders.filter(|folder| !folder.contains([';', ',', ' ', '"']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_can_stand_under_each_domain_above_a_name() {
        for (host, domains) in [
            (
                "a.b.example.com",
                &["a.b.example.com", "b.example.com", "example.com"][..],
            ),
            ("example.com", &["example.com"]),
            ("localhost", &[]),
            ("127.0.0.1", &[]),
            ("", &[]),
            ("example.com;x", &[]),
            ("[::1]", &[]),
        ] {
            assert_eq!(domains_above(host).collect::<Vec<_>>(), domains, "{host}");
        }
    }

    #[test]
    fn a_cookie_can_stand_under_each_folder_of_a_path() {
        for (path, folders) in [
            ("/", &["/"][..]),
            ("/login", &["/"]),
            ("/app/auth/login", &["/", "/app", "/app/auth"]),
            ("/a;b/login", &["/"]),
        ] {
            assert_eq!(paths_above(path).collect::<Vec<_>>(), folders, "{path}");
        }
    }
}
