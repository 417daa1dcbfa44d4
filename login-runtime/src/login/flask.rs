//! Flask's cookies: how one that Flask would accept becomes a login here.

use rocket::Request;

use super::fate::Fate;
use super::pending::Change;
use super::search::{Answer, Search, Session, Step, is_late, load};
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::flask::{FlaskLogin, Read, client_id};
use crate::logins::RegistryError;
use crate::realm::RealmCore;
use crate::realm::flask::{AcceptedFlask, PERIOD};
use crate::realm::id::IdError;
use crate::realm::registered::NotRegistered;
use crate::realm::unavailable::Unavailable;
use crate::request::client_info::ClientInfo;
use crate::revocation::replicated::freshness::Trust;
use crate::revocation::{RevocationError, SessionRef, SessionStatus};
use crate::soon::Soon::Later;
use crate::token::times::SKEW;
use crate::token::{Kind, Token};

/// What a login at Flask is worth here.
enum Worth {
    Holds {
        session: Box<Token>,
        remember: Option<Box<Token>>,
    },
    Refused,
    /// The user loader cannot read the id: a mistake of the application must not cost its users their cookies.
    Unreadable,
    /// Another request of this browser has just put another login in its place, so the response touches no cookie.
    Late,
}

impl<'r, U: UserMixin> Search<'r, '_, U> {
    /// Tries Flask's cookies, after no cookie of ours has logged anybody in.
    pub(super) fn try_flask(self, answer: Answer) -> Step<'r, Answer> {
        let core = &self.realm.core;
        let Some(flask) = core.flask(self.now) else {
            return self.ask_the_request_loader(answer);
        };
        let (fate, kinds) = match flask.read(self.req, self.now) {
            Read::Login(login) if comes_from_here(core, self.req) => {
                return Later(Box::pin(self.bring_across(flask, login, answer)));
            }
            Read::Nothing | Read::Login(_) => return self.ask_the_request_loader(answer),
            Read::Expired(kinds) => (Fate::Expired, kinds),
            Read::Future(kinds) => (Fate::Future, kinds),
            Read::Several => (Fate::Several, Vec::new()),
        };
        self.findings.note_flask(fate, None);
        self.ask_the_request_loader(answer.without(flask, kinds))
    }

    async fn bring_across(
        self,
        flask: &AcceptedFlask,
        login: FlaskLogin,
        answer: Answer,
    ) -> Result<Answer, Unavailable> {
        let client = self.realm.core.client(self.req);
        match self.judge_flask(flask, &login, &client).await? {
            Worth::Holds { session, remember } => {
                self.findings.note_flask(Fate::CameAcross, Some(&session));
                flask.count(&login);
                let answer = answer.without(flask, login.kinds);
                Ok(Answer {
                    session_change: Some(Change::from((*session).clone())),
                    session: Session::New(session),
                    remember_change: remember
                        .map(|remember| Change::from(*remember))
                        .or(answer.remember_change),
                    ..answer
                })
            }
            Worth::Refused => {
                let answer = answer.without(flask, login.kinds);
                self.ask_the_request_loader(answer).await
            }
            Worth::Unreadable => self.ask_the_request_loader(answer).await,
            Worth::Late => self.ask_the_request_loader(Answer::default()).await,
        }
    }

    /// The checks of a cookie of ours, in the same order, as far as Flask's cookies can be checked.
    async fn judge_flask(
        self,
        flask: &AcceptedFlask,
        login: &FlaskLogin,
        client: &ClientInfo<'_>,
    ) -> Result<Worth, Unavailable> {
        let core = &self.realm.core;
        let refuse = |fate, token: Option<&Token>| {
            self.findings.note_flask(fate, token);
            Ok(Worth::Refused)
        };
        match self.realm.check_id(&login.uid) {
            Ok(()) => {}
            Err(IdError::Empty | IdError::TooLong(_)) => return refuse(Fate::NoUser, None),
            Err(IdError::Unloadable(_)) => {
                flask.warn_of_id();
                return Ok(Worth::Unreadable);
            }
        }
        // Before the list is asked, so that an end in between is later than the login.
        let created_at = core
            .revocations
            .date(core.user(&login.uid), self.now)
            .await?;
        let (mut session, mut remember) =
            core.begin_from_flask(login, client, (created_at, self.now));
        // To the list, a cookie of Flask is a session that began when Flask signed it. It ends with its user's logins
        // here, or with the user's cookies from Flask, which no login that came across before does. A remember cookie
        // has no date, so it counts as older than any end.
        let signed_at = login.session.as_ref().map(|session| session.signed_at);
        let ended = core.ring.all().map(|keys| keys.flask_user(&login.uid));
        for user in std::iter::once(login.uid.clone()).chain(ended) {
            let shown = SessionRef {
                user_id: &user,
                created_at: signed_at.unwrap_or(UnixTime::from_secs(0)),
                ..core.session(&session)
            };
            let (status, trust) = core.revocations.status(shown, self.now).await?;
            if trust == Trust::Stale {
                return Err(RevocationError::old_copy("nobody comes across from Flask").into());
            }
            if is_late(status, self.now) {
                self.findings.note_flask(Fate::Replaced, Some(&session));
                return Ok(Worth::Late);
            }
            if status != SessionStatus::Open {
                return refuse(Fate::Ended, Some(&session));
            }
        }
        let Some(user) = load(self.realm, self.req, &login.uid).await? else {
            return refuse(Fate::NoUser, Some(&session));
        };
        if !user.is_active() {
            return refuse(Fate::Inactive, Some(&session));
        }
        if let Some(flasks) = &login.session
            && core.config.session_protection.ends(flasks.is_permanent)
            && let Some(bound_to) = &flasks.client_id
            && *bound_to != client_id(client.ip, client.user_agent)
        {
            return refuse(Fate::OtherClient, Some(&session));
        }
        for token in std::iter::once(&mut session).chain(&mut remember) {
            core.seal(token, &user, Some(client));
        }
        if !self.enter(&session, remember.as_ref(), client).await? {
            return refuse(Fate::TooMany, Some(&session));
        }
        self.findings.user.get_or_init(|| user);
        Ok(Worth::Holds {
            session: Box::new(session),
            remember: remember.map(Box::new),
        })
    }
}

