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
//! goes out with the response, unless a server error undoes it. What a search changes (a renewed, restored or dead cookie) goes out only if
//! nothing failed and the handler changed nothing.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rocket::Request;
use rocket::futures::future::BoxFuture;
use rocket::tokio::sync;

use super::fate::Fates;
use super::pending::{Change, NextChange, Pending};
use super::search::{self, Answer, Report};
use crate::app::event::EventKind;
use crate::app::failure::LoadError;
use crate::app::user::{UserMixin, has_id};
use crate::clock::UnixTime;
use crate::realm::any::{AnyRealm, Standing};
use crate::realm::unavailable::Unavailable;
use crate::realm::{Realm, RealmCore};
use crate::token::Token;

pub(crate) struct Visit<U> {
    state: Mutex<State>,
    /// The user of the request. Apart from the state, since guards hand out references to it.
    found: OnceLock<U>,
    /// The user whom the handler logged in.
    newcomer: OnceLock<U>,
    /// Held during a search; other guards of the request wait for its answer.
    turn: sync::Mutex<()>,
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts beside the state"
)]
struct State {
    who: Who,
    /// Whether the search is being polled right now: a question in this moment comes from inside the search.
    searching: bool,
    /// Whether the handler changed the login.
    changed: bool,
    /// Whether a loader, the revocation list or a condition failed.
    failed: bool,
    /// Whether the response depends on a cookie of the realm.
    read: bool,
    /// Whether the response has taken its cookies.
    answered: bool,
    fates: Fates,
    pending: Pending,
}

/// Who is logged in.
#[derive(Default)]
enum Who {
    #[default]
    Unasked,
    Found {
        session: Option<Token>,
    },
    LoggedIn {
        session: Box<Token>,
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

/// What a request leaves to its response.
pub(crate) struct Outcome {
    pub(crate) pending: Pending,
    pub(crate) depends_on_user: bool,
    /// The session of a login that must end again.
    pub(crate) undone: Option<Box<Token>>,
    /// What became of the cookies, for the log.
    pub(crate) fates: Fates,
}

/// Who is logged in at this moment.
pub(crate) struct Current<'r, U> {
    pub(crate) user: Option<&'r U>,
    /// When the credentials were given; `None` for a login that is not fresh.
    pub(crate) auth_at: Option<UnixTime>,
}

impl<U: UserMixin> Current<'_, U> {
    /// Returns the standing. A forced login of an inactive user counts as no login.
    pub(crate) fn standing(&self) -> Standing {
        match self.user {
            Some(user) if user.is_authenticated() => Standing::LoggedIn {
                auth_at: self.auth_at,
            },
            _ => Standing::Anonymous,
        }
    }
}

