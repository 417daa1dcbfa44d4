//! A cache in front of the site never shows a user what belongs to another one. The cache is nginx.
//!
//! Without nginx these tests print how to install it, and pass. If the variable `ATTACKS_PROXY` is
//! set, they fail.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, fs, process, thread};

use rocket::http::{ContentType, Header, Status};
use rocket::request::Request;
use rocket::{Responder, catch, catchers, get, routes};
use rocket_login::CurrentUser;

use crate::common::socket::{self, body, cookie, header, post, status};
use crate::common::{App, User, witness};
use crate::{REMEMBER, SESSION, Site, forge, line, removals};

/// nginx in front of a server, on its own port. Dropping the value stops it.
struct Proxy {
    process: Child,
    folder: PathBuf,
    heeds_no_store: bool,
}

/// Which headers a cache ignores, and whether it respects `no-store`: one cache stores what it
/// may, one ignores `Vary`, one stores everything as long as it likes.
const CACHES: [(&str, bool); 3] = [
    ("proxy_ignore_headers Set-Cookie;", true),
    ("proxy_ignore_headers Set-Cookie Vary;", true),
    (
        "proxy_ignore_headers Set-Cookie Cache-Control Expires; proxy_cache_valid any 10m;",
        false,
    ),
];

impl Proxy {
    /// `None` without nginx.
    fn start(upstream: SocketAddr, cache: &str, heeds_no_store: bool) -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("attacks-proxy-{}-{number}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let at = folder.display();
        let configuration = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/log;
             events {{ worker_connections 64; }}
             http {{
                 access_log off;
                 client_body_temp_path {at}/body; proxy_temp_path {at}/proxied;
                 fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
                 proxy_cache_path {at}/cache keys_zone=pages:1m use_temp_path=off;
                 server {{
                     listen unix:{at}/socket;
                     location / {{
                         proxy_pass http://{upstream};
                         proxy_http_version 1.1;
                         proxy_set_header Host $http_host;
                         proxy_set_header Connection '';
                         proxy_cache pages;
                         proxy_cache_key $request_uri;
                         {cache}
                         add_header X-Cache $upstream_cache_status always;
                     }}
                 }}
             }}"
        );
        fs::write(folder.join("nginx.conf"), configuration).unwrap();
        let started = Command::new("nginx")
            .env("PATH", format!("{}:/usr/sbin", env::var("PATH").unwrap()))
            .args(["-e", "stderr", "-p"])
            .arg(&folder)
            .args(["-c", "nginx.conf"])
            .stderr(Stdio::null())
            .spawn();
        let process = match started {
            Ok(process) => process,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let _ = fs::remove_dir_all(&folder);
                missing();
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let mut proxy = Proxy {
            process,
            folder,
            heeds_no_store,
        };
        while UnixStream::connect(proxy.folder.join("socket")).is_err() {
            let ended = proxy.process.try_wait().unwrap();
            let log = || fs::read_to_string(proxy.folder.join("log")).unwrap_or_default();
            assert!(ended.is_none(), "nginx does not start: {}", log());
            thread::sleep(Duration::from_millis(10));
        }
        Some(proxy)
    }

    fn ask(&self, request: &[u8]) -> String {
        let mut stream = UnixStream::connect(self.folder.join("socket")).unwrap();
        let timeout = Some(Duration::from_secs(10));
        stream.set_read_timeout(timeout).unwrap();
        stream.write_all(request).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        witness::saw(&reply);
        reply
    }

    fn get(&self, path: &str, headers: &[&[u8]]) -> String {
        self.ask(&socket::get(
            path,
            &[headers, &[b"Connection: close"]].concat(),
        ))
    }

