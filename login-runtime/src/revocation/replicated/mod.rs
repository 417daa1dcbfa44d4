//! A list of ended logins that several servers share: a full copy in memory, which follows a store.

mod boottime;
mod follower;
pub(crate) mod freshness;
mod progress;
mod purge;
mod replica;
pub(crate) mod users;

#[cfg(test)]
mod model;
#[cfg(test)]
mod seed;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rocket::tokio::runtime::{Builder, Handle};
use rocket::tokio::sync::oneshot;
use rocket::tokio::time::{Instant, sleep};
use tracing::{error, warn};

use self::boottime::Boottime;
use self::follower::{Follower, POLL, new_op};
use self::freshness::{Freshness, Limits, Trust};
use self::progress::{Progress, Start};
use self::replica::Replica;
use self::users::UserKeys;
use crate::app::contain::{Interrupted, contain_future};
use crate::clock::{Clock, UnixTime};
use crate::config::OnLoss;
use crate::revocation::log::entry::{Next, RealmId, Subject};
use crate::revocation::log::{Appended, Change, Entry, Guard, Key, OpId, Record, RevocationLog};
use crate::revocation::{
    RevocationError, RevokeRealm, RevokeSession, RevokeUser, Revoked, SessionRef, SessionStatus,
    Successor, UserRef, Wakes,
};
use crate::soon::Soon::{self, Later, Now};
use crate::token::secret::SecretKey;

/// What a list needs besides its store.
pub(crate) struct Plan<'c> {
    /// The name of the realm, see [`UserRef::realm`].
    pub(crate) realm: &'c str,
    pub(crate) limits: Limits,
    pub(crate) on_loss: OnLoss,
    /// The secrets that users' digests are made with, the one for new entries first.
    pub(crate) secrets: Vec<&'c SecretKey>,
    pub(crate) longest_session: u64,
    pub(crate) clock: Clock,
}

pub(crate) struct Replicated {
    shared: Arc<Shared>,
    /// The runtime of the follower, which makes every call of the store.
    runtime: Handle,
}

struct Shared {
    log: Box<dyn RevocationLog>,
    replica: Replica,
    freshness: Freshness,
    progress: Progress,
    on_loss: OnLoss,
    longest_session: u64,
    clock: Clock,
    is_stopped: AtomicBool,
    /// How often the store has lost changes.
    losses: AtomicU64,
    watch: Mutex<Watch>,
    has_news: AtomicBool,
}

/// What was last reported about the follower.
#[derive(Default)]
struct Watch {
    has_failed: bool,
    /// Whether the copy has become too old since.
    is_late: bool,
    news: Vec<News>,
}

/// A change of state of the follower, for the application's listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Stale,
    Fresh,
    Lost,
}

/// How the copy of a store is doing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Health {
    pub(crate) is_fresh: bool,
    pub(crate) age: Duration,
    pub(crate) entries: usize,
    pub(crate) losses: u64,
}

/// How many changes of state wait at most for a request that reports them.
const MOST_NEWS: usize = 16;

/// How long a change may take until its caller is answered, and how long one attempt.
const ATTEMPT: Duration = Duration::from_secs(2);

/// How many seconds a login may be dated ahead of what this server knows: one for each `revoke_user` of its user within a
/// second, and one more.
const AHEAD: u64 = 5;

/// The pause before a change is repeated.
const PAUSE: Duration = Duration::from_millis(100);

impl Replicated {
    /// Starts the thread that follows a store, and waits until the copy is complete.
    pub(crate) async fn launch(
        log: impl RevocationLog,
        plan: Plan<'_>,
    ) -> Result<Self, RevocationError> {
        let shared = Arc::new(Shared::new(Box::new(log), plan, Boottime::default()));
        let follower = Follower::new(Arc::clone(&shared), POLL);
        let (started, start) = oneshot::channel();
        thread::Builder::new()
            .name("login-store".to_owned())
            .spawn(move || follow(follower, started))
            .map_err(RevocationError::new)?;
        let runtime = start.await;
        let runtime = runtime.map_err(|_| RevocationError::new("its thread has ended"))??;
        Ok(Self { shared, runtime })
    }

