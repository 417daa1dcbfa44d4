//! Logging in.

use std::time::Duration;

use rocket::http::Status;
use rocket::{State, post, routes};
use rocket_login::{LoginError, LoginSession};

use super::support::{
    BOTH, DAY, assert_ignored, assert_refused, assert_replaced, encoded, max_age, script,
};
use crate::common::{App, REMEMBER, SESSION, User, Users};

#[test]
fn only_a_login_opens_the_private_page() {
    let app = App::new().start();
    let mut browser = app.browser();
    assert_eq!(browser.get("/private").status, Status::SeeOther);
    assert_eq!(browser.me(), "anonymous");

    let reply = browser.login("alice");
    assert_eq!(reply.status, Status::SeeOther);
    assert!(reply.cookie(SESSION).is_some());
    // Another login of this browser may be under way, with "remember me".
    assert!(reply.removes(REMEMBER));

    assert_eq!(browser.get("/private").body, "private of alice");
    assert_eq!(browser.me(), "alice");
    assert_eq!(app.browser().me(), "anonymous");
}

#[test]
fn user_ids_come_back_byte_for_byte_and_stay_distinct() {
    // T17, T18
    let long = "x".repeat(256);
    let ids = [
        "1",
        "01",
        "1 ",
        " 1",
        "１",
        "١",
        "a|b",
        "a\0b",
        "ünï",
        "e\u{301}",
        "é",
        "É",
        "../../x",
        "' OR 1=1--",
        "\r\nSet-Cookie: x=1",
        "\u{1b}[2J\n",
        "alice ",
        "Alice",
        &long,
        &long[1..],
    ];
    let app = App::new().start();
    for id in ids {
        app.users.put(id);
    }
    for id in ids {
        let mut browser = app.browser();
        let form = format!("user={}&remember=on", encoded(id));
        let reply = browser.post("/login", &form);
        assert_eq!(reply.status, Status::SeeOther, "{id:?}");
        assert!(
            reply
                .headers
                .iter()
                .all(|(name, value)| { !name.eq_ignore_ascii_case("x") && !value.contains("x=1") })
        );
        assert_eq!(browser.me(), id);
        assert_eq!(browser.with_only(REMEMBER).me(), id);
        app.users.remove(id);
        assert_refused(&browser);
    }
}

#[test]
fn a_user_id_that_is_too_long_is_an_error_at_login() {
    let app = App::new().start();
    for id in ["", &"x".repeat(257), &"é".repeat(129)] {
        app.users.put(id);
        let mut browser = app.browser();
        let reply = browser.post("/login", &format!("user={}&remember=on", encoded(id)));
        assert_eq!(reply.status, Status::InternalServerError, "{id:?}");
        assert!(reply.set_cookies().is_empty());
        assert_eq!(browser.me(), "anonymous");
    }
}

#[test]
fn a_failed_login_keeps_the_previous_login() {
    let app = App::new().start();
    app.users.put("");
    app.users.change("bob", |bob| bob.active = false);
    let mut browser = app.remembered("alice");
    for (form, status) in [
        ("user=", Status::InternalServerError),
        ("user=bob", Status::Forbidden),
        ("user=bob&duration=0&remember=on", Status::Forbidden),
        ("user=alice&duration=0", Status::InternalServerError),
        ("user=nobody", Status::Unauthorized),
    ] {
        let reply = browser.post("/login", form);
        assert_eq!(reply.status, status, "{form}");
        assert!(reply.set_cookies().is_empty(), "{form}");
        assert_eq!(browser.status(), "fresh=true remembered=true", "{form}");
    }
}

