//! Logins in one file: `cargo run --example quickstart`, then open <http://127.0.0.1:8000>.

#[macro_use]
extern crate rocket;

use std::sync::Mutex;
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::form::{Contextual, Form};
use rocket::http::RawStr;
use rocket::outcome::try_outcome;
use rocket::request::{FlashMessage, FromRequest, Outcome};
use rocket::response::content::{RawCss, RawHtml};
use rocket::response::{Flash, Redirect};
use rocket::{Request, State, tokio};
use rocket_login::access::GuardError;
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
fn index(page: Page<'_>) -> RawHtml<String> {
    page.show("Home", "<p>Everybody can see this page.</p>")
}

#[get("/login")]
fn login_page(page: Page<'_>) -> RawHtml<String> {
    // If the login is not fresh, the name is known.
    let name = page.user.user().map_or("", |user| &user.name);
    let form = login_form(name, false);
    page.show("Log in", &form)
}

#[derive(FromForm)]
struct Credentials<'r> {
    name: &'r str,
    password: &'r str,
    remember: bool,
}

#[post("/login", data = "<form>")]
async fn login(
    form: Form<Credentials<'_>>,
    page: Page<'_>,
    session: LoginSession<'_, User>,
    users: &State<Users>,
    next: Next,
) -> Result<NextRedirect, Failed> {
    let user = users.find(|user| user.name == form.name && user.password == form.password);
    let Some(user) = user else {
        let form = alert("Wrong name or password.") + &login_form(form.name, form.remember);
        return Err(Failed::Form(page.show("Login failed", &form)));
    };
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
fn dashboard(user: &User, page: Page<'_>) -> RawHtml<String> {
    let name = escape(&user.name);
    page.show("Dashboard", &format!("<p>Hello {name}, this is yours.</p>"))
}

#[fresh_login_required]
#[get("/password")]
fn password_page(page: Page<'_>) -> RawHtml<String> {
    page.show("Change password", PASSWORD_FORM)
}

#[derive(FromForm)]
struct NewPassword<'r> {
    #[field(validate = len(8..).or_else(msg!("Use at least 8 characters.")))]
    password: &'r str,
}

#[fresh_login_required]
#[post("/password", data = "<form>")]
async fn change_password(
    user: &User,
    form: Form<Contextual<'_, NewPassword<'_>>>,
    page: Page<'_>,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Flash<Redirect>, Failed> {
    let Some(new) = &form.value else {
        let errors: String = form
            .context
            .errors()
            .map(|e| alert(&e.to_string()))
            .collect();
        let page = page.show("Password not changed", &(errors + PASSWORD_FORM));
        return Err(Failed::Form(page));
    };
    if let Some(user) = users.set_password(user.id, new.password) {
        session.confirm_login(&user).await?; // this browser stays logged in
    }
    let back = Redirect::to(uri!(password_page));
    Ok(Flash::success(back, "Your password has changed."))
}

#[derive(Responder)]
enum Failed {
    /// The form again, with what was wrong.
    #[response(status = 422)]
    Form(RawHtml<String>),
    Login(LoginError),
}

impl From<LoginError> for Failed {
    fn from(error: LoginError) -> Self {
        Failed::Login(error)
    }
}

/// What every page shows: the current user, and the message that the request before it has left.
struct Page<'r> {
    user: CurrentUser<'r, User>,
    flash: Option<FlashMessage<'r>>,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Page<'r> {
    type Error = GuardError;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, GuardError> {
        let user = try_outcome!(req.guard().await);
        let flash = req.guard().await.succeeded();
        Outcome::Success(Page { user, flash })
    }
}

impl Page<'_> {
    fn show(self, title: &str, body: &str) -> RawHtml<String> {
        let user = match self.user.user() {
            Some(user) => format!(
                r#"<form method="post" action="/logout">{} <button>Log out</button></form>"#,
                escape(&user.name)
            ),
            None => r#"<a href="/login">Log in</a>"#.into(),
        };
        let flash = self.flash.map_or(String::new(), |flash| {
            format!(r#"<p role="status">{}</p>"#, escape(flash.message()))
        });
        RawHtml(format!(
            r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>{title} · Quickstart</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <link rel="stylesheet" href="/style.css">
            <header><nav><a href="/">Home</a> <a href="/dashboard">Dashboard</a>
                <a href="/password">Password</a></nav> {user}</header>
            <main><h1>{title}</h1>{flash}{body}</main></html>"#
        ))
    }
}

