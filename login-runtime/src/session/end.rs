//! How the verbs end sessions.

use super::{LoginError, LoginSession};
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::revocation::{RevokeSession, RevokeUser, Revoked, SessionRef};
use crate::token::keys::KeySet;
use crate::token::times::{self, MAX_REMEMBER};
use crate::token::{Kind, Token};

/// The sessions that a verb has ended, each with its user id and what the list answered.
pub(super) struct Ended<'t>(Vec<(&'t str, Revoked)>);

impl Ended<'_> {
    /// Whether one of the sessions had ended before.
    pub(super) fn had_ended(&self) -> bool {
        self.0
            .iter()
            .any(|(_, revoked)| *revoked == Revoked::Before)
    }

    /// If a full list has ended all sessions of the user, dates the tokens of the new login after that.
    pub(super) fn date_after<'t>(&self, tokens: impl Iterator<Item = &'t mut Token>) {
        for token in tokens {
            for (uid, revoked) in &self.0 {
                if let Revoked::WithUser { not_before } = revoked
                    && *uid == token.uid
                {
                    token.created_at = token.created_at.max(*not_before);
                }
            }
        }
    }
}

impl<U: UserMixin> LoginSession<'_, U> {
    /// Ends the sessions of these tokens.
    pub(super) async fn revoke<'t>(
        &self,
        tokens: &'t [(Token, &KeySet)],
        now: UnixTime,
    ) -> Result<Ended<'t>, LoginError> {
        let core = &self.realm.core;
        let mut ended = Vec::new();
        for (token, _) in tokens {
            // The remember token with the same session id determines how long the session can live.
            let is_covered = token.kind == Kind::Session
                && tokens.iter().any(|(other, _)| {
                    other.kind == Kind::Remember && other.session_id == token.session_id
                });
            if !is_covered {
                let session = SessionRef::of(token);
                let until = times::dead_until(token, now, core.config.longest_session());
                let end = RevokeSession {
                    session,
                    now,
                    until,
                };
                ended.push((token.uid.as_str(), core.revocations.revoke(end).await?));
            }
        }
        Ok(Ended(ended))
    }

    /// Ends every login that a user has at this moment; later logins are valid.
    pub(super) async fn revoke_user(&self, uid: &str, now: UnixTime) -> Result<(), LoginError> {
        let core = &self.realm.core;
        let not_before = core.revocations.not_before(uid, now).await?;
        core.revocations
            .revoke_user(RevokeUser {
                user_id: uid,
                not_before: not_before.map_or(now, |held| held.max(now)).plus(1),
                now,
                until: now.plus(MAX_REMEMBER).plus(core.config.longest_session()),
            })
            .await?;
        Ok(())
    }
}
