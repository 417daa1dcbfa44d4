//! For authors of registries of logins: what every registry must do.
//!
//! A registry's test calls [`conforms`] with a function that opens two connections to a registry without any rows.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cloned_ref_to_slice_refs,
    clippy::disallowed_macros,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests"
)]

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use rocket::futures::future::{join, join_all};

use crate::clock::{Clock, UnixTime};
use crate::logins::restores::Restores;
use crate::logins::{
    Begin, Begun, KnownClient, LoginHandle, LoginRegistry, LoginRow, RegistryError, Restored,
    RowUser,
};
use crate::revocation::log::entry::{RealmId, UserDigest};
use crate::token::LoginId;

/// A registry that several owners share, as several servers do.
///
/// The example of [`conforms`] shows it.
pub struct Shared<R>(Arc<R>);

impl<R> Shared<R> {
    /// Shares a registry.
    #[must_use]
    pub fn new(registry: R) -> Self {
        Self(Arc::new(registry))
    }
}

impl<R> Clone for Shared<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R> fmt::Debug for Shared<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[rocket::async_trait]
impl<R: LoginRegistry> LoginRegistry for Shared<R> {
    async fn begin(&self, begin: &Begin) -> Result<Begun, RegistryError> {
        self.0.begin(begin).await
    }

    async fn rows(&self, users: &[RowUser], now: UnixTime) -> Result<Vec<LoginRow>, RegistryError> {
        self.0.rows(users, now).await
    }

    async fn renew(&self, row: &LoginRow, users: &[RowUser]) -> Result<(), RegistryError> {
        self.0.renew(row, users).await
    }

    async fn restore(&self, row: &LoginRow, users: &[RowUser]) -> Result<Restored, RegistryError> {
        self.0.restore(row, users).await
    }

    async fn end(&self, users: &[RowUser], logins: &[LoginId]) -> Result<(), RegistryError> {
        self.0.end(users, logins).await
    }

    async fn remember_client(
        &self,
        user: RowUser,
        client: &KnownClient,
    ) -> Result<(), RegistryError> {
        self.0.remember_client(user, client).await
    }
}

/// Runs every test of a registry; `open` returns two connections to a registry without any rows.
///
/// # Panics
///
/// If the registry does something else than [`LoginRegistry`] says. The message says what.
///
/// # Example
///
/// ```rust
/// use rocket_login::logins::MemoryRegistry;
/// use rocket_login::testing::registry::{Shared, conforms};
///
/// # let the_registry_does_what_it_must =
/// async || {
///     conforms(async || {
///         let registry = Shared::new(MemoryRegistry::new());
///         [registry.clone(), registry]
///     })
///     .await;
/// };
/// ```
pub async fn conforms<R: LoginRegistry>(open: impl AsyncFn() -> [R; 2]) {
    macro_rules! run {
        ($($claim:ident)+) => { $( $claim(&open().await).await; )+ };
    }
    run! {
        a_row_is_read_back_as_it_was_written
        rows_of_other_users_stay_out
        a_row_that_has_expired_does_not_count
        a_renewal_joins_or_inserts
        an_end_removes_the_rows_that_it_names
        rows_under_an_old_key_are_found
        of_logins_at_once_only_as_many_as_allowed_begin
        of_logins_at_once_each_sees_those_before_it
        what_a_login_replaces_does_not_count
        a_restore_gives_the_next_token_and_a_copy_is_noticed
        of_restores_at_once_all_get_the_same_token
        a_restore_without_a_row_inserts_it
        a_restore_stays_under_an_old_key
        renewals_and_restores_at_once_lose_nothing
        a_login_that_begins_twice_has_one_row
        a_client_is_remembered_after_its_login_and_for_its_user_only
        a_client_is_forgotten_in_time
    }
}

/// A store may remove by its own clock what has expired.
static NOW: LazyLock<UnixTime> = LazyLock::new(|| Clock::system().now());

