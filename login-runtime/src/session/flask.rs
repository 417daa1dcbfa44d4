//! The verbs and Flask's cookies.

use super::presented::Tokens;
use super::{LoginError, LoginSession};
use crate::app::user::{UserMixin, has_id};
use crate::clock::UnixTime;
use crate::login::flask;
use crate::request::client_info::ClientInfo;
use crate::revocation::RevokeUser;
use crate::token::times::MAX_REMEMBER;
use crate::token::{Flags, Kind};

impl<U: UserMixin> LoginSession<'_, U> {
    /// Adds the login that Flask's cookies show, which another request may be bringing across at this moment.
    pub(super) fn add_flask<'k>(&'k self, client: &ClientInfo<'_>, tokens: &mut Tokens<'k>) {
        let core = &self.realm.core;
        let Some((kinds, sessions)) = flask::shown(core, self.req, client) else {
            return;
        };
        tokens.flask.kinds = kinds;
        for mut token in sessions {
            // Its entry in the list must outlast every cookie that it can begin a login from.
            token.flags.insert(Flags::REMEMBERED);
            tokens.flask.uid = Some(token.uid.to_string());
            tokens.genuine.push((token, core.ring.current()));
        }
    }

    /// Returns the Flask cookies that a logout removes: those that came, and those that browsers may hide from this page.
    pub(super) fn flask_removal(&self, tokens: &Tokens<'_>) -> Vec<Kind> {
        let Some(flask) = self.realm.core.flask(self.realm.core.clock.now()) else {
            return Vec::new();
        };
        let goes = |kind: &Kind| {
            tokens.flask.kinds.contains(kind) || flask.cookies.cookie(*kind).path != "/"
        };
        [Kind::Session, Kind::Remember]
            .into_iter()
            .filter(goes)
            .collect()
    }

    /// Removes the Flask cookies at a login of this user: side by side, only those of other users.
    pub(super) fn forget_flask(&self, tokens: &Tokens<'_>, user: &U) {
        let flask = self.realm.core.flask.as_ref();
        let stays = flask.is_some_and(|flask| flask.cookies.stays);
        let is_theirs = tokens
            .flask
            .uid
            .as_deref()
            .is_some_and(|uid| has_id(user, uid));
        self.visit.change(|pending| {
            pending.flask_gone = if stays && is_theirs {
                Vec::new()
            } else {
                tokens.flask.kinds.clone()
            };
        });
    }

    /// Ends, for these users, every cookie that Flask has signed up to now.
    pub(super) async fn end_flask<'t>(
        &self,
        users: impl Iterator<Item = &'t str> + Send,
        now: UnixTime,
    ) -> Result<(), LoginError> {
        let core = &self.realm.core;
        if core.flask(now).is_none() {
            return Ok(());
        }
        let mut users: Vec<_> = users.collect();
        users.sort_unstable();
        users.dedup();
        for uid in users {
            core.revocations
                .revoke_user(RevokeUser {
                    realm: &core.name,
                    user_id: &core.ring.current().flask_user(uid),
                    except: None,
                    now,
                    until: now.plus(MAX_REMEMBER),
                })
                .await?;
        }
        Ok(())
    }
}
