//! A list of ended logins that several servers share, and that a test can freeze or break.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rocket::futures::future::BoxFuture;
use rocket::tokio;
use rocket_login::revocation::{
    MemoryRevocations, RevocationError, RevocationList, RevokeRealm, RevokeSession, RevokeUser,
    Revoked, SessionRef, SessionStatus, UnixTime, UserRef,
};

use super::App;

#[derive(Clone)]
pub struct Revocations(Arc<Shared>);

struct Shared {
    list: MemoryRevocations,
    before: Box<Before>,
    is_frozen: AtomicBool,
    ended: Mutex<Vec<String>>,
}

/// The methods of a list.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    Revoke,
    RevokeUser,
    RevokeRealm,
    Status,
    Date,
}

/// Runs before each call; its error is the answer of the list.
type Before = dyn Fn(Call) -> BoxFuture<'static, Answer<()>> + Send + Sync;

type Answer<T> = Result<T, RevocationError>;

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
    pub fn after(
        before: impl Fn(Call) -> BoxFuture<'static, Answer<()>> + Send + Sync + 'static,
    ) -> Self {
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

    /// A frozen list answers changes as ever, and does not make them.
    pub fn freeze(&self, is_frozen: bool) {
        self.0.is_frozen.store(is_frozen, Ordering::Relaxed);
    }

    /// The logins that ended, as a careless author of a list would print them.
    pub fn ended(&self) -> String {
        self.0.ended.lock().unwrap().concat()
    }

    async fn change<T>(
        &self,
        call: Call,
        if_frozen: T,
        change: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        (self.0.before)(call).await?;
        if self.0.is_frozen.load(Ordering::Relaxed) {
            return Ok(if_frozen);
        }
        change.await
    }
}

#[rocket::async_trait]
impl RevocationList for Revocations {
    async fn revoke(&self, ended: RevokeSession<'_>) -> Answer<Revoked> {
        let printed = format!("{ended:?} {:?}", ended.session.login_id);
        self.0.ended.lock().unwrap().push(printed);
        let if_frozen = match self.0.list.status(ended.session, ended.now).await? {
            SessionStatus::Open => Revoked::Now,
            _ => Revoked::Before,
        };
        let change = self.0.list.revoke(ended);
        self.change(Call::Revoke, if_frozen, change).await
    }

    async fn revoke_user(&self, ended: RevokeUser<'_>) -> Answer<Revoked> {
        let change = self.0.list.revoke_user(ended);
        self.change(Call::RevokeUser, Revoked::Now, change).await
    }

    async fn revoke_realm(&self, ended: RevokeRealm<'_>) -> Answer<()> {
        let change = self.0.list.revoke_realm(ended);
        self.change(Call::RevokeRealm, (), change).await
    }

    async fn status(&self, session: SessionRef<'_>, now: UnixTime) -> Answer<SessionStatus> {
        (self.0.before)(Call::Status).await?;
        self.0.list.status(session, now).await
    }

    async fn date(&self, user: UserRef<'_>, now: UnixTime) -> Answer<UnixTime> {
        (self.0.before)(Call::Date).await?;
        self.0.list.date(user, now).await
    }
}
