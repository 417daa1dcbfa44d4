use std::time::Duration;

use rocket::futures::{SinkExt, StreamExt};
use rocket::response::stream::{Event, EventStream};
use rocket::tokio::time::{Instant, interval, timeout};
use rocket::{Build, Rocket, get, routes};
use rocket_login::{LoginManager, UserMixin, login_required, user_loader};
use rocket_ws::{Channel, WebSocket};

#[derive(UserMixin)]
pub struct User {
    id: i64,
}

/// After this time the client connects again, and the guard decides again.
const LIMIT: Duration = Duration::from_secs(5 * 60);

#[login_required]
#[get("/chat")]
fn chat(user: &User, socket: WebSocket) -> Channel<'static> {
    let id = user.id;
    socket.channel(move |mut stream| {
        Box::pin(async move {
            let talk = async {
                while let Some(message) = stream.next().await {
                    let answer = format!("user {id} says: {}", message?);
                    stream.send(answer.into()).await?;
                }
                Ok(())
            };
            timeout(LIMIT, talk).await.unwrap_or(Ok(()))
        })
    })
}

#[login_required]
#[get("/news")]
fn news(user: &User) -> EventStream![] {
    let id = user.id;
    EventStream! {
        let end = Instant::now() + LIMIT;
        let mut ticks = interval(Duration::from_secs(10));
        while Instant::now() < end {
            ticks.tick().await;
            yield Event::data(format!("news for user {id}"));
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
