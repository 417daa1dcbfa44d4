//! Forged, changed, borrowed and invented cookies.

use rocket::http::{Cookie, Header, Status};
use rocket::local::blocking::Client;
use rocket::{get, routes};
use rocket_login::{LoginManager, UserMixin, testing, user_loader};

use crate::common::{
    App, Browser, KEY, REMEMBER, Reply, Running, SESSION, START, User, Users, load_user,
};
use crate::forge::{decode, encode, hmac, sha256};

const TAG: usize = 32;

/// Sends a `Cookie` header on both kinds of page, and demands ANON; gives the page's answer.
fn anonymous(app: &Running, cookies: &str, what: &str) -> Reply {
    let mut browser = app.browser().header("Cookie", cookies);
    let me = browser.get("/me");
    assert_eq!(
        (me.status, me.body.as_str()),
        (Status::Ok, "anonymous"),
        "{what}"
    );
    let private = browser.get("/private");
    assert_eq!(private.status, Status::SeeOther, "{what}");
    assert_eq!(private.location(), Some("/login?next=%2Fprivate"), "{what}");
    assert_eq!(private.removes(SESSION), me.removes(SESSION), "{what}");
    me
}

/// ANON+CLEAR for a value in the session cookie.
fn refused(app: &Running, value: &str, what: &str) {
    let reply = anonymous(app, &format!("{SESSION}={value}"), what);
    assert!(reply.removes(SESSION), "{what}: {reply:?}");
    assert_eq!(reply.set_cookies().len(), 1, "{what}: {reply:?}");
}

/// The session cookie of a new login, seen to work.
fn session(app: &Running, user: &str) -> String {
    let value = app.logged_in(user).cookies[SESSION].clone();
    let mut browser = app
        .browser()
        .header("Cookie", &format!("{SESSION}={value}"));
    assert_eq!(browser.me(), user);
    value
}

#[test]
fn no_bit_of_a_token_may_change() {
    // T01
    let app = App::new().start();
    let token = decode(&session(&app, "alice"));
    for bit in 0..token.len() * 8 {
        let mut forged = token.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        refused(&app, &encode(&forged), &format!("bit {bit}"));
    }
}

#[test]
fn no_bit_of_a_cookies_text_may_change() {
    // T01: bits that the encoding ignores would give one login many texts.
    let app = App::new().start();
    let text = session(&app, "alice");
    for bit in 0..text.len() * 8 {
        let forged: String = text
            .bytes()
            .enumerate()
            .map(|(at, byte)| {
                char::from(if at == bit / 8 {
                    byte ^ 1 << (bit % 8)
                } else {
                    byte
                })
            })
            .collect();
        refused(&app, &forged, &format!("bit {bit}"));
    }
}

#[test]
fn a_truncated_or_extended_token_is_refused() {
    // T02
    let app = App::new().start();
    let text = session(&app, "alice");
    for length in 0..text.len() {
        refused(&app, &text[..length], &format!("length {length}"));
    }
    for more in ["A", "AAAA", "=", "==", ".", "%00", &text, &"A".repeat(900)] {
        refused(&app, &format!("{text}{more}"), more);
        refused(&app, &format!("{more}{text}"), more);
    }
}

#[test]
fn a_tag_of_any_other_make_is_refused() {
    let app = App::new().start();
    let token = decode(&session(&app, "alice"));
    let (signed, tag) = token.split_at(token.len() - TAG);
    let secret = KEY.as_bytes();
    let mut extended = KEY.as_bytes().to_vec();
    extended.push(0);
    let plain = [secret, signed].concat();
    let tags: [(&str, Vec<u8>); 12] = [
        // T04
        ("zeros", vec![0; TAG]),
        ("ones", vec![255; TAG]),
        ("none", Vec::new()),
        ("its first byte", tag[..1].to_vec()),
        ("its first half", tag[..TAG / 2].to_vec()),
        ("twice", tag.repeat(2)),
        // T06
        ("the secret's text as key", hmac(secret, signed).to_vec()),
        ("the secret and a zero", hmac(&extended, signed).to_vec()),
        (
            "the secret's bytes as key",
            hmac(&standard_base64(KEY), signed).to_vec(),
        ),
        (
            "the secret's hash as key",
            hmac(&sha256(secret), signed).to_vec(),
        ),
        ("no key", hmac(b"", signed).to_vec()),
        // T07
        ("a plain hash", sha256(&plain).to_vec()),
    ];
    for (what, tag) in tags {
        refused(&app, &encode(&[signed, &tag].concat()), what);
    }
}

fn standard_base64(text: &str) -> Vec<u8> {
    decode(
        text.replace('+', "-")
            .replace('/', "_")
            .trim_end_matches('='),
    )
}