fn user(id: u8) -> RowUser {
    RowUser {
        realm: RealmId([7; 8]),
        user: UserDigest {
            key_id: [1; 4],
            digest: [id; 16],
        },
    }
}

/// The same user under another key.
fn under_old_key(id: u8) -> RowUser {
    let mut user = user(id);
    user.user.key_id = [2; 4];
    user.user.digest = [id.wrapping_add(100); 16];
    user
}

fn row(user: RowUser, login: u8) -> LoginRow {
    LoginRow {
        user,
        login: LoginId([login; 16]),
        handle: LoginHandle::generate().unwrap(),
        created_at: *NOW,
        auth_at: Some(*NOW),
        seen_at: *NOW,
        until: NOW.plus(3_600),
        device_bound: true,
        restores: Restores::default(),
        address: Some("2001:db8::7".parse().unwrap()),
        client: "Firefox on Linux".into(),
        how: "by password, \"quoted\" and with ' and é".into(),
    }
}

fn begin(row: LoginRow, max: impl Into<Option<usize>>) -> Begin {
    Begin {
        users: vec![row.user],
        row,
        replaced: Vec::new(),
        max: max.into(),
        now: *NOW,
    }
}

/// What a login finds whose user has no other one.
fn alone() -> Begun {
    Begun::Inserted {
        others: Vec::new(),
        clients: Vec::new(),
    }
}

/// The rows of a user, by login.
async fn rows(registry: &impl LoginRegistry, users: &[RowUser]) -> Vec<LoginRow> {
    let mut rows = registry.rows(users, *NOW).await.unwrap();
    rows.sort_by_key(|row| *row.login.as_bytes());
    rows
}

async fn inserted(registry: &impl LoginRegistry, row: &LoginRow) -> Vec<LoginRow> {
    match registry.begin(&begin(row.clone(), None)).await.unwrap() {
        Begun::Inserted { others, .. } => others,
        Begun::Full(_) => panic!("a login without a limit was refused"),
    }
}

async fn a_row_is_read_back_as_it_was_written<R: LoginRegistry>([one, two]: &[R; 2]) {
    let bare = LoginRow {
        auth_at: None,
        device_bound: false,
        address: None,
        client: String::new(),
        how: String::new(),
        ..row(user(1), 2)
    };
    let first = row(user(1), 1);
    assert_eq!(inserted(one, &first).await, []);
    assert_eq!(inserted(two, &bare).await, [first.clone()]);
    for registry in [one, two] {
        assert_eq!(
            rows(registry, &[user(1)]).await,
            [first.clone(), bare.clone()]
        );
    }
}

async fn rows_of_other_users_stay_out<R: LoginRegistry>([one, two]: &[R; 2]) {
    let mut elsewhere = user(1);
    elsewhere.realm = RealmId([8; 8]);
    inserted(one, &row(user(1), 1)).await;
    for (other, login) in [(user(2), 2), (elsewhere, 3)] {
        let begun = two.begin(&begin(row(other, login), 1)).await.unwrap();
        assert_eq!(begun, alone());
        one.end(&[other], &[LoginId([1; 16])]).await.unwrap();
    }
    assert_eq!(rows(two, &[user(1)]).await.len(), 1);
}

async fn a_row_that_has_expired_does_not_count<R: LoginRegistry>([one, two]: &[R; 2]) {
    let expired = LoginRow {
        until: *NOW,
        ..row(user(1), 1)
    };
    inserted(one, &expired).await;
    assert_eq!(rows(two, &[user(1)]).await, []);
    let begun = two.begin(&begin(row(user(1), 2), 1)).await.unwrap();
    assert_eq!(begun, alone());
    assert_eq!(rows(one, &[user(1)]).await.len(), 1);
}

