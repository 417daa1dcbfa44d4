//! A visit: what is known and what is pending for one request and one user type.

use std::borrow::Cow;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rocket::Request;
use rocket::tokio::sync::OnceCell;

use crate::events::{self, EventKind};
use crate::loader::LoadError;
use crate::realm::Realm;
use crate::resolve::{Found, find, load};
use crate::times;
use crate::token::Token;
use crate::user::{UserMixin, has_id};

/// Kept in the request's cache from the first question about the user to the response.
pub(crate) struct Visit<U> {
    found: OnceCell<Result<Found<U>, LoadError>>,
    searching: AtomicBool,
    /// The user after a login in this very request.
    newcomer: OnceCell<Result<Option<U>, LoadError>>,
    pending: Mutex<Pending>,
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
    /// Set once the application itself changed the login in this request.
    pub(crate) changed: bool,
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
    Set(Token),
    Remove,
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
    /// Logged in; `auth_at` is 0 for a login that is not fresh.
    LoggedIn {
        auth_at: u64,
    },
}

impl Standing {
    pub(crate) fn is_fresh(self, now: u64, window: Option<u64>) -> bool {
        match self {
            Self::Anonymous => false,
            Self::LoggedIn { auth_at } => times::is_fresh(auth_at, now, window),
        }
    }
}

/// The current user of a request, as it is at this moment.
pub(crate) struct Present<'r, U> {
    pub(crate) user: Option<&'r U>,
    pub(crate) session: Option<Cow<'r, Token>>,
}

impl<U> Present<'_, U> {
    fn nobody() -> Self {
        Present {
            user: None,
            session: None,
        }
    }

    pub(crate) fn auth_at(&self) -> u64 {
        self.session.as_ref().map_or(0, |token| token.auth_at)
    }
}

impl<U: UserMixin> Visit<U> {
    pub(crate) fn of<'r>(req: &'r Request<'_>) -> &'r Visit<U> {
        req.local_cache(|| Visit {
            found: OnceCell::new(),
            searching: AtomicBool::new(false),
            newcomer: OnceCell::new(),
            pending: Mutex::default(),
            read: AtomicBool::new(false),
            condition_failed: AtomicBool::new(false),
        })
    }

    pub(crate) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the user could not be told, so that no cookie may be touched.
    pub(crate) fn failed(&self) -> bool {
        matches!(self.found.get(), Some(Err(_)))
            || matches!(self.newcomer.get(), Some(Err(_)))
            || self.condition_failed.load(Ordering::Relaxed)
    }

    /// Whether the response depends on who is logged in, or on a cookie of ours.
    pub(crate) fn consulted(&self) -> bool {
        self.found.initialized() || self.newcomer.initialized() || self.read.load(Ordering::Relaxed)
    }

    /// What this request itself has made of the session, once it changed the login.
    fn changed(&self) -> Option<Change> {
        let pending = self.pending();
        pending
            .changed
            .then(|| pending.session.clone().unwrap_or(Change::Remove))
    }

    pub(crate) fn has_failed(&self) {
        self.condition_failed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_read(&self) {
        self.read.store(true, Ordering::Relaxed);
    }

    /// What the request's cookies and the request loader say, found out once.
    async fn found<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Result<&'r Found<U>, LoadError> {
        let found = match self.found.get() {
            Some(found) => found,
            // In a box of its own, so that whoever asks keeps a small future.
            None => Box::pin(self.search(realm, req)).await?,
        };
        found.as_ref().map_err(Clone::clone)
    }

    async fn search<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Result<&'r Result<Found<U>, LoadError>, LoadError> {
        // Another question may wait for the answer; one from inside the search would wait for ever.
        if self.searching.load(Ordering::Acquire) {
            return Err(LoadError::new(
                "a loader or one of its guards asks for the current user",
            ));
        }
        let mut told = None;
        let found = self
            .found
            .get_or_init(|| async {
                let told = told.insert(Vec::new());
                let mut search = pin!(find(realm, req, &self.pending, told));
                poll_fn(|context| {
                    let _searching = Searching::begin(&self.searching);
                    search.as_mut().poll(context)
                })
                .await
            })
            .await;
        let user = found.as_ref().ok().and_then(|found| found.user.as_ref());
        if let Some(told) = told {
            events::emit(realm, req, EventKind::Accessed, user, None).await;
            for event in told {
                let user = user.filter(|_| event.of_user);
                events::emit(realm, req, event.kind, user, event.session.as_ref()).await;
            }
            if let Err(error) = found {
                tracing::error!("{error}");
                events::emit(realm, req, EventKind::LoaderFailed, None, None).await;
            }
        }
        Ok(found)
    }

    /// Who is logged in now, a login or logout in this request included.
    pub(crate) async fn present<'r>(
        &'r self,
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
    ) -> Result<Present<'r, U>, LoadError> {
        let Some(change) = self.changed() else {
            let found = self.found(realm, req).await?;
            return Ok(Present {
                user: found.user.as_ref(),
                session: found.session.as_ref().map(Cow::Borrowed),
            });
        };
        let Change::Set(token) = change else {
            return Ok(Present::nobody());
        };
        let known = match self.found.get() {
            Some(Ok(found)) => found.user.as_ref().filter(|user| has_id(*user, &token.uid)),
            _ => None,
        };
        let user = match known {
            Some(user) => Some(user),
            None => self
                .newcomer
                .get_or_init(|| load(realm, req, &token.uid))
                .await
                .as_ref()
                .map_err(Clone::clone)?
                .as_ref()
                .filter(|user| has_id(*user, &token.uid)),
        };
        Ok(match user {
            Some(user) => Present {
                user: Some(user),
                session: Some(Cow::Owned(token)),
            },
            None => Present::nobody(),
        })
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
