use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{Build, Rocket, State, get, post, routes, uri};
use rocket_login::{
    LoginError, LoginManager, LoginSession, Next, UserMixin, fresh_login_required, login_required,
    user_loader,
};
use webauthn_rs::prelude::{
    Passkey, PasskeyAuthentication, PublicKeyCredential, RequestChallengeResponse, Url, Webauthn,
    WebauthnBuilder,
};

#[derive(UserMixin)]
pub struct User {
    id: i64,
    passkeys: Vec<Passkey>, // as JSON in the database
}

/// The challenges that no browser has answered yet, by user. They stay on the server: a browser that kept one could
/// answer it again.
#[derive(Default)]
struct Challenges(Mutex<HashMap<i64, PasskeyAuthentication>>);

#[login_required]
#[post("/passkey/challenge")]
fn challenge(
    user: &User,
    webauthn: &State<Webauthn>,
    challenges: &State<Challenges>,
) -> Result<Json<RequestChallengeResponse>, Status> {
    let begun = webauthn.start_passkey_authentication(&user.passkeys);
    let (challenge, state) = begun.map_err(|_| Status::Conflict)?; // a user without a passkey
    let mut open = challenges.0.lock().unwrap_or_else(PoisonError::into_inner);
    open.insert(user.id, state);
    Ok(Json(challenge))
}

#[login_required]
#[post("/passkey/answer", data = "<answer>")]
async fn answer(
    user: &User,
    answer: Json<PublicKeyCredential>,
    session: LoginSession<'_, User>,
    webauthn: &State<Webauthn>,
    challenges: &State<Challenges>,
    next: Next,
) -> Result<Result<String, Status>, LoginError> {
    let state = {
        let mut open = challenges.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&user.id) // each challenge can be answered once
    };
    let result = state.map(|state| webauthn.finish_passkey_authentication(&answer, &state));
    let Some(Ok(result)) = result else {
        return Ok(Err(Status::Forbidden));
    };
    if result.needs_update() {
        // Call `update_credential` on the passkeys, and store them.
    }
    session.confirm_login(user).await?; // fresh again
    Ok(Ok(next.path().unwrap_or("/").to_owned())) // the page for the script to open
}

#[login_required]
#[get("/confirm")]
fn confirm_page() -> &'static str {
    "a page with the script"
}

#[fresh_login_required(within = "10m")]
#[post("/transfer")]
fn transfer() -> &'static str {
    "done"
}

#[user_loader]
fn load_user(id: i64) -> Option<User> {
    let passkeys = Vec::new();
    Some(User { id, passkeys })
}

pub fn rocket() -> Rocket<Build> {
    let origin = Url::parse("https://www.example.com").expect("a URL");
    let webauthn = WebauthnBuilder::new("example.com", &origin).expect("a host of that domain");
    rocket::build()
        .manage(webauthn.build().expect("a valid configuration"))
        .manage(Challenges::default())
        .attach(LoginManager::new(load_user).refresh_view(uri!(confirm_page)))
        .mount("/", routes![challenge, answer, confirm_page, transfer])
}
