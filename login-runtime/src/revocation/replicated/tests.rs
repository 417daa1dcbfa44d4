//! Schedules that break a simpler list. A test plays the steps of the followers itself, and moves the clocks.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::sync::atomic::AtomicU64;

use rocket::tokio::time::timeout;

use super::*;
use crate::clock::Clock;
use crate::revocation::log::{Epoch, Position, Since};
use crate::testing::store::{Fault, MemoryLog};
use crate::token::{LoginId, SessionId};

pub(super) const NOW: u64 = 1_800_000_000;
const HOUR: u64 = 60 * 60;

fn secret(byte: u8) -> SecretKey {
    let bytes: Vec<_> = (byte..byte + 32).collect();
    SecretKey::from_bytes(&bytes).unwrap()
}

/// A server whose follower moves only when the test says so.
pub(super) struct Server {
    list: Replicated,
    follower: Follower,
    boottime: Arc<AtomicU64>,
    clock: Clock,
}

/// What a server is started with.
struct Start {
    secrets: Vec<SecretKey>,
    on_loss: OnLoss,
    serve_for: Duration,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            secrets: vec![secret(1)],
            on_loss: OnLoss::Nothing,
            serve_for: Duration::ZERO,
        }
    }
}

impl Server {
    pub(super) async fn on(log: &MemoryLog) -> Self {
        Self::started(log.clone(), Start::default()).await.unwrap()
    }

    async fn started(log: impl RevocationLog, start: Start) -> Result<Self, RevocationError> {
        let boottime = Arc::new(AtomicU64::new(1_000));
        let clock = Clock::manual(NOW);
        let plan = Plan {
            realm: "app",
            limits: Limits {
                max_staleness: Duration::from_secs(1),
                stale_wait: Duration::from_millis(150),
                serve_for: start.serve_for,
            },
            on_loss: start.on_loss,
            secrets: start.secrets.iter().collect(),
            longest_session: HOUR,
            clock: clock.clone(),
        };
        let time = Boottime::Manual(Arc::clone(&boottime));
        let shared = Arc::new(Shared::new(Box::new(log), plan, time));
        let mut server = Self {
            follower: Follower::new(Arc::clone(&shared), Duration::ZERO),
            list: Replicated {
                shared,
                runtime: Handle::current(),
            },
            boottime,
            clock,
        };
        server.follow().await?;
        Ok(server)
    }

    /// Reads everything that the log has.
    pub(super) async fn follow(&mut self) -> Result<(), RevocationError> {
        for _ in 0..9 {
            self.follower.step().await?;
        }
        Ok(())
    }

    fn passes(&self, time: Duration) {
        let milliseconds = u64::try_from(time.as_millis()).unwrap();
        self.boottime.fetch_add(milliseconds, Ordering::SeqCst);
    }

    pub(super) async fn ends(&self, session: SessionRef<'_>) -> Revoked {
        self.revokes(session, None).await.unwrap()
    }

    pub(super) async fn revokes(
        &self,
        session: SessionRef<'_>,
        successor: Option<Successor<'_>>,
    ) -> Result<Revoked, RevocationError> {
        let ended = RevokeSession {
            session,
            successor,
            now: UnixTime::from_secs(NOW),
            until: UnixTime::from_secs(NOW + 100 * HOUR),
        };
        self.list.revoke(ended).await
    }

    pub(super) async fn confirms(&self, session: SessionRef<'_>, next: u8) -> Revoked {
        let next = Successor::Session(SessionId([next; 8]));
        self.revokes(session, Some(next)).await.unwrap()
    }

    pub(super) async fn ends_user(&self, user_id: &str) {
        self.ends_user_but(user_id, None).await.unwrap();
    }

    async fn ends_user_but(
        &self,
        user_id: &str,
        except: Option<SessionRef<'_>>,
    ) -> Result<Revoked, RevocationError> {
        let ended = RevokeUser {
            realm: "app",
            user_id,
            except,
            now: UnixTime::from_secs(NOW),
            until: UnixTime::from_secs(NOW + 100 * HOUR),
        };
        self.list.revoke_user(ended).await
    }

    async fn ends_realm(&self) {
        let ended = RevokeRealm {
            realm: "app",
            now: UnixTime::from_secs(NOW),
            until: UnixTime::from_secs(NOW + 100 * HOUR),
        };
        self.list.revoke_realm(ended).await.unwrap();
    }

    pub(super) async fn dates(&self, user_id: &str) -> u64 {
        let user = UserRef {
            realm: "app",
            user_id,
        };
        self.list.date(user).await.unwrap().as_secs()
    }

    /// The status, if the copy is fresh.
    pub(super) fn status(&self, session: SessionRef<'_>) -> Option<SessionStatus> {
        known(&self.list, session)
    }

