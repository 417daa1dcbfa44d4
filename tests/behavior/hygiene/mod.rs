//! Generated code works in every place: a small application for each.

mod attributes;
mod hostile_names;
#[allow(
    clippy::needless_raw_string_hashes,
    reason = "a false alarm on `r#type`"
)]
mod macro_rules;
mod renamed;
mod signatures;
pub mod strict;
mod uri;

use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, Route};
use rocket_login::{LoginManager, UserMixin, testing, user_loader};

/// The user type of every application without its own.
#[derive(Debug, UserMixin)]
pub struct Person {
    id: i64,
}

impl Person {
    fn is_staff(&self) -> bool {
        self.id == STAFF.id
    }
}

const STAFF: Person = Person { id: 1 };
const GUEST: Person = Person { id: 2 };

#[user_loader]
fn load_person(id: i64) -> Option<Person> {
    Some(Person { id })
}

/// An application with these routes, and [`Person`]s.
fn app(routes: Vec<Route>) -> Client {
    launch(
        rocket::custom(config())
            .attach(LoginManager::new(load_person))
            .mount("/", routes),
    )
}

fn config() -> rocket::figment::Figment {
    rocket::figment::Figment::from(rocket::Config::debug_default()).merge(("log_level", "off"))
}

fn launch(rocket: Rocket<Build>) -> Client {
    Client::untracked(rocket).expect("the application starts")
}

/// The body of a page for `user`, or the status of its refusal.
fn get<U: UserMixin>(client: &Client, uri: &str, user: Option<&U>) -> Result<String, Status> {
    let mut request = client.get(uri.to_owned());
    if let Some(user) = user {
        request = request.cookie(testing::login(client.rocket(), user));
    }
    let response = request.dispatch();
    match response.status() {
        Status::Ok => Ok(response.into_string().unwrap_or_default()),
        refused => Err(refused),
    }
}

/// Asserts that the page is guarded, and has this body for a user.
#[track_caller]
fn assert_guarded<U: UserMixin>(client: &Client, uri: &str, user: &U, page: &str) {
    assert_eq!(
        get::<U>(client, uri, None),
        Err(Status::Unauthorized),
        "{uri}"
    );
    assert_eq!(get(client, uri, Some(user)).as_deref(), Ok(page), "{uri}");
}
