//! The pages to which `#[anonymous_required]` sends users: whether they exist, and do not send users back.

use std::ptr;

use rocket::Phase;
use rocket::http::Method;

use super::known::KnownRoute;
use super::reach::{Arrival, Site, Visitor, absent};
use crate::access::guard::{Need, RouteGuard};
use crate::realm::registry::Realms;
use crate::redirect::local::is_local;

/// Returns a mistake for each redirect that leads to no page, or in a circle.
pub(super) fn mistakes<P: Phase>(site: &Site<'_, P>) -> Vec<String> {
    let mut targets_without_page = Vec::new();
    let mut mistakes = Vec::new();
    for known in site.routes {
        let guard = known.first(|guard| target(guard).is_some() && !guard.forward);
        match guard.and_then(|guard| problem(site, known, guard.rule())) {
            Some(Problem::Circle(mistake)) => mistakes.push(mistake),
            // A page and the route of its form have the same target.
            Some(Problem::NoPage(target, mistake)) if !targets_without_page.contains(&target) => {
                targets_without_page.push(target);
                mistakes.push(mistake);
            }
            Some(Problem::NoPage(..)) | None => {}
        }
    }
    mistakes
}

enum Problem {
    NoPage(&'static str, String),
    Circle(String),
}

/// Returns where a guard sends users; `None` if it lets them in, or is wrong and stops the launch for that.
fn target(guard: &RouteGuard) -> Option<&'static str> {
    match guard.need {
        Need::Anonymous { redirect } => is_local(redirect).then_some(redirect),
        Need::Nothing | Need::Login | Need::FreshLogin => None,
    }
}

/// Follows the redirects from a route until a page answers.
fn problem<P: Phase>(
    site: &Site<'_, P>,
    known: &KnownRoute<'_>,
    guard: &RouteGuard,
) -> Option<Problem> {
    let realm = Realms::of_guard(site.rocket, guard.user_type)?.core();
    let first = target(guard)?;
    let sends = format!(
        "{} sends users who are logged in to `{first}`",
        known.shown()
    );
    let mut at = first;
    let mut way = Vec::new();
    // No circle is longer than the list of routes.
    for _ in site.routes {
        match site.arrival(realm, Visitor::User, site.matching(Method::Get, at)) {
            Arrival::NoRoute if way.is_empty() => {
                let problem = absent(site, at, "set `redirect` to another page");
                return Some(Problem::NoPage(at, format!("{sends}, but {problem}")));
            }
            Arrival::NoRoute | Arrival::Answered(_) => return None,
            Arrival::Refused(page, guard) => {
                if ptr::eq(page.route, known.route) {
                    let fix = "set `redirect` to a page for users";
                    return Some(Problem::Circle(match way[..] {
                        [] => format!("{sends}, which is the page itself: {fix}"),
                        _ => format!("{sends}, and {} sends them back: {fix}", way.join(" and ")),
                    }));
                }
                // The first page of a circle reports it.
                if ptr::from_ref(page) < ptr::from_ref(known) {
                    return None;
                }
                way.push(page.shown());
                at = target(guard.rule())?;
            }
        }
    }
    None
}
