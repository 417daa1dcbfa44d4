//! The end of a login, for a response that lasts: server-sent events or a WebSocket.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rocket::futures::FutureExt as _;
use rocket::futures::future::BoxFuture;
use rocket::tokio::time::timeout;
use tracing::{debug, error};

use crate::app::user::UserMixin;
use crate::login::visit::{LoginNow, Visit};
use crate::realm::any::AnyRealm;
use crate::realm::{Realm, RealmCore};
use crate::revocation::SessionStatus;
use crate::revocation::replicated::freshness::Trust;
use crate::token::{Token, times};

/// A future that resolves when a login ends; returned by [`LoginSession::ended`](super::LoginSession::ended).
///
/// It is `'static`, `Send` and `Unpin`: move it into a stream and wait for `&mut ended` in a `select!`, or give it to
/// `take_until`. After it has resolved, it resolves again at once. The example of [`LoginSession::ended`](super::LoginSession::ended) shows it.
#[must_use = "it does nothing until you wait for it"]
pub struct LoginEnd(Option<BoxFuture<'static, ()>>);

/// How often a stream looks at an old copy of the store, which serves reads for a limited time.
const STALE: Duration = Duration::from_secs(1);

impl LoginEnd {
    pub(super) fn of<U: UserMixin>(
        realm: &Arc<Realm<U>>,
        visit: &Visit<U>,
        reads_only: bool,
        place: &Location<'_>,
    ) -> Self {
        let watched = Arc::<Realm<U>>::clone(realm);
        match visit.login_now() {
            LoginNow::Session(token) => Self(Some(Box::pin(async move {
                watch(watched.core(), &token, reads_only).await;
            }))),
            LoginNow::WithoutSession => Self(Some(Box::pin(async move {
                last_a_session(watched.core()).await;
            }))),
            LoginNow::Nobody => Self(None),
            LoginNow::Unasked => {
                error!(
                    "`ended` at {place} resolves at once, because no guard of this request has determined who is logged \
                     in: write `#[login_required]` above the route, or take `&User` or `CurrentUser`"
                );
                Self(None)
            }
        }
    }
}

impl Future for LoginEnd {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(end) = &mut self.0 {
            ready!(end.poll_unpin(context));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl fmt::Debug for LoginEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginEnd(..)")
    }
}

/// Waits until a request with this token would be refused.
async fn watch(core: &RealmCore, token: &Token, reads_only: bool) {
    let list = &core.revocations;
    let idle = core.config.session_idle_timeout;
    loop {
        // Before the look, so that no end falls between the look and the wait.
        let woken = list.wakes().of(token.login_id);
        let now = core.clock.now();
        if times::check(token, now, idle).is_err() {
            return;
        }
        let pause = match list.status(core.session(token), now).await {
            Ok((SessionStatus::Open, Trust::Fresh)) => list.look_again(),
            Ok((SessionStatus::Open, Trust::Stale)) if reads_only => STALE,
            Ok(_) => return,
            // Fails closed, as the next request would.
            Err(error) => {
                debug!("a stream has ended, because its login cannot be judged: {error}");
                return;
            }
        };
        let left = core.clock.wait_for(times::ends_at(token, idle));
        let _ = timeout(pause.min(left), woken).await;
    }
}

/// A user whom the request loader knows has no login that could end: the key must be shown again after a while.
async fn last_a_session(core: &RealmCore) {
    let end = core.clock.now().plus(core.config.session_lifetime);
    while core.clock.now() < end {
        rocket::tokio::time::sleep(core.clock.wait_for(end)).await;
    }
}
