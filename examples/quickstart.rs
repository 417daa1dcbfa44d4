//! Logins in one file: `cargo run --example quickstart`, then open <http://127.0.0.1:8000>.

#[macro_use]
extern crate rocket;

use std::sync::Mutex;

use rocket::State;
use rocket::fairing::AdHoc;
use rocket::form::Form;
use rocket::http::RawStr;
use rocket::request::FlashMessage;
use rocket::response::content::RawHtml;
use rocket::response::{Flash, Redirect};
use rocket_login::{
    CurrentUser, LoginError, LoginManager, LoginSession, Next, NextRedirect, UserMixin,
    fresh_login_required, login_required, user_loader,
};

#[derive(Clone, UserMixin)]
struct User {
    id: u32,
    name: String,
    #[user(session_hash)] // a new password ends every other login of the user
    password: String,
}

/// A stand-in for a database. A real one stores hashes of passwords, never the passwords.
struct Users(Mutex<Vec<User>>);

impl Users {
    fn find(&self, wanted: impl Fn(&User) -> bool) -> Option<User> {
        let users = self.0.lock().unwrap();
        users.iter().find(|user| wanted(user)).cloned()
    }

    fn set_password(&self, id: u32, password: &str) -> Option<User> {
        let mut users = self.0.lock().unwrap();
        let user = users.iter_mut().find(|user| user.id == id)?;
        password.clone_into(&mut user.password);
        Some(user.clone())
    }
}

#[user_loader]
fn load_user(id: u32, users: &State<Users>) -> Option<User> {
    users.find(|user| user.id == id)
}

#[get("/")]
fn index(user: CurrentUser<'_, User>) -> RawHtml<String> {
    let Some(user) = user.user() else {
        return page(
            "Home",
            r#"<p>Nobody is logged in. <a href="/login">Log in</a></p>"#,
        );
    };
    let name = RawStr::new(&user.name).html_escape();
    let logout = r#"<form method="post" action="/logout"><button>Log out</button></form>"#;
    page(
        "Home",
        &format!("<p>You are logged in as {name}.</p>{logout}"),
    )
}

#[get("/login")]
fn login_page(flash: Option<FlashMessage<'_>>) -> RawHtml<String> {
    // A form without `action` posts to the address of its page, so it keeps the `next` there.
    let form = r#"<form method="post">
        <p><label>Name <input name="name" autocomplete="username"></label>
        <p><label>Password <input name="password" type="password" autocomplete="current-password"></label>
        <p><label><input name="remember" type="checkbox"> Remember me</label>
        <p><button>Log in</button></form>"#;
    page("Log in", &(notice(flash) + form))
}

#[derive(FromForm)]
struct Credentials<'r> {
    name: &'r str,
    password: &'r str,
    remember: bool,
}

#[derive(Responder)]
enum Failed {
    #[response(status = 401)]
    Mismatch(RawHtml<String>),
    Login(LoginError),
}

impl From<LoginError> for Failed {
    fn from(error: LoginError) -> Self {
        Failed::Login(error)
    }
}

#[post("/login", data = "<form>")]
async fn login(
    form: Form<Credentials<'_>>,
    session: LoginSession<'_, User>,
    users: &State<Users>,
    next: Next,
) -> Result<NextRedirect, Failed> {
    let retry = r#"<p>Wrong name or password. <a href="">Try again</a></p>"#;
    let user = users
        .find(|user| user.name == form.name && user.password == form.password)
        .ok_or_else(|| page("Login failed", retry))
        .map_err(Failed::Mismatch)?;
    session.login_user(&user).remember(form.remember).await?;
    Ok(next.or(uri!(index))) // `Next` can only hold a page of this site
}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<Redirect, LoginError> {
    session.logout_user().await?;
    Ok(Redirect::to(uri!(index)))
}

#[login_required]
#[get("/dashboard")]
fn dashboard(user: &User) -> RawHtml<String> {
    let name = RawStr::new(&user.name).html_escape();
    page("Dashboard", &format!("<p>Hello {name}, this is yours.</p>"))
}

#[fresh_login_required]
#[get("/password")]
fn password_page(flash: Option<FlashMessage<'_>>) -> RawHtml<String> {
    let form = r#"<form method="post">
        <p><label>New password <input name="password" type="password" autocomplete="new-password"></label>
        <p><button>Change</button></form>"#;
    page("Change password", &(notice(flash) + form))
}

#[derive(FromForm)]
struct NewPassword<'r> {
    #[field(validate = len(8..))]
    password: &'r str,
}

#[fresh_login_required]
#[post("/password", data = "<form>")]
async fn change_password(
    user: &User,
    form: Form<NewPassword<'_>>,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Flash<Redirect>, LoginError> {
    if let Some(user) = users.set_password(user.id, form.password) {
        session.confirm_login(&user).await?; // this browser stays logged in
    }
    let back = Redirect::to(uri!(password_page));
    Ok(Flash::success(back, "Your password has changed."))
}

fn notice(flash: Option<FlashMessage<'_>>) -> String {
    let Some(flash) = flash else {
        return String::new();
    };
    // Escaped, because the flash cookie is not signed: a sibling domain can put anything into it.
    let message = RawStr::new(flash.message()).html_escape();
    format!(r#"<p role="status">{message}</p>"#)
}

fn page(title: &str, body: &str) -> RawHtml<String> {
    RawHtml(format!(
        r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>{title} · Quickstart</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <nav><a href="/">Home</a> <a href="/dashboard">Dashboard</a> <a href="/password">Password</a></nav>
        <main><h1>{title}</h1>{body}</main></html>"#
    ))
}

/// Rocket itself adds `X-Content-Type-Options` and, over TLS, `Strict-Transport-Security`.
const SECURITY_HEADERS: [(&str, &str); 5] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=()"),
    ("Referrer-Policy", "same-origin"), // with `no-referrer`, forms would send `Origin: null`
];

#[launch]
fn rocket() -> _ {
    println!("Log in as `ferris` with the password `correct horse`.");
    let ferris = User {
        id: 1,
        name: "ferris".into(),
        password: "correct horse".into(),
    };
    let logins = LoginManager::new(load_user)
        .login_view(uri!(login_page))
        .refresh_view(uri!(login_page));
    let headers = AdHoc::on_response("Security headers", |_, response| {
        Box::pin(async {
            for (name, value) in SECURITY_HEADERS {
                response.set_raw_header(name, value);
            }
        })
    });
    rocket::build()
        .manage(Users(Mutex::new(vec![ferris])))
        .attach(logins)
        .attach(headers)
        .mount("/", routes![index, login_page, login, logout])
        .mount("/", routes![dashboard, password_page, change_password])
}
