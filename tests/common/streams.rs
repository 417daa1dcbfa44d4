//! Streams that end with a login: the tests wait for the ends themselves.

use std::sync::Mutex;
use std::time::Duration;

use rocket::http::Status;
use rocket::tokio::runtime::{Builder, Runtime};
use rocket::tokio::time::timeout;
use rocket::{State, get};
use rocket_login::session::LoginEnd;
use rocket_login::{LoginSession, login_required};

use super::{Browser, Running, User};

/// The ends that the handlers wait for, in place of streams.
#[derive(Default)]
pub struct Ends(Mutex<Vec<LoginEnd>>);

impl Ends {
    pub fn push(&self, end: LoginEnd) {
        self.0.lock().unwrap().push(end);
    }
}

#[login_required]
#[get("/stream")]
pub fn stream(session: LoginSession<'_, User>, ends: &State<Ends>) {
    ends.push(session.ended());
}

/// A stream that somebody follows.
pub struct Stream {
    end: LoginEnd,
    runtime: Runtime,
}

impl Stream {
    pub fn begin(browser: &mut Browser<'_>) -> Self {
        assert_eq!(browser.get("/stream").status, Status::Ok);
        Self::last(browser.app)
    }

    /// The stream that began last.
    pub fn last(app: &Running) -> Self {
        let ends = app.client.rocket().state::<Ends>().unwrap();
        let runtime = Builder::new_current_thread().enable_time().build();
        let mut stream = Stream {
            end: ends.0.lock().unwrap().pop().unwrap(),
            runtime: runtime.unwrap(),
        };
        // Up to the first wait.
        stream.ends_within(Duration::ZERO);
        stream
    }

    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let end = &mut self.end;
        self.runtime
            .block_on(async { timeout(limit, end).await.is_ok() })
    }

    pub fn has_ended(&mut self) -> bool {
        self.ends_within(Duration::from_millis(300))
    }
}
