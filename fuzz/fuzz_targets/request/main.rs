//! Sends whole requests, with any method, cookies and headers, to an application with every kind of route.
#![no_main]

mod app;
mod cookies;
mod wire;

use std::borrow::Cow;
use std::net::IpAddr;

use libfuzzer_sys::{Corpus, fuzz_target};
use login_runtime::fuzzing::Tokens;
use rocket::http::{Cookie, Method, RawStr, SameSite};
use rocket::local::blocking::Client;
use rocket_login::testing::Clock;
use rocket_login_fuzz as reference;
use url::{Position, Url};

use app::{AUDIENCE, Ended, KEY, Lists, NOW, ROBOTS_KEY, Ran, Run, User};
use cookies::{Cookies, Login, REMEMBER, SESSION};
use wire::{Asked, Reply};

/// A host that occurs only in headers.
const EVIL: &str = "evil.test";

struct Site {
    client: Client,
    cookies: Cookies,
    ended: Ended,
    ended_before: Lists,
    keys: Tokens,
}

// Rocket's client must stay on the thread that makes it, and must not be dropped at the end of the thread.
thread_local! {
    static SITE: &'static Site = Box::leak(Box::new(Site::start()));
}

fuzz_target!(|text: &str| -> Corpus { SITE.with(|site| site.judge(text)) });

impl Site {
    fn start() -> Self {
        let (clock, ended) = (Clock::manual(NOW), Ended::default());
        let rocket = app::build(clock.clone(), ended.clone(), AUDIENCE);
        let client = Client::untracked(rocket).expect("the application starts");
        let cookies = Cookies::new(&client, &clock, &ended);
        let ended_before = ended.lists().clone();
        let keys = Tokens::new(KEY.as_bytes(), AUDIENCE, SESSION, REMEMBER).expect("a strong key");
        Site {
            client,
            cookies,
            ended,
            ended_before,
            keys,
        }
    }

    fn judge(&self, text: &str) -> Corpus {
        let text = self.cookies.put_into(text);
        let Some(asked) = Asked::read(&text) else {
            return Corpus::Reject;
        };
        self.ran().take();
        self.ended.lists().clone_from(&self.ended_before);
        let reply = asked.dispatch(&self.client);
        let ran = self.ran().take();

        assert!(reply.status.code < 500, "{}", reply.status);
        let visitor = self.visitor(&asked);
        nobody_gets_anothers_page(&asked, visitor, &reply, &ran);
        self.other_sites_change_nothing(&asked, &ran);
        self.cookies_are_in_order(&asked, visitor, &reply, &ran);
        nothing_leads_elsewhere(&asked, &reply);
        Corpus::Keep
    }

    fn ran(&self) -> &Ran {
        self.client
            .rocket()
            .state()
            .expect("the application counts")
    }

    /// The user of the request, by a cookie that is the only genuine one of its name, or else by an API key.
    fn visitor(&self, asked: &Asked<'_>) -> Option<Login> {
        let lines = asked.all("Cookie");
        let [mut sessions, mut remembers] =
            [SESSION, REMEMBER].map(|name| reference::cookie_values(&lines, name));
        sessions.retain(|value| self.keys.decode(value, false).is_some());
        remembers.retain(|value| self.keys.decode(value, true).is_some());
        let of = |name, values: &[&str]| match values {
            [value] => {
                let login = self.cookies.login_of(value)?;
                (login.name == name).then_some(login)
            }
            _ => None,
        };
        let by_cookie = if sessions.len() > 1 {
            None
        } else {
            of(SESSION, &sessions).or_else(|| of(REMEMBER, &remembers))
        };
        by_cookie.or_else(|| {
            let is_robot = asked.all("X-Api-Key").first() == Some(&ROBOTS_KEY);
            is_robot.then_some(Login {
                name: "",
                user: "robot",
                fresh: false,
                bound: false,
            })
        })
    }

    /// A request that comes from another site, according to the browser, changes nothing.
    fn other_sites_change_nothing(&self, asked: &Asked<'_>, ran: &[Run]) {
        let promises_none = [Method::Get, Method::Head, Method::Options].contains(&asked.method);
        if promises_none || is_cross_site(asked) {
            assert!(
                !ran.iter()
                    .any(|run| matches!(run, Run::Unsafe(_) | Run::Changed)),
                "{ran:?}"
            );
            assert!(
                *self.ended.lists() == self.ended_before,
                "somebody was logged out"
            );
        }
    }

