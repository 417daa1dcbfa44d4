//! Server-sent events and a WebSocket that end with the login: `cargo run -p streams`, then open <http://127.0.0.1:8000> in
//! two browsers.

#[macro_use]
extern crate rocket;

#[cfg(test)]
mod tests;

use rocket::form::Form;
use rocket::futures::{SinkExt as _, StreamExt as _};
use rocket::response::Redirect;
use rocket::response::content::RawHtml;
use rocket::response::stream::{Event, EventStream};
use rocket::tokio::select;
use rocket::tokio::sync::broadcast::{Sender, error::RecvError};
use rocket::{Build, Rocket, Shutdown, State};
use rocket_login::{
    CurrentUser, LoginError, LoginManager, LoginSession, UserMixin, login_required, user_loader,
};
use rocket_ws::frame::{CloseCode, CloseFrame};
use rocket_ws::{Channel, Message, WebSocket};

#[derive(UserMixin)]
struct User {
    id: String,
}

#[user_loader]
fn load_user(id: String) -> Option<User> {
    (!id.is_empty()).then_some(User { id })
}

/// What everybody hears.
type Room = Sender<String>;

#[get("/")]
fn index(user: CurrentUser<'_, User>) -> RawHtml<&'static str> {
    RawHtml(match user.user() {
        Some(_) => include_str!("room.html"),
        None => include_str!("login.html"),
    })
}

/// Anybody may choose a name. A real application checks a password here.
#[post("/login", data = "<name>")]
async fn login(
    name: Form<String>,
    session: LoginSession<'_, User>,
) -> Result<Redirect, LoginError> {
    let user = User {
        id: name.into_inner(),
    };
    session.login_user(&user).await?;
    Ok(Redirect::to(uri!(index)))
}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<Redirect, LoginError> {
    session.logout_user().await?;
    Ok(Redirect::to(uri!(index)))
}

/// The browser connects again after every end. After a logout the guard answers 401, and the browser gives up.
#[login_required]
#[get("/events")]
fn events(
    session: LoginSession<'_, User>,
    room: &State<Room>,
    mut shutdown: Shutdown,
) -> EventStream![] {
    let mut ended = session.ended();
    let mut lines = room.subscribe();
    EventStream! {
        loop {
            select! {
                () = &mut ended => break,
                () = &mut shutdown => break,
                line = lines.recv() => match line {
                    Ok(line) => yield Event::data(line),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                },
            }
        }
    }
}

/// A guard judges the handshake like a POST: a page of another site is refused.
#[login_required]
#[get("/socket")]
fn socket(
    user: &User,
    session: LoginSession<'_, User>,
    room: &State<Room>,
    mut shutdown: Shutdown,
    socket: WebSocket,
) -> Channel<'static> {
    let (name, room) = (user.id.clone(), Room::clone(room));
    let mut ended = session.ended();
    socket.channel(move |mut socket| {
        Box::pin(async move {
            loop {
                select! {
                    () = &mut ended => {
                        let frame = CloseFrame { code: CloseCode::Policy, reason: "logged out".into() };
                        return socket.close(Some(frame)).await;
                    }
                    () = &mut shutdown => return socket.close(None).await,
                    message = socket.next() => match message {
                        Some(Ok(Message::Text(text))) => {
                            // An error means that nobody listens.
                            let _ = room.send(format!("{name}: {text}"));
                            socket.send(Message::text("sent")).await?;
                        }
                        Some(Ok(_)) => {}
                        Some(Err(error)) => return Err(error),
                        None => return Ok(()),
                    },
                }
            }
        })
    })
}

fn build(manager: LoginManager<User>) -> Rocket<Build> {
    rocket::build()
        .attach(manager)
        .manage(Room::new(100))
        .mount("/", routes![index, login, logout, events, socket])
}

#[launch]
fn launch() -> Rocket<Build> {
    build(LoginManager::new(load_user))
}