async fn a_renewal_joins_or_inserts<R: LoginRegistry>([one, two]: &[R; 2]) {
    let first = row(user(1), 1);
    inserted(one, &first).await;
    let later = LoginRow {
        seen_at: NOW.plus(300),
        until: NOW.plus(7_200),
        device_bound: false,
        how: String::new(),
        ..row(user(1), 1)
    };
    two.renew(&later, &[user(1)]).await.unwrap();
    let joined = first.joined(&later);
    assert_eq!(joined.handle, first.handle);
    assert_eq!(rows(one, &[user(1)]).await, [joined.clone()]);
    // One that comes late changes nothing.
    two.renew(&first, &[user(1)]).await.unwrap();
    let missing = row(user(1), 2);
    two.renew(&missing, &[user(1)]).await.unwrap();
    assert_eq!(rows(one, &[user(1)]).await, [joined, missing]);
}

async fn an_end_removes_the_rows_that_it_names<R: LoginRegistry>([one, two]: &[R; 2]) {
    for login in 1..=4 {
        inserted(one, &row(user(1), login)).await;
    }
    let logins = [1, 3, 9].map(|login| LoginId([login; 16]));
    two.end(&[user(1)], &logins).await.unwrap();
    two.end(&[user(1)], &logins).await.unwrap();
    one.end(&[user(1)], &[]).await.unwrap();
    let left = rows(one, &[user(1)]).await;
    let left: Vec<_> = left.iter().map(|row| row.login.as_bytes()[0]).collect();
    assert_eq!(left, [2, 4]);
}

async fn rows_under_an_old_key_are_found<R: LoginRegistry>([one, two]: &[R; 2]) {
    let users = [user(1), under_old_key(1)];
    let old = row(under_old_key(1), 1);
    inserted(one, &old).await;
    assert_eq!(rows(two, &users).await, [old.clone()]);
    let more = Begin {
        users: users.to_vec(),
        ..begin(row(user(1), 2), 1)
    };
    let full = two.begin(&more).await.unwrap();
    assert_eq!(full, Begun::Full(vec![old.clone()]));
    // A renewal stays where the row is.
    let later = LoginRow {
        seen_at: NOW.plus(300),
        ..row(user(1), 1)
    };
    two.renew(&later, &users).await.unwrap();
    let joined = old.joined(&later);
    assert_eq!(rows(one, &users).await, [joined]);
    one.end(&users, &[LoginId([1; 16])]).await.unwrap();
    assert_eq!(rows(two, &users).await, []);
}

async fn of_logins_at_once_only_as_many_as_allowed_begin<R: LoginRegistry>([one, two]: &[R; 2]) {
    let begins: Vec<_> = (1..=20)
        .map(|login| begin(row(user(1), login), 5))
        .collect();
    let answers = begins.iter().zip([one, two].into_iter().cycle());
    let answers = join_all(answers.map(|(begin, registry)| registry.begin(begin))).await;
    let began = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(Begun::Inserted { .. })));
    assert_eq!(began.count(), 5, "{answers:?}");
    assert_eq!(rows(one, &[user(1)]).await.len(), 5);
}

async fn of_logins_at_once_each_sees_those_before_it<R: LoginRegistry>([one, two]: &[R; 2]) {
    let all: Vec<_> = (1..=20).map(|login| row(user(1), login)).collect();
    let begins = all.iter().zip([one, two].into_iter().cycle());
    let seen = join_all(begins.map(|(row, registry)| inserted(registry, row))).await;
    let counts: HashSet<_> = seen.iter().map(Vec::len).collect();
    assert_eq!(counts, (0..20).collect(), "two logins saw the same others");
}

async fn what_a_login_replaces_does_not_count<R: LoginRegistry>([one, two]: &[R; 2]) {
    inserted(one, &row(user(1), 1)).await;
    let over = Begin {
        replaced: vec![LoginId([1; 16])],
        ..begin(row(user(1), 2), 1)
    };
    let begun = two.begin(&over).await.unwrap();
    assert!(matches!(&begun, Begun::Inserted { others, .. } if others.len() == 1));
    assert_eq!(
        rows(one, &[user(1)]).await.len(),
        2,
        "its row stays for now"
    );
}

