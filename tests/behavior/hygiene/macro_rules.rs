//! Functions written by `macro_rules!`: Rocket finds its names only with the right spans.

use rocket::http::{Status, uri::Origin};
use rocket::routes;
use rocket_login::{LoginEvent, LoginManager, event_listener, login_required, user_loader};

use super::{GUEST, Person, STAFF, app, assert_guarded, config, get, launch};

mod login {
    pub(super) use rocket_login::__private;
}

#[rustfmt::skip] // it moves the attribute further right each time
macro_rules! whole_route {
    ($name:ident, $within:literal) => {
        #[rocket_login::fresh_login_required(crate = $crate::hygiene::macro_rules::login, within = $within)]
        #[rocket::get("/whole")]
        fn $name() -> &'static str {
            "whole"
        }
    };
}

macro_rules! guard_only {
    ($handler:item) => {
        #[login_required]
        $handler
    };
}

macro_rules! route_below {
    ($user:ty, $condition:expr, $uri:literal, $name:ident, $page:expr) => {
        #[login_required($user, if = $condition)]
        #[rocket::get($uri)]
        fn $name() -> &'static str {
            $page
        }
    };
}

macro_rules! condition_of_its_own {
    () => {
        #[login_required(if = |user: &Person| user.is_staff())]
        #[rocket::get("/own")]
        fn own(user: &Person) -> String {
            user.id.to_string()
        }
    };
}

macro_rules! attributes_passed_on {
    ($(#[$attribute:meta])* fn $name:ident) => {
        $(#[$attribute])*
        fn $name() -> &'static str {
            "passed on"
        }
    };
}

macro_rules! types_from_outside {
    ($name:ident<$life:lifetime>($user:ident: $guard:ty, $id:ident: $number:ty, $here:ident: $origin:ty) -> $page:ty) => {
        #[login_required]
        #[rocket::get("/types/<id>")]
        fn $name<$life>($user: $guard, $id: $number, $here: $origin) -> $page {
            assert_eq!(($user.id, $id), (STAFF.id, 7));
            $here.path().as_str()
        }
    };
}

whole_route!(whole, "10m");
guard_only! {
    #[rocket::get("/type")]
    fn r#type() -> &'static str {
        "type"
    }
}
route_below!(Person, Person::is_staff, "/below", below, "below");
condition_of_its_own!();
types_from_outside!(types<'r>(person: &Person, id: u8, here: &'r Origin<'_>) -> &'r str);
attributes_passed_on! {
    #[login_required]
    #[rocket::get("/passed-on")]
    fn passed_on
}

#[test]
fn handlers_from_macro_rules_are_guarded() {
    let client = app(routes![whole, r#type, below, own, passed_on, types]);
    assert_guarded(&client, "/whole", &STAFF, "whole");
    assert_guarded(&client, "/type", &STAFF, "type");
    assert_guarded(&client, "/below", &STAFF, "below");
    assert_guarded(&client, "/own", &STAFF, "1");
    assert_guarded(&client, "/passed-on", &STAFF, "passed on");
    assert_guarded(&client, "/types/7", &STAFF, "/types/7");
    for uri in ["/below", "/own"] {
        assert_eq!(get(&client, uri, Some(&GUEST)), Err(Status::Forbidden));
    }
}

macro_rules! functions {
    ($loader:ident, $id:ty => $user:ty; $listener:ident, $event:ty) => {
        #[user_loader]
        fn $loader(id: $id) -> Option<$user> {
            id.parse().ok().map(|id| Person { id })
        }
        #[event_listener]
        fn $listener(_event: $event) {}
    };
}

functions!(load, &str => Person; listen, &LoginEvent<'_, Person>);

#[test]
fn loaders_and_listeners_from_macro_rules_take_types_from_outside() {
    let manager = LoginManager::new(load).event_listener(listen);
    let rocket = rocket::custom(config()).attach(manager);
    let client = launch(rocket.mount("/", routes![whole]));
    assert_guarded(&client, "/whole", &STAFF, "whole");
}
