//! A visit: what is known and what is pending for one request and one user type.

use std::future::{Ready, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rocket::Request;
use rocket::futures::future::{BoxFuture, Either};
use rocket::tokio::sync;

use crate::app::event::{self, EventKind};
use crate::app::failure::LoadError;
use crate::app::user::{UserMixin, has_id};
use crate::clock::UnixTime;
use crate::login::search::{self, Found, Told, load};
use crate::login::unavailable::Unavailable;
use crate::realm::Realm;
use crate::token::Token;
use crate::token::times;

/// Kept in the request's cache from the first question about the user to the response.
pub(crate) struct Visit<U> {
    found: OnceLock<Result<Found<U>, Unavailable>>,
    /// The user after a login in this very request.
    newcomer: OnceLock<Result<Option<U>, LoadError>>,
    /// Held by the one who searches; whoever else asks waits for the answer.
    turn: sync::Mutex<()>,
    searching: AtomicBool,
    pending: Mutex<Pending>,
    /// Set, with `pending`, once the application itself has changed the login in this request.
    changed: AtomicBool,
    /// Whether the response depends on a cookie of the realm, whoever is logged in.
    read: AtomicBool,
    /// Whether a condition could not be told.
    condition_failed: AtomicBool,
}

/// What the response has to carry.
#[derive(Clone, Default)]
pub(crate) struct Pending {
    pub(crate) session: Option<Change>,
    pub(crate) remember: Option<Change>,
    pub(crate) next: Option<NextChange>,
    pub(crate) clear_site_data: bool,
}

impl Pending {
    pub(crate) fn writes(&self) -> bool {
        self.session.is_some()
            || self.remember.is_some()
            || self.next.is_some()
            || self.clear_site_data
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Set(Box<Token>),
    Remove,
}

impl From<Token> for Change {
    fn from(token: Token) -> Self {
        Change::Set(Box::new(token))
    }
}

#[derive(Clone)]
pub(crate) enum NextChange {
    Set(String),
    Remove,
}

/// How the user of a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Anonymous,
    /// Logged in; `auth_at` is `None` for a login that is not fresh.
    LoggedIn {
        auth_at: Option<UnixTime>,
    },
}

impl Standing {
    pub(crate) fn is_fresh(self, now: UnixTime, window: Option<u64>) -> bool {
        match self {
            Self::Anonymous => false,
            Self::LoggedIn { auth_at } => times::is_fresh(auth_at, now, window),
        }
    }
}

/// The current user of a request, as it is at this moment.
pub(crate) struct Present<'r, U> {
    pub(crate) user: Option<&'r U>,
    /// When credentials were shown; `None` for a login that is not fresh.
    pub(crate) auth_at: Option<UnixTime>,
}

/// An answer that is there already, or the search for it.
pub(crate) type Soon<'a, T> =
    Either<Ready<Result<T, Unavailable>>, BoxFuture<'a, Result<T, Unavailable>>>;