/// The row with which a remember token restores a login.
fn restoring(row: &LoginRow, token: u32, seconds: u64) -> LoginRow {
    LoginRow {
        restores: Restores {
            count: token,
            unseen_since: None,
        },
        seen_at: NOW.plus(seconds),
        how: String::new(),
        ..row.clone()
    }
}

/// The number of the token that a restore gives; `None` if the token was copied.
async fn restore(registry: &impl LoginRegistry, row: &LoginRow) -> Option<u32> {
    match registry.restore(row, &[row.user]).await.unwrap() {
        Restored::Changed(row) | Restored::Same(row) => Some(row.restores.count),
        Restored::Reused => None,
    }
}

async fn a_restore_gives_the_next_token_and_a_copy_is_noticed<R: LoginRegistry>(
    [one, two]: &[R; 2],
) {
    let first = row(user(1), 1);
    inserted(one, &first).await;
    assert_eq!(restore(two, &restoring(&first, 0, 100)).await, Some(1));
    let [held] = <[LoginRow; 1]>::try_from(rows(one, &[user(1)]).await).unwrap();
    let expected = LoginRow {
        seen_at: NOW.plus(100),
        restores: Restores {
            count: 1,
            unseen_since: Some(NOW.plus(100)),
        },
        ..first.clone()
    };
    assert_eq!(held, expected);
    // The answer was lost, and the browser comes again much later.
    assert_eq!(restore(one, &restoring(&first, 0, 3_000)).await, Some(1));
    // Now its answer has arrived.
    one.renew(&restoring(&first, 1, 3_100), &[user(1)])
        .await
        .unwrap();
    let before = rows(two, &[user(1)]).await;
    assert_eq!(restore(two, &restoring(&first, 0, 3_100)).await, None);
    assert_eq!(rows(one, &[user(1)]).await, before, "a copy changes no row");
    assert_eq!(restore(two, &restoring(&first, 1, 3_100)).await, Some(2));
    assert_eq!(restore(one, &restoring(&first, 0, 3_100)).await, None);
}

async fn of_restores_at_once_all_get_the_same_token<R: LoginRegistry>([one, two]: &[R; 2]) {
    let first = row(user(1), 1);
    inserted(one, &first).await;
    let restoring = restoring(&first, 0, 100);
    let restores = (0..20).zip([one, two].into_iter().cycle());
    let given = join_all(restores.map(|(_, registry)| restore(registry, &restoring))).await;
    assert_eq!(given, [Some(1); 20]);
}

async fn a_restore_without_a_row_inserts_it<R: LoginRegistry>([one, two]: &[R; 2]) {
    let lost = row(user(1), 1);
    for token in [7, 7, 6] {
        assert_eq!(restore(one, &restoring(&lost, token, 0)).await, Some(7));
    }
    assert_eq!(restore(two, &restoring(&lost, 5, 0)).await, None);
    assert_eq!(restore(two, &restoring(&lost, 7, 60)).await, Some(8));
    let held = rows(two, &[user(1)]).await;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].handle, lost.handle);
}

async fn a_restore_stays_under_an_old_key<R: LoginRegistry>([one, two]: &[R; 2]) {
    let users = [user(1), under_old_key(1)];
    let old = row(under_old_key(1), 1);
    inserted(one, &old).await;
    let restoring = restoring(&row(user(1), 1), 0, 100);
    let restored = two.restore(&restoring, &users).await.unwrap();
    let held = rows(one, &users).await;
    assert_eq!(restored.changed(), held.first());
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].user, under_old_key(1));
}

async fn renewals_and_restores_at_once_lose_nothing<R: LoginRegistry>([one, two]: &[R; 2]) {
    let first = row(user(1), 1);
    inserted(one, &first).await;
    let renewals = (1..=10).map(|minute| async move {
        let row = LoginRow {
            until: NOW.plus(3_600 + 60 * minute),
            ..row(user(1), 1)
        };
        one.renew(&row, &[user(1)]).await.unwrap();
    });
    let restoring = restoring(&first, 0, 100);
    let restores = (0..10).map(|_| restore(two, &restoring));
    let (_, given) = join(join_all(renewals), join_all(restores)).await;
    assert_eq!(given, [Some(1); 10]);
    let held = rows(two, &[user(1)]).await;
    assert_eq!(held[0].restores.count, 1);
    assert_eq!(held[0].until, NOW.plus(4_200));
}

