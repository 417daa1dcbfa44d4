//! Whole groups of routes under one guard: `routes![..].login_required()`.

use std::any::TypeId;
use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use rocket::futures::future::BoxFuture;
use rocket::outcome::Outcome;
use rocket::route::{self, Handler};
use rocket::{Data, Request, Route};
use tracing::error;

use crate::access::attribute::{PermitFn, decide};
use crate::access::condition::{ConditionRealm, Permission};
use crate::access::denial::Refusal;
use crate::access::rule::{Need, Rule};
use crate::app::user::UserMixin;

/// What a group of routes asks of whoever comes; the options of the attributes.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use std::time::Duration;
/// use rocket_login::{GuardRoutes, RouteGuard, UserMixin, condition};
///
/// #[derive(UserMixin)]
/// struct Staff { id: i64, may_pay: bool }
///
/// fn may_pay(staff: &Staff) -> bool { staff.may_pay }
///
/// #[get("/payments")]
/// fn payments() {}
///
/// # fn main() {
/// let guard = RouteGuard::fresh_login()
///     .user::<Staff>()
///     .within(Duration::from_secs(600))
///     .only_if(condition!(may_pay));
/// let rocket = rocket::build().mount("/staff", routes![payments].guarded(guard));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RouteGuard {
    pub(crate) rule: Rule,
    pub(crate) user_type: Option<(TypeId, &'static str)>,
    pub(crate) condition: Option<RouteCondition>,
}

impl RouteGuard {
    fn new(rule: Rule) -> Self {
        RouteGuard {
            rule,
            user_type: None,
            condition: None,
        }
    }

    /// Asks for a login, as `#[login_required]`.
    #[must_use]
    pub fn login() -> Self {
        Self::new(Rule::login())
    }

    /// Asks for a fresh login, as `#[fresh_login_required]`.
    #[must_use]
    pub fn fresh_login() -> Self {
        Self::new(Rule::fresh_login())
    }

    /// Sends the logged in to `redirect`, a path of this site, as `#[anonymous_required]`.
    #[must_use]
    pub fn anonymous(redirect: &'static str) -> Self {
        Self::new(Rule::anonymous(redirect))
    }

    /// Marks the routes as meant to be open, as `#[public]`.
    #[must_use]
    pub fn public() -> Self {
        Self::new(Rule::public())
    }

    /// Says whose logins count, where several managers are attached.
    #[must_use]
    pub fn user<U: UserMixin>(mut self) -> Self {
        self.user_type = Some((TypeId::of::<U>(), std::any::type_name::<U>()));
        self
    }

    /// Asks for a fresh login, with credentials given at most so long ago, in whole seconds.
    #[must_use]
    pub fn within(mut self, window: Duration) -> Self {
        self.rule = self.rule.within(window.as_secs());
        self
    }

    /// Lets only those pass who are logged in and for whom the condition holds; others get 403.
    #[must_use]
    pub fn only_if(mut self, condition: RouteCondition) -> Self {
        if self.rule.need == Need::Nothing {
            self.rule.need = Need::Login;
        }
        self.condition = Some(condition);
        self
    }

    /// Forwards refused requests to the next route that matches: it must not show what this one guards.
    #[must_use]
    pub fn forward(mut self) -> Self {
        self.rule = self.rule.forward();
        self
    }
}

/// A condition for a group of routes, made by [`condition!`](crate::condition!).
#[derive(Clone, Copy)]
pub struct RouteCondition {
    permit: PermitFn,
    realm: fn() -> ConditionRealm,
}

impl RouteCondition {
    #[doc(hidden)]
    #[must_use]
    pub fn new(
        permit: for<'r> fn(&'r Request<'_>) -> BoxFuture<'r, Permission>,
        realm: fn() -> ConditionRealm,
    ) -> Self {
        RouteCondition { permit, realm }
    }

    pub(crate) fn realm(self) -> ConditionRealm {
        (self.realm)()
    }
}

impl fmt::Debug for RouteCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RouteCondition")
    }
}