impl<U: UserMixin> Search<'_, '_, U> {
    /// Enters a login into the registry. Returns whether its user may have one more, which only a limit waits for.
    async fn enter(
        self,
        session: &Token,
        remember: Option<&Token>,
        client: &ClientInfo<'_>,
    ) -> Result<bool, Unavailable> {
        let core = &self.realm.core;
        let (Some(desk), Some(_)) = (&core.desk, core.config.max_logins_per_user) else {
            core.seen(session, remember, client, self.now);
            return Ok(true);
        };
        let row = core.row(desk, session, remember, client, self.now);
        let row = row.map_err(RegistryError::new)?;
        // Another request of this browser may have entered it a moment ago.
        let replaced = vec![session.login_id];
        let registered = core.register(desk, &session.uid, row, replaced, self.now);
        match registered.await {
            Ok(mut registered) => {
                core.end_surplus(&session.uid, &registered, self.now)
                    .await?;
                registered.keep();
                Ok(true)
            }
            Err(NotRegistered::Full) => Ok(false),
            Err(NotRegistered::Registry(error)) => Err(error.into()),
            Err(NotRegistered::List(error)) => Err(error.into()),
        }
    }
}

impl Answer {
    /// Removes cookies of Flask, unless they are to stay.
    fn without(self, flask: &AcceptedFlask, kinds: Vec<Kind>) -> Self {
        Self {
            flask_gone: if flask.cookies.stays {
                Vec::new()
            } else {
                kinds
            },
            ..self
        }
    }
}

/// Whether a browser would send a cookie with `SameSite=Lax`, as ours have it, with this request.
///
/// Flask's cookies have no `SameSite` by default, and some browsers then send them with every request of any site.
fn comes_from_here(core: &RealmCore, req: &Request<'_>) -> bool {
    let client = core.client(req);
    let site = client.sec_fetch_site;
    let header = |name| req.headers().get_one(name);
    let opens_a_page = header("Sec-Fetch-Mode") == Some("navigate")
        && header("Sec-Fetch-Dest") == Some("document");
    core.check_site(req, &client).is_ok()
        && !site.disagrees
        && (site.value != Some("cross-site") || opens_a_page)
}

/// Begins, for the verbs, the tokens of every login that another request may have begun from Flask's cookies of this one.
pub(crate) fn shown(
    core: &RealmCore,
    req: &Request<'_>,
    client: &ClientInfo<'_>,
) -> Option<(Vec<Kind>, Vec<Token>)> {
    let now = core.clock.now();
    let flask = core.flask(now)?;
    match flask.read(req, now) {
        Read::Nothing => None,
        Read::Login(login) => {
            // That request may have come before, or to a server whose clock differs.
            let earlier = UnixTime::from_secs(now.as_secs().saturating_sub(PERIOD));
            let begin = |at| core.begin_from_flask(&login, client, (now, at)).0;
            let mut sessions = [earlier, now, now.plus(SKEW)].map(begin).to_vec();
            sessions.dedup_by_key(|session| session.login_id);
            Some((login.kinds, sessions))
        }
        Read::Expired(kinds) | Read::Future(kinds) => Some((kinds, Vec::new())),
        Read::Several => Some((vec![Kind::Session, Kind::Remember], Vec::new())),
    }
}
