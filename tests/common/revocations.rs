//! A list of ended sessions that several servers share, and that has its troubles.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocket::futures::future::BoxFuture;
use rocket::tokio;
use rocket_login::{MemoryRevocations, RevocationError, RevocationList, Revoked, SessionRef};

use super::App;

/// The names of all calls of a list.
pub const CALLS: [&str; 4] = ["revoke", "revoke_user", "is_revoked", "not_before"];

#[derive(Clone, Copy)]
pub enum Trouble {
    Fails,
    Panics,
    /// It answers, when it is too late.
    Hangs,
}

#[derive(Clone)]
pub struct Revocations(Arc<Shared>);

struct Shared {
    list: MemoryRevocations,
    trouble: Mutex<(Trouble, Vec<&'static str>)>,
    ended: Mutex<Vec<String>>,
}

impl Revocations {
    pub fn new() -> Self {
        Revocations(Arc::new(Shared {
            list: MemoryRevocations::new(100),
            trouble: Mutex::new((Trouble::Fails, Vec::new())),
            ended: Mutex::default(),
        }))
    }

    /// An application with this list.
    pub fn app(&self) -> App {
        App::new().with(|manager| manager.revocation_list(self.clone()))
    }

    /// What happens to these calls from now on; the others go well.
    pub fn trouble(&self, trouble: Trouble, calls: &[&'static str]) {
        *self.0.trouble.lock().unwrap() = (trouble, calls.into());
    }

    pub fn recover(&self) {
        self.trouble(Trouble::Fails, &[]);
    }

    /// The sessions that ended, as a careless author of a list would print them.
    pub fn ended(&self) -> String {
        self.0.ended.lock().unwrap().concat()
    }

    /// The answer, by way of the network.
    fn send<'a, T: 'a>(&'a self, call: &'static str, answer: Answer<'a, T>) -> Answer<'a, T> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let (trouble, calls) = self.0.trouble.lock().unwrap().clone();
            match trouble {
                _ if !calls.contains(&call) => {}
                Trouble::Fails => return Err(RevocationError::new("connection refused")),
                Trouble::Panics => panic!("this list panics"),
                Trouble::Hangs => tokio::time::sleep(Duration::from_secs(5)).await,
            }
            answer.await
        })
    }
}

type Answer<'a, T> = BoxFuture<'a, Result<T, RevocationError>>;

impl RevocationList for Revocations {
    fn revoke<'a>(&'a self, session: SessionRef<'a>, now: u64, until: u64) -> Answer<'a, Revoked> {
        let printed = format!("{session:?} {:?}", session.id);
        self.0.ended.lock().unwrap().push(printed);
        self.send("revoke", self.0.list.revoke(session, now, until))
    }

    fn revoke_user<'a>(
        &'a self,
        user_id: &'a str,
        now: u64,
        not_before: u64,
        until: u64,
    ) -> Answer<'a, ()> {
        let answer = self.0.list.revoke_user(user_id, now, not_before, until);
        self.send("revoke_user", answer)
    }

    fn is_revoked<'a>(&'a self, session: SessionRef<'a>, now: u64) -> Answer<'a, bool> {
        self.send("is_revoked", self.0.list.is_revoked(session, now))
    }

    fn not_before<'a>(&'a self, user_id: &'a str, now: u64) -> Answer<'a, u64> {
        self.send("not_before", self.0.list.not_before(user_id, now))
    }
}
