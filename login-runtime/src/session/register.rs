//! A login that begins enters the registry, if there is one.

use tracing::error;

use super::{LoginError, LoginSession};
use crate::app::event::EventKind;
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::config::AtLimit;
use crate::logins::desk::Desk;
use crate::logins::row::text;
use crate::logins::{Begin, Begun, LoginRow};
use crate::request::client_info::ClientInfo;
use crate::revocation::{RevokeSession, Revoked};
use crate::token::keys::KeySet;
use crate::token::{LoginId, Token};

/// What the registry has answered. If the login does not begin after all, its row goes when this is dropped.
#[derive(Default)]
pub(super) struct Registered<'d> {
    /// The desk and the row's user and login, until the login has begun.
    undo: Option<(&'d Desk, String, LoginId)>,
    /// The user's logins that are too many.
    surplus: Vec<LoginRow>,
    is_new_client: bool,
}

impl Registered<'_> {
    /// The login has begun, so its row stays.
    pub(super) fn keep(&mut self) {
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

impl<'r, U: UserMixin> LoginSession<'r, U> {
    /// Enters a new login, with the text that says how it began.
    pub(super) async fn register(
        &self,
        (session, remember): (&Token, Option<&Token>),
        presented: &[(Token, &KeySet)],
        client: &ClientInfo<'_>,
        how: &str,
        now: UnixTime,
    ) -> Result<Registered<'r>, LoginError> {
        let core = &self.realm.core;
        let Some(desk) = &core.desk else {
            return Ok(Registered::default());
        };
        let uid = session.uid.as_str();
        let Some(row) = core.row(session, remember, client, now) else {
            let error = std::io::Error::other("a login has no handle");
            return Err(LoginError::Random(error));
        };
        let row = LoginRow {
            how: text(how),
            ..row
        };
        let max = core.config.max_logins_per_user;
        let new = Begin {
            users: desk.users(uid),
            replaced: presented.iter().map(|(token, _)| token.login_id).collect(),
            max: max.filter(|_| core.config.at_login_limit == AtLimit::Refuse),
            row,
            now,
        };
        let mut registered = Registered::default();
        registered.undo = Some((desk, uid.to_owned(), new.row.login));
        let answer = match desk.begin(&new).await {
            Ok(Begun::Full(rows)) => self.make_room(desk, &new, uid, rows).await,
            answer => answer.map_err(LoginError::from),
        };
        let others = match answer {
            Ok(Begun::Inserted(others)) => others,
            Ok(Begun::Full(_)) => return Err(LoginError::TooManyLogins),
            Err(error @ LoginError::Registry(_)) if !core.config.require_login_registry => {
                error!(
                    "{error}; the user logs in all the same, as `login.require_login_registry` says"
                );
                // It may be there, and the next renewal writes it in any case.
                registered.keep();
                return Ok(registered);
            }
            Err(error) => return Err(error),
        };
        let mut others = core.going_on(uid, others, now).await?;
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
    ) -> Result<Begun, LoginError> {
        let logins: Vec<_> = rows.iter().map(|row| row.login).collect();
        let going_on = self.realm.core.going_on(uid, rows, begin.now).await?;
        let is_over = |login: &LoginId| going_on.iter().all(|row| row.login != *login);
        let over: Vec<_> = logins.into_iter().filter(is_over).collect();
        desk.end_now(uid, &over).await?;
        Ok(desk.begin(begin).await?)
    }

    /// Notifies the listeners of a login that has begun.
    pub(super) async fn announce(&self, user: &U, login: LoginId, registered: &Registered<'_>) {
        self.emit(EventKind::LoggedIn, Some(user), Some(login))
            .await;
        if registered.is_new_client {
            self.emit(EventKind::NewClient, Some(user), Some(login))
                .await;
        }
    }

    /// Ends the logins that are too many.
    pub(super) async fn end_surplus(
        &self,
        uid: &str,
        registered: &Registered<'_>,
        now: UnixTime,
    ) -> Result<(), LoginError> {
        for row in &registered.surplus {
            self.end_row(uid, row, now).await?;
        }
        Ok(())
    }

    /// Ends the login of a row. Returns whether it had not ended before.
    pub(super) async fn end_row(
        &self,
        uid: &str,
        row: &LoginRow,
        now: UnixTime,
    ) -> Result<bool, LoginError> {
        let core = &self.realm.core;
        let end = RevokeSession {
            session: core.login_of(uid, row),
            successor: None,
            now,
            until: core.row_dead_until(row),
        };
        let revoked = core.revocations.revoke(end).await?;
        if let Some(desk) = &core.desk {
            desk.end(uid, row.login);
        }
        Ok(revoked != Revoked::Before)
    }
}
