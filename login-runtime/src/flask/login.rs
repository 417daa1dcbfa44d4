//! Which login the Flask cookies of a request show.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::error;

use super::remember_token;
use super::session_cookie::{self, FlaskSession};
use super::settings::Flask;
use crate::clock::UnixTime;
use crate::token::Kind;
use crate::token::times::SKEW;

/// A login at Flask that Flask itself would accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlaskLogin {
    /// The user's id here, after its conversion.
    pub(crate) uid: String,
    /// The session; `None` if only the remember cookie shows the login.
    pub(crate) session: Option<FlaskSession>,
    /// Whether there is a remember cookie of the same user.
    pub(crate) is_remembered: bool,
    /// The text that tells this login from every other one.
    pub(crate) shown: String,
    /// The kinds of the genuine cookies.
    pub(crate) kinds: Vec<Kind>,
}

/// What the Flask cookies of a request are worth, before anybody has looked for their user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// No genuine cookie, or one of a user who does not belong to this realm.
    Nothing,
    Login(FlaskLogin),
    /// Flask would not accept the session any more.
    Expired(Vec<Kind>),
    /// The session is dated in the future.
    Future(Vec<Kind>),
    /// Several genuine cookies of one name: a sibling host may have planted one.
    Several,
}

impl Flask {
    /// Reads all values of the session cookie and of the remember cookie.
    ///
    /// As in Flask-Login, the session decides, and the remember cookie counts if no session does.
    pub(crate) fn read(&self, sessions: &[&str], tokens: &[&str], now: UnixTime) -> Read {
        let mut sessions = sessions
            .iter()
            .filter_map(|value| Some((*value, session_cookie::decode(value, &self.session_keys)?)));
        let mut tokens = tokens.iter().filter_map(|value| {
            Some((
                *value,
                remember_token::decode(value, self.remember_key.as_ref()?)?,
            ))
        });
        let (session, token) = (sessions.next(), tokens.next());
        if sessions.next().is_some() || tokens.next().is_some() {
            return Read::Several;
        }
        let kinds = [
            session.is_some().then_some(Kind::Session),
            token.is_some().then_some(Kind::Remember),
        ];
        let kinds: Vec<_> = kinds.into_iter().flatten().collect();
        let lapsed = session
            .as_ref()
            .and_then(|(_, session)| self.lapsed(session, now));
        let (shown, id, session, is_remembered) = match (session, token) {
            (Some((shown, session)), token) if lapsed.is_none() => {
                let id = session.user_id.clone();
                let is_remembered = token.is_some_and(|(_, remembered)| remembered == id);
                (shown, id, Some(session), is_remembered)
            }
            (_, Some((shown, id))) => (shown, id, None, true),
            (_, None) => {
                return match lapsed {
                    Some(Lapsed::Expired) => Read::Expired(kinds),
                    Some(Lapsed::Future) => Read::Future(kinds),
                    None => Read::Nothing,
                };
            }
        };
        match self.converted(&id) {
            Some(uid) => Read::Login(FlaskLogin {
                uid,
                session,
                is_remembered,
                shown: shown.to_owned(),
                kinds,
            }),
            None => Read::Nothing,
        }
    }

    fn lapsed(&self, session: &FlaskSession, now: UnixTime) -> Option<Lapsed> {
        if session.signed_at > now.plus(SKEW) {
            Some(Lapsed::Future)
        } else if now.since(session.signed_at) > self.max_age {
            Some(Lapsed::Expired)
        } else {
            None
        }
    }

    /// Returns the id of the user here; `None` if the user is not of this realm.
    fn converted(&self, id: &str) -> Option<String> {
        let Some(convert) = &self.convert_id else {
            return Some(id.to_owned());
        };
        catch_unwind(AssertUnwindSafe(|| convert(id))).unwrap_or_else(|_| {
            error!("the function of `FlaskCookies::convert_id` panicked, so that user is nobody");
            None
        })
    }
}

#[derive(Clone, Copy)]
enum Lapsed {
    Expired,
    Future,
}