    fn cookies_are_in_order(
        &self,
        asked: &Asked<'_>,
        visitor: Option<Login>,
        reply: &Reply,
        ran: &[Run],
    ) {
        let mut names = Vec::new();
        for line in reply.all("Set-Cookie") {
            let cookie = Cookie::parse(line).expect("a cookie");
            assert!(
                !names.contains(&cookie.name().to_owned()),
                "{} is set twice",
                cookie.name()
            );
            names.push(cookie.name().to_owned());
            let remember = match cookie.name() {
                SESSION => false,
                REMEMBER => true,
                other => {
                    assert_eq!(other, "_flash");
                    continue;
                }
            };
            assert!(line.len() <= 1024, "{line}");
            assert_eq!(
                (cookie.path(), cookie.domain()),
                (Some("/"), None),
                "{line}"
            );
            assert_eq!(
                (cookie.secure(), cookie.http_only()),
                (Some(true), Some(true)),
                "{line}"
            );
            assert_eq!(cookie.same_site(), Some(SameSite::Lax), "{line}");
            if cookie.value().is_empty() {
                assert!(
                    cookie
                        .max_age()
                        .is_some_and(rocket::time::Duration::is_zero),
                    "{line}"
                );
                continue;
            }
            let token = self
                .keys
                .decode(cookie.value(), remember)
                .expect("our own token");
            let own = visitor.is_some_and(|login| login.user == token.uid);
            let logged_in = ran.contains(&Run::Changed)
                && decoded(asked.body).contains(&token.uid)
                && User::find(&token.uid).is_some();
            assert!(own || logged_in, "a login for {}", token.uid);
            assert!(!reply.body.contains(cookie.value()), "a token in a page");
        }
        if names.iter().any(|name| name == SESSION || name == REMEMBER) {
            assert_eq!(
                reply.all("Cache-Control").collect::<Vec<_>>(),
                ["private, no-store"]
            );
        }
    }
}

fn nobody_gets_anothers_page(
    asked: &Asked<'_>,
    visitor: Option<Login>,
    reply: &Reply,
    ran: &[Run],
) {
    let user = visitor.map(|login| login.user);
    for run in ran {
        match run {
            Run::Guarded(of) | Run::Unsafe(of) => assert_eq!(user, Some(&**of)),
            Run::Fresh(of) => {
                assert_eq!(user, Some(&**of));
                let passes = |login: Login| login.fresh && (!login.bound || is_at_home(asked));
                assert!(visitor.is_some_and(passes), "a stale login passed");
            }
            Run::Anonymous => assert_eq!(user, None),
            Run::Changed => {}
        }
    }
    if let Some(of) = reply.body.strip_prefix(app::PAGE_OF) {
        assert_eq!(user, Some(of));
        assert_eq!(
            reply.all("Cache-Control").collect::<Vec<_>>(),
            ["private, no-store"]
        );
        assert!(reply.all("Vary").any(|vary| vary == "Cookie"));
    }
    match (asked.method, asked.target) {
        (Method::Get, "/me") => {
            let page = user.map_or(app::NOBODYS_PAGE.into(), |user| {
                format!("{}{user}", app::PAGE_OF)
            });
            assert_eq!(reply.body, page, "a login was forgotten");
        }
        (Method::Get, "/private") => assert_eq!(ran.len(), user.iter().len()),
        _ => {}
    }
}

/// Whether the client may be the one to which the cookies are bound.
fn is_at_home(asked: &Asked<'_>) -> bool {
    let may_be = match asked.from {
        IpAddr::V4(ip) => ip.is_loopback() || ip.octets()[0] == 10,
        IpAddr::V6(ip) => ip.to_ipv4_mapped().is_some(),
    };
    may_be && asked.all("User-Agent").is_empty()
}

/// Whether `Sec-Fetch-Site`, or else an `Origin` that is not the host's, names another site.
fn is_cross_site(asked: &Asked<'_>) -> bool {
    let first = |name| asked.all(name).into_iter().next();
    match (first("Sec-Fetch-Site"), first("Origin")) {
        (Some(site), _) => site != "same-origin" && site != "none",
        (None, Some("null")) => true,
        (None, Some(origin)) => {
            let here = Url::parse(&format!("https://{}", first("Host").unwrap_or_default()));
            let there = Url::parse(origin);
            match (here, there) {
                (Ok(here), Ok(there)) => here.origin() != there.origin(),
                // No browser sends such a host and such an origin.
                (Err(_), Err(_)) => false,
                _ => true,
            }
        }
        (None, None) => false,
    }
}

fn nothing_leads_elsewhere(asked: &Asked<'_>, reply: &Reply) {
    let site = Url::parse("https://app.example/deep/page?x#y").expect("a site");
    for name in ["Location", "HX-Redirect"] {
        assert!(reply.all(name).count() <= 1);
        for location in reply.all(name) {
            assert!(location.starts_with('/'), "{location}");
            let url = site.join(location).expect("a location");
            assert_eq!(url.origin(), site.origin(), "{location}");
            if let Some(next) = location.strip_prefix("/login?next=") {
                let there = site.join(&decoded(next)).expect("a page");
                assert_eq!(there.origin(), site.origin(), "{location}");
            }
        }
    }
    // A response may repeat the site's own paths, but not the name of another host.
    let path_of = |page: &&str| match Url::parse(page) {
        Ok(url) => url[Position::BeforePath..].to_owned(),
        Err(_) => (*page).to_owned(),
    };
    let own = asked
        .all("HX-Current-URL")
        .iter()
        .map(path_of)
        .collect::<String>();
    let cookies = asked.all("Cookie").concat();
    if ![asked.target, asked.body, &own, &cookies]
        .into_iter()
        .any(names_evil)
    {
        for value in reply.headers() {
            assert!(!names_evil(value), "{value}");
        }
    }
}

/// Whether a text contains the host, as it is or decoded: `%5evil.test` contains it only as it is.
fn names_evil(text: &str) -> bool {
    [Cow::Borrowed(text), decoded(text)]
        .iter()
        .any(|text| text.to_ascii_lowercase().contains(EVIL))
}

fn decoded(text: &str) -> Cow<'_, str> {
    RawStr::new(text).percent_decode_lossy()
}
