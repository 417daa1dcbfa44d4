//! What every store must do, as tests that a store's author runs.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests"
)]

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rocket::futures::future::{join, join_all};
use rocket::tokio::time::timeout;

use super::MemoryLog;
use crate::clock::{Clock, UnixTime};
use crate::revocation::log::entry::{Next, RealmId, Subject, UserDigest};
use crate::revocation::log::{
    Appended, Change, Entry, Epoch, Guard, Key, OpId, Position, Record, RevocationLog, Since,
};
use crate::token::{LoginId, SessionId, random};

/// Runs every test of a store; `open` returns two connections to a store that has nothing in it.
///
/// Each test gets a store of its own. They take a few seconds in all.
///
/// # Panics
///
/// If the store does something else than [`RevocationLog`] says. The message says what.
///
/// # Example
///
/// ```rust
/// # let the_store_does_what_it_must =
/// async || {
///     use rocket_login::testing::store::{MemoryLog, conforms};
///
///     conforms(async || {
///         let log = MemoryLog::new();
///         [log.clone(), log]
///     })
///     .await;
/// };
/// ```
pub async fn conforms<L: RevocationLog>(open: impl AsyncFn() -> [L; 2]) {
    macro_rules! run {
        ($($claim:ident)+) => { $( $claim(&open().await).await; )+ };
    }
    run! {
        an_empty_store_has_an_epoch_and_nothing_else
        a_record_is_seen_by_every_reader
        a_reader_waits_for_a_record_and_not_longer_than_it_says
        numbers_have_no_gaps_while_many_write
        a_long_log_and_a_large_table_are_read_in_pages
        a_position_of_another_history_is_noticed
        a_change_under_another_epoch_is_refused
        a_repeated_change_changes_nothing
        a_confirmation_gives_way_to_every_end
        of_confirmations_at_once_one_wins
        a_logout_ends_what_has_replaced_the_login
        of_logins_that_end_each_other_one_goes_on
        a_merge_keeps_its_dates
        any_changes_do_what_they_do_in_memory
        time_never_goes_back
        only_what_both_clocks_call_expired_is_purged
        a_call_that_is_dropped_leaves_no_trace
    }
}

/// Returns the logout of a login that nothing else knows of, for a test of a store's own.
///
/// # Example
///
/// ```rust
/// # rocket::async_test(async {
/// use rocket_login::store::{Appended, RevocationLog};
/// use rocket_login::testing::store::{MemoryLog, logout};
///
/// let log = MemoryLog::new();
/// let empty = log.snapshot(&mut |_| {}).await.unwrap();
/// let appended = log.append(&empty.epoch, &logout()).await.unwrap();
/// assert!(matches!(appended, Appended::Written { had_ended: false, .. }));
/// # });
/// ```
#[must_use]
pub fn logout() -> Change {
    Change::of(op(), end(login(random_id())))
}

fn random_id() -> u128 {
    u128::from_be_bytes(random::draw().unwrap())
}

fn op() -> OpId {
    OpId::generate().unwrap()
}

const REALM: RealmId = RealmId([7; 8]);

fn key(subject: Subject) -> Key {
    Key {
        realm: REALM,
        subject,
    }
}

fn login(id: u128) -> LoginId {
    LoginId(id.to_be_bytes())
}

fn session(id: u64) -> SessionId {
    SessionId(id.to_be_bytes())
}

fn user(id: u128) -> Key {
    key(Subject::User(UserDigest {
        key_id: [1; 4],
        digest: id.to_be_bytes(),
    }))
}

/// The same time for all entries, so that a slow store's are equal.
fn in_a_year() -> UnixTime {
    static IN_A_YEAR: LazyLock<UnixTime> =
        LazyLock::new(|| Clock::system().now().plus(365 * 24 * 60 * 60));
    *IN_A_YEAR
}

