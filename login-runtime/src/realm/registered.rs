//! A login that begins enters the registry: it counts against the limit, and may end older ones.

use tracing::{error, warn};

use super::RealmCore;
use crate::clock::UnixTime;
use crate::config::AtLimit;
use crate::logins::desk::Desk;
use crate::logins::{Begin, Begun, KnownClient, LoginRow, RegistryError, RowUser};
use crate::revocation::{RevocationError, RevokeSession, Revoked};
use crate::token::LoginId;

/// How long a client is remembered after its latest login, in seconds: 400 days.
const CLIENT_KEPT: u64 = 400 * 24 * 60 * 60;

/// How often this is written for a client that is in use, in seconds: every 30 days.
const CLIENT_RENEWED: u64 = 30 * 24 * 60 * 60;

/// What the registry has answered. If the login does not begin after all, its row goes when this is dropped.
#[derive(Default)]
pub(crate) struct Registered<'d> {
    /// The desk and the row's user and login, until the login has begun.
    undo: Option<(&'d Desk, String, LoginId)>,
    /// The user's logins that are too many.
    surplus: Vec<LoginRow>,
    pub(crate) is_new_client: bool,
    /// The client, if the registry must still learn of it.
    client: Option<(&'d Desk, RowUser, KnownClient)>,
}

impl Registered<'_> {
    /// The login has begun, so its row stays.
    pub(crate) fn keep(&mut self) {
        self.undo = None;
    }

    /// Has the registry remember the client. Without that, the next login with it is one with a new client again.
    pub(crate) async fn remember_client(&self) {
        if let Some((desk, user, client)) = &self.client
            && let Err(error) = desk.remember_client(*user, client).await
        {
            warn!("{error}; the client of a login is not remembered");
        }
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        if let Some((desk, uid, login)) = self.undo.take() {
            desk.end(&uid, login);
        }
    }
}

/// Why a login does not begin.
pub(crate) enum NotRegistered {
    /// The user has as many logins as the limit allows.
    Full,
    Registry(RegistryError),
    List(RevocationError),
}

impl From<RegistryError> for NotRegistered {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl From<RevocationError> for NotRegistered {
    fn from(error: RevocationError) -> Self {
        Self::List(error)
    }
}

impl RealmCore {
    /// Enters a new login in place of others of the same browser; there is a registry.
    pub(crate) async fn register<'d>(
        &self,
        desk: &'d Desk,
        uid: &str,
        row: LoginRow,
        replaced: Vec<LoginId>,
        now: UnixTime,
    ) -> Result<Registered<'d>, NotRegistered> {
        let max = self.config.max_logins_per_user;
        let new = Begin {
            users: desk.users(uid),
            replaced,
            max: max.filter(|_| self.config.at_login_limit == AtLimit::Refuse),
            row,
            now,
        };
        let mut registered = Registered::default();
        registered.undo = Some((desk, uid.to_owned(), new.row.login));
        let answer = match desk.begin(&new).await {
            Ok(Begun::Full(rows)) => self.make_room(desk, &new, uid, rows).await,
            answer => answer.map_err(NotRegistered::from),
        };
        let (others, clients) = match answer {
            Ok(Begun::Inserted { others, clients }) => (others, clients),
            Ok(Begun::Full(_)) => return Err(NotRegistered::Full),
            Err(NotRegistered::Registry(error)) if !self.config.require_login_registry => {
                error!(
                    "{error}; the user logs in all the same, as `login.require_login_registry` says"
                );
                // It may be there, and the next renewal writes it in any case.
                registered.keep();
                return Ok(registered);
            }
            Err(error) => return Err(error),
        };
        let mut others = self.going_on(uid, others, now).await?;
        let client = &new.row.client;
        if !client.is_empty() {
            let remembered = clients.iter().filter(|known| known.until > now);
            let names = remembered.map(|known| &known.name);
            let mut known = names.chain(others.iter().map(|row| &row.client)).peekable();
            registered.is_new_client = known.peek().is_some() && known.all(|known| known != client);
            let until = now.plus(CLIENT_KEPT);
            let is_due = |known: &KnownClient| known.until.plus(CLIENT_RENEWED) <= until;
            let held = clients.into_iter().find(|known| known.name == *client);
            // While the key for users' ids changes, it may be held under the old one only.
            if new.users.len() > 1 || held.is_none_or(|known| is_due(&known)) {
                let name = client.clone();
                let client = KnownClient { name, until };
                registered.client = Some((desk, new.row.user, client));
            }
        }
        others.retain(|row| !new.replaced.contains(&row.login));
        if let Some(max) = max {
            others.sort_by_key(|row| (row.created_at, row.seen_at));
            let room = max.saturating_sub(1);
            others.truncate(others.len().saturating_sub(room));
            registered.surplus = others;
        }
        Ok(registered)
    }

    /// Tries again without the rows of logins that have ended.
    async fn make_room(
        &self,
        desk: &Desk,
        begin: &Begin,
        uid: &str,
        rows: Vec<LoginRow>,
    ) -> Result<Begun, NotRegistered> {
        let logins: Vec<_> = rows.iter().map(|row| row.login).collect();
        let going_on = self.going_on(uid, rows, begin.now).await?;
        let is_over = |login: &LoginId| going_on.iter().all(|row| row.login != *login);
        let over: Vec<_> = logins.into_iter().filter(is_over).collect();
        desk.end_now(uid, &over).await?;
        Ok(desk.begin(begin).await?)
    }

    /// Ends the logins that are too many.
    pub(crate) async fn end_surplus(
        &self,
        uid: &str,
        registered: &Registered<'_>,
        now: UnixTime,
    ) -> Result<(), RevocationError> {
        for row in &registered.surplus {
            self.end_row(uid, row, now).await?;
        }
        Ok(())
    }

    /// Ends the login of a row. Returns whether it had not ended before.
    pub(crate) async fn end_row(
        &self,
        uid: &str,
        row: &LoginRow,
        now: UnixTime,
    ) -> Result<bool, RevocationError> {
        let end = RevokeSession {
            session: self.login_of(uid, row),
            successor: None,
            now,
            until: self.row_dead_until(row),
        };
        let revoked = self.revocations.revoke(end).await?;
        if let Some(desk) = &self.desk {
            desk.end(uid, row.login);
        }
        Ok(revoked != Revoked::Before)
    }
}
