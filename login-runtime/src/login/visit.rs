//! The state of one request for one user type, kept in Rocket's request-local cache.
//!
//! | state | meaning | what follows |
//! | --- | --- | --- |
//! | [`Unasked`](Who::Unasked) | no guard has asked for the user | a search gives `Found` or `Failed` |
//! | [`Found`](Who::Found) | the request's user, or nobody, with the session that it came with or began | stays, unless the handler changes the login |
//! | [`LoggedIn`](Who::LoggedIn) | the handler logged a user in or confirmed the login | the next question loads that user; a failed loader gives `Failed` |
//! | [`LoggedOut`](Who::LoggedOut) | the handler logged the user out | stays |
//! | [`Failed`](Who::Failed) | a loader or the revocation list failed | stays, unless the handler changes the login |
//!
//! `login_user` and `confirm_login` lead to `LoggedIn` from every state, a logout to `LoggedOut`. What they change
//! goes out with the response, unless a server error undoes it. What a search changes (a renewed, restored or dead
//! cookie) goes out only if nothing failed and the handler changed nothing.

use std::any::Any;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rocket::Request;
use rocket::futures::lock;
use rocket::http::Method;

use super::cookie::LoginCookie;
use super::fate::Fates;
use super::findings::Findings;
use super::pending::{Change, NextChange, Pending};
use super::search::{self, Answer, Session};
use crate::app::event::EventKind;
use crate::app::failure::LoadError;
use crate::app::user::{UserMixin, has_id};
use crate::clock::UnixTime;
use crate::realm::any::{AnyRealm, AnyVisit, Standing};
use crate::realm::unavailable::Unavailable;
use crate::realm::{Realm, RealmCore};
use crate::request::client_info::ClientInfo;
use crate::request::cross_site::Refusal;
use crate::revocation::replicated::freshness::Trust;
use crate::soon::Soon::{self, Later, Now};
use crate::token::Token;

pub(crate) struct Visit<U> {
    state: Mutex<State>,
    findings: Findings<U>,
    /// The user whom the handler logged in.
    newcomer: OnceLock<U>,
    /// Whether the request comes from this site, or why it may not change anything.
    site: Result<(), Refusal>,
    /// The method for which that is. A fairing may change it after another one has asked for the user.
    method: Method,
    /// Held during a search; other guards of the request wait for its answer.
    turn: lock::Mutex<()>,
    /// Whether the search is running right now: a question in this moment comes from inside the search.
    searching: AtomicBool,
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts beside the state"
)]
struct State {
    who: Who,
    /// Whether the handler changed the login.
    changed: bool,
    /// Whether a loader, the revocation list or a condition failed.
    failed: bool,
    /// Whether the response depends on a cookie of the realm.
    read: bool,
    /// Whether the response has taken its cookies.
    answered: bool,
    /// The users whose logins the handler has ended, all of each.
    ended_users: Vec<String>,
    pending: Pending,
}

/// Who is logged in.
#[derive(Default)]
enum Who {
    #[default]
    Unasked,
    Found {
        session: Session,
    },
    LoggedIn {
        session: Arc<Token>,
        user: Slot,
    },
    LoggedOut,
    Failed(Unavailable),
}

/// Where the user is whom the handler logged in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// Not loaded yet.
    Unloaded,
    Found,
    Newcomer,
    /// The loader knows no such user.
    Nobody,
}

/// The login of a request at this moment, as far as it is known.
pub(crate) enum LoginNow {
    /// No guard has asked.
    Unasked,
    Nobody,
    /// The request loader knows the user.
    WithoutSession,
    Session(Token),
}

/// What a request leaves to its response.
pub(crate) struct Outcome {
    pub(crate) pending: Pending,
    pub(crate) depends_on_user: bool,
    /// The session of a login that must end again.
    pub(crate) undone: Option<Arc<Token>>,
    /// What became of the cookies, for the log.
    pub(crate) fates: Fates,
}

/// Who is logged in at this moment.
pub(crate) struct Current<'r, U> {
    pub(crate) user: Option<&'r U>,
    /// When the credentials were given; `None` for a login that is not fresh.
    pub(crate) auth_at: Option<UnixTime>,
    /// How far the login can be trusted. By an old copy of the store, none is fresh.
    trust: Trust,
}

impl<U: UserMixin> Current<'_, U> {
    /// Returns the standing. A forced login of an inactive user counts as no login.
    pub(crate) fn standing(&self) -> Standing {
        match self.user {
            Some(user) if user.is_authenticated() => Standing::LoggedIn {
                auth_at: self.auth_at,
                trust: self.trust,
            },
            _ => Standing::Anonymous,
        }
    }
}