fn end(id: LoginId) -> Entry {
    Entry::undated(key(Subject::Login(id)), None, in_a_year())
}

fn replace(id: LoginId, next: LoginId) -> Change {
    let next = Some(Next::Login(next));
    Change::of(
        op(),
        Entry::undated(key(Subject::Login(id)), next, in_a_year()),
    )
}

/// A confirmation of a login of user 1, dated 100.
fn confirm(id: LoginId, old: u64, new: u64) -> Change {
    let dated = UnixTime::from_secs(100);
    let guard = |key, after| Guard { key, after };
    let zero = UnixTime::from_secs(0);
    let replaced = key(Subject::Session(id, session(old)));
    Change {
        login: Some(id),
        guards: vec![
            guard(key(Subject::Login(id)), zero),
            guard(replaced, zero),
            guard(user(1), dated),
            guard(key(Subject::Realm), dated),
        ],
        refuses: true,
        ..Change::of(
            op(),
            Entry::undated(replaced, Some(Next::Session(session(new))), in_a_year()),
        )
    }
}

/// The table and the position of a store.
async fn read(log: &impl RevocationLog) -> (Position, HashMap<Key, Entry>) {
    let mut table = HashMap::new();
    let mut put = |entry: Entry| {
        table.insert(entry.key(), entry);
    };
    let position = log.snapshot(&mut put).await.unwrap();
    (position, table)
}

async fn epoch(log: &impl RevocationLog) -> Epoch {
    read(log).await.0.epoch
}

async fn append(log: &impl RevocationLog, change: &Change) -> Appended {
    log.append(&epoch(log).await, change).await.unwrap()
}

/// Appends a change that must be made.
async fn write(log: &impl RevocationLog, change: &Change) -> Vec<Record> {
    match append(log, change).await {
        Appended::Written { records, .. } => records,
        other => panic!("a change was not made: {other:?}"),
    }
}

/// Everything after a position, read page by page.
async fn follow(log: &impl RevocationLog, mut position: Position) -> (Position, Vec<Record>) {
    let mut all = Vec::new();
    loop {
        let Since::Records { records, is_head } =
            log.since(&position, Duration::ZERO).await.unwrap()
        else {
            panic!("the log does not go on from a position that it has given out");
        };
        for record in &records {
            assert_eq!(record.number, position.number + 1, "the numbers have a gap");
            (position.number, position.op) = (record.number, record.op);
        }
        let is_empty = records.is_empty();
        all.extend(records);
        if is_head {
            return (position, all);
        }
        assert!(!is_empty, "a page that is not the last one is empty");
    }
}

async fn an_empty_store_has_an_epoch_and_nothing_else<L: RevocationLog>([one, two]: &[L; 2]) {
    let ((first, table), (second, _)) = join(read(one), read(two)).await;
    assert_eq!(first, second, "two servers begin one store");
    assert_eq!((first.number, first.op), (0, OpId::NONE));
    assert!(table.is_empty());
    let nothing = Since::Records {
        records: Vec::new(),
        is_head: true,
    };
    assert_eq!(one.since(&first, Duration::ZERO).await.unwrap(), nothing);
    assert_eq!(epoch(one).await, epoch(two).await);
}

async fn a_record_is_seen_by_every_reader<L: RevocationLog>([one, two]: &[L; 2]) {
    let (start, _) = read(two).await;
    let before = one.now(&[]).await.unwrap();
    let change = logout();
    let records = write(one, &change).await;
    let [record] = records.as_slice() else {
        panic!("a logout writes one record: {records:?}");
    };
    assert_eq!((record.number, record.op), (1, change.op()));
    let entry = record.entry;
    assert!(
        entry.at() > before,
        "an entry is dated after the store's time"
    );
    let expected = Entry {
        at: entry.at,
        ..change.entries()[0]
    };
    assert!(entry == expected, "the entry is the one of the change");
    for log in [one, two] {
        let (position, seen) = follow(log, start.clone()).await;
        assert_eq!(seen, records);
        let (now, table) = read(log).await;
        assert_eq!(now, position);
        assert_eq!(table, HashMap::from([(entry.key(), entry)]));
    }
}

