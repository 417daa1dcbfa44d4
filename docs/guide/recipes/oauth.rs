use rocket::http::{CookieJar, Status};
use rocket::response::Redirect;
use rocket::{Build, Rocket, get, routes, uri};
use rocket_login::{
    LoginError, LoginManager, LoginSession, Next, NextRedirect, UserMixin, login_required, public,
    user_loader,
};
use rocket_oauth2::{OAuth2, TokenResponse};
use serde::Deserialize;

#[derive(UserMixin)]
pub struct User {
    id: u64,
}

pub struct GitHub; // `[default.oauth.github]` in Rocket.toml

/// The login page: it sends the browser to the provider.
#[public]
#[get("/login")]
fn login(provider: OAuth2<GitHub>, cookies: &CookieJar<'_>) -> Result<Redirect, Status> {
    let redirect = provider.get_redirect(cookies, &["read:user"]);
    redirect.map_err(|_| Status::InternalServerError)
}

#[derive(rocket::Responder)]
enum Failed {
    Provider(Status),
    Login(LoginError),
}

impl From<LoginError> for Failed {
    fn from(error: LoginError) -> Self {
        Failed::Login(error)
    }
}

impl From<reqwest::Error> for Failed {
    fn from(_: reqwest::Error) -> Self {
        Failed::Provider(Status::BadGateway)
    }
}

/// The way back. `TokenResponse` has compared the `state` with its cookie, so nobody else's login can be put here.
#[public]
#[get("/auth/github")]
async fn callback(
    token: TokenResponse<GitHub>,
    session: LoginSession<'_, User>,
    next: Next,
) -> Result<NextRedirect, Failed> {
    #[derive(Deserialize)]
    struct Account {
        id: u64,
    }
    let request = reqwest::Client::new()
        .get("https://api.github.com/user")
        .header("User-Agent", "my-application")
        .bearer_auth(token.access_token());
    let response = request.send().await?.error_for_status()?;
    let account: Account = response.json().await?;

    let user = User { id: account.id }; // find the user in your database, or register them
    let login = session.login_user(&user).allow_cross_site(); // GET, from the provider's site
    login.await?;
    Ok(next.or(uri!(home)))
}

#[login_required]
#[get("/")]
fn home(user: &User) -> String {
    format!("You are number {}.", user.id)
}

#[user_loader]
fn load_user(id: u64) -> Option<User> {
    Some(User { id })
}

pub fn rocket() -> Rocket<Build> {
    let logins = LoginManager::new(load_user)
        .login_view(uri!(login))
        .use_session_for_next(true); // keeps the wanted page while the browser is at the provider
    rocket::build()
        .attach(OAuth2::<GitHub>::fairing("github"))
        .attach(logins)
        .mount("/", routes![login, callback, home])
}
