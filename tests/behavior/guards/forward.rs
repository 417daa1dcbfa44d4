//! Forwarding: a refused request goes to the next route that matches.

use rocket::http::Status;
use rocket::{State, catchers, get, post, routes};
use rocket_login::EventKind::{Forbidden, NeedsRefresh, Unauthorized};
use rocket_login::{
    CurrentUser, GuardRoutes, RouteGuard, anonymous_required, condition, fresh_login_required,
    login_required, public,
};

use super::{emitted, outcome, reason, script, stale, start};
use crate::common::{App, Ran, Reply, Running, SESSION, User};

fn is_alice(user: &User) -> bool {
    user.id == "alice"
}

fn fails(_: &User) -> Result<bool, &'static str> {
    Err("who knows")
}

macro_rules! guarded {
    ($($(#[$guard:meta])* $name:ident $path:literal;)*) => {
        $(
            $(#[$guard])*
            #[get($path)]
            fn $name() -> &'static str {
                "guarded"
            }
        )*
    };
}

guarded! {
    #[login_required(forward)] login "/login-door";
    #[fresh_login_required(forward)] fresh "/fresh-door";
    #[fresh_login_required(within = 60, forward)] within "/within-door";
    #[login_required(if = is_alice, forward)] condition "/condition-door";
    #[login_required(if = fails, forward)] failing "/failing-door";
    #[anonymous_required(redirect = "/home", forward)] anonymous "/anonymous-door";
    plain "/";
}

#[public]
#[get("/<_..>", rank = 50)]
fn behind(ran: &State<Ran>) -> &'static str {
    ran.count();
    "behind"
}

fn doors() -> Vec<rocket::Route> {
    let group = RouteGuard::login().only_if(condition!(is_alice)).forward();
    let group = routes![plain].guarded(group);
    let group = group
        .into_iter()
        .map(|route| route.map_base(|_| "/group-door".to_owned()).unwrap());
    routes![login, fresh, within, condition, failing, anonymous]
        .into_iter()
        .chain(group)
        .collect()
}

/// With or without a next route behind the guarded routes.
fn app(behind_them: bool) -> Running {
    start(App::new(), |rocket| {
        let rocket = rocket.mount("/d", doors()).register("/", catchers![reason]);
        if behind_them {
            rocket.mount("/d", routes![behind])
        } else {
            rocket
        }
    })
}

/// The path, and what an anonymous visitor, a stale alice, bob and alice get without a next route.
const DOORS: [(&str, [&str; 4]); 6] = [
    ("login", ["/login", "", "", ""]),
    ("fresh", ["/login", "/confirm", "", ""]),
    ("within", ["/login", "/confirm", "", ""]),
    ("condition", ["/login", "", "Forbidden", ""]),
    ("group", ["/login", "", "Forbidden", ""]),
    ("anonymous", ["", "/home", "/home", "/home"]),
];

fn visits(app: &Running, path: &str) -> [Reply; 4] {
    [
        app.browser(),
        stale(app, "alice"),
        app.logged_in("bob"),
        app.logged_in("alice"),
    ]
    .map(|mut browser| {
        emitted(app);
        browser.get(path)
    })
}

#[test]
fn the_next_route_answers_refused_requests_only() {
    let app = app(true);
    for (door, refusals) in DOORS {
        let path = format!("/d/{door}-door");
        for (reply, refusal) in visits(&app, &path).iter().zip(refusals) {
            let behind = usize::from(!refusal.is_empty());
            let seen = ["200 guarded", "200 behind"][behind];
            assert_eq!(outcome(reply), seen, "{path} {refusal}");
            // The response depends on the user, so no cache may store it for others.
            assert_eq!(reply.header("Vary"), Some("Cookie"), "{path}");
            assert_eq!(
                reply.header("Cache-Control"),
                Some("private, no-store"),
                "{path}"
            );
        }
        let refused = refusals.iter().filter(|refusal| !refusal.is_empty());
        assert_eq!(Ran::times(&app), refused.count(), "{path}");
    }
}

#[test]
fn without_a_next_route_the_answer_is_the_usual_refusal() {
    let app = app(false);
    for (door, refusals) in DOORS {
        let path = format!("/d/{door}-door");
        let next = format!("?next=%2Fd%2F{door}-door");
        for (reply, refusal) in visits(&app, &path).iter().zip(refusals) {
            let seen = match refusal {
                "" => "200 guarded".into(),
                "Forbidden" => "403 caught Forbidden".into(),
                "/home" => "303 /home".into(),
                view => format!("303 {view}{next}"),
            };
            assert_eq!(outcome(reply), seen, "{path}");
        }
    }
    assert_eq!(
        outcome(&script(app.browser()).get("/d/login-door")),
        "401 caught Unauthorized"
    );
}

#[test]
fn the_next_route_may_answer_with_the_status_of_the_refusal() {
    #[public]
    #[get("/<_..>", rank = 50)]
    fn own() -> (Status, &'static str) {
        (Status::Unauthorized, "who are you?")
    }
    let app = start(App::new(), |rocket| {
        rocket
            .mount("/d", doors())
            .mount("/d", routes![own])
            .register("/", catchers![reason])
    });
    for door in ["login", "group"] {
        emitted(&app);
        let reply = app.browser().get(&format!("/d/{door}-door"));
        assert_eq!(outcome(&reply), "401 who are you?");
        assert_eq!(emitted(&app), []);
    }
}

#[test]
fn a_refusal_emits_an_event_only_if_no_route_answers() {
    let emitted_at = |app: &Running, door: &str, mut browser: crate::common::Browser<'_>| {
        emitted(app);
        browser.get(&format!("/d/{door}-door"));
        emitted(app)
    };
    for behind in [false, true] {
        let app = app(behind);
        for (door, browser, event) in [
            ("login", app.browser(), (Unauthorized, None)),
            (
                "fresh",
                stale(&app, "alice"),
                (NeedsRefresh, Some("alice".to_owned())),
            ),
            (
                "condition",
                app.logged_in("bob"),
                (Forbidden, Some("bob".to_owned())),
            ),
        ] {
            let expected = if behind { vec![] } else { vec![event] };
            assert_eq!(emitted_at(&app, door, browser), expected, "{door}");
        }
    }
}