async fn a_reader_waits_for_a_record_and_not_longer_than_it_says<L: RevocationLog>(
    [one, two]: &[L; 2],
) {
    let (start, _) = read(two).await;
    let began = Instant::now();
    let wait = Duration::from_millis(300);
    two.since(&start, wait).await.unwrap();
    let waited = began.elapsed();
    assert!(
        waited >= Duration::from_millis(200),
        "it does not wait: {waited:?}"
    );
    assert!(
        waited < Duration::from_secs(2),
        "it waits too long: {waited:?}"
    );

    let began = Instant::now();
    let change = logout();
    let write_late = async {
        rocket::tokio::time::sleep(Duration::from_millis(200)).await;
        write(one, &change).await
    };
    let (since, records) = join(two.since(&start, Duration::from_secs(20)), write_late).await;
    assert_eq!(
        since.unwrap(),
        Since::Records {
            records,
            is_head: true
        }
    );
    let waited = began.elapsed();
    assert!(
        waited < Duration::from_secs(5),
        "a record does not wake it: {waited:?}"
    );
}

async fn numbers_have_no_gaps_while_many_write<L: RevocationLog>([one, two]: &[L; 2]) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 25;
    let (start, _) = read(two).await;
    let writer = |number: u64| async move {
        let log = if number.is_multiple_of(2) { one } else { two };
        for _ in 0..EACH {
            write(log, &logout()).await;
        }
    };
    let reader = async {
        let mut position = start.clone();
        while position.number < WRITERS * EACH {
            two.since(&position, Duration::from_millis(50))
                .await
                .unwrap();
            (position, _) = follow(two, position).await;
        }
        position
    };
    let all = join(join_all((0..WRITERS).map(writer)), reader);
    let (_, position) = timeout(Duration::from_secs(60), all)
        .await
        .expect("a reader has not seen every record");
    assert_eq!(position, read(one).await.0);
    assert_eq!(follow(one, start).await.1.len() as u64, WRITERS * EACH);
}

async fn a_long_log_and_a_large_table_are_read_in_pages<L: RevocationLog>([one, two]: &[L; 2]) {
    let (start, _) = read(two).await;
    let entries: Vec<_> = (1..=2_500).map(|id| end(login(id))).collect();
    for entries in entries.chunks(500) {
        let records = write(one, &Change::merge(op(), entries.to_vec())).await;
        assert_eq!(records.len(), entries.len());
    }
    let (_, records) = follow(two, start).await;
    let seen: Vec<_> = records.iter().map(|record| record.entry).collect();
    assert!(
        seen == entries,
        "the log has the entries in the order of the changes"
    );
    let (_, table) = read(two).await;
    assert_eq!(table.len(), 2_500);
    assert!(entries.iter().all(|entry| table[&entry.key()] == *entry));
}

async fn a_position_of_another_history_is_noticed<L: RevocationLog>([one, two]: &[L; 2]) {
    let (start, _) = read(one).await;
    let records = write(one, &logout()).await;
    let (head, _) = read(one).await;
    assert_eq!(head.number, records[0].number);
    let wrong = [
        Position {
            epoch: Epoch::generate().unwrap(),
            ..start.clone()
        },
        Position {
            epoch: Epoch::generate().unwrap(),
            ..head.clone()
        },
        Position {
            op: op(),
            ..head.clone()
        },
        Position {
            number: head.number + 1,
            ..head.clone()
        },
        Position {
            number: head.number + 1_000_000,
            op: op(),
            ..head.clone()
        },
    ];
    for position in wrong {
        let since = two.since(&position, Duration::from_millis(20)).await;
        assert_eq!(since.unwrap(), Since::Changed, "{position:?}");
    }
}

