//! `crate = ..` reaches every macro, through a re-export, as text, and through `$crate`.

#![allow(unused_qualifications, reason = "the longer paths are what is tested")]

use rocket::http::Status;

use self::web::login;
use super::get;

mod web {
    pub(crate) use rocket_login as login;
}

#[derive(login::UserMixin)]
#[user(crate = crate::hygiene::renamed::web::login)]
struct Member {
    id: i64,
    #[user(session_hash)]
    password: String,
}

impl Member {
    fn is_known(&self) -> bool {
        self.password.is_empty()
    }
}

#[login::user_loader(crate = "crate::hygiene::renamed::web::login")]
fn load_member(id: i64) -> Option<Member> {
    Some(Member {
        id,
        password: String::new(),
    })
}

#[login::request_loader(crate = login)]
fn by_request() -> Option<Member> {
    None
}

#[login::unauthorized_handler(crate = login)]
fn ask() -> (Status, &'static str) {
    (Status::ImATeapot, "")
}

#[login::needs_refresh_handler(crate = login)]
fn ask_again() -> (Status, &'static str) {
    (Status::Conflict, "")
}

#[login::event_listener(crate = login)]
fn audit(_: &login::LoginEvent<'_, Member>) {}

#[login::login_required(Member, if = Member::is_known, crate = crate::hygiene::renamed::web::login)]
#[rocket::get("/dashboard")]
fn dashboard(user: &Member) -> String {
    user.id.to_string()
}

#[login::fresh_login_required(crate = self::login, within = 600)]
#[rocket::get("/password")]
fn password() {}

#[login::anonymous_required(crate = login, redirect = "/dashboard")]
#[rocket::get("/login")]
fn log_in() -> &'static str {
    "log in"
}

macro_rules! open {
    () => {
        #[login::public(crate = $crate::hygiene::renamed::web::login)]
        #[rocket::get("/imprint")]
        fn imprint() -> &'static str {
            "imprint"
        }
    };
}

open!();

#[test]
fn every_macro_works_with_a_renamed_crate() {
    let rocket = rocket::custom(super::config())
        .attach(
            login::LoginManager::new(load_member)
                .request_loader(by_request)
                .unauthorized_handler(ask)
                .needs_refresh_handler(ask_again)
                .event_listener(audit),
        )
        .mount("/", rocket::routes![dashboard, password, log_in, imprint]);
    let client = super::launch(rocket);
    let member = Member {
        id: 3,
        password: String::new(),
    };
    let nobody = None::<&Member>;
    assert_eq!(
        get(&client, "/dashboard", Some(&member)).as_deref(),
        Ok("3")
    );
    assert_eq!(get(&client, "/dashboard", nobody), Err(Status::ImATeapot));
    assert_eq!(get(&client, "/password", nobody), Err(Status::ImATeapot));
    assert_eq!(get(&client, "/login", nobody).as_deref(), Ok("log in"));
    assert_eq!(get(&client, "/login", Some(&member)), Err(Status::SeeOther));
    assert_eq!(get(&client, "/imprint", nobody).as_deref(), Ok("imprint"));

    let stale = login::testing::stale_login(client.rocket(), &member);
    let response = client.get("/password").cookie(stale).dispatch();
    assert_eq!(response.status(), Status::Conflict);
}