impl<U: UserMixin> Visit<U> {
    pub(crate) fn of<'r>(req: &'r Request<'_>) -> &'r Visit<U> {
        req.local_cache(|| Visit {
            state: Mutex::default(),
            found: OnceLock::new(),
            newcomer: OnceLock::new(),
            turn: sync::Mutex::new(()),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Returns who is logged in now, after any login or logout in this request.
    pub(crate) async fn current<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Result<Current<'r, U>, Unavailable> {
        match self.known() {
            Some(current) => current,
            // Boxed, so that a guard whose user is known does not carry the future of a search.
            None => Box::pin(self.search(realm, req)).await,
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
        Ok(match &self.state().who {
            Who::Found { session } => session.clone(),
            Who::LoggedIn { session, .. } => Some((**session).clone()),
            Who::Unasked | Who::LoggedOut | Who::Failed(_) => None,
        })
    }

    /// Changes the login on behalf of the handler.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Pending)) {
        let mut state = self.state();
        state.changed = true;
        change(&mut state.pending);
        state.who = match &state.pending.session {
            Some(Change::Set(session)) => Who::LoggedIn {
                user: self.slot_of(&session.uid),
                session: session.clone(),
            },
            _ => Who::LoggedOut,
        };
    }

    /// Returns where a user is who was loaded before in this request.
    fn slot_of(&self, uid: &str) -> Slot {
        let is_in = |slot: &OnceLock<U>| slot.get().is_some_and(|user| has_id(user, uid));
        if is_in(&self.found) {
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

    /// Returns the pending change of the remember cookie.
    pub(crate) fn pending_remember(&self) -> Option<Change> {
        self.state().pending.remember.clone()
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
            session.auth_at = None;
            if pending.has_begun {
                undone = Some(session.clone());
                pending = Pending::default();
            }
        }
        Outcome {
            pending,
            depends_on_user,
            undone,
            fates: state.fates,
        }
    }

    /// Whether the response has taken its cookies, so that a login would not reach the browser.
    pub(crate) fn has_answered(&self) -> bool {
        self.state().answered
    }

    /// Notes that the response depends on a cookie of the realm.
    pub(crate) fn has_read(&self) {
        self.state().read = true;
    }

    /// Returns who is logged in, if that is known.
    pub(crate) fn known(&self) -> Option<Result<Current<'_, U>, Unavailable>> {
        let state = self.state();
        let (user, session) = match &state.who {
            Who::Unasked
            | Who::LoggedIn {
                user: Slot::Unloaded,
                ..
            } => return None,
            Who::Failed(error) => return Some(Err(error.clone())),
            Who::LoggedOut => (None, None),
            Who::Found { session } => (self.found.get(), session.as_ref()),
            Who::LoggedIn { session, user } => {
                let user = match user {
                    Slot::Found => self.found.get(),
                    Slot::Newcomer => self.newcomer.get(),
                    Slot::Unloaded | Slot::Nobody => None,
                };
                (user, Some(&**session))
            }
        };
        Some(Ok(Current {
            user,
            auth_at: user.and(session).and_then(|session| session.auth_at),
        }))
    }

    /// Finds out who is logged in, once for all guards that ask.
    async fn search<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Result<Current<'r, U>, Unavailable> {
        // A question from inside the search would wait for its own answer.
        if self.state().searching {
            return Err(
                LoadError::new("a loader or one of its guards asks for the current user").into(),
            );
        }
        // Twice, since a listener to the first search may change the login.
        for _ in 0..2 {
            let turn = match self.turn.try_lock() {
                Ok(turn) => turn,
                Err(_) => self.turn.lock().await,
            };
            // Another guard may have found the answer while this one waited.
            let report = match self.known() {
                None => self.find(realm, req).await,
                Some(_) => None,
            };
            drop(turn);
            if let Some(report) = report {
                self.emit(realm, req, report).await;
            }
            if let Some(current) = self.known() {
                return current;
            }
        }
        Err(LoadError::new("the login changed during each search for its user").into())
    }

    /// Searches for the user of the request or, after a login, loads the user who logged in.
    ///
    /// Returns the events of a search.
    async fn find(&self, realm: &Realm<U>, req: &Request<'_>) -> Option<Report> {
        let begun = match &self.state().who {
            Who::LoggedIn { session, .. } => Some(session.clone()),
            _ => None,
        };
        if let Some(session) = begun {
            self.find_newcomer(realm, req, &session).await;
            return None;
        }
        let mut report = Report::default();
        let answer = self.mark(pin!(search::find(realm, req, &mut report))).await;
        self.keep(answer, &mut report);
        Some(report)
    }

    fn keep(&self, answer: Result<Answer<U>, Unavailable>, report: &mut Report) {
        let mut state = self.state();
        state.fates = report.fates;
        match answer {
            Ok(answer) => {
                if let Some(user) = answer.user {
                    let _ = self.found.set(user);
                }
                // If a guard of the loader changed the login, that change wins.
                if !state.changed {
                    state.pending.session = answer.session_change;
                    state.pending.remember = answer.remember_change;
                    state.who = Who::Found {
                        session: answer.session,
                    };
                }
            }
            Err(error) => {
                report.error = Some(error.clone());
                state.failed = true;
                if !state.changed {
                    state.who = Who::Failed(error);
                }
            }
        }
    }

    /// Loads the user whom the handler logged in.
    async fn find_newcomer(&self, realm: &Realm<U>, req: &Request<'_>, session: &Token) {
        let loaded = self
            .mark(pin!(search::load(realm, req, &session.uid)))
            .await;
        let slot = match loaded {
            // The slot is taken if the handler logged in two users and asked for both. Fails closed: nobody.
            Ok(Some(user)) => match self.newcomer.set(user) {
                Ok(()) => Slot::Newcomer,
                Err(_) => Slot::Nobody,
            },
            Ok(None) => Slot::Nobody,
            Err(error) => {
                let mut state = self.state();
                state.failed = true;
                state.who = Who::Failed(error);
                return;
            }
        };
        if let Who::LoggedIn { user, .. } = &mut self.state().who {
            *user = slot;
        }
    }

    /// Marks the search as running while it is polled, so that a loader that asks for the current user is detected.
    fn mark<T>(&self, mut search: Pin<&mut impl Future<Output = T>>) -> impl Future<Output = T> {
        poll_fn(move |context| {
            let _searching = Searching::begin(&self.state);
            search.as_mut().poll(context)
        })
    }

    async fn emit(&self, realm: &Realm<U>, req: &Request<'_>, report: Report) {
        let user = self.found.get();
        realm.emit(req, EventKind::Accessed, user, None).await;
        for event in report.events {
            let user = user.filter(|_| event.of_user);
            realm.emit(req, event.kind, user, event.login).await;
        }
        if let Some(error) = report.error {
            tracing::error!("{error}");
            realm.emit(req, EventKind::LoaderFailed, None, None).await;
        }
    }
}

/// Clears the mark of a running search, even if user code panics.
struct Searching<'a>(&'a Mutex<State>);

impl<'a> Searching<'a> {
    fn begin(state: &'a Mutex<State>) -> Self {
        lock(state).searching = true;
        Searching(state)
    }
}

impl Drop for Searching<'_> {
    fn drop(&mut self) {
        lock(self.0).searching = false;
    }
}

/// The state is whole after any panic, since each change to it is a single step.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<U: UserMixin> AnyRealm for Realm<U> {
    fn core(&self) -> &RealmCore {
        &self.core
    }

    fn has_read(&self, req: &Request<'_>) {
        Visit::<U>::of(req).has_read();
    }

    fn has_failed(&self, req: &Request<'_>) {
        Visit::<U>::of(req).state().failed = true;
    }

    fn known_standing(&self, req: &Request<'_>) -> Option<Result<Standing, Unavailable>> {
        let current = Visit::<U>::of(req).known()?;
        Some(current.map(|current| current.standing()))
    }

    fn find_standing<'a>(
        &'a self,
        req: &'a Request<'_>,
    ) -> BoxFuture<'a, Result<Standing, Unavailable>> {
        Box::pin(async move { Ok(Visit::of(req).search(self, req).await?.standing()) })
    }
}