    fn serves(&self, session: SessionRef<'_>) -> bool {
        self.status(session) == Some(SessionStatus::Open)
    }
}

/// The status, if the copy is fresh.
fn known(list: &Replicated, session: SessionRef<'_>) -> Option<SessionStatus> {
    match list.status(session) {
        Now(status) => Some(status.unwrap().0),
        Later(_) => None,
    }
}

fn login(id: u8) -> SessionRef<'static> {
    SessionRef {
        realm: "app",
        login_id: LoginId([id; 16]),
        session_id: SessionId([0; 8]),
        user_id: "alice",
        created_at: UnixTime::from_secs(NOW),
    }
}

fn other_session(of: SessionRef<'static>, id: u8) -> SessionRef<'static> {
    SessionRef {
        session_id: SessionId([id; 8]),
        ..of
    }
}

fn store() -> MemoryLog {
    MemoryLog::with_clock(Clock::manual(NOW))
}

#[rocket::async_test]
async fn a_logout_is_in_the_store_and_in_the_copy_when_it_is_answered() {
    let log = store();
    let one = Server::on(&log).await;
    let mut two = Server::on(&log).await;
    assert_eq!(one.ends(login(1)).await, Revoked::Now);
    assert_eq!(log.records(), 1);
    assert_eq!(one.status(login(1)), Some(SessionStatus::Ended));
    assert!(two.serves(login(1)));
    two.follow().await.unwrap();
    assert_eq!(two.status(login(1)), Some(SessionStatus::Ended));
    assert!(two.serves(login(2)));
    // It cannot be reached: nothing happened, and the copy says so.
    log.set_fault(Fault::Down);
    assert!(one.revokes(login(2), None).await.is_err());
    assert!(one.serves(login(2)));
}

#[rocket::async_test]
async fn of_logins_that_end_each_other_one_goes_on_on_every_server() {
    let log = store();
    let mut one = Server::on(&log).await;
    let mut two = Server::on(&log).await;
    let others = async |server: &Server, kept| server.ends_user_but("alice", Some(kept)).await;
    assert_eq!(others(&one, login(1)).await.unwrap(), Revoked::Now);
    assert!(two.serves(login(2)), "this server has not heard of it");
    assert_eq!(others(&two, login(2)).await.unwrap(), Revoked::Before);
    // A confirmation of the one that goes on keeps it, here and after the next end.
    assert_eq!(two.confirms(login(1), 1).await, Revoked::Now);
    let kept = other_session(login(1), 1);
    assert_eq!(others(&two, kept).await.unwrap(), Revoked::Now);
    for server in [&mut one, &mut two] {
        server.follow().await.unwrap();
        assert!(server.serves(kept));
        assert_eq!(server.status(login(2)), Some(SessionStatus::Ended));
        let bob = SessionRef {
            user_id: "bob",
            ..login(3)
        };
        assert!(server.serves(bob));
    }
    // Only the store has lost the end of the login: it must not come back to life.
    one.ends(kept).await;
    log.lose(1);
    assert_eq!(others(&one, kept).await.unwrap(), Revoked::Before);
    log.set_fault(Fault::Down);
    assert!(others(&two, kept).await.is_err());
}

#[rocket::async_test]
async fn the_end_of_a_realm_ends_every_login_on_every_server() {
    let log = store();
    let one = Server::on(&log).await;
    let mut two = Server::on(&log).await;
    two.ends_user("alice").await;
    two.ends_user("alice").await;
    let ahead = SessionRef {
        created_at: UnixTime::from_secs(two.dates("alice").await),
        ..login(1)
    };
    assert!(ahead.created_at.as_secs() > NOW + 1);
    // This server has not heard of the user's entry.
    one.ends_realm().await;
    two.follow().await.unwrap();
    let bob = SessionRef {
        user_id: "bob",
        ..login(2)
    };
    for server in [&one, &two] {
        for session in [ahead, bob] {
            assert_eq!(server.status(session), Some(SessionStatus::Ended));
            let new = SessionRef {
                created_at: UnixTime::from_secs(server.dates(session.user_id).await),
                ..session
            };
            assert!(server.serves(new));
        }
    }
}

#[rocket::async_test]
async fn a_server_that_hears_of_a_confirmation_late_keeps_the_new_session() {
    let log = store();
    let one = Server::on(&log).await;
    let mut two = Server::on(&log).await;
    one.confirms(login(1), 1).await;
    two.follow().await.unwrap();
    one.confirms(other_session(login(1), 1), 2).await;
    // The browser comes here with session 2 before this server has heard of it.
    assert!(two.serves(other_session(login(1), 2)));
    two.follow().await.unwrap();
    assert!(two.serves(other_session(login(1), 2)));
    for old in [0, 1] {
        let status = two.status(other_session(login(1), old));
        assert!(matches!(status, Some(SessionStatus::Replaced { .. })));
    }
}

#[rocket::async_test]
async fn a_store_that_comes_back_shorter_gets_back_what_the_servers_know() {
    let log = store();
    let mut one = Server::on(&log).await;
    let mut two = Server::on(&log).await;
    one.ends(login(1)).await;
    one.follow().await.unwrap();
    // The last second was not on the disk, and another change takes the number.
    log.lose(1);
    two.ends(login(2)).await;
    two.follow().await.unwrap();
    assert!(two.serves(login(1)), "nobody has told it");
    one.follow().await.unwrap();
    two.follow().await.unwrap();
    for server in [&one, &two] {
        assert_eq!(server.status(login(1)), Some(SessionStatus::Ended));
        assert_eq!(server.status(login(2)), Some(SessionStatus::Ended));
        assert!(server.serves(login(3)));
    }
    assert_eq!(one.list.health().losses, 1);
}

#[rocket::async_test]
async fn a_change_that_was_lost_before_anybody_read_it_is_written_back() {
    for is_replaced in [false, true] {
        let log = store();
        let mut one = Server::on(&log).await;
        let mut two = Server::on(&log).await;
        one.ends(login(1)).await;
        // The position of its follower is from before, so the log goes on from there without a gap.
        log.lose(1);
        if is_replaced {
            two.ends(login(2)).await;
        }
        one.follow().await.unwrap();
        two.follow().await.unwrap();
        assert_eq!(two.status(login(1)), Some(SessionStatus::Ended));
        assert_eq!(one.list.health().losses, 1);
    }
}

#[rocket::async_test]
async fn a_change_that_lost_only_its_last_record_is_written_back() {
    let log = store();
    let mut one = Server::on(&log).await;
    let over_login_1 = |id| Successor::Login {
        id: LoginId([id; 16]),
        user_id: "alice",
    };
    one.revokes(login(1), Some(over_login_1(2))).await.unwrap();
    one.follow().await.unwrap();
    // One record for each: login 3 has taken the place, and login 2 has ended.
    one.revokes(login(1), Some(over_login_1(3))).await.unwrap();
    log.lose(1);
    // It knows only what the store has, and takes the number of the lost record.
    let mut two = Server::on(&log).await;
    two.ends(login(4)).await;
    one.follow().await.unwrap();
    two.follow().await.unwrap();
    assert_eq!(two.status(login(2)), Some(SessionStatus::Ended));
    assert!(two.serves(login(3)));
    assert_eq!(one.list.health().losses, 1);
    assert_eq!(one.list.shared.progress.count(), 0);
}

#[rocket::async_test]
async fn a_logout_ends_what_had_replaced_the_login_where_the_store_has_forgotten_that() {
    // With an end of the old login from before, or without one.
    for ended_before in [false, true] {
        let log = store();
        let mut one = Server::on(&log).await;
        let mut two = Server::on(&log).await;
        if ended_before {
            one.ends(login(1)).await;
        }
        let next = Successor::Login {
            id: LoginId([2; 16]),
            user_id: "alice",
        };
        one.revokes(login(1), Some(next)).await.unwrap();
        log.lose(1);
        two.ends(login(1)).await;
        assert!(two.serves(login(2)), "nobody has told it");
        for server in [&mut one, &mut two] {
            server.follow().await.unwrap();
        }
        two.follow().await.unwrap();
        for server in [&one, &two] {
            assert_eq!(server.status(login(2)), Some(SessionStatus::Ended));
        }
    }
}

#[rocket::async_test]
async fn a_loss_that_is_repaired_leaves_a_logout_with_older_cookies_its_way() {
    let log = store();
    let mut one = Server::on(&log).await;
    let replaces = async |old, new| {
        let next = Successor::Login {
            id: LoginId([new; 16]),
            user_id: "alice",
        };
        one.revokes(login(old), Some(next)).await.unwrap();
    };
    replaces(1, 2).await;
    log.lose(1);
    one.ends(login(1)).await;
    // The store does not know that this has ended login 2 as well.
    replaces(2, 3).await;
    one.ends(login(3)).await;
    replaces(3, 4).await;
    one.follow().await.unwrap();
    assert!(one.serves(login(4)), "it began after the logout of login 3");
    one.ends(login(2)).await;
    for server in [&one, &Server::on(&log).await] {
        assert_eq!(server.status(login(4)), Some(SessionStatus::Ended));
    }
}

#[rocket::async_test]
async fn a_change_whose_answer_crosses_a_loss_is_written_back() {
    let log = store();
    let mut one = Server::on(&log).await;
    let mut two = Server::on(&log).await;
    let shared = Arc::clone(&one.list.shared);
    let change = Change::of(
        new_op().unwrap(),
        Entry::undated(
            shared.key(Subject::Login(LoginId([1; 16]))),
            None,
            UnixTime::from_secs(NOW + HOUR),
        ),
    );
    let op = change.op;
    let (appended, start) = one.list.append(change).await.unwrap();
    // Before the answer is here, the store is wiped, and the follower has read it anew.
    log.wipe();
    one.follow().await.unwrap();
    one.list.take_in(op, &appended, start).await.unwrap();
    two.follow().await.unwrap();
    assert_eq!(two.status(login(1)), Some(SessionStatus::Ended));
}

#[rocket::async_test]
async fn a_change_that_is_over_is_not_remembered() {
    let log = store();
    let mut one = Server::on(&log).await;
    one.ends(login(1)).await;
    // The second one changes nothing, and is answered with no record.
    assert_eq!(one.ends(login(1)).await, Revoked::Before);
    assert_eq!(one.confirms(login(1), 1).await, Revoked::Before);
    log.set_fault(Fault::Down);
    assert!(one.revokes(login(2), None).await.is_err());
    log.set_fault(None);
    one.follow().await.unwrap();
    assert_eq!(one.list.shared.progress.count(), 0);
}

#[rocket::async_test]
async fn a_reader_that_was_trimmed_past_misses_nothing() {
    let log = store();
    let one = Server::on(&log).await;
    let mut two = Server::on(&log).await;
    for id in 1..=3 {
        one.ends(login(id)).await;
    }
    log.trim();
    two.follow().await.unwrap();
    for id in 1..=3 {
        assert_eq!(two.status(login(id)), Some(SessionStatus::Ended), "{id}");
    }
}

/// A store that skips a record, as a reader sees one whose numbers are given out before the commit.
struct Gap(MemoryLog, AtomicBool);

#[rocket::async_trait]
impl RevocationLog for Gap {
    async fn snapshot(
        &self,
        entry: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<Position, RevocationError> {
        self.0.snapshot(entry).await
    }

    async fn since(&self, position: &Position, wait: Duration) -> Result<Since, RevocationError> {
        let mut since = self.0.since(position, wait).await?;
        if let Since::Records { records, .. } = &mut since
            && records.len() > 1
            && self.1.swap(false, Ordering::SeqCst)
        {
            records.remove(0);
        }
        Ok(since)
    }

    async fn append(&self, epoch: &Epoch, change: &Change) -> Result<Appended, RevocationError> {
        self.0.append(epoch, change).await
    }

    async fn now(&self, keys: &[Key]) -> Result<UnixTime, RevocationError> {
        self.0.now(keys).await
    }

    async fn purge(&self, until: UnixTime, limit: usize) -> Result<usize, RevocationError> {
        self.0.purge(until, limit).await
    }
}

#[rocket::async_test]
async fn a_gap_in_the_log_is_noticed() {
    let log = store();
    let one = Server::on(&log).await;
    let gap = Gap(log.clone(), AtomicBool::new(true));
    let mut two = Server::started(gap, Start::default()).await.unwrap();
    one.ends(login(1)).await;
    one.ends(login(2)).await;
    two.follow().await.unwrap();
    assert_eq!(two.status(login(1)), Some(SessionStatus::Ended));
    assert_eq!(two.list.health().losses, 1);
}

#[rocket::async_test]
async fn after_a_loss_a_server_is_fresh_only_when_it_has_written_back_what_it_knows() {
    let log = store();
    let mut one = Server::on(&log).await;
    one.ends(login(1)).await;
    one.follow().await.unwrap();
    log.wipe();
    log.set_fault(Fault::ReadOnly);
    one.passes(Duration::from_secs(2));
    assert!(one.follow().await.is_err());
    assert_eq!(one.status(login(2)), None);
    log.set_fault(None);
    one.follow().await.unwrap();
    assert!(one.serves(login(2)));
    assert_eq!(log.entries().len(), 1);
}

#[rocket::async_test]
async fn servers_that_heal_at_once_and_one_that_comes_back_later_agree() {
    let log = store();
    let mut servers = [
        Server::on(&log).await,
        Server::on(&log).await,
        Server::on(&log).await,
    ];
    servers[0].ends(login(1)).await;
    servers[1].ends_user("bob").await;
    for server in &mut servers {
        server.follow().await.unwrap();
    }
    log.wipe();
    // Each knows something that the others do not.
    let [one, two, three] = &mut servers;
    let (a, b) = rocket::futures::future::join(one.follow(), two.follow()).await;
    a.and(b).unwrap();
    one.ends(login(2)).await;
    one.follow().await.unwrap();
    two.follow().await.unwrap();
    three.follow().await.unwrap();
    let bob = SessionRef {
        user_id: "bob",
        ..login(9)
    };
    for server in &servers {
        for ended in [login(1), login(2), bob] {
            assert_eq!(server.status(ended), Some(SessionStatus::Ended));
        }
        assert!(server.serves(login(3)));
    }
    assert_eq!(log.entries().len(), 3);
}

#[rocket::async_test]
async fn a_confirmation_and_a_logout_on_two_servers_leave_nobody_logged_in() {
    let log = store();
    let mut one = Server::on(&log).await;
    let mut two = Server::on(&log).await;
    // The logout is first, and the other server does not know.
    one.ends(login(1)).await;
    assert_eq!(two.confirms(login(1), 1).await, Revoked::Before);
    // The confirmation is first.
    assert_eq!(two.confirms(login(2), 1).await, Revoked::Now);
    one.ends(login(2)).await;
    two.follow().await.unwrap();
    one.follow().await.unwrap();
    for server in [&one, &two] {
        for session in [login(1), login(2)] {
            assert!(!server.serves(session));
            assert!(!server.serves(other_session(session, 1)));
        }
    }
    // Of two confirmations one wins.
    assert_eq!(one.confirms(login(3), 1).await, Revoked::Now);
    assert_eq!(two.confirms(login(3), 2).await, Revoked::Before);
}

#[rocket::async_test]
async fn a_logout_with_old_cookies_ends_the_login_that_another_server_began() {
    let log = store();
    let one = Server::on(&log).await;
    let mut two = Server::on(&log).await;
    let next = Successor::Login {
        id: LoginId([2; 16]),
        user_id: "bob",
    };
    one.revokes(login(1), Some(next)).await.unwrap();
    // This server has never heard of login 2.
    two.ends(login(1)).await;
    assert_eq!(two.status(login(2)), Some(SessionStatus::Ended));
    two.follow().await.unwrap();
    assert_eq!(two.status(login(1)), Some(SessionStatus::Ended));
}

#[rocket::async_test]
async fn a_lost_answer_is_repeated_with_the_same_op_id() {
    let log = store();
    let one = Server::on(&log).await;
    log.set_fault(Fault::LostAnswers);
    let repair = async {
        sleep(Duration::from_millis(50)).await;
        log.set_fault(None);
    };
    let (revoked, ()) = rocket::futures::future::join(one.confirms(login(1), 1), repair).await;
    // With another op id, the confirmation would find its own session replaced.
    assert_eq!(revoked, Revoked::Now);
    assert_eq!(log.records(), 1);
}

#[rocket::async_test]
async fn an_answer_that_stays_lost_is_an_error_and_comes_with_the_log() {
    let log = store();
    let mut one = Server::on(&log).await;
    log.set_fault(Fault::LostAnswers);
    let next = Successor::Session(SessionId([1; 8]));
    assert!(one.revokes(login(1), Some(next)).await.is_err());
    assert_eq!(log.records(), 1);
    assert!(one.serves(login(1)), "nobody knows yet");
    one.follow().await.unwrap();
    assert!(!one.serves(login(1)));
    assert_eq!(one.list.health().losses, 0);
}

#[rocket::async_test]
async fn a_page_that_is_not_the_last_one_makes_nothing_fresh() {
    let log = store();
    let one = Server::on(&log).await;
    let mut two = Server::on(&log).await;
    let end = |n: u64| {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&n.to_be_bytes());
        let key = one.list.shared.key(Subject::Login(LoginId(id)));
        Entry::undated(key, None, UnixTime::from_secs(NOW + HOUR))
    };
    for batch in 0..3 {
        let entries = (1..=500).map(|n| end(batch * 500 + n)).collect();
        one.list
            .write(Change::merge(new_op().unwrap(), entries))
            .await
            .unwrap();
    }
    one.ends(login(7)).await;
    two.passes(Duration::from_secs(1));
    two.follower.step().await.unwrap();
    assert_eq!(two.status(login(7)), None);
    two.follower.step().await.unwrap();
    assert_eq!(two.status(login(7)), Some(SessionStatus::Ended));
}

/// A store that takes its time.
struct Slow(MemoryLog, Arc<AtomicU64>, AtomicU64);

#[rocket::async_trait]
impl RevocationLog for Slow {
    async fn snapshot(
        &self,
        entry: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<Position, RevocationError> {
        self.0.snapshot(entry).await
    }

    async fn since(&self, position: &Position, wait: Duration) -> Result<Since, RevocationError> {
        let since = self.0.since(position, wait).await;
        let takes = self.2.load(Ordering::SeqCst);
        self.1.fetch_add(takes, Ordering::SeqCst);
        since
    }

    async fn append(&self, epoch: &Epoch, change: &Change) -> Result<Appended, RevocationError> {
        self.0.append(epoch, change).await
    }

    async fn now(&self, keys: &[Key]) -> Result<UnixTime, RevocationError> {
        self.0.now(keys).await
    }

    async fn purge(&self, until: UnixTime, limit: usize) -> Result<usize, RevocationError> {
        self.0.purge(until, limit).await
    }
}

#[rocket::async_test]
async fn the_copy_is_as_old_as_the_beginning_of_the_look() {
    let log = store();
    let time = Arc::new(AtomicU64::new(1_000));
    let slow = Slow(log.clone(), Arc::clone(&time), AtomicU64::new(0));
    let plan = Plan {
        realm: "app",
        limits: Limits {
            max_staleness: Duration::from_secs(1),
            stale_wait: Duration::ZERO,
            serve_for: Duration::ZERO,
        },
        on_loss: OnLoss::Nothing,
        secrets: Vec::new(),
        longest_session: HOUR,
        clock: Clock::manual(NOW),
    };
    let slow = Arc::new(slow);
    let shared = Shared::new(
        Box::new(Gate(Arc::clone(&slow))),
        plan,
        Boottime::Manual(Arc::clone(&time)),
    );
    let shared = Arc::new(shared);
    let mut follower = Follower::new(Arc::clone(&shared), Duration::ZERO);
    follower.step().await.unwrap();
    follower.step().await.unwrap();
    assert!(shared.freshness.is_fresh());
    // What the store said was read in the first millisecond of 900, so it is 900 old already.
    slow.2.store(900, Ordering::SeqCst);
    follower.step().await.unwrap();
    assert_eq!(shared.freshness.age(), Some(Duration::from_millis(900)));
    time.fetch_add(100, Ordering::SeqCst);
    assert!(!shared.freshness.is_fresh());
}

/// A store that two hold.
struct Gate(Arc<Slow>);

#[rocket::async_trait]
impl RevocationLog for Gate {
    async fn snapshot(
        &self,
        entry: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<Position, RevocationError> {
        self.0.snapshot(entry).await
    }

    async fn since(&self, position: &Position, wait: Duration) -> Result<Since, RevocationError> {
        self.0.since(position, wait).await
    }

    async fn append(&self, epoch: &Epoch, change: &Change) -> Result<Appended, RevocationError> {
        self.0.append(epoch, change).await
    }

    async fn now(&self, keys: &[Key]) -> Result<UnixTime, RevocationError> {
        self.0.now(keys).await
    }

    async fn purge(&self, until: UnixTime, limit: usize) -> Result<usize, RevocationError> {
        self.0.purge(until, limit).await
    }
}

#[rocket::async_test]
async fn a_login_that_has_ended_is_never_served_by_the_freshness_of_a_later_copy() {
    let log = store();
    let server = Server::on(&log).await;
    let shared = Arc::clone(&server.list.shared);
    // Stale, until the writer publishes the copy that has the end in it.
    for round in 1..=3_000_u64 {
        server.passes(Duration::from_secs(10));
        let mut id = [0; 16];
        id[..8].copy_from_slice(&round.to_be_bytes());
        let session = SessionRef {
            login_id: LoginId(id),
            ..login(0)
        };
        let key = shared.key(Subject::Login(session.login_id));
        let end = Entry::undated(key, None, UnixTime::from_secs(NOW + HOUR));
        thread::scope(|scope| {
            scope.spawn(|| {
                shared.join(&end).unwrap();
                shared.freshness.publish(shared.freshness.clock().now());
            });
            for _ in 0..200 {
                match server.status(session) {
                    None => {}
                    Some(SessionStatus::Ended) => break,
                    other => panic!("round {round}: {other:?}"),
                }
            }
        });
    }
}

#[rocket::async_test]
async fn after_one_vain_wait_requests_are_refused_at_once_until_a_look_succeeds() {
    let log = store();
    let mut server = Server::on(&log).await;
    log.set_fault(Fault::Silent);
    server.passes(Duration::from_secs(1));
    let refused = async |at_most| {
        let status = timeout(Duration::from_millis(at_most), server.list.status(login(1)));
        status.await.map(|status| status.is_err())
    };
    assert!(
        refused(100).await.is_err(),
        "the first request does not wait"
    );
    assert_eq!(refused(5_000).await, Ok(true));
    for _ in 0..3 {
        assert_eq!(refused(100).await, Ok(true));
    }
    log.set_fault(None);
    server.follow().await.unwrap();
    let status = server.list.status(login(1)).await.unwrap();
    assert_eq!(status, (SessionStatus::Open, Trust::Fresh));
    assert_eq!(server.list.news(), []);
}

#[rocket::async_test]
async fn a_request_that_waits_is_answered_by_the_next_look() {
    let log = store();
    let mut server = Server::on(&log).await;
    Server::on(&log).await.ends(login(1)).await;
    server.passes(Duration::from_secs(1));
    let Server { list, follower, .. } = &mut server;
    let look = async {
        sleep(Duration::from_millis(50)).await;
        follower.step().await
    };
    let (status, looked) =
        rocket::futures::future::join(list.status(login(1)).into_future(), look).await;
    looked.unwrap();
    assert_eq!(status.unwrap(), (SessionStatus::Ended, Trust::Fresh));
}

#[rocket::async_test]
async fn a_machine_that_was_suspended_trusts_its_copy_only_after_the_next_look() {
    let log = store();
    let mut server = Server::on(&log).await;
    assert!(server.serves(login(1)));
    Server::on(&log).await.ends(login(1)).await;
    server.passes(Duration::from_secs(8 * HOUR));
    // A wall clock that was set back changes nothing about that.
    server.clock.set(NOW - HOUR);
    assert_eq!(server.status(login(1)), None);
    server.follow().await.unwrap();
    assert_eq!(server.status(login(1)), Some(SessionStatus::Ended));
}

#[rocket::async_test]
async fn an_old_copy_serves_reads_for_the_stated_time_and_begins_no_login() {
    let log = store();
    let start = Start {
        serve_for: Duration::from_secs(300),
        ..Start::default()
    };
    let mut server = Server::started(log.clone(), start).await.unwrap();
    log.set_fault(Fault::Down);
    server.passes(Duration::from_secs(2));
    assert!(server.follow().await.is_err());
    let status = server.list.status(login(1)).await.unwrap();
    assert_eq!(status, (SessionStatus::Open, Trust::Stale));
    let alice = login(1).user();
    log.set_fault(None);
    // The store could write again, and the copy is still old.
    assert!(server.list.date(alice).await.is_err());
    let next = Successor::Session(SessionId([1; 8]));
    assert!(server.revokes(login(1), Some(next)).await.is_err());
    assert_eq!(log.records(), 0);
    // A logout is never refused for that.
    assert_eq!(server.ends(login(2)).await, Revoked::Now);
    server.passes(Duration::from_secs(299));
    assert!(server.list.status(login(1)).await.is_err());
    assert_eq!(server.list.news(), [News::Stale]);
    server.follow().await.unwrap();
    assert!(server.serves(login(1)));
    assert_eq!(server.list.news(), [News::Fresh]);
    assert_eq!(server.list.news(), []);
}

#[rocket::async_test]
async fn a_login_is_dated_by_the_store_whatever_the_servers_clock_says() {
    let log = store();
    let fast = Server::on(&log).await;
    fast.clock.set(NOW + 3_600);
    let slow = Server::on(&log).await;
    let created_at = UnixTime::from_secs(fast.dates("alice").await);
    slow.ends_user("alice").await;
    let old = SessionRef {
        created_at,
        ..login(1)
    };
    assert_eq!(slow.status(old), Some(SessionStatus::Ended));
    // A login right after it counts, also on a server that has not heard of it.
    let created_at = UnixTime::from_secs(fast.dates("alice").await);
    let new = SessionRef {
        created_at,
        ..login(2)
    };
    assert!(slow.serves(new));
    assert!(fast.dates("bob").await < NOW + 5);
}

#[rocket::async_test]
async fn a_wiped_store_does_not_date_a_login_before_what_the_server_knows() {
    let log = store();
    let server = Server::on(&log).await;
    server.ends_user("alice").await;
    server.ends_user("alice").await;
    let held = server.dates("alice").await;
    log.lose(2);
    assert_eq!(server.dates("alice").await, held);
}

#[rocket::async_test]
async fn users_are_found_under_every_secret_of_the_ring() {
    let log = store();
    let with = |secrets: &[u8]| Start {
        secrets: secrets.iter().map(|byte| secret(*byte)).collect(),
        ..Start::default()
    };
    let old = Server::started(log.clone(), with(&[1])).await.unwrap();
    old.ends_user("alice").await;
    // The new secret is introduced: the oldest one is still used for new entries.
    let mut both = Server::started(log.clone(), with(&[1, 2])).await.unwrap();
    assert_eq!(both.status(login(1)), Some(SessionStatus::Ended));
    let new = Server::started(log.clone(), with(&[2])).await;
    let Err(error) = new else {
        panic!("entries under an unknown key were accepted");
    };
    assert_eq!(
        error.cause().to_string(),
        "the store has users' entries under a key that this server does not know: \
         keep the old secret as `login.store.key`, on all servers; if nobody has it, empty the store, which forgets its logouts"
    );
    // So the old one stays as the key of the store.
    let new = Server::started(log.clone(), with(&[1, 2])).await.unwrap();
    new.ends_user("bob").await;
    both.follow().await.unwrap();
    let bob = SessionRef {
        user_id: "bob",
        ..login(2)
    };
    assert_eq!(both.status(bob), Some(SessionStatus::Ended));
    assert!(both.serves(SessionRef {
        user_id: "carol",
        ..login(3)
    }));
}

#[rocket::async_test]
async fn an_unknown_key_that_comes_later_makes_the_copy_old() {
    let log = store();
    let mut server = Server::on(&log).await;
    let other = Start {
        secrets: vec![secret(2)],
        ..Start::default()
    };
    let other = Server::started(log.clone(), other).await.unwrap();
    other.ends_user("alice").await;
    server.passes(Duration::from_secs(1));
    assert!(server.follow().await.is_err());
    assert_eq!(server.status(login(1)), None);
}

#[rocket::async_test]
async fn a_new_store_ends_everybody_once_if_that_is_configured() {
    let log = store();
    let start = || Start {
        on_loss: OnLoss::EndEverybody,
        ..Start::default()
    };
    let mut one = Server::started(log.clone(), start()).await.unwrap();
    let mut two = Server::started(log.clone(), start()).await.unwrap();
    assert_eq!(log.records(), 1);
    let dated = |seconds: u64| SessionRef {
        created_at: UnixTime::from_secs(seconds),
        ..login(1)
    };
    let first = one.dates("alice").await;
    assert_eq!(first, NOW + 1);
    for server in [&one, &two] {
        assert_eq!(server.status(dated(NOW)), Some(SessionStatus::Ended));
        assert!(server.serves(dated(first)));
    }
    log.wipe();
    for server in [&mut one, &mut two] {
        server.follow().await.unwrap();
        assert_eq!(server.status(dated(first)), Some(SessionStatus::Ended));
    }
    assert_eq!(log.entries().len(), 1);
    let third = Server::started(log.clone(), start()).await.unwrap();
    let after = third.dates("alice").await;
    assert!(two.serves(dated(after)));
}

#[rocket::async_test]
async fn no_clock_that_is_wrong_for_a_while_empties_the_list() {
    /// Lets hours pass, with the steps that a follower makes in them.
    async fn hours(server: &mut Server, hours: u64) {
        for _ in 0..hours {
            server.passes(Duration::from_secs(HOUR));
            for _ in 0..100 {
                server.follower.step().await.unwrap();
            }
        }
    }
    let held =
        |log: &MemoryLog, server: &Server| (log.entries().len(), server.list.health().entries);
    let expired = NOW + 100 * HOUR;

    // The server's clock is days ahead.
    let log = store();
    let mut server = Server::on(&log).await;
    server.ends(login(1)).await;
    server.clock.set(expired + 72 * HOUR);
    hours(&mut server, 3).await;
    assert_eq!(held(&log, &server), (1, 1));

    // The store's clock is.
    let clock = Clock::manual(NOW);
    let log = MemoryLog::with_clock(clock.clone());
    let mut server = Server::on(&log).await;
    server.ends(login(1)).await;
    clock.set(expired + 72 * HOUR);
    server.dates("bob").await;
    hours(&mut server, 3).await;
    assert_eq!(held(&log, &server), (1, 1));

    // Both are, for less than an hour.
    server.clock.set(expired + 72 * HOUR);
    for _ in 0..100 {
        server.follower.step().await.unwrap();
    }
    server.clock.set(NOW);
    hours(&mut server, 3).await;
    assert_eq!(held(&log, &server), (1, 1));

    // Both are right.
    server.clock.set(expired + HOUR + 1);
    hours(&mut server, 1).await;
    assert_eq!(held(&log, &server), (1, 1), "it was seen once");
    hours(&mut server, 1).await;
    assert_eq!(held(&log, &server), (0, 0));
}

#[rocket::async_test]
async fn the_thread_of_a_list_follows_and_ends_with_it() {
    let log = store();
    let plan = || Plan {
        realm: "app",
        limits: Limits {
            max_staleness: Duration::from_secs(5),
            stale_wait: Duration::from_secs(2),
            serve_for: Duration::ZERO,
        },
        on_loss: OnLoss::Nothing,
        secrets: Vec::new(),
        longest_session: HOUR,
        clock: Clock::manual(NOW),
    };
    let one = Replicated::launch(log.clone(), plan()).await.unwrap();
    let two = Replicated::launch(log.clone(), plan()).await.unwrap();
    let ended = RevokeSession {
        session: login(1),
        successor: None,
        now: UnixTime::from_secs(NOW),
        until: UnixTime::from_secs(NOW + HOUR),
    };
    one.revoke(ended).await.unwrap();
    let heard = async {
        while known(&two, login(1)) != Some(SessionStatus::Ended) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(4), heard).await.unwrap();
    let shared = Arc::downgrade(&one.shared);
    drop(one);
    let gone = async {
        while shared.strong_count() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(4), gone).await.unwrap();
    // A store that fails at launch is an error, and leaves no thread behind.
    log.set_fault(Fault::Down);
    let failed = Replicated::launch(log, plan()).await;
    assert!(failed.is_err_and(|error| error.cause().to_string() == "the store is down"));
}