impl<U: UserMixin> Visit<U> {
    /// Returns the state of a request; it begins with reading the headers.
    pub(crate) fn of<'r>(core: &RealmCore, req: &'r Request<'_>) -> &'r Visit<U> {
        req.local_cache(|| Self::begin(core, req, &core.client(req)))
    }

    /// Returns the state of a request and, if it begins now, what it has read of the headers.
    pub(crate) fn and_client<'r>(
        core: &RealmCore,
        req: &'r Request<'_>,
    ) -> (&'r Visit<U>, Option<ClientInfo<'r>>) {
        let mut client = None;
        let visit = req.local_cache(|| Self::begin(core, req, client.insert(core.client(req))));
        (visit, client)
    }

    fn begin(core: &RealmCore, req: &Request<'_>, client: &ClientInfo<'_>) -> Self {
        Visit {
            state: Mutex::default(),
            findings: Findings::begin(core, req, client),
            newcomer: OnceLock::new(),
            method: req.method(),
            site: core.check_site(req, client),
            turn: lock::Mutex::new(()),
            searching: AtomicBool::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after any panic, since each change to it is a single step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns who is logged in now, after any login or logout in this request.
    pub(crate) fn current<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Soon<'r, Result<Current<'r, U>, Unavailable>> {
        match self.known() {
            Some(current) => Now(current),
            None => self.search(realm, req),
        }
    }

    /// Returns the session token of the user who is logged in now.
    pub(crate) async fn session(
        &self,
        realm: &Realm<U>,
        req: &Request<'_>,
    ) -> Result<Option<Token>, Unavailable> {
        if self.current(realm, req).await?.user.is_none() {
            return Ok(None);
        }
        Ok(self.token(&self.state().who).cloned())
    }

    /// Returns the login at this moment, without a search.
    pub(crate) fn login_now(&self) -> LoginNow {
        let who = &self.state().who;
        match (self.token(who), who) {
            (Some(token), _) => LoginNow::Session(token.clone()),
            (None, Who::Unasked) => LoginNow::Unasked,
            (None, Who::Found { .. }) if self.findings.user.get().is_some() => {
                LoginNow::WithoutSession
            }
            (None, _) => LoginNow::Nobody,
        }
    }

    /// Returns the session token of a state.
    fn token<'a>(&'a self, who: &'a Who) -> Option<&'a Token> {
        match who {
            Who::Found { session } => match session {
                Session::None => None,
                Session::AsPresented => match &self.findings.session {
                    LoginCookie::Genuine(cookie) => Some(&cookie.token),
                    _ => None,
                },
                Session::New(token) => Some(token),
            },
            Who::LoggedIn { session, .. } => Some(session),
            Who::Unasked | Who::LoggedOut | Who::Failed(_) => None,
        }
    }

    /// Changes the login on behalf of the handler.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Pending)) {
        let mut state = self.state();
        state.changed = true;
        change(&mut state.pending);
        state.who = match &state.pending.session {
            Some(Change::Set(session)) => Who::LoggedIn {
                user: self.slot_of(&session.uid),
                session: Arc::clone(session),
            },
            _ => Who::LoggedOut,
        };
    }

    /// Returns where a user is who was loaded before in this request.
    fn slot_of(&self, uid: &str) -> Slot {
        let is_in = |slot: &OnceLock<U>| slot.get().is_some_and(|user| has_id(user, uid));
        if is_in(&self.findings.user) {
            Slot::Found
        } else if is_in(&self.newcomer) {
            Slot::Newcomer
        } else {
            Slot::Unloaded
        }
    }

    /// Keeps the wanted page in a cookie of the response.
    pub(crate) fn keep_next(&self, next: Option<String>) {
        self.state().pending.next = next.map(NextChange::Set);
    }

    /// Removes the wanted page that a cookie keeps.
    pub(crate) fn forget_next(&self) {
        self.state().pending.next = Some(NextChange::Remove);
    }

    /// Drops what a search has found to change.
    #[cfg(feature = "device-binding")]
    pub(crate) fn drop_changes(&self) {
        self.state().pending = Pending::default();
    }

    /// Returns the pending change of the remember cookie.
    pub(crate) fn pending_remember(&self) -> Option<Change> {
        self.state().pending.remember.clone()
    }

    /// Returns the session of a login that the handler has begun or confirmed, and not ended.
    pub(crate) fn new_session(&self) -> Option<Token> {
        match &self.state().who {
            Who::LoggedIn { session, .. } => Some(Token::clone(session)),
            _ => None,
        }
    }

    /// Notes that the handler has ended all logins of a user.
    pub(crate) fn note_ended_user(&self, uid: &str) {
        self.state().ended_users.push(uid.to_owned());
    }

    /// Whether the handler has ended all logins of a user.
    pub(crate) fn has_ended_user(&self, uid: &str) -> bool {
        self.state().ended_users.iter().any(|user| user == uid)
    }

    /// Takes what the response must carry. `is_error` says whether the response is a server error.
    pub(crate) fn take_outcome(&self, is_error: bool) -> Outcome {
        let mut state = self.state();
        state.answered = true;
        let depends_on_user = state.read || !matches!(state.who, Who::Unasked);
        let mut pending = std::mem::take(&mut state.pending);
        let mut undone = None;
        // After a failure write no cookies, except those of a login change that was accepted.
        if !state.changed && state.failed {
            pending = Pending::default();
        }
        // A server error grants nothing: a login that has begun is undone, and a confirmation does not count as fresh.
        if is_error
            && state.changed
            && let Some(Change::Set(session)) = &mut pending.session
        {
            Arc::make_mut(session).auth_at = None;
            if pending.has_begun {
                undone = Some(session.clone());
                pending = Pending::default();
            }
        }
        Outcome {
            pending,
            depends_on_user,
            undone,
            fates: self.findings.fates(),
        }
    }

    /// Whether the response has taken its cookies, so that a login would not reach the browser.
    pub(crate) fn has_answered(&self) -> bool {
        self.state().answered
    }

    /// Returns who is logged in, if that is known.
    pub(crate) fn known(&self) -> Option<Result<Current<'_, U>, Unavailable>> {
        let state = self.state();
        let (user, trust) = match &state.who {
            Who::Unasked
            | Who::LoggedIn {
                user: Slot::Unloaded,
                ..
            } => return None,
            Who::Failed(error) => return Some(Err(error.clone())),
            Who::LoggedOut => (None, Trust::Fresh),
            Who::Found { .. } => (self.findings.user.get(), self.findings.trust()),
            Who::LoggedIn { user, .. } => {
                let user = match user {
                    Slot::Found => self.findings.user.get(),
                    Slot::Newcomer => self.newcomer.get(),
                    Slot::Unloaded | Slot::Nobody => None,
                };
                (user, Trust::Fresh)
            }
        };
        let session = self.token(&state.who).filter(|_| trust == Trust::Fresh);
        Some(Ok(Current {
            user,
            auth_at: user.and(session).and_then(|session| session.auth_at),
            trust,
        }))
    }

    /// Finds out who is logged in, once for all guards that ask.
    fn search<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Soon<'r, Result<Current<'r, U>, Unavailable>> {
        let search_once = move || self.search_once(realm, req);
        search_once().then(move |current| match current {
            Some(current) => Now(current),
            // A listener to the search has changed the login.
            None => search_once().map(|current| {
                let error = || LoadError::new("the login changed during each search for its user");
                current.unwrap_or_else(|| Err(error().into()))
            }),
        })
    }

    fn search_once<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Soon<'r, Option<Result<Current<'r, U>, Unavailable>>> {
        // A question from inside the search would wait for its own answer.
        if self.searching.load(Ordering::Acquire) {
            let error = LoadError::new("a loader or one of its guards asks for the current user");
            return Now(Some(Err(error.into())));
        }
        let turn = match self.turn.try_lock() {
            Some(turn) => Now(turn),
            None => Later(Box::pin(self.turn.lock())),
        };
        turn.then(move |turn| {
            self.find(realm, req).then(move |searched| {
                drop(turn);
                match searched {
                    Some(searched) => self.emit(realm, req, searched),
                    None => Now(()),
                }
            })
        })
        .map(|()| self.known())
    }

    /// Searches for the user of the request or, after a login, loads the user who logged in.
    ///
    /// Returns whether a search failed; `None` if there was no search.
    fn find<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Soon<'r, Option<Result<(), Unavailable>>> {
        let begun = match &self.state().who {
            Who::Unasked => None,
            Who::LoggedIn {
                user: Slot::Unloaded,
                session,
            } => Some(session.clone()),
            // Another guard has found the answer while this one waited.
            _ => return Now(None),
        };
        if let Some(session) = begun {
            return Later(Box::pin(async move {
                self.find_newcomer(realm, req, &session).await;
                None
            }));
        }
        self.mark(|| search::find(realm, req, &self.findings))
            .map(|answer| Some(self.keep(answer)))
    }

    fn keep(&self, answer: Result<Answer, Unavailable>) -> Result<(), Unavailable> {
        let mut state = self.state();
        match answer {
            Ok(answer) => {
                // If a guard of the loader changed the login, that change wins.
                if !state.changed {
                    state.pending.session = answer.session_change;
                    state.pending.remember = answer.remember_change;
                    #[cfg(feature = "flask")]
                    {
                        state.pending.flask_gone = answer.flask_gone;
                    }
                    state.who = Who::Found {
                        session: answer.session,
                    };
                }
                Ok(())
            }
            Err(error) => {
                state.failed = true;
                if !state.changed {
                    state.who = Who::Failed(error.clone());
                }
                Err(error)
            }
        }
    }

    /// Loads the user whom the handler logged in.
    async fn find_newcomer(&self, realm: &Realm<U>, req: &Request<'_>, session: &Token) {
        let loaded = self.mark(|| search::load(realm, req, &session.uid)).await;
        let mut state = self.state();
        let slot = match &mut state.who {
            Who::LoggedIn { session: now, user } if now.session_id == session.session_id => user,
            // The handler has changed the login meanwhile.
            _ => return,
        };
        *slot = match loaded {
            // The slot is taken if the handler logged in two users and asked for both. Fails closed: nobody.
            Ok(Some(user)) => match self.newcomer.set(user) {
                Ok(()) => Slot::Newcomer,
                Err(_) => Slot::Nobody,
            },
            Ok(None) => Slot::Nobody,
            Err(error) => {
                state.failed = true;
                state.who = Who::Failed(error);
                return;
            }
        };
    }

    /// Marks the search as running while it runs, so that a loader that asks for the current user is detected.
    fn mark<'r, T: Send + 'r>(&'r self, search: impl FnOnce() -> Soon<'r, T>) -> Soon<'r, T> {
        let begun = {
            let _searching = Searching::begin(&self.searching);
            search()
        };
        match begun {
            Now(answer) => Now(answer),
            Later(mut answer) => Later(Box::pin(poll_fn(move |context| {
                let _searching = Searching::begin(&self.searching);
                answer.as_mut().poll(context)
            }))),
        }
    }

    /// Emits the events of a search, and logs its error.
    fn emit<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
        searched: Result<(), Unavailable>,
    ) -> Soon<'r, ()> {
        if let Err(error) = &searched {
            realm.core.log_failure(error, format_args!("{error}"));
        }
        if realm.listeners.is_empty() {
            return Now(());
        }
        Later(Box::pin(async move {
            let user = self.findings.user.get();
            realm.emit(req, EventKind::Accessed, user, None).await;
            for event in self.findings.take_events() {
                let user = self.findings.user_of(&event);
                realm.emit(req, event.kind, user, event.login).await;
            }
            if searched.is_err() {
                realm.emit(req, EventKind::LoaderFailed, None, None).await;
            }
        }))
    }
}