    /// Returns the status of a session; waits for a moment if the copy is not fresh.
    pub(crate) fn status<'a>(
        &'a self,
        session: SessionRef<'a>,
    ) -> Soon<'a, Result<(SessionStatus, Trust), RevocationError>> {
        let trust = if self.shared.freshness.is_fresh() {
            Now(Ok(Trust::Fresh))
        } else {
            Later(Box::pin(self.trust()))
        };
        // The order matters, see `is_fresh`.
        trust.and_then(move |trust| Now(Ok((self.shared.replica.status(session), trust))))
    }

    async fn trust(&self) -> Result<Trust, RevocationError> {
        let trust = self.shared.freshness.wait().await;
        trust.map_err(RevocationError::new)
    }

    /// Waits until the copy is fresh, for what may not happen by an old one.
    async fn freshness(&self) -> Result<(), RevocationError> {
        match self.trust().await? {
            Trust::Fresh => Ok(()),
            Trust::Stale => Err(RevocationError::old_copy(
                "nobody can log in or confirm a login",
            )),
        }
    }

    pub(crate) fn wakes(&self) -> &Wakes {
        self.shared.replica.wakes()
    }

    /// Returns what has happened to the store since the last call.
    pub(crate) fn news(&self) -> Vec<News> {
        if !self.shared.has_news.load(Ordering::Relaxed) {
            return Vec::new();
        }
        self.shared.has_news.store(false, Ordering::Relaxed);
        std::mem::take(&mut self.shared.watch().news)
    }

    pub(crate) fn health(&self) -> Health {
        let shared = &self.shared;
        Health {
            is_fresh: shared.freshness.is_fresh(),
            age: shared.freshness.age().unwrap_or(Duration::MAX),
            entries: shared.replica.len(),
            losses: shared.losses.load(Ordering::Relaxed),
        }
    }

    pub(crate) async fn revoke(
        &self,
        ended: RevokeSession<'_>,
    ) -> Result<Revoked, RevocationError> {
        let session = ended.session;
        let is_confirmation = matches!(ended.successor, Some(Successor::Session(_)));
        if is_confirmation && !self.goes_on(session).await? {
            return Ok(Revoked::Before);
        }
        let change = self.shared.change(&ended)?;
        Ok(revoked(&self.write(change).await?))
    }

    /// Whether a session has not ended, as far as this server knows: the store may have lost an end.
    async fn goes_on(&self, session: SessionRef<'_>) -> Result<bool, RevocationError> {
        self.freshness().await?;
        Ok(self.shared.replica.status(session) == SessionStatus::Open)
    }

    pub(crate) async fn revoke_user(
        &self,
        ended: RevokeUser<'_>,
    ) -> Result<Revoked, RevocationError> {
        if let Some(session) = ended.except
            && !self.goes_on(session).await?
        {
            return Ok(Revoked::Before);
        }
        let digest = self.shared.replica.users().current(ended.user_id);
        let digest = digest.ok_or_else(|| RevocationError::new("there is no key for users"))?;
        let key = self.shared.key(Subject::User(digest));
        // The tokens are dated by the store, whose clock may be ahead.
        let ahead = self.shared.replica.latest().since(ended.now);
        let spared = ended.except.map(|session| Next::Login(session.login_id));
        let entry = Entry::undated(key, spared, ended.until.plus(ahead));
        let mut change = Change::of(new_op()?, entry);
        if let Some(session) = ended.except {
            change.login = Some(session.login_id);
            change.guards = self.shared.guards(session);
            change.refuses = true;
        }
        Ok(revoked(&self.write(change).await?))
    }

    pub(crate) async fn revoke_realm(&self, ended: RevokeRealm<'_>) -> Result<(), RevocationError> {
        let key = self.shared.key(Subject::Realm);
        let shared = Arc::clone(&self.shared);
        let now = async move { shared.log.now(&[key]).await };
        // The store dates an entry after its own time, but a login may be dated at its user's entry, which lies ahead.
        let latest = self.call(now).await?.max(self.shared.replica.latest());
        let entry = Entry {
            at: latest.plus(AHEAD),
            ..Entry::undated(key, None, ended.until.plus(latest.since(ended.now)))
        };
        self.write(Change::merge(new_op()?, vec![entry])).await?;
        Ok(())
    }

    /// Returns the time at which a new login of a user is dated.
    pub(crate) async fn date(&self, user: UserRef<'_>) -> Result<UnixTime, RevocationError> {
        self.freshness().await?;
        let users = self.shared.replica.users().all(user.user_id);
        let mut keys: Vec<_> = users
            .map(|user| self.shared.key(Subject::User(user)))
            .collect();
        keys.push(self.shared.key(Subject::Realm));
        let shared = Arc::clone(&self.shared);
        let now = async move { shared.log.now(&keys).await };
        let date = self.call(now).await?;
        self.shared.replica.has_reached(date);
        // The copy may know a date that the store has lost.
        Ok(date.max(self.shared.held_date(user)))
    }

    /// Makes a change: in the store, then in the copy.
    async fn write(&self, change: Change) -> Result<Appended, RevocationError> {
        let op = change.op;
        let (appended, start) = self.append(change).await?;
        self.take_in(op, &appended, start).await?;
        Ok(appended)
    }

    /// Makes a change in the store. A failure may mean that it was made, so it is repeated with the same op id.
    async fn append(&self, change: Change) -> Result<(Appended, Start), RevocationError> {
        let change = Arc::new(change);
        let end = Instant::now().checked_add(self.shared.freshness.limits().stale_wait);
        loop {
            let start = self.shared.progress.begin(change.op);
            let start = start.ok_or_else(|| RevocationError::new("the store was never read"))?;
            let (shared, again) = (Arc::clone(&self.shared), Arc::clone(&change));
            let append = async move { shared.log.append(&start.epoch, &again).await };
            let failure = match self.call(append).await {
                // The follower notices as well, and reads the new store.
                Ok(Appended::Changed) => {
                    RevocationError::new("the store was replaced, and is being read anew")
                }
                Ok(appended) => return Ok((appended, start)),
                Err(error) => error,
            };
            if end.is_none_or(|end| Instant::now() >= end) {
                self.shared.progress.give_up(change.op);
                return Err(failure);
            }
            sleep(PAUSE).await;
        }
    }

    /// Takes what a change has written into the copy.
    async fn take_in(
        &self,
        op: OpId,
        appended: &Appended,
        start: Start,
    ) -> Result<(), RevocationError> {
        let records: &[Record] = match appended {
            Appended::Written { records, .. } => records,
            Appended::Before | Appended::Changed => &[],
        };
        for record in records {
            self.shared.join(&record.entry)?;
        }
        let last = records.last().map(|record| record.number);
        if self.shared.progress.confirm(op, last, start) || records.is_empty() {
            return Ok(());
        }
        // The table was read again in between, by which time the store may have lost the change.
        let entries = records.iter().map(|record| record.entry).collect();
        let again = Change::merge(new_op()?, entries);
        let op = again.op;
        let (appended, start) = self.append(again).await?;
        Box::pin(self.take_in(op, &appended, start)).await
    }

    /// Makes a call of the store in the follower's runtime, so that a request that goes away does not cut it off.
    async fn call<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, RevocationError>> + Send + 'static,
    ) -> Result<T, RevocationError> {
        let call = self.runtime.spawn(bounded(ATTEMPT, call));
        call.await
            .unwrap_or_else(|_| Err(RevocationError::new("the thread of the store has ended")))
    }
}

