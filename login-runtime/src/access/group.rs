//! Whole groups of routes under one guard: `routes![..].login_required()`.

use std::cell::RefCell;

use rocket::outcome::Outcome;
use rocket::route::{self, Handler};
use rocket::{Data, Request, Route};
use tracing::error;

use super::decide::{Place, decide};
use super::denial::GuardError;
use super::guard::RouteGuard;

/// Guards for whole groups of routes, before they are mounted.
///
/// A group's guard runs before the handler and all of its own guards. Where a route has an attribute too, both must
/// let the request through, so the stricter one counts.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket::fs::FileServer;
/// use rocket_login::{GuardRoutes, RouteGuard};
///
/// #[get("/orders")]
/// fn orders() {}
/// # #[get("/")] fn keys() {}
/// # #[get("/")] fn welcome() {}
///
/// # fn main() {
/// let rocket = rocket::build()
///     .mount("/shop", routes![orders].login_required())
///     .mount("/invoices", FileServer::from("/").login_required())
///     .mount("/keys", routes![keys].fresh_login_required())
///     .mount("/welcome", routes![welcome].anonymous_required("/shop/orders"))
///     .mount("/static", FileServer::from("/").public())
///     .mount("/archive", FileServer::from("/").guarded(RouteGuard::login().forward()));
/// # }
/// ```
///
/// A group whose manager is missing stops the launch. There is one exception: an application that has no
/// `LoginManager`, and uses nothing of this library but groups. Rocket asks the guards of handlers at the launch, and
/// has no such question for a group, so no code of this library runs there before the first request. That request, as
/// every other one to the group, gets a 500, and the log names the fix.
pub trait GuardRoutes: Into<Vec<Route>> + Sized {
    /// Requires a login, as `#[login_required]` on each route.
    #[must_use]
    fn login_required(self) -> Vec<Route> {
        self.guarded(RouteGuard::login())
    }

    /// Requires a fresh login, as `#[fresh_login_required]` on each route.
    #[must_use]
    fn fresh_login_required(self) -> Vec<Route> {
        self.guarded(RouteGuard::fresh_login())
    }

    /// Redirects users who are logged in to `redirect`, as `#[anonymous_required]` on each route.
    #[must_use]
    fn anonymous_required(self, redirect: &'static str) -> Vec<Route> {
        self.guarded(RouteGuard::anonymous(redirect))
    }

    /// Marks each route as open on purpose, as `#[public]`.
    #[must_use]
    fn public(self) -> Vec<Route> {
        self.guarded(RouteGuard::public())
    }

    /// Puts a guard before each route.
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

/// The guards of groups in a route's handler.
pub(crate) struct GroupGuards {
    /// Those that every request passes: between them and the request there is nothing but guards of ours.
    pub(crate) outer: Vec<RouteGuard>,
    /// Those inside a handler of the application, which may ask them or not.
    pub(crate) inner: Vec<RouteGuard>,
    /// Where the next of the outer guards is, if there is one.
    next: *const (),
}

thread_local! {
    /// The guards that are found while a handler is cloned; `None` outside [`guards_of`].
    static PROBE: RefCell<Option<GroupGuards>> = const { RefCell::new(None) };
}

/// Returns the guards of all groups around a route.
///
/// Rocket hides a handler's type but lets anybody clone the handler, and ours reports its guard when cloned.
pub(crate) fn guards_of(route: &Route) -> GroupGuards {
    let none = || GroupGuards {
        outer: Vec::new(),
        inner: Vec::new(),
        next: address(&*route.handler),
    };
    PROBE.set(Some(none()));
    drop(route.handler.clone());
    PROBE.take().unwrap_or_else(none)
}

fn address(handler: &dyn Handler) -> *const () {
    std::ptr::from_ref(handler).cast()
}

impl Clone for GuardedHandler {
    fn clone(&self) -> Self {
        PROBE.with_borrow_mut(|probe| {
            let Some(guards) = probe else { return };
            if guards.next == address(self) {
                guards.outer.push(self.guard);
                guards.next = address(&*self.inner);
            } else {
                guards.inner.push(self.guard);
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
        match decide(self.guard, Place::Route, req).await {
            Ok(()) => self.inner.handle(req, data).await,
            Err(error) if error.forwards(&self.guard) => Outcome::Forward((data, error.status())),
            Err(error) => {
                if matches!(error, GuardError::NoManager) {
                    // The path is the client's text; the route is not.
                    let route = req
                        .route()
                        .map_or_else(String::new, |it| it.uri.to_string());
                    error!(
                        "`{} {route}` is in a group that requires a login, but no `LoginManager` is attached, so every \
                         request gets a 500: add `.attach(LoginManager::new(load_user))` to the rocket",
                        req.method()
                    );
                }
                Outcome::Error(error.status())
            }
        }
    }
}