/// Makes text safe inside HTML. That includes the flash message, whose cookie is not signed.
fn escape(text: &str) -> String {
    RawStr::new(text).html_escape().into_owned()
}

fn alert(message: &str) -> String {
    format!(r#"<p role="alert">{}</p>"#, escape(message))
}

// A form without `action` posts to the address of its page, so it keeps the `next` there.
fn login_form(name: &str, remember: bool) -> String {
    let name = escape(name);
    let checked = if remember { "checked" } else { "" };
    format!(
        r#"<form method="post">
        <label>Name <input name="name" value="{name}" autocomplete="username" required></label>
        <label>Password
            <input name="password" type="password" autocomplete="current-password" required></label>
        <label><input name="remember" type="checkbox" {checked}> Remember me</label>
        <button>Log in</button></form>"#
    )
}

const PASSWORD_FORM: &str = r#"<form method="post">
    <label>New password
        <input name="password" type="password" autocomplete="new-password" required></label>
    <button>Change</button></form>"#;

#[get("/style.css")]
fn style() -> RawCss<&'static str> {
    RawCss(
        ":root { color-scheme: light dark; accent-color: #0e5a6b }
        * { box-sizing: border-box }
        body { background: Canvas; color: CanvasText }
        body { max-width: 34rem; margin: 0 auto; padding: 1rem; font: 1.0625rem/1.5 system-ui, sans-serif }
        h1 { font-size: 1.6rem; line-height: 1.2 }
        header, nav { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center }
        header { justify-content: space-between; padding-bottom: .75rem; border-bottom: 1px solid #8886 }
        a { color: light-dark(#0e5a6b, #7fd0df) }
        label { display: block; margin: 1rem 0 }
        input:not([type=checkbox]) { display: block; width: 100% }
        input, button { padding: .6rem .8rem; border: 1px solid #808080; border-radius: .4rem; font: inherit }
        main button { border: 0; color: #fff; background: #0e5a6b }
        [role] { padding: .6rem .8rem; border-left: .25rem solid; background: #8882 }
        [role=alert] { color: light-dark(#a3271f, #ff9a8d) }",
    )
}

/// Rocket itself adds `X-Content-Type-Options` and, over TLS, `Strict-Transport-Security`.
const SECURITY_HEADERS: [(&str, &str); 5] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=()"),
    ("Referrer-Policy", "same-origin"), // with `no-referrer`, forms would send `Origin: null`
];

fn security_headers() -> AdHoc {
    AdHoc::on_response("Security headers", |_, response| {
        Box::pin(async {
            for (name, value) in SECURITY_HEADERS {
                response.set_raw_header(name, value);
            }
        })
    })
}

fn print_login() -> AdHoc {
    AdHoc::on_liftoff("Login", |rocket| {
        let (address, port) = (rocket.config().address, rocket.config().port);
        Box::pin(async move {
            tokio::spawn(async move {
                // A moment later, because Rocket prints its last line after this fairing.
                tokio::time::sleep(Duration::from_millis(200)).await;
                println!("\nOpen http://{address}:{port}/login");
                println!("and log in as `ferris` with the password `correct horse`.");
            });
        })
    })
}

#[launch]
fn rocket() -> _ {
    let ferris = User {
        id: 1,
        name: "ferris".into(),
        password: "correct horse".into(),
    };
    let logins = LoginManager::new(load_user)
        .login_view(uri!(login_page))
        .refresh_view(uri!(login_page));
    rocket::build()
        .manage(Users(Mutex::new(vec![ferris])))
        .attach(logins)
        .attach(security_headers())
        .attach(print_login())
        .mount("/", routes![index, login_page, login, logout, style])
        .mount("/", routes![dashboard, password_page, change_password])
}
