//! Requests that another site causes. There is no CSRF token, so nobody can steal or plant one (R44).

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rocket::config::TlsConfig;
use rocket::http::Cookie;
use rocket::request::{self, FromRequest};
use rocket::{Request, State, get, routes};
use rocket_login::{LoginError, LoginSession, config::CrossSiteProtection, request_loader};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::common::socket::{Server, body, cookie, get, header, post, status};
use crate::common::{App, User, Users, witness};
use crate::{REMEMBER, SESSION, Site, line, removals};

/// Requests that change a login, or that have an unsafe method and a guard.
const CHANGES: [(&str, &str); 5] = [
    ("/login", "user=bob&remember=on"),
    ("/logout", ""),
    ("/logout-everywhere", ""),
    ("/confirm", "alice"),
    ("/private", ""),
];

/// Header lines that only a request of another site has, in the release profile, where this site is https.
const FOREIGN: [&[&[u8]]; 20] = [
    &[b"Sec-Fetch-Site: cross-site"],
    &[b"Sec-Fetch-Site: same-site"],
    &[b"Sec-Fetch-Site: cross-site", b"Origin: https://localhost"],
    &[b"Sec-Fetch-Site: same-site", b"Origin: https://localhost"],
    &[b"Sec-Fetch-Site: "],
    &[b"Sec-Fetch-Site: Same-Origin"],
    &[b"Sec-Fetch-Site: same-origin, cross-site"],
    &[b"Sec-Fetch-Site: cross-site", b"X-Forwarded-Host: evil.com"],
    &[b"Origin: https://evil.com"],
    &[b"Origin: null"],
    &[b"Origin: "],
    &[b"Origin: http://localhost"],
    &[b"Origin: https://localhost:8443"],
    &[b"Origin: https://localhost.evil.com"],
    &[b"Origin: https://a@localhost"],
    &[b"Origin: https://evil.com", b"X-Forwarded-Host: evil.com"],
    &[
        b"Sec-Fetch-Site: same-origin",
        b"Sec-Fetch-Site: cross-site",
    ],
    &[b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Site: none"],
    &[b"Origin: https://localhost", b"Origin: https://evil.com"],
    &[
        b"Sec-Fetch-Site: same-origin",
        b"Origin: null",
        b"Origin: https://localhost",
    ],
];

/// The handshake of a WebSocket.
const HANDSHAKE: [&[u8]; 4] = [
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

#[test]
fn another_site_opens_no_websocket() {
    // R43: browsers send the cookies of a sibling host's page, and those of any page with `SameSite=None`.
    let site = Site::start();
    let mine = line(&[(SESSION, &site.session("alice"))]);
    let shake = |headers: &[&[u8]]| {
        let headers = [&HANDSHAKE, headers].concat();
        // A connection of its own, since a server may take it out of HTTP.
        site.server.get("/private", &headers)
    };
    for foreign in FOREIGN {
        let reply = shake(&[foreign, &[&mine]].concat());
        assert_eq!(status(&reply), 403, "{foreign:?}: {reply}");
        assert!(!reply.contains("private of"), "{foreign:?}");
        let nobody = shake(foreign);
        assert_eq!(status(&nobody), 403, "{foreign:?}: {nobody}");
    }
    let upgrade: &[u8] = b"Upgrade: WebSocket, x";
    let reply = site.get("/private", &[upgrade, &mine, b"Origin: https://evil.com"]);
    assert_eq!(status(&reply), 403, "{reply}");
    for own in [
        &[][..],
        &[b"Origin: https://localhost".as_slice()],
        &[b"Sec-Fetch-Site: same-origin", b"Origin: https://localhost"],
    ] {
        let reply = shake(&[own, &[&mine]].concat());
        assert_eq!(body(&reply), "private of alice", "{own:?}: {reply}");
    }
    site.assert_unharmed("handshakes of another site");
}

/// A careless loader: it takes a key, but also a cookie or a password that browsers send by themselves.
#[request_loader]
fn load_by_key(key: Key, users: &State<Users>) -> Option<User> {
    users.get(&key.0?)
}

struct Key(Option<String>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Key {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        let header = |name| req.headers().get_one(name);
        let key = header("X-Key").or(req.cookies().get("key").map(Cookie::value));
        let browsers = header("Authorization").map(|_| "alice");
        request::Outcome::Success(Key(key.or(browsers).map(str::to_owned)))
    }
}

#[test]
fn a_key_counts_from_another_site_only_without_what_browsers_send_by_themselves() {
    // R43: whoever has the key may use it from anywhere; whoever has only the victim's browser may not.
    let site = Site::of(
        App::new()
            .release()
            .with(|manager| manager.request_loader(load_by_key)),
    );
    let session = line(&[(SESSION, &site.session("alice"))]);
    let key: &[u8] = b"X-Key: bob";
    for foreign in FOREIGN {
        let post = |headers: &[&[u8]]| site.post("/private", &[foreign, headers].concat(), "");
        assert_eq!(body(&post(&[key])), "posted by bob", "{foreign:?}");
        let token = post(&[b"Authorization: Bearer token"]);
        assert_eq!(body(&token), "posted by alice", "{foreign:?}");
        for by_browser in [
            &[key, &session][..],
            &[key, b"Cookie: __Host-login_session=forged"],
            &[key, b"Cookie: tracker=1"],
            &[b"Cookie: key=alice"],
            &[b"Authorization: Basic YWxpY2U6"],
            &[b"Authorization: negotiate YWxpY2U6"],
            &[b"X-Key: mallory"],
            &[],
        ] {
            let reply = post(by_browser);
            assert_eq!(status(&reply), 403, "{foreign:?} {by_browser:?}: {reply}");
            assert_eq!(header(&reply, "set-cookie"), [""; 0], "{reply}");
        }
        for (path, form) in CHANGES.iter().filter(|(path, _)| *path != "/private") {
            let reply = site.post(path, &[foreign, &[key]].concat(), form);
            assert_eq!(status(&reply), 403, "{path} {foreign:?}: {reply}");
            assert_eq!(header(&reply, "set-cookie"), [""; 0], "{path}");
        }
    }
}

#[test]
fn another_site_can_change_nothing() {
    // T68, T69, R43: as alice, and as nobody.
    let site = Site::start();
    let login = site.post("/login", &[], "user=alice&remember=on");
    let [session, remember] = [SESSION, REMEMBER].map(|name| cookie(&login, name).unwrap());
    let mine = line(&[(SESSION, &session), (REMEMBER, &remember)]);
    for foreign in FOREIGN {
        for (path, form) in CHANGES {
            for cookies in [&mine[..], b"X-None: none"] {
                let reply = site.post(path, &[foreign, &[cookies]].concat(), form);
                assert_eq!(status(&reply), 403, "{path} {foreign:?}: {reply}");
                assert_eq!(header(&reply, "set-cookie"), [""; 0], "{path} {foreign:?}");
                assert!(!reply.contains("posted by"), "{path} {foreign:?}");
            }
        }
        assert_eq!(body(&site.get("/fresh", &[&mine])), "fresh alice");
    }
    site.assert_unharmed("requests of another site");
}

#[test]
fn this_site_and_programs_can_change_logins() {
    // R43: the control of the table above.
    let site = Site::start();
    for own in [
        &[][..],
        &[b"Sec-Fetch-Site: same-origin".as_slice()],
        &[b"Sec-Fetch-Site: none"],
        &[b"Sec-Fetch-Site: same-origin", b"Origin: null"],
        &[b"Origin: https://localhost"],
        &[b"Origin: https://LOCALHOST:443"],
    ] {
        for (path, form) in CHANGES {
            let mine = line(&[(SESSION, &site.session("alice"))]);
            let reply = site.post(path, &[own, &[&mine]].concat(), form);
            assert!(
                [200, 303].contains(&status(&reply)),
                "{path} {own:?}: {reply}"
            );
        }
    }
}

#[test]
fn strict_protection_refuses_requests_without_an_origin() {
    // R43: "switchable to refuse".
    let site = Site::of(
        App::new()
            .release()
            .with(|manager| manager.cross_site_protection(CrossSiteProtection::Strict)),
    );
    let own: &[u8] = b"Sec-Fetch-Site: same-origin";
    let mine = line(&[(
        SESSION,
        &cookie(&site.login("alice", &[own]), SESSION).unwrap(),
    )]);
    for (path, form) in CHANGES {
        let reply = site.post(path, &[&mine], form);
        assert_eq!(status(&reply), 403, "{path}: {reply}");
        assert_eq!(header(&reply, "set-cookie"), [""; 0], "{path}");
    }
    assert_eq!(site.me(&[&mine]), "alice");
}

#[test]
fn a_sibling_host_cannot_log_a_victim_in_as_somebody_else() {
    // T72: with a session of its own that it plants, or with a password of its own.
    let site = Site::start();
    let planted = site.session("bob");
    let alice = site.session("alice");
    for cookies in [
        line(&[(SESSION, &planted)]),
        line(&[(SESSION, &planted), (SESSION, &alice)]),
        line(&[("login_session", &planted), (SESSION, &alice)]),
        line(&[("__Host-login_session ", &planted), (SESSION, &alice)]),
    ] {
        for from in [
            &[b"Sec-Fetch-Site: same-site".as_slice()][..],
            &[b"Origin: https://sibling.localhost"],
            &[
                b"Sec-Fetch-Site: same-site",
                b"Origin: https://sibling.localhost",
            ],
        ] {
            let reply = site.post("/login", &[from, &[&cookies]].concat(), "user=bob");
            assert_eq!(status(&reply), 403, "{reply}");
            assert_eq!(header(&reply, "set-cookie"), [""; 0], "{reply}");
        }
    }
    assert_eq!(site.me(&[&line(&[(SESSION, &alice)])]), "alice");
}

#[get("/leave")]
async fn leave(session: LoginSession<'_, User>) -> Result<&'static str, LoginError> {
    session.logout_user().await?;
    Ok("left")
}

#[test]
fn a_link_or_an_image_logs_nobody_out() {
    // T70, R43: not by the route of another method, not by a careless route, not by a form with GET.
    let site = Site::of(App::new().release().routes(routes![leave]));
    let mine = line(&[(SESSION, &site.session("alice"))]);
    let image: &[&[u8]] = &[
        b"Sec-Fetch-Site: cross-site",
        b"Sec-Fetch-Mode: no-cors",
        b"Sec-Fetch-Dest: image",
        b"Referer: https://evil.com/",
    ];
    for (path, code) in [("/logout", 404), ("/leave", 403)] {
        for headers in [&[][..], &[b"Sec-Fetch-Site: same-origin".as_slice()], image] {
            for method in ["GET", "HEAD"] {
                let request = get(
                    path,
                    &[headers, &[&mine[..], b"Connection: close"]].concat(),
                );
                let request = String::from_utf8(request).unwrap();
                let request = request.replacen("GET", method, 1);
                let reply = site.server.raw(request.as_bytes());
                assert_eq!(status(&reply), code, "{method} {path}: {reply}");
                assert_eq!(header(&reply, "set-cookie"), [""; 0], "{method} {path}");
            }
            let headers = [headers, &[&mine[..]]].concat();
            let reply = site.post(path, &headers, "_method=get");
            assert_eq!(status(&reply), code, "{path}: {reply}");
        }
    }
    assert_eq!(body(&site.get("/fresh", &[&mine])), "fresh alice");
}

#[test]
fn a_referer_of_another_site_leads_nowhere() {
    // T65, R41, R43: the session has expired; for a page, for a script, and for a browser that sends more headers.
    let site = Site::start();
    let mine = line(&[(SESSION, &site.session("alice"))]);
    site.clock.advance(Duration::from_secs(3_600));
    for (headers, code) in [
        (&[][..], 303),
        (&[b"Sec-Fetch-Mode: navigate".as_slice()], 303),
        (&[b"Accept: application/json"], 401),
        (&[b"Sec-Fetch-Mode: cors"], 401),
        (&[b"HX-Request: true"], 401),
        (&[b"Sec-Fetch-Site: cross-site"], 403),
        (&[b"Origin: https://evil.com"], 403),
    ] {
        let referer: [&[u8]; 2] = [&mine, b"Referer: https://evil.com/form"];
        let reply = site.post("/private", &[headers, &referer].concat(), "a=1");
        assert_eq!(status(&reply), code, "{headers:?}: {reply}");
        assert!(!reply.contains("evil.com"), "{headers:?}: {reply}");
        if code == 303 {
            assert_eq!(header(&reply, "location"), ["/login"], "{headers:?}");
        }
        if code != 403 {
            assert_eq!(removals(&reply), [SESSION], "{headers:?}: {reply}");
        }
    }
}

/// A server on TLS, and a client that trusts its certificate.
struct Secure {
    server: Server,
    trust: Arc<ClientConfig>,
}

impl Secure {
    fn start(app: App) -> Self {
        witness::watch();
        let names = vec!["localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let tls = TlsConfig::from_bytes(certificate.as_bytes(), key.as_bytes());
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from(made.cert.der().to_vec()))
            .unwrap();
        let trust = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Secure {
            server: Server::start(app.set("tls", tls).rocket()),
            trust: Arc::new(trust),
        }
    }

    fn ask(&self, request: &[u8]) -> String {
        let stream = TcpStream::connect(self.server.address).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(Arc::clone(&self.trust), name).unwrap();
        let mut stream = StreamOwned::new(client, stream);
        stream.write_all(request).unwrap();
        let mut reply = Vec::new();
        // A server may close the connection without `close_notify`.
        let _ = stream.read_to_end(&mut reply);
        let reply = String::from_utf8(reply).unwrap();
        witness::saw(&reply);
        reply
    }

    fn post(&self, path: &str, headers: &[&[u8]], form: &str) -> String {
        self.ask(&post(
            path,
            &[headers, &[b"Connection: close"]].concat(),
            form,
        ))
    }

    fn me(&self, cookies: &[u8]) -> String {
        let reply = self.ask(&get("/me", &[cookies, b"Connection: close"]));
        body(&reply).to_owned()
    }
}

#[test]
fn over_tls_the_http_origin_of_this_host_is_another_site() {
    // T69, R43: an attacker who controls plain HTTP for this host. The debug profile detects https from TLS only.
    for app in [App::new().release(), App::new()] {
        let site = Secure::start(app);
        let login = site.post("/login", &[b"Origin: https://localhost"], "user=alice");
        assert_eq!(status(&login), 303, "{login}");
        let mine = line(&[(SESSION, &cookie(&login, SESSION).unwrap())]);
        assert_eq!(site.me(&mine), "alice");
        for origin in [
            "http://localhost",
            "http://localhost:443",
            "http://localhost:80",
            "http://LOCALHOST",
            "https://localhost:80",
            "null",
        ] {
            let origin = format!("Origin: {origin}");
            for (path, form) in CHANGES {
                let reply = site.post(path, &[&mine, origin.as_bytes()], form);
                assert_eq!(status(&reply), 403, "{path} {origin}: {reply}");
                assert_eq!(header(&reply, "set-cookie"), [""; 0], "{path} {origin}");
            }
            assert_eq!(site.me(&mine), "alice", "{origin}");
        }
        witness::assert_innocent("over TLS");
    }
}