async fn a_change_under_another_epoch_is_refused<L: RevocationLog>([one, two]: &[L; 2]) {
    let other = Epoch::generate().unwrap();
    for log in [one, two] {
        let appended = log.append(&other, &logout()).await.unwrap();
        assert_eq!(appended, Appended::Changed);
    }
    let (position, table) = read(one).await;
    assert_eq!((position.number, table.len()), (0, 0));
}

async fn a_repeated_change_changes_nothing<L: RevocationLog>([one, two]: &[L; 2]) {
    let id = login(1);
    let first = Change::of(op(), end(id));
    let confirmation = confirm(login(2), 1, 2);
    let again = Change {
        login: Some(id),
        guards: vec![Guard {
            key: key(Subject::Login(id)),
            after: UnixTime::from_secs(0),
        }],
        ..Change::of(op(), end(id))
    };
    let mut answers = Vec::new();
    for change in [&first, &confirmation, &again] {
        answers.push((change, append(one, change).await));
    }
    assert!(
        matches!(
            answers[2].1,
            Appended::Written {
                had_ended: true,
                ..
            }
        ),
        "a second logout is made, and says that the login had ended"
    );
    let before = read(one).await;
    for (change, answer) in &answers {
        let (a, b) = join(append(one, change), append(two, change)).await;
        assert_eq!([&a, &b], [answer; 2]);
    }
    assert_eq!(read(one).await, before);

    let change = logout();
    let at_once = join_all((0..10).map(|number| append([one, two][number % 2], &change))).await;
    assert!(at_once.iter().all(|answer| *answer == at_once[0]));
    assert_eq!(read(one).await.0.number, before.0.number + 1);
}

async fn a_confirmation_gives_way_to_every_end<L: RevocationLog>([one, two]: &[L; 2]) {
    let realm = Entry::undated(key(Subject::Realm), None, in_a_year());
    let everybody = Entry::undated(user(1), None, in_a_year());
    let others = Entry::undated(user(1), Some(Next::Login(login(3))), in_a_year());
    for (id, entry) in [(1, end(login(1))), (2, others)] {
        write(one, &Change::of(op(), entry)).await;
        let confirmation = confirm(login(id), 1, 2);
        assert_eq!(append(two, &confirmation).await, Appended::Before);
    }
    let records = write(two, &confirm(login(3), 1, 2)).await;
    assert_eq!(
        records.len(),
        1,
        "the login that a user's entry spares goes on"
    );
    assert_eq!(
        append(one, &confirm(login(3), 1, 3)).await,
        Appended::Before
    );
    write(one, &confirm(login(3), 2, 3)).await;
    let elsewhere = |id, guards: &[usize]| {
        let change = confirm(login(id), 1, 2);
        let guards = guards.iter().map(|index| change.guards[*index]).collect();
        Change { guards, ..change }
    };
    // The guards of the login and of its session say nothing, so its user's does.
    write(two, &Change::of(op(), everybody)).await;
    assert_eq!(
        append(one, &confirm(login(3), 3, 4)).await,
        Appended::Before
    );
    write(one, &elsewhere(4, &[0, 1, 3])).await;
    write(two, &Change::of(op(), realm)).await;
    assert_eq!(
        append(one, &elsewhere(5, &[0, 1, 3])).await,
        Appended::Before
    );
}

async fn of_confirmations_at_once_one_wins<L: RevocationLog>([one, two]: &[L; 2]) {
    for id in 1..=10 {
        let changes: Vec<_> = (2..6).map(|new| confirm(login(id), 1, new)).collect();
        let logs = [one, two, one, two];
        let answers = join_all(
            logs.iter()
                .zip(&changes)
                .map(|(log, change)| append(*log, change)),
        );
        let answers = answers.await;
        let won = answers.iter().filter(|answer| **answer != Appended::Before);
        assert_eq!(won.count(), 1, "{answers:?}");
    }
}

