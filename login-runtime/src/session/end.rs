//! How the verbs end logins.

use super::{LoginError, LoginSession};
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::login::search::LATE;
use crate::revocation::{RevokeRealm, RevokeSession, RevokeUser, Revoked, Successor};
use crate::token::Token;
use crate::token::keys::KeySet;
use crate::token::times::{self, MAX_REMEMBER};

/// The logins that a verb has ended, each with its user id and what the list answered.
pub(super) struct Ended<'t>(Vec<(&'t str, Revoked)>);

impl Ended<'_> {
    /// Whether one of the logins had ended before.
    pub(super) fn had_ended(&self) -> bool {
        self.0
            .iter()
            .any(|(_, revoked)| *revoked == Revoked::Before)
    }

    /// If a full list has ended all logins of the user, dates the tokens of the new login after that.
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

/// What takes the place of a login: its id, and when its last token has expired.
pub(super) type Replacement<'a> = (Successor<'a>, UnixTime);

impl<U: UserMixin> LoginSession<'_, U> {
    /// Ends the logins of these tokens, or the session ids that a confirmation replaces.
    pub(super) async fn end<'t>(
        &self,
        tokens: &'t [(Token, &KeySet)],
        replacement: Option<Replacement<'_>>,
        now: UnixTime,
    ) -> Result<Ended<'t>, LoginError> {
        let core = &self.realm.core;
        let mut ended: Vec<(&Token, Revoked)> = Vec::new();
        for (token, _) in tokens {
            if ended
                .iter()
                .any(|(other, _)| other.login_id == token.login_id)
            {
                continue;
            }
            let same_login = tokens
                .iter()
                .filter(|(other, _)| other.login_id == token.login_id);
            let until = same_login
                .map(|(token, _)| times::dead_until(token, core.config.longest_session()))
                .chain(replacement.map(|(_, until)| until))
                // A late request must find the entry, even if all tokens are about to expire.
                .fold(now.plus(LATE), UnixTime::max);
            let end = RevokeSession {
                session: core.session(token),
                successor: replacement.map(|(successor, _)| successor),
                now,
                until,
            };
            ended.push((token, core.revocations.revoke(end).await?));
            if let Some(desk) = &core.desk
                && !matches!(end.successor, Some(Successor::Session(_)))
            {
                desk.end(&token.uid, token.login_id);
            }
        }
        let of_user = |(token, revoked): (&'t Token, _)| (token.uid.as_str(), revoked);
        Ok(Ended(ended.into_iter().map(of_user).collect()))
    }

    /// When the last of these tokens of a new login has expired.
    pub(super) fn dead_until<'t>(&self, tokens: impl Iterator<Item = &'t Token>) -> UnixTime {
        let longest = self.realm.core.config.longest_session();
        tokens
            .map(|token| times::dead_until(token, longest))
            .fold(UnixTime::from_secs(0), UnixTime::max)
    }

    /// Ends every login that a user has at this moment; later logins are valid.
    pub(super) async fn revoke_user(&self, uid: &str, now: UnixTime) -> Result<(), LoginError> {
        self.revoke_but(uid, None, now).await?;
        self.visit.note_ended_user(uid);
        Ok(())
    }

    /// Ends every login that the user of a token has at this moment, but for the token's own.
    pub(super) async fn revoke_others(
        &self,
        kept: &Token,
        now: UnixTime,
    ) -> Result<(), LoginError> {
        match self.revoke_but(&kept.uid, Some(kept), now).await? {
            Revoked::Before => Err(LoginError::NotLoggedIn),
            Revoked::Now | Revoked::WithUser { .. } => Ok(()),
        }
    }

    async fn revoke_but(
        &self,
        uid: &str,
        except: Option<&Token>,
        now: UnixTime,
    ) -> Result<Revoked, LoginError> {
        let core = &self.realm.core;
        let ended = RevokeUser {
            realm: &core.name,
            user_id: uid,
            except: except.map(|token| core.session(token)),
            now,
            until: self.all_dead_until(now),
        };
        Ok(core.revocations.revoke_user(ended).await?)
    }

    /// Ends every login of the realm at this moment.
    pub(super) async fn revoke_realm(&self, now: UnixTime) -> Result<(), LoginError> {
        let core = &self.realm.core;
        let ended = RevokeRealm {
            realm: &core.name,
            now,
            until: self.all_dead_until(now),
        };
        Ok(core.revocations.revoke_realm(ended).await?)
    }

    /// When the last token of any login from before has expired.
    fn all_dead_until(&self, now: UnixTime) -> UnixTime {
        let longest = self.realm.core.config.longest_session();
        now.plus(MAX_REMEMBER).plus(longest)
    }

    /// Returns the date of a login that goes on although this request has ended all logins of its user.
    pub(super) async fn date_after_own_end(
        &self,
        uid: &str,
        now: UnixTime,
    ) -> Result<Option<UnixTime>, LoginError> {
        if !self.visit.has_ended_user(uid) {
            return Ok(None);
        }
        let core = &self.realm.core;
        Ok(Some(core.revocations.date(core.user(uid), now).await?))
    }
}