impl<U: UserMixin> Present<'_, U> {
    fn nobody() -> Self {
        Present {
            user: None,
            auth_at: None,
        }
    }

    /// Only a user who may be used counts; a forced login of an inactive one opens nothing.
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
            found: OnceLock::new(),
            newcomer: OnceLock::new(),
            turn: sync::Mutex::new(()),
            searching: AtomicBool::new(false),
            pending: Mutex::default(),
            changed: AtomicBool::new(false),
            read: AtomicBool::new(false),
            condition_failed: AtomicBool::new(false),
        })
    }

    pub(crate) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the login, for the application itself.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Pending)) {
        let mut pending = self.pending();
        change(&mut pending);
        self.changed.store(true, Ordering::Release);
    }

    /// Whether the application itself has changed the login in this request.
    pub(crate) fn has_changed(&self) -> bool {
        self.changed.load(Ordering::Acquire)
    }

    /// Whether the user could not be told, so that no cookie may be touched.
    pub(crate) fn failed(&self) -> bool {
        matches!(self.found.get(), Some(Err(_)))
            || matches!(self.newcomer.get(), Some(Err(_)))
            || self.condition_failed.load(Ordering::Relaxed)
    }

    /// Whether the response depends on who is logged in, or on a cookie of ours.
    pub(crate) fn consulted(&self) -> bool {
        self.found.get().is_some()
            || self.newcomer.get().is_some()
            || self.read.load(Ordering::Relaxed)
    }

    /// The session that this request itself has begun, once it changed the login.
    fn begun(&self) -> Option<Box<Token>> {
        match &self.pending().session {
            Some(Change::Set(token)) => Some(token.clone()),
            _ => None,
        }
    }

    pub(crate) fn has_failed(&self) {
        self.condition_failed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_read(&self) {
        self.read.store(true, Ordering::Relaxed);
    }

    /// Who is logged in now, a login or logout in this request included.
    pub(crate) fn present<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Soon<'r, Present<'r, U>> {
        match self.known() {
            Some(present) => Either::Left(ready(present)),
            None => Either::Right(Box::pin(self.search(realm, req))),
        }
    }

    /// How the user stands now.
    pub(crate) fn standing<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Soon<'r, Standing> {
        match self.known() {
            Some(present) => Either::Left(ready(present.map(|present| present.standing()))),
            None => Either::Right(Box::pin(async move {
                let present = self.search(realm, req).await?;
                Ok(present.standing())
            })),
        }
    }

    /// The session of whoever is logged in now.
    pub(crate) async fn session(
        &self,
        realm: &Realm<U>,
        req: &Request<'_>,
    ) -> Result<Option<Token>, Unavailable> {
        if self.present(realm, req).await?.user.is_none() {
            return Ok(None);
        }
        if self.has_changed() {
            return Ok(self.begun().map(|token| *token));
        }
        let found = self.found.get().and_then(|found| found.as_ref().ok());
        Ok(found.and_then(|found| found.session.clone()))
    }

    /// Who is logged in now, where that has been found out.
    fn known(&self) -> Option<Result<Present<'_, U>, Unavailable>> {
        if self.has_changed() {
            return self.known_since_the_change();
        }
        Some(match self.found.get()? {
            Ok(found) => Ok(Present {
                user: found.user.as_ref(),
                auth_at: found.session.as_ref().and_then(|token| token.auth_at),
            }),
            Err(error) => Err(error.clone()),
        })
    }

    #[cold]
    fn known_since_the_change(&self) -> Option<Result<Present<'_, U>, Unavailable>> {
        let Some(token) = self.begun() else {
            return Some(Ok(Present::nobody()));
        };
        let is_meant = |user: &&U| has_id(*user, &token.uid);
        let found = self.found.get();
        let found = found.and_then(|found| found.as_ref().ok()?.user.as_ref());
        let user = match found.filter(is_meant) {
            Some(user) => Some(user),
            None => match self.newcomer.get()? {
                Ok(newcomer) => newcomer.as_ref().filter(is_meant),
                Err(error) => return Some(Err(error.clone().into())),
            },
        };
        Some(Ok(match user {
            Some(_) => Present {
                user,
                auth_at: token.auth_at,
            },
            None => Present::nobody(),
        }))
    }

    /// Finds out who is logged in, once for all who ask.
    async fn search<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Result<Present<'r, U>, Unavailable> {
        // Another question may wait for the answer; one from inside the search would wait for ever.
        if self.searching.load(Ordering::Acquire) {
            let cause = "a loader or one of its guards asks for the current user";
            return Err(LoadError::new(cause).into());
        }
        // Twice, since a listener that is told of the answer may change the login.
        for _ in 0..2 {
            let turn = match self.turn.try_lock() {
                Ok(turn) => turn,
                Err(_) => self.turn.lock().await,
            };
            // Unless it was found out while this one waited.
            let told = if self.known().is_none() {
                self.find(realm, req).await
            } else {
                None
            };
            drop(turn);
            if let Some(told) = told {
                self.tell(realm, req, told).await;
            }
            if let Some(present) = self.known() {
                return present;
            }
        }
        Err(LoadError::new("it is not known who is logged in").into())
    }

    /// Asks the request, or after a login the user loader; gives what is to be told of it.
    async fn find(&self, realm: &Realm<U>, req: &Request<'_>) -> Option<Vec<Told>> {
        if self.has_changed()
            && let Some(token) = self.begun()
        {
            let newcomer = self.alone(pin!(load(realm, req, &token.uid))).await;
            let _ = self.newcomer.set(newcomer);
            return None;
        }
        let mut told = Vec::new();
        let outcome = self.alone(pin!(search::find(realm, req, &mut told))).await;
        let found = outcome.map(|outcome| {
            if outcome.session.is_some() || outcome.remember.is_some() {
                self.follow(outcome.session, outcome.remember);
            }
            outcome.found
        });
        let _ = self.found.set(found);
        Some(told)
    }

    /// Leaves to the response what a search says of the cookies, unless the application has said more.
    #[cold]
    fn follow(&self, session: Option<Change>, remember: Option<Change>) {
        let mut pending = self.pending();
        if !self.has_changed() {
            pending.session = session;
            pending.remember = remember;
        }
    }

    /// Runs a search, while which whoever asks is the search itself.
    fn alone<T>(&self, mut search: Pin<&mut impl Future<Output = T>>) -> impl Future<Output = T> {
        poll_fn(move |context| {
            let _searching = Searching::begin(&self.searching);
            search.as_mut().poll(context)
        })
    }

    async fn tell(&self, realm: &Realm<U>, req: &Request<'_>, told: Vec<Told>) {
        let Some(found) = self.found.get() else {
            return;
        };
        let user = found.as_ref().ok().and_then(|found| found.user.as_ref());
        event::emit(realm, req, EventKind::Accessed, user, None).await;
        for event in told {
            let user = user.filter(|_| event.of_user);
            event::emit(realm, req, event.kind, user, event.session).await;
        }
        if let Err(error) = found {
            tracing::error!("{error}");
            event::emit(realm, req, EventKind::LoaderFailed, None, None).await;
        }
    }
}

/// Says, while the search is polled, that whoever asks now is the search itself.
struct Searching<'a>(&'a AtomicBool);

impl<'a> Searching<'a> {
    fn begin(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::Release);
        Searching(flag)
    }
}

impl Drop for Searching<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