async fn a_logout_ends_what_has_replaced_the_login<L: RevocationLog>([one, two]: &[L; 2]) {
    let ends = |records: &[Record]| {
        let ends = records.iter().map(|record| {
            assert!(record.entry.next.is_none());
            record.entry.key()
        });
        ends.collect::<Vec<_>>()
    };
    let keys = |ids: &[u128]| {
        let keys = ids.iter().map(|id| key(Subject::Login(login(*id))));
        keys.collect::<Vec<_>>()
    };
    // 1, 2, 3, 4: each replaced by the next.
    for id in 1..4 {
        let records = write(one, &replace(login(id), login(id + 1))).await;
        assert_eq!(records.len(), 1);
    }
    let records = write(two, &Change::of(op(), end(login(1)))).await;
    assert_eq!(ends(&records), keys(&[1, 2, 3, 4]));
    let (_, table) = read(one).await;
    let is_held = |record: &Record| table[&record.entry.key()] == record.entry;
    assert!(records.iter().all(is_held));
    // A second logout ends nothing else.
    let again = write(one, &Change::of(op(), end(login(1)))).await;
    assert_eq!(ends(&again), keys(&[1]));

    // Two logins over one: the second ends the first.
    write(one, &replace(login(10), login(11))).await;
    let records = write(two, &replace(login(10), login(12))).await;
    assert_eq!(records[0].entry.successor(), Some(login(12)));
    assert_eq!(ends(&records[1..]), keys(&[11]));
    assert!(records[1].entry.until() >= records[0].entry.until());

    // A browser showed two logins that one replaces: the second step must not end it.
    write(one, &replace(login(20), login(21))).await;
    let records = [
        write(one, &replace(login(21), login(22))).await,
        write(two, &replace(login(20), login(22))).await,
    ];
    assert_eq!(records.concat().len(), 2, "{records:?}");
    let (_, table) = read(two).await;
    assert!(!table.contains_key(&key(Subject::Login(login(22)))));
}

async fn of_logins_that_end_each_other_one_goes_on<L: RevocationLog>([one, two]: &[L; 2]) {
    // Both end the other logins of user 1; the guards are those of a confirmation.
    let ends_others = |id| Change {
        entries: vec![Entry::undated(
            user(1),
            Some(Next::Login(login(id))),
            in_a_year(),
        )],
        ..confirm(login(id), 1, 2)
    };
    let changes = [ends_others(1), ends_others(2)];
    let (first, second) = join(append(one, &changes[0]), append(two, &changes[1])).await;
    let lost = [first, second].map(|answer| answer == Appended::Before);
    assert_ne!(lost[0], lost[1], "one of the two goes on");
    let kept = if lost[0] { 2 } else { 1 };
    write(one, &ends_others(kept)).await;
    let answer = append(two, &ends_others(3 - kept)).await;
    assert_eq!(answer, Appended::Before, "what has ended stays so");
}

async fn a_merge_keeps_its_dates<L: RevocationLog>([one, two]: &[L; 2]) {
    let at = |entry: Entry, at| Entry {
        at: UnixTime::from_secs(at),
        ..entry
    };
    let put = |entry, seconds| Change::merge(op(), vec![at(entry, seconds)]);
    let replaced = |next| Entry {
        next: Some(Next::Login(login(next))),
        ..end(login(1))
    };
    let records = write(one, &put(replaced(2), 50)).await;
    assert!(records[0].entry == at(replaced(2), 50));
    // What the store knows already changes nothing.
    assert_eq!(write(two, &put(replaced(2), 50)).await, []);
    // A login that is older in the same place ends.
    let records = write(two, &put(replaced(3), 40)).await;
    assert_eq!(records.len(), 1);
    assert!(records[0].entry.key() == key(Subject::Login(login(3))));
    // An end from before does not undo the login that came after.
    let records = write(two, &put(end(login(1)), 40)).await;
    let [record] = records.as_slice() else {
        panic!("it is noted, and nothing else: {records:?}");
    };
    let noted = Entry {
        floor: UnixTime::from_secs(40),
        ..at(replaced(2), 50)
    };
    assert!(record.entry == noted);
    // An end from after does.
    let records = write(one, &put(end(login(1)), 50)).await;
    assert_eq!(records.len(), 2);
    let (_, table) = read(two).await;
    assert!(table[&key(Subject::Login(login(1)))] == at(end(login(1)), 50));
    assert!(table.contains_key(&key(Subject::Login(login(2)))));
    // A login that came after that end is not ended by the merge of what was before.
    write(one, &replace(login(2), login(9))).await;
    assert_eq!(write(two, &put(replaced(2), 45)).await, []);
}

