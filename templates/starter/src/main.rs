//! Starts the application: `cargo run`, then open <http://127.0.0.1:8000>.

#[macro_use]
extern crate rocket;

#[launch]
fn rocket() -> _ {
    {{crate_name}}::rocket(rocket::Config::figment(), {{crate_name}}::logins())
}
