//! A login that begins enters the registry: it counts against the limit, and may end older ones.

use tracing::error;

use super::RealmCore;
use crate::clock::UnixTime;
use crate::config::AtLimit;
use crate::logins::desk::Desk;
use crate::logins::{Begin, Begun, LoginRow, RegistryError};
use crate::revocation::{RevocationError, RevokeSession, Revoked};
use crate::token::LoginId;

/// What the registry has answered. If the login does not begin after all, its row goes when this is dropped.
#[derive(Default)]
pub(crate) struct Registered<'d> {
    /// The desk and the row's user and login, until the login has begun.
    undo: Option<(&'d Desk, String, LoginId)>,
    /// The user's logins that are too many.
    surplus: Vec<LoginRow>,
    pub(crate) is_new_client: bool,
}

impl Registered<'_> {
    /// The login has begun, so its row stays.
    pub(crate) fn keep(&mut self) {
        self.undo = None;
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
        let others = match answer {
            Ok(Begun::Inserted(others)) => others,
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
        registered.is_new_client = !client.is_empty()
            && !others.is_empty()
            && others.iter().all(|row| row.client != *client);
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
