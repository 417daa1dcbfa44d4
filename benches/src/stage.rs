//! A launched application, and its clients.

use std::cell::Cell;
use std::num::NonZero;
use std::ops::Range;
use std::thread;

use rocket::http::{Cookie, Header, Status};
use rocket::local::asynchronous::{Client, LocalRequest};
use rocket::tokio::runtime::{Builder, Runtime};
use rocket_login::testing;

use crate::application::{self, FIRST_USER, Size};
use crate::bare::{Bare, SESSION};
use crate::by_hand;
use crate::device::Proven;
use crate::scene::{ADDRESS, BROWSER, PAGE, Scene};
use crate::user::User;

const TOKEN: usize = 134;

/// How much longer the token of a login is that is bound to a device.
const BOUND: usize = 6;

/// A launched application, ready for requests of one scene.
#[derive(Debug)]
pub(crate) struct Stage {
    scene: Scene,
    runtime: Runtime,
    client: Client,
    /// The cookies of each client.
    clients: Vec<Vec<Cookie<'static>>>,
    /// The proof of the client's device.
    proven: Option<Proven>,
    /// The client that sends the next request.
    turn: Cell<usize>,
}

impl Stage {
    /// Launches the scene's application, with its ended sessions and its clients.
    ///
    /// # Panics
    ///
    /// If the application does not launch, or does not answer with the scene's status.
    #[must_use]
    pub(crate) fn new(scene: Scene, size: &Size) -> Self {
        let mut stage = Self::launch(scene, size);
        stage.clients = if scene == Scene::OldKey {
            let before = Size {
                key: size.key + size.old_keys,
                old_keys: 0,
                ..*size
            };
            Self::launch(scene, &before).cookies(size)
        } else if scene.is_refresh() {
            let proven = stage.runtime.block_on(Proven::new(&stage.client));
            let mut cookies = proven.cookies.clone();
            if scene == Scene::RefreshByStranger {
                cookies.iter_mut().for_each(forge);
            }
            stage.proven = Some(proven);
            vec![cookies]
        } else {
            stage.cookies(size)
        };
        if scene.has_manager() {
            stage.end(0..size.ended);
        }
        let status = stage.answer(stage.request());
        assert_eq!(status, scene.status(), "{}", scene.name());
        stage
    }

    fn launch(scene: Scene, size: &Size) -> Self {
        let runtime = runtime();
        let client = Client::untracked(application::rocket(scene, size));
        let client = runtime.block_on(client).expect("the application launches");
        Stage {
            scene,
            runtime,
            client,
            clients: Vec::new(),
            proven: None,
            turn: Cell::new(0),
        }
    }