#[test]
fn the_parts_of_two_tokens_make_no_third() {
    // T05
    const BOUNDARIES: [usize; 12] = [1, 2, 3, 7, 23, 31, 39, 47, 55, 71, 87, 89];
    let app = App::new().start();
    let texts = [session(&app, "alice"), session(&app, "bob")];
    let [alice, bob] = texts.each_ref().map(|text| decode(text));
    let untagged = |token: &[u8]| token.len() - TAG;
    let mut forgeries = vec![
        [&bob[..untagged(&bob)], &alice[untagged(&alice)..]].concat(),
        [&alice[..untagged(&alice)], &bob[untagged(&bob)..]].concat(),
    ];
    for at in BOUNDARIES {
        forgeries.push([&alice[..at], &bob[at..]].concat());
        forgeries.push([&bob[..at], &alice[at..]].concat());
    }
    let mut tried = 0;
    for (number, forged) in forgeries.into_iter().enumerate() {
        let forged = encode(&forged);
        // Up to the session id two tokens of one server are alike.
        if !texts.contains(&forged) {
            refused(&app, &forged, &format!("forgery {number}"));
            tried += 1;
        }
    }
    assert!(tried >= 16, "{tried}");
}

#[test]
fn what_other_libraries_would_take_is_refused() {
    let app = App::new().start();
    let unsigned = {
        let token = decode(&session(&app, "alice"));
        encode(&token[..token.len() - TAG])
    };
    // T08, T10
    let mut values: Vec<String> = [
        &unsigned,
        "alice",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",
        ".eJyrVkrLz1eyUkpKLFKqBQAdegQ0.aR0m5Q.Ckq9aNPcd8k8dVbTp0XQm9Yk2Zs",
        "alice|5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "eyJ1c2VyX2lkIjoiYWxpY2UifQ",
        "{\"user_id\":\"alice\"}",
        "null",
        "0",
        "",
    ]
    .map(String::from)
    .into();
    for version in [0, 2, 255] {
        let mut token = decode(&session(&app, "alice"));
        token[0] = version;
        let signed = token.len() - TAG;
        let tag = hmac(&standard_base64(KEY), &token[..signed]);
        token[signed..].copy_from_slice(&tag);
        values.push(encode(&token));
    }
    for value in values {
        refused(&app, &value, &value);
    }
}

#[test]
fn a_cookie_under_the_other_cookies_name_is_refused() {
    // T13
    let app = App::new().start();
    let browser = app.remembered("alice");
    let (session, remember) = (&browser.cookies[SESSION], &browser.cookies[REMEMBER]);
    for (cookies, cleared) in [
        (format!("{SESSION}={remember}"), vec![SESSION]),
        (format!("{REMEMBER}={session}"), vec![REMEMBER]),
        (
            format!("{SESSION}={remember}; {REMEMBER}={session}"),
            vec![SESSION, REMEMBER],
        ),
    ] {
        let reply = anonymous(&app, &cookies, &cookies);
        let names: Vec<_> = reply
            .set_cookies()
            .iter()
            .map(|c| c.name().to_owned())
            .collect();
        assert_eq!(names, cleared);
        assert!(cleared.iter().all(|name| reply.removes(name)));
    }
    assert_eq!(
        app.browser()
            .header("Cookie", &format!("{SESSION}={session}"))
            .me(),
        "alice"
    );
}

#[test]
fn another_applications_login_is_none_here() {
    // T14, R3
    let other_key = "q0Zf3mT8wB5vRkXyLh1uNc7sJd2gPaE9iOo4WtQxZ6Y=";
    let home = App::new().set("login.audience", "a").start();
    for (what, app) in [
        ("audience", App::new().set("login.audience", "b")),
        ("default audience", App::new()),
        (
            "secret",
            App::new()
                .set("login.audience", "a")
                .set("secret_key", other_key),
        ),
        (
            "cookie name",
            App::new()
                .set("login.audience", "a")
                .set("login.session_cookie_name", "sid"),
        ),
        ("release", App::new().release().set("login.audience", "a")),
    ] {
        let app = app.start();
        let mut browser = app.logged_in("alice");
        assert_eq!(browser.me(), "alice");
        let foreign = browser.cookies.into_values().next().unwrap();
        refused(&home, &foreign, what);
    }
    // The same application again, on another machine: the control of this table.
    let twin = App::new().set("login.audience", "a").start();
    let session = session(&twin, "alice");
    assert_eq!(
        home.browser()
            .header("Cookie", &format!("{SESSION}={session}"))
            .me(),
        "alice"
    );
}

/// Another user type, whose ids are spelled alike.
#[derive(UserMixin)]
struct Admin {
    id: String,
}

#[user_loader]
#[allow(clippy::unnecessary_wraps, reason = "a loader's type is fixed")]
fn load_admin(id: String) -> Option<Admin> {
    Some(Admin { id })
}

#[get("/admin")]
fn admin_page(admin: &Admin) -> String {
    format!("admin {}", admin.id)
}

#[get("/user")]
fn user_page(user: &User) -> String {
    format!("user {}", user.id)
}