#[test]
fn a_failure_is_never_forwarded() {
    let app = app(true);
    let mut browser = app.logged_in("alice");
    let failing = browser.get("/d/failing-door");
    assert_eq!(failing.status, Status::ServiceUnavailable);
    app.users.fail(true);
    for (door, _) in DOORS {
        let reply = browser.get(&format!("/d/{door}-door"));
        assert_eq!(reply.status, Status::ServiceUnavailable, "{door}");
        assert!(reply.set_cookies().is_empty(), "{door}");
    }
    assert_eq!(Ran::times(&app), 0);
}

#[test]
fn a_forwarded_request_sets_its_cookies_once() {
    #[get("/fresh-door", rank = 2)]
    fn greeting(user: CurrentUser<'_, User>) -> String {
        format!("hello {}", user.get_id().unwrap_or_default())
    }
    let app = start(App::new(), |rocket| {
        rocket.mount("/", routes![fresh, greeting])
    });
    let mut browser = app.remembered("alice");
    browser.restart();
    let loads = app.users.loads();
    let reply = browser.get("/fresh-door");
    assert_eq!(outcome(&reply), "200 hello alice");
    assert_eq!(reply.set_cookies().len(), 1, "{reply:?}");
    assert!(reply.cookie(SESSION).is_some());
    assert_eq!(reply.header("Vary"), Some("Cookie"));
    assert_eq!(app.users.loads(), loads + 1);
}

#[test]
fn the_next_route_can_read_the_body() {
    #[login_required(forward)]
    #[post("/attribute", data = "<_body>")]
    fn by_attribute(_body: String) -> &'static str {
        "guarded"
    }
    #[post("/group", data = "<_body>")]
    fn by_group(_body: String) -> &'static str {
        "guarded"
    }
    #[post("/<_>", data = "<body>", rank = 9)]
    fn echo(body: String) -> String {
        body
    }
    let app = start(App::new(), |rocket| {
        let group = routes![by_group].guarded(RouteGuard::login().forward());
        rocket
            .mount("/b", routes![by_attribute, echo])
            .mount("/b", group)
    });
    for path in ["/b/attribute", "/b/group"] {
        assert_eq!(outcome(&app.browser().post(path, "text")), "200 text");
        assert_eq!(
            outcome(&app.logged_in("alice").post(path, "text")),
            "200 guarded"
        );
    }
}

#[test]
fn the_last_refusal_of_a_chain_is_the_answer() {
    #[fresh_login_required(forward)]
    #[get("/chain")]
    fn first() -> &'static str {
        "first"
    }
    #[login_required(if = is_alice)]
    #[get("/chain", rank = 2)]
    fn second() -> &'static str {
        "second"
    }
    let app = start(App::new(), |rocket| {
        rocket
            .mount("/", routes![first, second])
            .register("/", catchers![reason])
    });
    assert_eq!(
        outcome(&app.browser().get("/chain")),
        "303 /login?next=%2Fchain"
    );
    assert_eq!(outcome(&stale(&app, "alice").get("/chain")), "200 second");
    let mut bob = stale(&app, "bob");
    emitted(&app);
    assert_eq!(outcome(&bob.get("/chain")), "403 caught Forbidden");
    assert_eq!(emitted(&app), [(Forbidden, Some("bob".into()))]);
    assert_eq!(outcome(&app.logged_in("bob").get("/chain")), "200 first");
}

#[test]
fn the_last_refusal_of_a_long_chain_is_the_answer() {
    let forwarding = RouteGuard::fresh_login().forward();
    let refusing = RouteGuard::login().only_if(condition!(is_alice));
    let app = start(App::new(), |rocket| {
        let rocket = (1..=4).fold(rocket, |rocket, rank| {
            let mut routes = routes![plain];
            routes[0].rank = rank;
            rocket.mount("/chain", routes.guarded(forwarding))
        });
        let mut last = routes![plain];
        last[0].rank = 5;
        rocket
            .mount("/chain", last.guarded(refusing))
            .register("/", catchers![reason])
    });
    let mut bob = stale(&app, "bob");
    emitted(&app);
    assert_eq!(outcome(&bob.get("/chain")), "403 caught Forbidden");
    assert_eq!(emitted(&app), [(Forbidden, Some("bob".into()))]);
}

#[test]
fn a_cross_site_change_is_not_forwarded() {
    // The refused request has the cookies of the user: the next route must not act on them.
    #[login_required(forward)]
    #[post("/change")]
    fn change() -> &'static str {
        "changed"
    }
    #[login_required]
    #[post("/<_>", rank = 9)]
    fn other() -> &'static str {
        "other"
    }
    let app = start(App::new(), |rocket| {
        rocket
            .mount("/", routes![change, other])
            .register("/", catchers![reason])
    });
    let mut evil = app
        .logged_in("alice")
        .header("Sec-Fetch-Site", "cross-site");
    assert_eq!(outcome(&evil.post("/change", "")), "403 caught CrossSite");
}