/// Whether a change came first or found that the login had ended.
fn revoked(appended: &Appended) -> Revoked {
    match appended {
        Appended::Written {
            had_ended: false, ..
        } => Revoked::Now,
        _ => Revoked::Before,
    }
}

impl Drop for Replicated {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
    }
}

/// The thread: reads the table, says so, and follows the log.
fn follow(mut follower: Follower, started: oneshot::Sender<Result<Handle, RevocationError>>) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = started.send(Err(RevocationError::new(error)));
            return;
        }
    };
    runtime.block_on(async {
        // The first step reads the table, the second one the head of the log.
        let first = match follower.step().await {
            Ok(()) => follower.step().await,
            failed => failed,
        };
        let is_failed = first.is_err();
        let _ = started.send(first.map(|()| Handle::current()));
        if !is_failed {
            follower.run().await;
        }
    });
}

impl Shared {
    fn new(log: Box<dyn RevocationLog>, plan: Plan<'_>, clock: Boottime) -> Self {
        let users = UserKeys::new(plan.secrets.into_iter());
        Self {
            log,
            replica: Replica::new(RealmId::of(plan.realm), Arc::new(users)),
            freshness: Freshness::new(plan.limits, clock),
            progress: Progress::default(),
            on_loss: plan.on_loss,
            longest_session: plan.longest_session,
            clock: plan.clock,
            is_stopped: AtomicBool::new(false),
            losses: AtomicU64::new(0),
            watch: Mutex::default(),
            has_news: AtomicBool::new(false),
        }
    }