#[post("/enter/<remember>")]
async fn enter_for_an_hour(
    remember: Option<bool>,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<(), LoginError> {
    let user = users.put("carol");
    let mut login = session
        .login_user(&user)
        .duration(Duration::from_secs(3600));
    if let Some(remember) = remember {
        login = login.remember(remember);
    }
    login.await
}

#[test]
fn a_login_with_a_duration_says_whether_to_remember_the_user() {
    let app = App::new().routes(routes![enter_for_an_hour]).start();
    let reply = app.browser().post("/enter/unsaid", "");
    assert_eq!(reply.status, Status::InternalServerError);
    assert!(reply.set_cookies().is_empty());
    for (remember, seconds) in [("true", 3_600), ("false", 0)] {
        let reply = app.browser().post(&format!("/enter/{remember}"), "");
        assert_eq!(reply.status, Status::Ok);
        assert_eq!(max_age(&reply, REMEMBER), Some(seconds), "{remember}");
    }
    assert_eq!(
        LoginError::DurationWithoutRemember.to_string(),
        "a login with `.duration(..)` needs `.remember(true)`, because the duration is the one of the remember cookie; \
         a session that outlives the browser is `.permanent(true)`"
    );
}

#[test]
fn an_inactive_user_can_log_in_only_by_force_and_opens_no_page() {
    let app = App::new().start();
    app.users.change("bob", |bob| bob.active = false);
    let mut browser = app.browser();
    let reply = browser.login("bob");
    assert_eq!(reply.status, Status::Forbidden);
    assert!(reply.set_cookies().is_empty());

    let mut browser = app.logged_in_with("bob", "force=on&remember=on");
    for _ in 0..2 {
        assert_eq!(browser.me(), "inactive bob");
        assert_eq!(browser.status(), "fresh=false remembered=true");
        for path in ["/private", "/fresh"] {
            let reply = browser.get(path);
            assert_eq!(reply.status, Status::SeeOther, "{path}");
            let login = format!("/login?next=%2F{}", &path[1..]);
            assert_eq!(reply.location(), Some(login.as_str()));
        }
        browser.restart();
    }
    app.users.change("bob", |bob| bob.active = true);
    assert_eq!(browser.get("/private").body, "private of bob");
}

#[test]
fn force_leaves_no_trace_on_an_active_user() {
    let app = App::new().start();
    let browser = app.logged_in_with("bob", "force=on&remember=on");
    app.users.change("bob", |bob| bob.active = false);
    assert_refused(&browser);
}

#[test]
fn force_leaves_no_trace_on_a_remember_cookie_that_is_kept() {
    let app = App::new().start();
    app.users.change("bob", |bob| bob.active = false);
    let mut browser = app.logged_in_with("bob", "force=on&remember=on");
    app.users.change("bob", |bob| bob.active = true);
    browser.login("bob");
    app.users.change("bob", |bob| bob.active = false);
    assert_refused(&browser.with_only(SESSION));
    assert_refused(&browser.with_only(REMEMBER));
}

#[test]
fn a_new_login_ends_the_old_one_of_any_user() {
    // T37-T39, R30, R31
    for next in ["alice", "bob"] {
        for form in ["", "&remember=on"] {
            let app = App::new().start();
            let mut browser = app.remembered("alice");
            let old = browser.clone();
            let reply = browser.post("/login", &format!("user={next}{form}"));
            assert_ne!(reply.cookie(SESSION).unwrap().value(), old.cookies[SESSION]);
            assert_eq!(browser.me(), next);
            for name in BOTH {
                assert_ignored(&old.with_only(name));
            }
            assert_replaced(&old);
        }
    }
}

#[test]
fn a_login_without_remember_removes_a_remember_cookie_that_is_worth_nothing() {
    // D13
    let app = App::new().start();
    let left = |name: &str| app.remembered(name).cookies[REMEMBER].clone();
    let mut gone = app.remembered("alice");
    let logged_out = gone.cookies[REMEMBER].clone();
    gone.post("/logout", "");
    let outdated = left("alice");
    app.users
        .change("alice", |alice| alice.password = "new".into());
    for value in [left("bob"), logged_out, outdated] {
        let mut browser = app.browser();
        browser.cookies.insert(REMEMBER.into(), value);
        let before = browser.clone();
        assert!(browser.login("alice").removes(REMEMBER));
        assert_eq!(browser.status(), "fresh=true remembered=false");
        browser.restart();
        assert_eq!(browser.me(), "anonymous");
        assert_replaced(&before);
    }
    // K6: under our name, but another application's.
    for value in ["junk", ""] {
        let mut browser = app.browser();
        browser.cookies.insert(REMEMBER.into(), value.into());
        assert_eq!(browser.login("alice").cookie(REMEMBER), None);
        assert_eq!(browser.status(), "fresh=true remembered=false");
    }
}

#[test]
fn a_remembered_user_stays_remembered_after_another_login() {
    // As in Flask-Login, but with the id of the new login.
    let app = App::new().start();
    let mut browser = app.logged_in_with("alice", "remember=on&duration=7200");
    app.forward(3_600);
    let old = browser.clone();
    let reply = browser.login("alice");
    assert_eq!(max_age(&reply, REMEMBER), Some(3_600));
    assert_eq!(browser.status(), "fresh=true remembered=true");
    for name in BOTH {
        assert_ignored(&old.with_only(name));
    }
    browser.restart();
    let mut copy = browser.clone();
    assert_eq!(browser.status(), "fresh=false remembered=true");
    app.forward(3_600);
    assert_refused(&copy);
    copy.login("alice");
    assert_eq!(copy.status(), "fresh=true remembered=false");
}

#[test]
fn a_login_with_the_checkbox_unticked_forgets_a_remembered_user() {
    let app = App::new().start();
    let mut browser = app.remembered("alice");
    let old = browser.clone();
    let reply = browser.post("/login", "user=alice&remember=off");
    assert!(reply.removes(REMEMBER));
    assert_eq!(browser.status(), "fresh=true remembered=false");
    browser.restart();
    assert_eq!(browser.me(), "anonymous");
    app.forward(60);
    assert_refused(&old.with_only(REMEMBER));
}

#[test]
fn a_login_outside_the_remember_cookies_path_removes_it_too() {
    // D13, D24: the cookie of alice has the path /app, so browsers do not send it to /login.
    let app = App::new().set("login.remember_cookie_path", "/app").start();
    let reply = app.browser().login("bob");
    assert!(reply.removes(REMEMBER));
}

#[test]
fn a_login_may_be_stale_from_the_start() {
    let app = App::new().start();
    let mut browser = app.logged_in_with("alice", "stale=on");
    assert_eq!(browser.get("/private").body, "private of alice");
    assert_eq!(
        browser.get("/fresh").location(),
        Some("/confirm?next=%2Ffresh")
    );
    assert_eq!(browser.status(), "fresh=false remembered=false");
}

#[test]
fn only_a_permanent_session_and_a_remember_cookie_outlive_the_browser() {
    let app = App::new().start();
    let day = i64::try_from(DAY).unwrap();
    for (form, session, remember) in [
        ("", None, None),
        ("&permanent=on", Some(31 * day), None),
        ("&remember=on", None, Some(365 * day)),
        ("&remember=on&duration=90", None, Some(90)),
        ("&remember=on&duration=34560000", None, Some(400 * day)),
        ("&permanent=on&remember=on", Some(31 * day), Some(365 * day)),
        ("&remember=off&duration=90", None, None),
    ] {
        let reply = app.browser().post("/login", &format!("user=alice{form}"));
        assert_eq!(max_age(&reply, SESSION), session, "{form}");
        match remember {
            Some(_) => assert_eq!(max_age(&reply, REMEMBER), remember, "{form}"),
            None => assert!(reply.removes(REMEMBER), "{form}"),
        }
    }
}

#[test]
fn a_remember_cookie_lasts_between_a_second_and_400_days() {
    let app = App::new().start();
    for seconds in [0, 400 * DAY + 1, u64::MAX] {
        let form = format!("user=alice&remember=on&duration={seconds}");
        let reply = app.browser().post("/login", &form);
        assert_eq!(reply.status, Status::InternalServerError, "{seconds}");
        assert!(reply.set_cookies().is_empty());
    }
}

#[test]
fn the_last_of_several_changes_in_one_request_counts() {
    let app = App::new().routes(routes![script]).start();
    for (before, lines, during, after) in [
        (
            "",
            "who, login alice, who, status",
            "anonymous, alice, fresh=true remembered=false",
            "alice",
        ),
        (
            "",
            "remember alice, status",
            "fresh=true remembered=true",
            "alice",
        ),
        (
            "",
            "login alice, logout, who, status",
            "anonymous, fresh=false remembered=false",
            "anonymous",
        ),
        (
            "",
            "remember alice, login bob, who, status",
            "bob, fresh=true remembered=false",
            "bob",
        ),
        ("alice", "logout, login alice, who", "alice", "alice"),
        ("alice", "who, login bob, who", "alice, bob", "bob"),
        ("alice", "login bob, logout, who", "anonymous", "anonymous"),
        ("alice", "logout, who", "anonymous", "anonymous"),
        ("alice", "everywhere, login alice, who", "alice", "alice"),
        ("alice", "login alice, end alice", "", "anonymous"),
        ("alice", "end bob, who", "alice", "alice"),
        (
            "",
            "login alice, confirm alice, who, status",
            "alice, fresh=true remembered=false",
            "alice",
        ),
        (
            "",
            "remember alice, confirm alice, status",
            "fresh=true remembered=true",
            "alice",
        ),
        (
            "alice",
            "confirm alice, logout, who",
            "anonymous",
            "anonymous",
        ),
    ] {
        let mut browser = app.browser();
        if !before.is_empty() {
            browser = app.remembered(before);
        }
        let old = browser.clone();
        assert_eq!(browser.run(lines), during, "{lines}");
        assert_eq!(browser.me(), after, "{lines}");
        if !lines.starts_with("end") && !before.is_empty() {
            app.forward(60);
            assert_refused(&old);
        }
    }
}