/// A store must agree with the one in memory. All dates lie ahead of every clock, so both give the same ones.
async fn any_changes_do_what_they_do_in_memory<L: RevocationLog>([one, two]: &[L; 2]) {
    let memory = MemoryLog::new();
    let ahead = in_a_year().as_secs();
    let mut dice = Dice(random_id());
    let seed = dice.0;
    let subjects = |dice: &mut Dice| match dice.roll(8) {
        0..4 => Subject::Login(login(dice.roll(6).into())),
        4..6 => Subject::Session(login(dice.roll(3).into()), session(dice.roll(3).into())),
        6 => Subject::User(UserDigest {
            key_id: [1; 4],
            digest: [0; 16],
        }),
        _ => Subject::Realm,
    };
    let any_entry = |dice: &mut Dice| {
        let subject = subjects(dice);
        let next = match subject {
            Subject::Login(_) | Subject::User(_) => Some(Next::Login(login(dice.roll(6).into()))),
            Subject::Session(..) => Some(Next::Session(session(dice.roll(3).into()))),
            Subject::Realm => None,
        };
        let next = next.filter(|_| dice.roll(2) == 0);
        let at = ahead + u64::from(dice.roll(4));
        let has_floor = matches!(next, Some(Next::Login(_)));
        let floor = if has_floor && dice.roll(2) == 0 {
            at - u64::from(dice.roll(4)) - 1
        } else {
            0
        };
        Entry {
            key: key(subject),
            at: UnixTime::from_secs(at),
            next,
            floor: UnixTime::from_secs(floor),
            until: UnixTime::from_secs(ahead + u64::from(dice.roll(9))),
        }
    };
    // Every login, session and user has an entry, so no date comes from a clock.
    let mut all: Vec<_> = (0..6).map(|id| Subject::Login(login(id))).collect();
    all.extend((0..9).map(|n| Subject::Session(login(n / 3), session((n % 3) as u64))));
    all.push(Subject::Realm);
    all.push(Subject::User(UserDigest {
        key_id: [1; 4],
        digest: [0; 16],
    }));
    let first = |subject| Entry {
        at: UnixTime::from_secs(ahead),
        ..Entry::undated(key(subject), None, in_a_year())
    };
    let seeded = Change::merge(op(), all.into_iter().map(first).collect());
    let mut changes = vec![seeded];
    for _ in 0..200 {
        let dates = dice.roll(3) > 0;
        let count = if dates { 1 } else { 1 + dice.roll(4) };
        let entries = (0..count).map(|_| any_entry(&mut dice)).collect();
        let guards = (0..dice.roll(3)).map(|_| Guard {
            key: key(subjects(&mut dice)),
            after: UnixTime::from_secs(ahead + u64::from(dice.roll(60))),
        });
        let guards: Vec<_> = guards.collect();
        changes.push(Change {
            login: (!guards.is_empty()).then(|| login(dice.roll(6).into())),
            guards,
            refuses: dice.roll(2) == 0,
            dates,
            ..Change::merge(op(), entries)
        });
    }
    for (step, change) in changes.iter().enumerate() {
        let expected = append(&memory, change).await;
        let answer = append([one, two][step % 2], change).await;
        assert_eq!(answer, expected, "step {step} of seed {seed}: {change:?}");
    }
    assert_eq!(read(one).await.1, read(&memory).await.1, "seed {seed}");
}

