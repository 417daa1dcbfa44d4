//! The application redefines names of the prelude, of Rocket and of this library.

#![allow(dead_code, non_camel_case_types)]

mod core {}
mod std {}
mod alloc {}
mod rocket_login {}

struct Option;
struct Result;
struct Some;
struct None;
struct Box;
struct String;
struct Display;
struct Request;
struct Outcome;
struct Guarded;
struct Rule;
struct UserLoader;
struct AnswerFn;
struct EventListener;
struct IntoUserLoader;
struct IntoLoadResult;
struct str;
struct bool;
struct u64;
trait Clone {}
trait Copy {}
trait Debug {}
trait Send {}
trait Sync {}
trait Future {}
trait FromRequest {}
trait Policy {}
trait Sentinel {}
fn pin() {}
fn guard() {}
fn permit() {}
fn condition_realm() {}

type Text = ::std::string::String;
type Found = ::core::option::Option<User>;

#[derive(::rocket_login::UserMixin)]
#[user(session_hash(r#type))]
struct User {
    id: i64,
    #[user(active)]
    on: ::core::primitive::bool,
    r#type: Text,
}

#[::rocket_login::user_loader]
async fn load_user(id: i64, __req: &::rocket::State<u8>, __id: &::rocket::State<i8>) -> Found {
    let _ = (__req, __id);
    ::rocket::tokio::task::yield_now().await;
    ::core::option::Option::Some(User {
        id,
        on: true,
        r#type: Text::new(),
    })
}

#[::rocket_login::unauthorized_handler]
fn ask(__guard0: &::rocket::State<u8>) -> (::rocket::http::Status, Text) {
    let _ = __guard0;
    (::rocket::http::Status::Unauthorized, Text::new())
}

#[::rocket_login::event_listener]
fn audit(__event: &::rocket_login::LoginEvent<'_, User>, _: &::rocket::State<u8>) {
    let _ = __event.kind;
}

// Rocket's own attributes do not work with all of the above.
mod handlers {
    mod core {}
    mod std2 {}
    struct Guarded;
    struct Option;
    struct Request;
    struct Policy;
    struct Permission;
    struct Rule;
    struct str;
    struct bool;
    struct u64;
    fn permit() {}

    fn __login(user: &super::User) -> ::core::primitive::bool {
        user.on
    }

    #[::rocket_login::fresh_login_required(super::User, if = __login, within = 3, forward)]
    #[::rocket::get("/dashboard?<user>&<req>")]
    pub(super) fn dashboard(
        user: &::core::primitive::str,
        req: ::core::primitive::u8,
    ) -> super::Text {
        ::std::format!("{user} {req}")
    }

    #[::rocket_login::anonymous_required(redirect = "/imprint")]
    #[::rocket::get("/login")]
    pub(super) fn login() {}

    #[::rocket_login::public]
    #[::rocket::get("/imprint")]
    pub(super) fn imprint() {}
}

#[test]
fn names_of_the_application_do_not_disturb_generated_code() {
    let client = super::launch(
        ::rocket::custom(super::config())
            .manage(3_u8)
            .manage(4_i8)
            .attach(
                ::rocket_login::LoginManager::new(load_user)
                    .unauthorized_handler(ask)
                    .event_listener(audit),
            )
            .mount(
                "/",
                ::rocket::routes![handlers::dashboard, handlers::login, handlers::imprint],
            ),
    );
    let user = User {
        id: 1,
        on: true,
        r#type: Text::new(),
    };
    let said = |uri, user| super::get(&client, uri, user);
    assert_eq!(
        said(
            "/dashboard?user=a&req=2",
            ::core::option::Option::Some(&user)
        ),
        ::core::result::Result::Ok("a 2".into())
    );
    assert!(said("/dashboard?user=a&req=2", ::core::option::Option::None).is_err());
    assert!(said("/login", ::core::option::Option::None).is_ok());
    assert!(said("/login", ::core::option::Option::Some(&user)).is_err());
    assert!(said("/imprint", ::core::option::Option::None).is_ok());
}
