//! A list of ended sessions that several servers share.

use std::sync::{Arc, Mutex};

use rocket::futures::future::BoxFuture;
use rocket::tokio;
use rocket_login::{MemoryRevocations, RevocationError, RevocationList, Revoked, SessionRef};

use super::App;

#[derive(Clone)]
pub struct Revocations(Arc<Shared>);

struct Shared {
    list: MemoryRevocations,
    ended: Mutex<Vec<String>>,
}

impl Revocations {
    pub fn new() -> Self {
        Revocations(Arc::new(Shared {
            list: MemoryRevocations::new(100),
            ended: Mutex::default(),
        }))
    }

    /// An application with this list.
    pub fn app(&self) -> App {
        App::new().with(|manager| manager.revocation_list(self.clone()))
    }

    /// The sessions that ended, as a careless author of a list would print them.
    pub fn ended(&self) -> String {
        self.0.ended.lock().unwrap().concat()
    }

    /// The answer, by way of the network.
    fn send<'a, T: Send + 'a>(answer: Answer<'a, T>) -> Answer<'a, T> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            answer.await
        })
    }
}

type Answer<'a, T> = BoxFuture<'a, Result<T, RevocationError>>;

impl RevocationList for Revocations {
    fn revoke<'a>(&'a self, session: SessionRef<'a>, now: u64, until: u64) -> Answer<'a, Revoked> {
        let printed = format!("{session:?} {:?}", session.id);
        self.0.ended.lock().unwrap().push(printed);
        Self::send(self.0.list.revoke(session, now, until))
    }

    fn revoke_user<'a>(
        &'a self,
        user_id: &'a str,
        now: u64,
        not_before: u64,
        until: u64,
    ) -> Answer<'a, ()> {
        let answer = self.0.list.revoke_user(user_id, now, not_before, until);
        Self::send(answer)
    }

    fn is_revoked<'a>(&'a self, session: SessionRef<'a>, now: u64) -> Answer<'a, bool> {
        Self::send(self.0.list.is_revoked(session, now))
    }

    fn not_before<'a>(&'a self, user_id: &'a str, now: u64) -> Answer<'a, u64> {
        Self::send(self.0.list.not_before(user_id, now))
    }
}
