//! A login that begins enters the registry, if there is one.

use super::{LoginError, LoginSession};
use crate::app::event::EventKind;
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::logins::LoginRow;
use crate::logins::row::text;
use crate::realm::registered::{NotRegistered, Registered};
use crate::request::client_info::ClientInfo;
use crate::token::keys::KeySet;
use crate::token::{LoginId, Token};

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
        let row = core.row(desk, session, remember, client, now);
        let row = LoginRow {
            how: text(how),
            ..row.map_err(LoginError::Random)?
        };
        let replaced = presented.iter().map(|(token, _)| token.login_id).collect();
        let registered = core.register(desk, &session.uid, row, replaced, now).await;
        registered.map_err(|error| match error {
            NotRegistered::Full => LoginError::TooManyLogins,
            NotRegistered::Registry(error) => error.into(),
            NotRegistered::List(error) => error.into(),
        })
    }

    /// Notifies the listeners of a login that has begun, and then remembers its client.
    pub(super) async fn announce(&self, user: &U, login: LoginId, registered: &Registered<'_>) {
        self.emit(EventKind::LoggedIn, Some(user), Some(login))
            .await;
        if registered.is_new_client {
            self.emit(EventKind::NewClient, Some(user), Some(login))
                .await;
        }
        registered.remember_client().await;
    }
}
