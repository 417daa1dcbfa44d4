//! Random histories of several servers and one store, beside a model of what must come out.
//!
//! `MODEL_STEPS=100000 cargo test --release -p login-runtime servers_do_what_the_model_says` for the long run;
//! `MODEL_SEED` repeats one.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::seed::seed;
use super::tests::{NOW, Server};
use crate::clock::{Clock, UnixTime};
use crate::revocation::{Revoked, SessionRef, SessionStatus, Successor};
use crate::testing::store::MemoryLog;
use crate::token::{LoginId, SessionId};

const SERVERS: usize = 3;
const USERS: [&str; 2] = ["alice", "bob"];

#[derive(Clone, Debug)]
enum Step {
    /// A login of a user, over another one or not.
    Login {
        server: usize,
        user: usize,
        over: Option<usize>,
    },
    Logout {
        server: usize,
        login: usize,
    },
    Confirm {
        server: usize,
        login: usize,
        session: usize,
    },
    Everywhere {
        server: usize,
        user: usize,
    },
    /// A server reads what the log has.
    Follow {
        server: usize,
    },
    /// A server is started again, and has only what the store has.
    Restart {
        server: usize,
    },
    /// Old records are dropped.
    Trim,
    /// The store loses its newest records, or everything.
    Lose {
        records: usize,
    },
    Wipe,
}

fn step(with_losses: bool) -> impl Strategy<Value = Step> {
    let server = 0..SERVERS;
    let login = 0..12_usize;
    let user = 0..USERS.len();
    let losses = u32::from(with_losses);
    prop_oneof![
        4 => (server.clone(), user.clone(), proptest::option::of(login.clone()))
            .prop_map(|(server, user, over)| Step::Login { server, user, over }),
        4 => (server.clone(), login.clone())
            .prop_map(|(server, login)| Step::Logout { server, login }),
        4 => (server.clone(), login, 0..4_usize)
            .prop_map(|(server, login, session)| Step::Confirm { server, login, session }),
        1 => (server.clone(), user).prop_map(|(server, user)| Step::Everywhere { server, user }),
        6 => server.clone().prop_map(|server| Step::Follow { server }),
        1 => server.prop_map(|server| Step::Restart { server }),
        1 => Just(Step::Trim),
        losses => (1..4_usize).prop_map(|records| Step::Lose { records }),
        losses => Just(Step::Wipe),
    ]
}

/// A login in the model: what everybody must agree on in the end.
struct Login {
    id: u8,
    user: usize,
    created_at: u64,
    /// When it ended, as the number of a step.
    ended: Option<usize>,
    next: Option<usize>,
    /// Its session ids, and when each was replaced.
    sessions: Vec<Option<usize>>,
}

struct World {
    clock: Clock,
    log: MemoryLog,
    servers: Vec<Server>,
    /// Up to which step each server knows everything.
    knows: [usize; SERVERS],
    logins: Vec<Login>,
    /// Whether the store has lost something, so that what was decided meanwhile is not compared.
    has_lost: bool,
    ids: u8,
}

impl World {
    async fn new() -> Self {
        let clock = Clock::manual(NOW);
        let log = MemoryLog::with_clock(clock.clone());
        let mut servers = Vec::new();
        for _ in 0..SERVERS {
            servers.push(Server::on(&log).await);
        }
        Self {
            clock,
            log,
            servers,
            knows: [0; SERVERS],
            logins: Vec::new(),
            has_lost: false,
            ids: 0,
        }
    }

    fn fresh_id(&mut self) -> u8 {
        self.ids = self.ids.checked_add(1).unwrap();
        self.ids
    }

