//! A list of ended sessions that several servers share, and that a test can freeze or break.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rocket::futures::future::BoxFuture;
use rocket::tokio;
use rocket_login::{MemoryRevocations, RevocationError, RevocationList, Revoked, SessionRef};

use super::App;

#[derive(Clone)]
pub struct Revocations(Arc<Shared>);

struct Shared {
    list: MemoryRevocations,
    before: Box<Before>,
    is_frozen: AtomicBool,
    ended: Mutex<Vec<String>>,
}

/// The four methods of a list.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    Revoke,
    RevokeUser,
    IsRevoked,
    NotBefore,
}

/// Runs before each call; its error is the answer of the list.
type Before = dyn Fn(Call) -> Answer<'static, ()> + Send + Sync;

type Answer<'a, T> = BoxFuture<'a, Result<T, RevocationError>>;

impl Revocations {
    /// A list that answers after a while, as over a network.
    pub fn new() -> Self {
        Self::after(|_| {
            Box::pin(async {
                tokio::task::yield_now().await;
                Ok(())
            })
        })
    }

    /// A list that first does this in each call.
    pub fn after(before: impl Fn(Call) -> Answer<'static, ()> + Send + Sync + 'static) -> Self {
        Revocations(Arc::new(Shared {
            list: MemoryRevocations::new(1_000_000),
            before: Box::new(before),
            is_frozen: AtomicBool::new(false),
            ended: Mutex::default(),
        }))
    }

    /// An application with this list.
    pub fn app(&self) -> App {
        App::new().with(|manager| manager.revocation_list(self.clone()))
    }

    /// A frozen list accepts changes, and does not make them.
    pub fn freeze(&self, is_frozen: bool) {
        self.0.is_frozen.store(is_frozen, Ordering::Relaxed);
    }

    /// The sessions that ended, as a careless author of a list would print them.
    pub fn ended(&self) -> String {
        self.0.ended.lock().unwrap().concat()
    }

    fn change<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        if_frozen: T,
        change: Answer<'a, T>,
    ) -> Answer<'a, T> {
        let before = (self.0.before)(call);
        Box::pin(async move {
            before.await?;
            if self.0.is_frozen.load(Ordering::Relaxed) {
                return Ok(if_frozen);
            }
            change.await
        })
    }

    fn look_up<'a, T: Send + 'a>(&'a self, call: Call, answer: Answer<'a, T>) -> Answer<'a, T> {
        let before = (self.0.before)(call);
        Box::pin(async move {
            before.await?;
            answer.await
        })
    }
}

impl RevocationList for Revocations {
    fn revoke<'a>(&'a self, session: SessionRef<'a>, now: u64, until: u64) -> Answer<'a, Revoked> {
        let printed = format!("{session:?} {:?}", session.id);
        self.0.ended.lock().unwrap().push(printed);
        let change = self.0.list.revoke(session, now, until);
        self.change(Call::Revoke, Revoked::Now, change)
    }

    fn revoke_user<'a>(
        &'a self,
        user_id: &'a str,
        now: u64,
        not_before: u64,
        until: u64,
    ) -> Answer<'a, ()> {
        let change = self.0.list.revoke_user(user_id, now, not_before, until);
        self.change(Call::RevokeUser, (), change)
    }

    fn is_revoked<'a>(&'a self, session: SessionRef<'a>, now: u64) -> Answer<'a, bool> {
        self.look_up(Call::IsRevoked, self.0.list.is_revoked(session, now))
    }

    fn not_before<'a>(&'a self, user_id: &'a str, now: u64) -> Answer<'a, u64> {
        self.look_up(Call::NotBefore, self.0.list.not_before(user_id, now))
    }
}