    fn key(&self, subject: Subject) -> Key {
        Key {
            realm: self.replica.realm(),
            subject,
        }
    }

    fn join(&self, entry: &Entry) -> Result<(), RevocationError> {
        self.replica.join(entry).map_err(RevocationError::new)
    }

    fn change(&self, ended: &RevokeSession<'_>) -> Result<Change, RevocationError> {
        let session = ended.session;
        let id = session.login_id;
        let (subject, next) = match ended.successor {
            None => (Subject::Login(id), None),
            Some(Successor::Login { id: next, .. }) => {
                (Subject::Login(id), Some(Next::Login(next)))
            }
            Some(Successor::Session(next)) => (
                Subject::Session(id, session.session_id),
                Some(Next::Session(next)),
            ),
        };
        let entry = Entry::undated(self.key(subject), next, ended.until);
        Ok(Change {
            login: Some(id),
            guards: self.guards(session),
            refuses: matches!(subject, Subject::Session(..)),
            ..Change::of(new_op()?, entry)
        })
    }

    /// The entries that may have ended a session.
    fn guards(&self, session: SessionRef<'_>) -> Vec<Guard> {
        let id = session.login_id;
        let guard = |subject, after| Guard {
            key: self.key(subject),
            after,
        };
        let never = UnixTime::from_secs(0);
        let users = self.replica.users().all(session.user_id);
        let mut guards = vec![
            guard(Subject::Login(id), never),
            guard(Subject::Session(id, session.session_id), never),
            guard(Subject::Realm, session.created_at),
        ];
        guards.extend(users.map(|user| guard(Subject::User(user), session.created_at)));
        guards
    }

    /// The date before which a new login of this user had ended, as far as this server knows.
    fn held_date(&self, user: UserRef<'_>) -> UnixTime {
        let users = self.replica.users().used(user.user_id).map(Subject::User);
        let entries = users.chain([Subject::Realm]);
        let entries = entries.filter_map(|subject| self.replica.get(&self.key(subject)));
        entries
            .map(|entry| entry.at)
            .fold(UnixTime::from_secs(0), UnixTime::max)
    }

    /// Logs each change of state of the follower once, and keeps it for the listeners.
    fn report(&self, error: Option<&RevocationError>) {
        let is_fresh = self.freshness.is_fresh();
        let mut watch = self.watch();
        match error {
            Some(error) if !watch.has_failed => {
                watch.has_failed = true;
                warn!(
                    "the store of ended logins cannot be read: {}",
                    error.cause()
                );
            }
            None if watch.has_failed && is_fresh => {
                watch.has_failed = false;
                warn!("the store of ended logins can be read again");
            }
            _ => {}
        }
        let has_started = self.freshness.age().is_some();
        if watch.is_late == is_fresh && has_started {
            watch.is_late = !is_fresh;
            if is_fresh {
                self.tell(&mut watch, News::Fresh);
            } else {
                error!(
                    "this server does not know which logins have ended since it last read the store: until the store \
                     answers, requests with a login get 503, or what `login.store.on_stale` says"
                );
                self.tell(&mut watch, News::Stale);
                self.replica.wakes().everybody();
            }
        }
    }

    fn count_loss(&self) {
        self.losses.fetch_add(1, Ordering::Relaxed);
        self.tell(&mut self.watch(), News::Lost);
    }

    fn tell(&self, watch: &mut Watch, news: News) {
        watch.news.truncate(MOST_NEWS.saturating_sub(1));
        watch.news.push(news);
        self.has_news.store(true, Ordering::Relaxed);
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a call of the store's code, but not for ever, and contains its panics.
async fn bounded<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, RevocationError>>,
) -> Result<T, RevocationError> {
    contain_future(limit, call)
        .await
        .unwrap_or_else(|interrupted| {
            Err(match interrupted {
                Interrupted::Panicked => RevocationError::new("the store's code panicked"),
                Interrupted::TimedOut(limit) => {
                    RevocationError::new(format!("the store has not answered for {limit:?}"))
                }
            })
        })
}