    fn session(&self, login: usize, session: usize) -> SessionRef<'static> {
        let Login {
            id,
            user,
            created_at,
            ..
        } = self.logins[login];
        SessionRef {
            realm: "app",
            login_id: LoginId([id; 16]),
            session_id: SessionId([u8::try_from(session).unwrap(); 8]),
            user_id: USERS[user],
            created_at: UnixTime::from_secs(created_at),
        }
    }

    /// The chosen login of those that there are.
    fn chosen(&self, login: usize) -> Option<usize> {
        (!self.logins.is_empty()).then(|| login % self.logins.len())
    }

    fn end_chain(&mut self, mut login: Option<usize>, kept: Option<usize>, now: usize) {
        while let Some(index) = login.filter(|index| Some(*index) != kept) {
            let ended = &mut self.logins[index];
            login = ended.next;
            if login.is_some() && login == kept {
                return;
            }
            ended.ended.get_or_insert(now);
            ended.next = None;
        }
    }

    async fn take(&mut self, step: &Step, now: usize) {
        match *step {
            Step::Login { server, user, over } => {
                let id = self.fresh_id();
                let created_at = self.servers[server].dates(USERS[user]).await;
                let new = self.logins.len();
                if let Some(over) = over.and_then(|over| self.chosen(over)) {
                    let successor = Successor::Login {
                        id: LoginId([id; 16]),
                        user_id: USERS[user],
                    };
                    let session = self.session(over, 0);
                    self.servers[server]
                        .revokes(session, Some(successor))
                        .await
                        .unwrap();
                    let lost = self.logins[over].next.replace(new);
                    self.logins[over].ended.get_or_insert(now);
                    self.end_chain(lost, Some(new), now);
                }
                self.logins.push(Login {
                    id,
                    user,
                    created_at,
                    ended: None,
                    next: None,
                    sessions: vec![None],
                });
            }
            Step::Logout { server, login } => {
                let Some(login) = self.chosen(login) else {
                    return;
                };
                self.servers[server].ends(self.session(login, 0)).await;
                self.end_chain(Some(login), None, now);
            }
            Step::Confirm {
                server,
                login,
                session,
            } => {
                let Some(login) = self.chosen(login) else {
                    return;
                };
                let count = self.logins[login].sessions.len();
                let session = session % count;
                let old = self.session(login, session);
                let is_open = self.is_open(login, session);
                let next = u8::try_from(count).unwrap();
                let revoked = self.servers[server].confirms(old, next).await;
                if !self.has_lost {
                    assert_eq!(
                        revoked == Revoked::Now,
                        is_open,
                        "a confirmation of {login}"
                    );
                }
                if revoked == Revoked::Now {
                    let sessions = &mut self.logins[login].sessions;
                    sessions[session].get_or_insert(now);
                    sessions.push(None);
                }
            }
            Step::Everywhere { server, user } => {
                self.servers[server].ends_user(USERS[user]).await;
                // Every login that the user has was dated by the store before.
                for login in self.logins.iter_mut().filter(|login| login.user == user) {
                    login.ended.get_or_insert(now);
                }
            }
            Step::Follow { server } => {
                self.servers[server].follow().await.unwrap();
                if !self.has_lost {
                    self.knows[server] = now;
                }
            }
            Step::Restart { server } => {
                if !self.has_lost {
                    self.servers[server] = Server::on(&self.log).await;
                    self.knows[server] = now;
                }
            }
            Step::Trim => self.log.trim(),
            Step::Lose { records } => {
                self.log.lose(records);
                self.has_lost = true;
            }
            Step::Wipe => {
                self.log.wipe();
                self.has_lost = true;
                // A change under the old epoch is refused until its server has read the new store.
                for server in &mut self.servers {
                    server.follow().await.unwrap();
                }
            }
        }
    }

    fn is_open(&self, login: usize, session: usize) -> bool {
        let login = &self.logins[login];
        login.ended.is_none() && login.sessions[session].is_none()
    }

    /// Nobody is logged out who did not log out, and who has heard of a logout serves no copy.
    fn check(&self) {
        for (index, server) in self.servers.iter().enumerate() {
            for (number, login) in self.logins.iter().enumerate() {
                for (session, replaced) in login.sessions.iter().enumerate() {
                    let status = server.status(self.session(number, session)).unwrap();
                    let is_open = self.is_open(number, session);
                    if is_open && !self.has_lost {
                        assert_eq!(status, SessionStatus::Open, "server {index} ends {number}");
                    }
                    let end = login.ended.into_iter().chain(*replaced).min();
                    if end.is_some_and(|end| end <= self.knows[index]) {
                        assert_ne!(
                            status,
                            SessionStatus::Open,
                            "server {index} serves {number}"
                        );
                    }
                }
            }
        }
    }

    /// All servers read on until nothing is new.
    async fn settle(&mut self, now: usize) {
        for _ in 0..3 {
            for server in &mut self.servers {
                server.follow().await.unwrap();
            }
        }
        self.knows = [now; SERVERS];
    }
}

async fn play(steps: Vec<Step>) {
    let mut world = World::new().await;
    for (number, step) in steps.iter().enumerate() {
        world.clock.advance(Duration::from_secs(10));
        world.take(step, number).await;
        if !world.has_lost {
            world.check();
        }
    }
    world.settle(steps.len()).await;
    world.check();
    // A server that knows only what the store has agrees.
    world.servers[0] = Server::on(&world.log).await;
    world.check();
}

#[test]
fn servers_do_what_the_model_says() {
    let wanted = std::env::var("MODEL_STEPS").map_or(600, |steps| steps.parse().unwrap());
    // Where a server would wait, the clock is set forward instead.
    let runtime = rocket::tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let seed = seed();
    for with_losses in [false, true] {
        let taken = std::cell::Cell::new(0);
        for round in 0.. {
            if taken.get() >= wanted / 2 {
                break;
            }
            let config = Config {
                cases: 4,
                max_shrink_iters: 2_000,
                failure_persistence: None,
                rng_seed: RngSeed::Fixed(seed.wrapping_add(round)),
                ..Config::default()
            };
            let histories = proptest::collection::vec(step(with_losses), 1..60);
            TestRunner::new(config)
                .run(&histories, |steps| {
                    taken.set(taken.get() + steps.len());
                    runtime.block_on(play(steps));
                    Ok(())
                })
                .unwrap();
        }
        println!("{} steps, with losses: {with_losses}", taken.get());
    }
}