async fn a_login_that_begins_twice_has_one_row<R: LoginRegistry>([one, two]: &[R; 2]) {
    inserted(one, &row(user(1), 1)).await;
    let again = Begin {
        replaced: vec![LoginId([1; 16])],
        ..begin(row(user(1), 1), 1)
    };
    let begun = two.begin(&again).await.unwrap();
    assert!(
        matches!(begun, Begun::Inserted { .. }),
        "it is its own place"
    );
    assert_eq!(rows(one, &[user(1)]).await, [again.row]);
}

fn client(name: &str, days: u64) -> KnownClient {
    KnownClient {
        name: name.into(),
        until: NOW.plus(days * 86_400),
    }
}

/// The clients that a login of one of these users finds, by name.
async fn clients(registry: &impl LoginRegistry, users: &[RowUser]) -> Vec<KnownClient> {
    let begin = Begin {
        users: users.to_vec(),
        ..begin(row(users[0], 99), None)
    };
    match registry.begin(&begin).await.unwrap() {
        Begun::Inserted { mut clients, .. } => {
            clients.sort_by(|one, two| one.name.cmp(&two.name));
            clients
        }
        Begun::Full(_) => panic!("a login without a limit was refused"),
    }
}

async fn a_client_is_remembered_after_its_login_and_for_its_user_only<R: LoginRegistry>(
    [one, two]: &[R; 2],
) {
    let firefox = client("Firefox on Linux", 400);
    let odd = client("O'Hara's \"Bröwser\" on %s", 400);
    inserted(one, &row(user(1), 1)).await;
    assert_eq!(clients(two, &[user(1)]).await, [], "not by itself");
    one.remember_client(user(1), &firefox).await.unwrap();
    one.remember_client(under_old_key(1), &odd).await.unwrap();
    one.end(&[user(1)], &[LoginId([1; 16]), LoginId([99; 16])])
        .await
        .unwrap();
    let users = [user(1), under_old_key(1)];
    assert_eq!(clients(two, &users).await, [firefox.clone(), odd]);
    assert_eq!(clients(two, &[user(1)]).await, [firefox]);
    assert_eq!(clients(two, &[user(2)]).await, []);
}

async fn a_client_is_forgotten_in_time<R: LoginRegistry>([one, two]: &[R; 2]) {
    let over = client("Opera on Linux", 0);
    one.remember_client(user(1), &over).await.unwrap();
    assert_eq!(clients(two, &[user(1)]).await, []);
    for days in [10, 400] {
        let firefox = client("Firefox on Linux", days);
        one.remember_client(user(1), &firefox).await.unwrap();
        assert_eq!(clients(two, &[user(1)]).await, [firefox]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logins::MemoryRegistry;

    #[rocket::async_test]
    async fn the_registry_in_memory_does_what_every_registry_must() {
        conforms(async || {
            let rows = Shared::new(MemoryRegistry::new());
            [rows.clone(), rows]
        })
        .await;
    }

    #[rocket::async_test]
    async fn the_registry_in_memory_forgets_expired_rows_and_the_oldest_of_too_many() {
        let registry = MemoryRegistry::new();
        for login in 0..=1_000_u16 {
            let mut new = row(user(1), 0);
            let [high, low] = login.to_be_bytes();
            new.login = LoginId([high, low, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
            inserted(&registry, &new).await;
        }
        let held = rows(&registry, &[user(1)]).await;
        assert_eq!(held.len(), 1_000);
        assert_eq!(held[0].login.as_bytes()[1], 1, "the first one is gone");
    }
}
