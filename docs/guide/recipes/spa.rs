use rocket::{Build, Rocket};
use rocket_cors::{AllowedOrigins, CorsOptions};
use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
pub struct User {
    id: i64,
}

#[user_loader]
fn load_user(id: i64) -> Option<User> {
    Some(User { id })
}

const APP: &str = "https://app.example.com";

pub fn rocket() -> Rocket<Build> {
    // What the browser may show to scripts of the other origin.
    let cors = CorsOptions::default()
        .allowed_origins(AllowedOrigins::some_exact(&[APP]))
        .allow_credentials(true)
        .to_cors()
        .expect("a valid configuration");
    // Which other origins may log in, log out and send changes.
    let logins = LoginManager::new(load_user).trusted_origins([APP]);
    rocket::build().attach(cors).attach(logins)
}