struct Dice(u128);

impl Dice {
    /// A number below `sides`, from Steele and others: Fast splittable pseudorandom number generators.
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0 as u64;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % u64::from(sides)) as u32
    }
}

async fn time_never_goes_back<L: RevocationLog>([one, two]: &[L; 2]) {
    let start = one.now(&[]).await.unwrap();
    let far = start.plus(1_000_000);
    let ahead = Entry {
        at: far,
        ..Entry::undated(user(1), None, in_a_year())
    };
    write(one, &Change::merge(op(), vec![ahead])).await;
    assert!(two.now(&[user(2), key(Subject::Realm)]).await.unwrap() < far);
    assert_eq!(two.now(&[user(2), user(1)]).await.unwrap(), far);
    assert!(one.now(&[]).await.unwrap() >= start);
    let everybody = Entry::undated(user(1), None, in_a_year());
    let records = write(two, &Change::of(op(), everybody)).await;
    assert_eq!(records[0].entry.at(), far.plus(1));
    assert_eq!(one.now(&[user(1)]).await.unwrap(), far.plus(1));
}

async fn only_what_both_clocks_call_expired_is_purged<L: RevocationLog>([one, two]: &[L; 2]) {
    let now = Clock::system().now().as_secs();
    let hours_ago = |hours: u64| UnixTime::from_secs(now - hours * 3_600 - 60);
    let expired = |id, until| Entry {
        until,
        ..end(login(id))
    };
    let entries = vec![
        expired(1, hours_ago(9)),
        expired(2, hours_ago(8)),
        expired(3, hours_ago(2)),
        expired(4, hours_ago(0)),
        end(login(5)),
    ];
    write(one, &Change::merge(op(), entries)).await;
    let (head, _) = read(two).await;
    let is_left = async || {
        let (_, table) = read(one).await;
        [1, 2, 3, 4, 5].map(|id| table.contains_key(&key(Subject::Login(login(id)))))
    };
    // The server's clock is behind.
    assert_eq!(one.purge(hours_ago(10), 100).await.unwrap(), 0);
    // A small step.
    assert_eq!(one.purge(hours_ago(5), 1).await.unwrap(), 1);
    assert_eq!(two.purge(hours_ago(5), 100).await.unwrap(), 1);
    assert_eq!(is_left().await, [false, false, true, true, true]);
    // The server's clock is years ahead.
    let ahead = UnixTime::from_secs(now * 2);
    assert_eq!(two.purge(ahead, 100).await.unwrap(), 1);
    assert_eq!(one.purge(ahead, 100).await.unwrap(), 0);
    assert_eq!(is_left().await, [false, false, false, true, true]);
    // The newest record is still there.
    let since = two.since(&head, Duration::ZERO).await.unwrap();
    assert!(matches!(since, Since::Records { .. }), "{since:?}");
    assert_eq!(read(one).await.0, head);
}

async fn a_call_that_is_dropped_leaves_no_trace<L: RevocationLog>([one, two]: &[L; 2]) {
    let (mut position, _) = read(one).await;
    for _ in 0..5 {
        let wait = one.since(&position, Duration::from_secs(20));
        assert!(timeout(Duration::from_millis(30), wait).await.is_err());
        let change = logout();
        // Whether or not the change is made before the call is dropped, the repeated one makes it.
        let epoch = epoch(two).await;
        let _ = timeout(Duration::from_millis(1), one.append(&epoch, &change)).await;
        let records = write(one, &change).await;
        let (next, seen) = follow(one, position).await;
        assert_eq!(seen, records);
        position = next;
    }
}