    fn post(&self, path: &str, headers: &[&[u8]], form: &str) -> String {
        self.ask(&post(
            path,
            &[headers, &[b"Connection: close"]].concat(),
            form,
        ))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Prints how to install what is missing, around the test harness, which would hide the message.
fn missing() {
    static PRINTED: Once = Once::new();
    let how = "SKIPPED: the caching tests need nginx; on Debian: apt-get install nginx-light\n";
    assert!(env::var_os("ATTACKS_PROXY").is_none(), "{how}");
    PRINTED.call_once(|| {
        let _ = io::stderr().write_all(how.as_bytes());
    });
}

/// A page that every cache may store.
#[derive(Responder)]
struct Cached {
    body: String,
    kind: ContentType,
    cache: Header<'static>,
    tag: Header<'static>,
    nginx: Header<'static>,
    cdn: Header<'static>,
    surrogate: Header<'static>,
}

impl Cached {
    fn new(body: String) -> Self {
        let tag = format!("\"{body}\"");
        Cached {
            body,
            kind: ContentType::Plain,
            cache: Header::new("Cache-Control", "public, max-age=600, s-maxage=600"),
            tag: Header::new("ETag", tag),
            nginx: Header::new("X-Accel-Expires", "600"),
            cdn: Header::new("CDN-Cache-Control", "public, max-age=600"),
            surrogate: Header::new("Surrogate-Control", "max-age=600"),
        }
    }
}

#[get("/public")]
fn public() -> Cached {
    Cached::new("public".into())
}

#[get("/profile.css")]
fn profile(user: CurrentUser<'_, User>) -> Cached {
    Cached::new(named(&user))
}

#[get("/maybe")]
fn maybe(user: Option<&User>) -> Cached {
    Cached::new(user.map_or("anonymous".into(), |user| user.id.clone()))
}

fn named(user: &CurrentUser<'_, User>) -> String {
    user.get_id().unwrap_or_else(|| "anonymous".into())
}

/// 304 for a client that has the page of this user. A cache does not forward `If-None-Match`.
#[get("/tagged?<known>")]
fn tagged(known: &str, user: CurrentUser<'_, User>) -> (Status, Cached) {
    let page = Cached::new(named(&user));
    let status = if known == page.body {
        Status::NotModified
    } else {
        Status::Ok
    };
    (status, page)
}

#[catch(404)]
async fn not_found(req: &Request<'_>) -> Cached {
    let user = req.guard::<CurrentUser<'_, User>>().await.succeeded();
    Cached::new(user.map_or_else(String::new, |user| named(&user)))
}

fn site() -> Site {
    let app = App::new()
        .release()
        .routes(routes![public, profile, maybe, tagged]);
    Site::with(app, |rocket| rocket.register("/", catchers![not_found]))
}

/// Runs a test behind each of the caches, after a check that the cache stores pages.
fn behind_every_cache(test: impl Fn(&Site, &Proxy)) {
    for (cache, heeds_no_store) in CACHES {
        let site = site();
        let Some(proxy) = Proxy::start(site.server.address, cache, heeds_no_store) else {
            return;
        };
        let answers = [(); 2].map(|()| proxy.get("/public", &[]));
        let seen = answers.each_ref().map(|answer| header(answer, "x-cache"));
        assert_eq!(seen, [["MISS"], ["HIT"]], "{cache}: {answers:?}");
        assert_eq!(body(&answers[1]), "public", "{cache}");
        test(&site, &proxy);
    }
}

/// The response is for this visitor only. If a cache stores it anyway, it does so for the same cookies.
fn assert_private(proxy: &Proxy, reply: &str) {
    let hit = header(reply, "x-cache") == ["HIT"];
    assert!(!(hit && proxy.heeds_no_store), "{reply}");
    assert_eq!(
        header(reply, "cache-control"),
        ["private, no-store"],
        "{reply}"
    );
    for targeted in ["cdn-cache-control", "surrogate-control"] {
        assert_eq!(header(reply, targeted), [""; 0], "{reply}");
    }
    let varies = header(reply, "vary").concat().to_lowercase();
    assert!(varies.contains("cookie"), "{reply}");
}

#[test]
fn a_cache_shows_each_user_only_their_own_pages() {
    // T73, R45: alice, nobody, bob, and alice again; pages, a public mark, a wrong address, a 304.
    behind_every_cache(|site, proxy| {
        let [alice, bob] = ["alice", "bob"].map(|user| line(&[(SESSION, &site.session(user))]));
        let nobody: &[u8] = b"X-None: none";
        for (path, code) in [
            ("/me", 200),
            ("/profile.css", 200),
            ("/maybe", 200),
            ("/me/x.css", 404),
            ("/private/..%2fx.css", 404),
        ] {
            for (cookies, user) in [
                (&alice[..], "alice"),
                (nobody, "anonymous"),
                (&bob, "bob"),
                (&alice, "alice"),
            ] {
                let reply = proxy.get(path, &[cookies]);
                assert_eq!(
                    (status(&reply), body(&reply)),
                    (code, user),
                    "{path}: {reply}"
                );
                assert_private(proxy, &reply);
                assert_eq!(header(&reply, "set-cookie"), [""; 0], "{path}");
                // What a cache has kept of alice would match her tag.
                let tag = b"If-None-Match: \"alice\"".as_slice();
                let reply = proxy.get(path, &[nobody, tag]);
                assert_eq!(
                    (status(&reply), body(&reply)),
                    (code, "anonymous"),
                    "{path}"
                );
            }
        }
        let path = "/tagged?known=alice";
        let unchanged = proxy.get(path, &[&alice]);
        assert_eq!(
            (status(&unchanged), body(&unchanged)),
            (304, ""),
            "{unchanged}"
        );
        assert_private(proxy, &unchanged);
        for (cookies, user) in [(&bob[..], "bob"), (nobody, "anonymous")] {
            let reply = proxy.get(path, &[cookies]);
            assert_eq!((status(&reply), body(&reply)), (200, user), "{reply}");
        }
    });
}

#[test]
fn a_cache_confuses_no_refusal_with_a_page() {
    // T73, R45: a cache that stored the redirect would lock alice out; one that stored the page would let bob in.
    behind_every_cache(|site, proxy| {
        let alice = line(&[(SESSION, &site.session("alice"))]);
        for _ in 0..2 {
            let refused = proxy.get("/private", &[]);
            assert_eq!(status(&refused), 303, "{refused}");
            let page = proxy.get("/private", &[&alice]);
            assert_eq!(body(&page), "private of alice", "{page}");
            let refused = proxy.get("/private", &[b"Accept: application/json"]);
            assert!([303, 401].contains(&status(&refused)), "{refused}");
            assert!(!refused.contains("alice"), "{refused}");
        }
    });
}

#[test]
fn a_cache_sends_no_cookie_to_another_visitor() {
    // T73, R45: cookies of a login, a renewal, a restored login and a removal.
    behind_every_cache(|site, proxy| {
        let login = proxy.post("/login", &[], "user=alice&remember=on");
        let [session, remember] = [SESSION, REMEMBER].map(|name| cookie(&login, name).unwrap());
        site.clock.advance(Duration::from_secs(600));
        for cookies in [line(&[(SESSION, &session)]), line(&[(REMEMBER, &remember)])] {
            for path in ["/me", "/profile.css", "/me/x.css"] {
                let reply = proxy.get(path, &[&cookies]);
                assert_eq!(body(&reply), "alice", "{path}: {reply}");
                assert!(cookie(&reply, SESSION).is_some(), "{path}: {reply}");
                assert_private(proxy, &reply);
            }
        }
        let forged = line(&[(SESSION, &forge::forged(&session))]);
        assert_eq!(removals(&proxy.get("/me", &[&forged])), [SESSION]);
        let bob = line(&[(SESSION, &site.session("bob"))]);
        for (cookies, user) in [(&b"X-None: none"[..], "anonymous"), (&bob, "bob")] {
            for path in ["/me", "/profile.css", "/me/x.css"] {
                let reply = proxy.get(path, &[cookies]);
                assert_eq!(body(&reply), user, "{path}: {reply}");
                assert_eq!(header(&reply, "set-cookie"), [""; 0], "{path}: {reply}");
            }
        }
    });
}

#[test]
fn a_page_that_does_not_depend_on_the_user_is_cached_despite_cookies() {
    // T74, T75: the response mentions no login, and the cache stores it for everybody.
    behind_every_cache(|site, proxy| {
        let login = site.post("/login", &[], "user=alice&remember=on");
        let [session, remember] = [SESSION, REMEMBER].map(|name| cookie(&login, name).unwrap());
        site.clock.advance(Duration::from_secs(600));
        for cookies in [
            line(&[]),
            line(&[(SESSION, &session)]),
            line(&[(REMEMBER, &remember)]),
            line(&[(SESSION, "forged")]),
        ] {
            assert_eq!(
                header(&proxy.get("/public", &[&cookies]), "x-cache"),
                ["HIT"]
            );
            for path in ["/open", "/public"] {
                let reply = site.get(path, &[&cookies]);
                assert_eq!(status(&reply), 200, "{reply}");
                assert_eq!(header(&reply, "vary"), [""; 0], "{path}");
                assert_eq!(header(&reply, "set-cookie"), [""; 0], "{path}");
                let cache = header(&reply, "cache-control").concat();
                assert!(!cache.contains("no-store"), "{path}: {cache}");
            }
        }
    });
}

#[test]
fn a_logout_can_tell_the_browser_to_forget_its_pages() {
    // R46
    let clears = |reply: &str| header(reply, "clear-site-data").concat();
    let app = App::new().release().set("login.clear_site_data", true);
    for (site, expected) in [
        (Site::start(), ""),
        (Site::of(app), r#""cache", "storage""#),
    ] {
        let login = site.login("alice", &[]);
        let mine = line(&[(SESSION, &cookie(&login, SESSION).unwrap())]);
        assert_eq!(clears(&login), "");
        assert_eq!(clears(&site.get("/me", &[&mine])), "");
        let foreign: [&[u8]; 2] = [&mine, b"Sec-Fetch-Site: cross-site"];
        assert_eq!(clears(&site.post("/logout", &foreign, "")), "");
        assert_eq!(clears(&site.post("/logout", &[&mine], "")), expected);
    }
}
