//! Names of the prelude and of our own may mean something else where the macros are used.

#![allow(dead_code, non_camel_case_types)]

mod core {}
mod std {}
mod alloc {}

struct Option;
struct Result;
struct Some;
struct None;
struct Request;
struct Outcome;
struct Box;
struct String;
struct Display;
struct str;
struct bool;
struct u64;
trait Send {}
trait Sync {}
trait Future {}
trait FromRequest {}
trait Policy {}
trait Sentinel {}
fn pin() {}
fn guard() {}

type Text = ::std::string::String;
type Found = ::core::option::Option<User>;

#[derive(rocket_login::UserMixin)]
#[user(session_hash(r#type))]
struct User {
    id: i64,
    #[user(active)]
    on: ::core::primitive::bool,
    r#type: Text,
}

#[rocket_login::user_loader]
async fn load_user(id: i64, __req: &::rocket::State<u8>, __id: &::rocket::State<i8>) -> Found {
    let _ = (__req, __id);
    ::core::option::Option::Some(User {
        id,
        on: true,
        r#type: Text::new(),
    })
}

#[rocket_login::unauthorized_handler]
fn ask(__guard0: &::rocket::State<u8>) -> Text {
    let _ = __guard0;
    Text::new()
}

#[rocket_login::event_listener]
fn audit(__event: &::rocket_login::LoginEvent<'_, User>, _: &::rocket::State<u8>) {
    let _ = __event.kind;
}

// Rocket's own attributes do not survive all of the above.
mod handlers {
    mod core {}
    struct Guarded;
    struct Option;
    struct Policy;
    struct str;
    struct bool;
    struct u64;

    #[rocket_login::fresh_login_required(within = 3)]
    #[rocket::get("/")]
    pub fn dashboard() {}
}

fn main() {
    let _ = ::rocket_login::LoginManager::new(load_user)
        .unauthorized_handler(ask)
        .event_listener(audit);
    let _ = ::rocket::routes![handlers::dashboard];
}
