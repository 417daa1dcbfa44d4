//! A `&User` that a handler takes as an `Option` or a `Result`, which refuses nobody.

use std::collections::BTreeSet;
use std::ptr;
use std::sync::{PoisonError, RwLock};

use rocket::{Request, Response};
use tracing::warn;

use crate::audit;

/// The routes that were judged already, by their addresses: Rocket moves no route while it runs.
#[derive(Default)]
pub(super) struct JudgedRoutes(RwLock<BTreeSet<usize>>);

impl JudgedRoutes {
    fn contains(&self, route: usize) -> bool {
        let judged = self.0.read().unwrap_or_else(PoisonError::into_inner);
        judged.contains(&route)
    }

    /// Returns whether the route was not judged before.
    fn insert(&self, route: usize) -> bool {
        let mut judged = self.0.write().unwrap_or_else(PoisonError::into_inner);
        judged.insert(route)
    }
}

/// Warns, once for each route, that a handler answers those whom its `&User` has refused, if nothing says that the route
/// is open on purpose.
///
/// Rocket reveals nothing about a handler's parameters, so only a request can show it.
pub(super) fn warn_once(req: &Request<'_>, res: &Response<'_>) {
    let judged: Option<&JudgedRoutes> = req.rocket().state();
    let (Some(route), Some(judged)) = (req.route(), judged) else {
        return;
    };
    let address = ptr::from_ref(route).addr();
    if !res.status().class().is_success() || judged.contains(address) {
        return;
    }
    if judged.insert(address) && audit::is_unguarded(req.rocket(), route) {
        warn!(
            "`{} {}` is open to everybody: its handler takes `&User` as an `Option` or a `Result`, which refuses nobody. \
             Write `#[login_required]` above it; for a page that is open on purpose, write `#[public]` and take \
             `CurrentUser`",
            route.method, route.uri
        );
    }
}