/// Makes a condition for [`RouteGuard::only_if`] of a function: of the user, then of any request
/// guards, sync or async, that gives a `bool` or a `Result<bool, E>`.
///
/// # Example
///
/// ```rust
/// # use rocket_login::{condition, RouteGuard, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64, staff: bool }
/// let guard = RouteGuard::login().only_if(condition!(|user: &User| user.staff));
/// ```
#[macro_export]
macro_rules! condition {
    ($function:expr) => {{
        fn permit<'r>(
            req: &'r $crate::private::Request<'_>,
        ) -> $crate::private::BoxFuture<'r, $crate::private::Permission> {
            $crate::private::condition($function).permit(req)
        }
        $crate::RouteCondition::new(permit, || $crate::private::condition($function).realm())
    }};
}

/// Guards for whole groups of routes, before they are mounted.
///
/// A group's guard stands before the handler and all of its own guards. Where a route has an
/// attribute too, both are asked, so that the stricter one counts.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket::fs::FileServer;
/// use rocket_login::GuardRoutes;
///
/// #[get("/orders")]
/// fn orders() {}
///
/// # fn main() {
/// let rocket = rocket::build()
///     .mount("/shop", routes![orders].login_required())
///     .mount("/invoices", FileServer::from("/").login_required());
/// # }
/// ```
pub trait GuardRoutes: Into<Vec<Route>> + Sized {
    /// Asks for a login, as `#[login_required]` on each route.
    #[must_use]
    fn login_required(self) -> Vec<Route> {
        self.guarded(RouteGuard::login())
    }

    /// Asks for a fresh login, as `#[fresh_login_required]` on each route.
    #[must_use]
    fn fresh_login_required(self) -> Vec<Route> {
        self.guarded(RouteGuard::fresh_login())
    }

    /// Sends the logged in to `redirect`, as `#[anonymous_required]` on each route.
    #[must_use]
    fn anonymous_required(self, redirect: &'static str) -> Vec<Route> {
        self.guarded(RouteGuard::anonymous(redirect))
    }

    /// Marks each route as meant to be open, as `#[public]`.
    #[must_use]
    fn public(self) -> Vec<Route> {
        self.guarded(RouteGuard::public())
    }

    /// Puts a guard with options before each route.
    #[must_use]
    fn guarded(self, guard: RouteGuard) -> Vec<Route> {
        let mut routes: Vec<Route> = self.into();
        for route in &mut routes {
            let inner = route.handler.clone();
            route.handler = Box::new(GuardedHandler { inner, guard });
        }
        routes
    }
}

impl<T: Into<Vec<Route>>> GuardRoutes for T {}

/// A handler behind a group's guard.
struct GuardedHandler {
    inner: Box<dyn Handler>,
    guard: RouteGuard,
}

thread_local! {
    /// The guards met while a handler is cloned to find them out.
    static PROBE: RefCell<Option<Vec<RouteGuard>>> = const { RefCell::new(None) };
}

/// The groups' guards before a route.
///
/// Rocket hides a handler's type, but clones it for whoever asks, and a clone of ours tells.
pub(crate) fn guards_of(route: &Route) -> Vec<RouteGuard> {
    PROBE.set(Some(Vec::new()));
    drop(route.handler.clone());
    PROBE.take().unwrap_or_default()
}

impl Clone for GuardedHandler {
    fn clone(&self) -> Self {
        PROBE.with_borrow_mut(|probe| {
            if let Some(guards) = probe {
                guards.push(self.guard);
            }
        });
        GuardedHandler {
            inner: self.inner.clone(),
            guard: self.guard,
        }
    }
}

#[rocket::async_trait]
impl Handler for GuardedHandler {
    async fn handle<'r>(&self, req: &'r Request<'_>, data: Data<'r>) -> route::Outcome<'r> {
        let RouteGuard {
            rule,
            user_type,
            condition,
        } = self.guard;
        let condition = condition.map(|condition| condition.permit);
        match decide(user_type, req, rule, condition).await {
            Ok(()) => self.inner.handle(req, data).await,
            Err(refusal) if refusal.forwards(rule) => Outcome::Forward((data, refusal.status())),
            Err(refusal) => {
                if matches!(refusal, Refusal::NoManager) {
                    error!(
                        "a group of routes asks for a login, but its `LoginManager` is not attached"
                    );
                }
                Outcome::Error(refusal.status())
            }
        }
    }
}