/// Clears the mark of a running search, even if user code panics.
struct Searching<'a>(&'a AtomicBool);

impl<'a> Searching<'a> {
    fn begin(searching: &'a AtomicBool) -> Self {
        searching.store(true, Ordering::Release);
        Searching(searching)
    }
}

impl Drop for Searching<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<U: UserMixin> AnyVisit for Visit<U> {
    fn has_read(&self) {
        self.state().read = true;
    }

    fn has_failed(&self) {
        self.state().failed = true;
    }

    fn site(&self, core: &RealmCore, req: &Request<'_>) -> Result<(), Refusal> {
        if req.method() == self.method {
            self.site
        } else {
            core.check_site(req, &core.client(req))
        }
    }
}

impl<U: UserMixin> AnyRealm for Realm<U> {
    fn core(&self) -> &RealmCore {
        &self.core
    }

    fn visit<'r>(&self, req: &'r Request<'_>) -> &'r dyn AnyVisit {
        Visit::<U>::of(&self.core, req)
    }

    fn standing<'r>(
        &'r self,
        visit: &'r dyn AnyVisit,
        req: &'r Request<'_>,
    ) -> Soon<'r, Result<Standing, Unavailable>> {
        let visit: &dyn Any = visit;
        let visit = visit.downcast_ref();
        let visit: &Visit<U> = visit.unwrap_or_else(|| Visit::of(&self.core, req));
        let current = visit.current(self, req);
        current.map(|current| Ok(current?.standing()))
    }
}