    /// The cookies of all clients; their users are spread over all users.
    fn cookies(&self, size: &Size) -> Vec<Vec<Cookie<'static>>> {
        let every = usize::try_from(size.users).expect("a number of users") / size.clients;
        let users = (FIRST_USER..).step_by(every);
        users
            .take(size.clients)
            .map(|id| self.cookies_of(&User::new(id)))
            .collect()
    }

    /// Cookies with the same number and size in all scenes that are compared with each other.
    fn cookies_of(&self, user: &User) -> Vec<Cookie<'static>> {
        let theme = Cookie::new("theme", "dark");
        let login = match self.scene {
            scene if scene.is_logged_in() => self.bound(user),
            Scene::Bare => {
                let bare = self.client.rocket().state::<Bare>().expect("its keys");
                Cookie::new(SESSION, bare.login(user, ADDRESS.into(), BROWSER))
            }
            Scene::Plain | Scene::Attached | Scene::ByHand => {
                Cookie::new(SESSION, "A".repeat(TOKEN))
            }
            // Nobody is logged in yet.
            _ => return vec![theme],
        };
        let more = if self.scene == Scene::DeviceBound {
            BOUND
        } else {
            0
        };
        assert_eq!(login.value().len(), TOKEN + more);
        let request = self.client.get(PAGE);
        let request = request.private_cookie((by_hand::COOKIE, user.id.to_string()));
        let hand = request
            .inner()
            .cookies()
            .get(by_hand::COOKIE)
            .expect("a private cookie");
        vec![theme, login, hand.clone()]
    }

    /// A login that is bound to the client that will send it.
    fn bound(&self, user: &User) -> Cookie<'static> {
        let rocket = self.client.rocket();
        let login = if self.scene == Scene::DeviceBound {
            testing::device_bound_login(rocket, user)
        } else {
            testing::login(rocket, user)
        };
        let request = self.scene.request(&self.client, &[login]);
        let response = self.runtime.block_on(request.dispatch());
        let bound = response.cookies().get(SESSION).expect("a bound login");
        Cookie::new(SESSION, bound.value().to_owned())
    }

    /// Ends sessions, each of a [`leaver`].
    pub(crate) fn end(&self, sessions: Range<usize>) {
        /// The number of sessions for each request: a logout ends all sessions whose cookies it gets.
        const MANY: usize = 200;
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let client = &self.client;
        thread::scope(|scope| {
            for thread in 0..threads {
                let starts = sessions.clone().step_by(MANY).skip(thread).step_by(threads);
                scope.spawn(move || {
                    let runtime = runtime();
                    for start in starts {
                        let some = start..sessions.end.min(start + MANY);
                        let status = runtime.block_on(answer(logout(client, some)));
                        assert_eq!(status, Status::Ok, "a logout");
                    }
                });
            }
        });
    }

    /// A request that ends the `n`th session.
    #[must_use]
    pub(crate) fn logout(&self, n: usize) -> LocalRequest<'_> {
        logout(&self.client, n..n + 1)
    }

    /// The next client's request, ready to be served.
    #[must_use]
    pub(crate) fn request(&self) -> LocalRequest<'_> {
        let turn = self.turn.get();
        self.turn.set((turn + 1) % self.clients.len());
        let request = self.scene.request(&self.client, &self.clients[turn]);
        match &self.proven {
            Some(proven) => proven.add_to(request),
            None => request,
        }
    }

    /// How many of a user's three logins have ended after a logout from one of them.
    pub(crate) fn ended_by_one_logout(&self) -> usize {
        let user = User::new(FIRST_USER);
        let logins = [(); 3].map(|()| testing::login(self.client.rocket(), &user));
        let [first, ..] = &logins;
        let logout = self.client.post("/logout");
        let status = self.answer(logout.header(Header::new("Cookie", first.to_string())));
        assert_eq!(status, Status::Ok, "a logout");
        let has_ended = |login: &&Cookie<'static>| {
            let request = self.scene.request(&self.client, &[(*login).clone()]);
            self.answer(request) != Status::Ok
        };
        logins.iter().filter(has_ended).count()
    }

    /// The measured work: from the request to the last byte of the answer.
    #[inline(never)]
    pub(crate) fn serve(&self, request: LocalRequest<'_>) {
        self.answer(request);
    }

    /// The cookies that the answer sets.
    pub(crate) fn set_cookies(&self) -> Vec<String> {
        let response = self.runtime.block_on(self.request().dispatch());
        let headers = response.headers().get("Set-Cookie");
        headers.map(str::to_owned).collect()
    }

    fn answer(&self, request: LocalRequest<'_>) -> Status {
        self.runtime.block_on(answer(request))
    }
}

/// Changes the last byte that is signed.
fn forge(cookie: &mut Cookie<'static>) {
    let mut value = cookie.value().to_owned();
    let last = value.pop();
    value.push_str(if last == Some('A') { "Q" } else { "A" });
    cookie.set_value(value);
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

async fn answer(request: LocalRequest<'_>) -> Status {
    let response = request.dispatch().await;
    let status = response.status();
    response.into_bytes().await;
    status
}

/// A request that ends sessions that were made for it.
fn logout(client: &Client, sessions: Range<usize>) -> LocalRequest<'_> {
    let logins: Vec<_> = sessions
        .map(|n| testing::login(client.rocket(), &leaver(n)).to_string())
        .collect();
    client
        .post("/logout")
        .header(Header::new("Cookie", logins.join("; ")))
}

/// The user of the `n`th ended session: one of a million users who are not clients.
fn leaver(n: usize) -> User {
    let n = i64::try_from(n % 1_000_000).expect("less than a million");
    User::new(2 * FIRST_USER + n)
}
