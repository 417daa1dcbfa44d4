use std::time::Duration;

use rocket::futures::{SinkExt, StreamExt};
use rocket::response::stream::{Event, EventStream};
use rocket::tokio::select;
use rocket::tokio::time::interval;
use rocket::{Build, Rocket, get, routes};
use rocket_login::{LoginManager, LoginSession, UserMixin, login_required, user_loader};
use rocket_ws::{Channel, WebSocket};

#[derive(UserMixin)]
pub struct User {
    id: i64,
}

#[login_required]
#[get("/chat")]
fn chat(user: &User, session: LoginSession<'_, User>, socket: WebSocket) -> Channel<'static> {
    let id = user.id;
    let ended = session.ended();
    socket.channel(move |mut socket| {
        Box::pin(async move {
            let talk = async {
                while let Some(message) = socket.next().await {
                    let answer = format!("user {id} says: {}", message?);
                    socket.send(answer.into()).await?;
                }
                Ok(())
            };
            select! {
                talked = talk => talked,
                () = ended => Ok(()),
            }
        })
    })
}

#[login_required]
#[get("/news")]
fn news(user: &User, session: LoginSession<'_, User>) -> EventStream![] {
    let id = user.id;
    let mut ended = session.ended();
    EventStream! {
        let mut ticks = interval(Duration::from_secs(10));
        loop {
            select! {
                () = &mut ended => break,
                _ = ticks.tick() => yield Event::data(format!("news for user {id}")),
            }
        }
    }
}

#[user_loader]
fn load_user(id: i64) -> Option<User> {
    Some(User { id })
}

pub fn rocket() -> Rocket<Build> {
    rocket::build()
        .attach(LoginManager::new(load_user))
        .mount("/", routes![chat, news])
}