#[test]
fn a_login_of_one_user_type_is_none_of_another() {
    // R3: a user `alice` is not the administrator `alice`.
    let admins = LoginManager::new(load_admin)
        .session_cookie_name("admin_session")
        .remember_cookie_name("admin_token");
    let users = Users::alice_and_bob();
    let figment = rocket::Config::figment().merge(("log_level", "off"));
    let rocket = rocket::custom(figment.merge(("secret_key", KEY)))
        .manage(users.clone())
        .attach(LoginManager::new(load_user))
        .attach(admins)
        .mount("/", routes![admin_page, user_page]);
    let client = Client::untracked(rocket).unwrap();
    let user = users.get("alice").unwrap();
    let admin = Admin {
        id: user.id.clone(),
    };
    let cookies = [
        testing::login(client.rocket(), &user),
        testing::remember(client.rocket(), &user),
        testing::login(client.rocket(), &admin),
        testing::remember(client.rocket(), &admin),
    ];
    for name in cookies.iter().map(Cookie::name) {
        for cookie in &cookies {
            let header = Header::new("Cookie", format!("{name}={}", cookie.value()));
            let of_admins = name.starts_with("admin");
            let pages = [
                ("/user", "user alice", !of_admins),
                ("/admin", "admin alice", of_admins),
            ];
            for (path, body, of_theirs) in pages {
                let response = client.get(path).header(header.clone()).dispatch();
                let what = format!("{} as {name} on {path}", cookie.name());
                if of_theirs && cookie.name() == name {
                    assert_eq!(response.into_string().as_deref(), Some(body), "{what}");
                } else {
                    assert_eq!(response.status(), Status::Unauthorized, "{what}");
                    let removed = response.headers().get_one("Set-Cookie");
                    let starts = |cookie: &str| cookie.starts_with(&format!("{name}=;"));
                    assert_eq!(removed.is_some_and(starts), of_theirs, "{what}");
                }
            }
        }
    }
}

#[test]
fn thousands_of_random_values_are_nobody() {
    // T20
    let app = App::new().start();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for number in 0..4_000 {
        let length = 1 + random.below(600);
        let value: String = if number % 2 == 0 {
            let bytes: Vec<u8> = (0..length).map(|_| random.byte(255)).collect();
            encode(&bytes)
        } else {
            (0..length)
                .map(|_| char::from(33 + random.byte(94)))
                .collect()
        };
        let mut browser = app
            .browser()
            .header("Cookie", &format!("{SESSION}={value}"));
        let reply = browser.get("/me");
        assert_eq!(reply.body, "anonymous", "{value}");
        assert!(reply.removes(SESSION), "{value}");
    }
    assert_eq!(app.users.loads(), 0, "a forged id reached the loader");
}

/// xorshift64: the same values in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn byte(&mut self, limit: u8) -> u8 {
        u8::try_from(self.below(limit.into())).unwrap()
    }
}

#[test]
fn a_long_value_is_refused_without_being_decoded() {
    // R13: 1,024 bytes are the limit.
    let app = App::new().start();
    for length in [1_023, 1_024, 1_025, 4_096, 65_536] {
        refused(&app, &"A".repeat(length), &length.to_string());
    }
}

#[test]
fn from_outside_all_dead_cookies_look_alike() {
    // R50: forged, expired, revoked, of a user who is gone, of an older password.
    let app = App::new().start();
    let outline = |value: &str, what: &str| {
        let reply = anonymous(&app, &format!("{SESSION}={value}"), what);
        (reply.status, reply.headers, reply.body)
    };
    let expired = session(&app, "alice");
    app.clock.set(START + 24 * 60 * 60);
    let mut leaver = app.logged_in("alice");
    let revoked = leaver.cookies[SESSION].clone();
    assert_eq!(leaver.post("/logout", "").body, "logged out");
    let gone = session(&app, "bob");
    app.users.remove("bob");
    let outdated = session(&app, "alice");
    app.users
        .change("alice", |user| user.password = "new".into());

    let forged = outline(&"A".repeat(expired.len()), "forged");
    for (what, value) in [
        ("expired", &expired),
        ("revoked", &revoked),
        ("gone", &gone),
        ("outdated", &outdated),
    ] {
        assert_eq!(outline(value, what), forged, "{what}");
    }
}

#[test]
fn a_login_is_found_in_the_cookie_only() {
    // T34, R16
    let app = App::new().start();
    let value = session(&app, "alice");
    let bearer = format!("Bearer {value}");
    let cookie = format!("{SESSION}={value}");
    for (name, content) in [
        ("Authorization", bearer.as_str()),
        ("Authorization", &value),
        ("X-Auth-Token", &value),
        ("Set-Cookie", &cookie),
        ("Cookie2", &cookie),
        ("X-Cookie", &cookie),
        (SESSION, &value),
    ] {
        assert_nobody(app.browser().header(name, content), "/me", name);
    }
    for field in [SESSION, "token", "session", "access_token", "api_key"] {
        assert_nobody(app.browser(), &format!("/me?{field}={value}"), field);
    }
    let mut browser = app.browser();
    let reply = browser.post("/private", &cookie);
    assert_eq!(reply.status, Status::SeeOther);
    assert_eq!(reply.location(), Some("/login"));
}

fn assert_nobody(mut browser: Browser<'_>, path: &str, what: &str) {
    let reply = browser.get(path);
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (Status::Ok, "anonymous"),
        "{what}"
    );
    assert!(reply.set_cookies().is_empty(), "{what}");
}
