//! Genuine cookies in the wrong place: another cookie's name, another application, another user type.

use rocket::figment::Figment;
use rocket::{Config, State, get, post, routes};
use rocket_login::{LoginError, LoginManager, LoginSession, UserMixin, user_loader};

use crate::common::socket::{body, cookie, status};
use crate::common::{App, KEY, User, Users, load_user};
use crate::{BOTH, REMEMBER, SESSION, Site, line, removals};

#[test]
fn a_cookie_under_the_other_cookies_name_is_refused() {
    // T13, R3
    let site = Site::start();
    let [session, remember] = BOTH.map(|name| site.value(name, "alice"));
    for (cookies, cleared) in [
        (vec![(SESSION, &*remember)], vec![SESSION]),
        (vec![(REMEMBER, &*session)], vec![REMEMBER]),
        (
            vec![(SESSION, &remember), (REMEMBER, &session)],
            vec![SESSION, REMEMBER],
        ),
    ] {
        site.assert_cleared(&[&line(&cookies)], &cleared, &format!("{cookies:?}"));
    }
    for (name, value) in BOTH.into_iter().zip([&session, &remember]) {
        assert_eq!(body(&site.get("/me", &[&line(&[(name, value)])])), "alice");
    }
}

#[test]
fn a_login_of_another_application_is_refused() {
    // T14, R3
    let other_key = "q0Zf3mT8wB5vRkXyLh1uNc7sJd2gPaE9iOo4WtQxZ6Y=";
    let of = |audience: &str| App::new().release().set("login.audience", audience);
    let a = Site::of(of("a"));
    let b = Site::of(of("b"));
    for (home, away, what) in [(&a, &b, "b's in a"), (&b, &a, "a's in b")] {
        for name in BOTH {
            let foreign = away.value(name, "alice");
            // K6: both may be on one host, so neither removes the other's.
            home.assert_ignored(&[&line(&[(name, &foreign)])], what);
        }
    }
    let cookie_names = || {
        of("a")
            .set("login.session_cookie_name", "sid")
            .set("login.remember_cookie_name", "rid")
    };
    let plain_names = || {
        of("a")
            .set("login.insecure_cookies", true)
            .set("login.session_cookie_secure", false)
            .set("login.remember_cookie_secure", false)
    };
    for (what, app, names) in [
        ("default audience", App::new().release(), BOTH),
        ("secret", of("a").set("secret_key", other_key), BOTH),
        (
            "secret of the logins",
            of("a").set("login.secret_key", other_key),
            BOTH,
        ),
        ("cookie names", cookie_names(), ["__Host-sid", "__Host-rid"]),
        (
            "no prefix",
            plain_names(),
            ["login_session", "remember_token"],
        ),
        (
            "debug profile",
            App::new().set("login.audience", "a"),
            ["login_session", "remember_token"],
        ),
    ] {
        let other = Site::of(app);
        let reply = other.post("/login", &[], "user=alice&remember=on");
        for (theirs, ours) in names.into_iter().zip(BOTH) {
            let foreign = cookie(&reply, theirs).unwrap();
            assert_eq!(other.me(&[&line(&[(theirs, &foreign)])]), "alice");
            let has_our_key = ["cookie names", "no prefix", "debug profile"].contains(&what);
            assert_eq!(a.is_ours(&foreign), has_our_key, "{what}");
            a.assert_refused(ours, &foreign, what);
        }
    }
    // The same application again, on another machine: the control of this table.
    let twin = Site::of(of("a"));
    for name in BOTH {
        let value = twin.value(name, "alice");
        assert_eq!(body(&a.get("/me", &[&line(&[(name, &value)])])), "alice");
    }
}

/// Another user type with the same ids.
#[derive(UserMixin)]
struct Admin {
    id: String,
}

#[user_loader]
#[allow(clippy::unnecessary_wraps, reason = "a loader's type is fixed")]
fn load_admin(id: String) -> Option<Admin> {
    Some(Admin { id })
}

#[post("/user", data = "<id>")]
async fn user_login(
    id: String,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<(), LoginError> {
    let user = users.get(&id).unwrap();
    session.login_user(&user).remember(true).await
}

#[post("/admin", data = "<id>")]
async fn admin_login(id: String, session: LoginSession<'_, Admin>) -> Result<(), LoginError> {
    session.login_user(&Admin { id }).remember(true).await
}

#[get("/open")]
fn open() -> &'static str {
    "open"
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
fn a_login_of_one_user_type_is_refused_for_another() {
    // R3: a user `alice` is not the administrator `alice`.
    let admins = ["__Host-admin_session", "__Host-admin_token"];
    let users = Users::alice_and_bob();
    let figment = Figment::from(Config::release_default())
        .merge(("log_level", "off"))
        .merge(("secret_key", KEY))
        .select("release");
    let of_admins = LoginManager::new(load_admin)
        .session_cookie_name("admin_session")
        .remember_cookie_name("admin_token");
    let site = Site::with(App::new(), |_| {
        rocket::custom(figment)
            .manage(users)
            .attach(LoginManager::new(load_user))
            .attach(of_admins)
            .mount(
                "/",
                routes![open, user_login, user_page, admin_login, admin_page],
            )
    });
    let of_user = site.post("/user", &[], "alice");
    let of_admin = site.post("/admin", &[], "alice");
    let values = |reply: &str, names: [&'static str; 2]| {
        names.map(|name| (name, cookie(reply, name).unwrap()))
    };
    let cookies = [values(&of_user, BOTH), values(&of_admin, admins)].concat();
    for (name, _) in &cookies {
        for (own_name, value) in &cookies {
            for (path, greeting, names) in [
                ("/user", "user alice", BOTH),
                ("/admin", "admin alice", admins),
            ] {
                let what = format!("{own_name} as {name} on {path}");
                let reply = site.get(path, &[&line(&[(name, value)])]);
                if names.contains(name) && name == own_name {
                    assert_eq!(body(&reply), greeting, "{what}");
                } else {
                    assert_eq!(status(&reply), 401, "{what}: {reply}");
                    let is_ours = names.contains(name);
                    let cleared: &[_] = if is_ours { &[*name] } else { &[] };
                    assert_eq!(removals(&reply), cleared, "{what}");
                    site.assert_unharmed(&what);
                }
            }
        }
    }
}
