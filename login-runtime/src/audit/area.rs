//! Areas whose routes are nearly all guarded, and the exceptions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rocket::Phase;

use super::looked::Looked;
use super::pattern::{answers, is_static, same_pattern, segments};
use super::reach::Site;
use crate::realm::registry::Realms;

/// Routes that are expected to have the same guard.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Area {
    /// A mount point, or a folder.
    Below(String),
    /// What is mounted at `/`.
    Top,
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(base) => write!(f, "below `{base}`"),
            Self::Top => f.write_str("at `/`"),
        }
    }
}

/// Returns a doubt about each unmarked route in an area where at least twice as many routes are guarded.
///
/// What is usually open does not count: the home page, login pages, logouts, forms such as `/register`, and files.
pub(super) fn exceptions<P: Phase>(
    site: &Site<'_, P>,
    routes: &[Looked<'_>],
) -> Vec<Option<String>> {
    let folders = folders(routes);
    let areas: Vec<_> = routes.iter().map(|route| area(route, &folders)).collect();
    let login_pages = login_pages(site);
    let is_login_page = |route: &Looked<'_>| {
        let mut pages = login_pages.iter();
        pages.any(|page| answers(route.known.route, page))
    };
    let suspects = routes.iter().zip(&areas).map(|(route, area)| {
        let is_candidate = route.is_unmarked && !route.known.is_file_server();
        let is_usually_open = || is_login_page(route) || is_logout(route.path());
        let is_inside = || matches!(area, Area::Below(_)) || is_inner(route, routes);
        is_candidate && !is_usually_open() && is_inside()
    });
    let suspects: Vec<_> = suspects.collect();
    let mut counts: BTreeMap<&Area, (usize, usize)> = BTreeMap::new();
    for ((route, area), is_suspect) in routes.iter().zip(&areas).zip(&suspects) {
        let (guarded, open) = counts.entry(area).or_default();
        *guarded = guarded.saturating_add(usize::from(route.is_guarded()));
        *open = open.saturating_add(usize::from(*is_suspect));
    }
    let doubt = |(area, is_suspect)| {
        let (guarded, open) = counts.get(area).copied().unwrap_or_default();
        let is_exception = guarded >= 2 && open.saturating_mul(2) <= guarded;
        (is_suspect && is_exception).then(|| format!("the other routes {area} are guarded"))
    };
    areas.iter().zip(suspects).map(doubt).collect()
}

/// Returns the first segments under which there are several paths.
fn folders<'a>(routes: &'a [Looked<'_>]) -> BTreeSet<&'a str> {
    let mut first_paths: BTreeMap<&str, &str> = BTreeMap::new();
    let mut folders = BTreeSet::new();
    for path in routes.iter().map(Looked::path) {
        let Some(first) = segments(path).next() else {
            continue;
        };
        if *first_paths.entry(first).or_insert(path) != path && is_static(first) {
            folders.insert(first);
        }
    }
    folders
}

/// The mount point of a route, or else the folder in which it is.
fn area(route: &Looked<'_>, folders: &BTreeSet<&str>) -> Area {
    match segments(route.path()).next() {
        _ if route.base() != "/" => Area::Below(route.base().to_owned()),
        Some(first) if folders.contains(first) => Area::Below(format!("/{first}")),
        _ => Area::Top,
    }
}

/// Returns the login and refresh pages of this site.
fn login_pages<P: Phase>(site: &Site<'_, P>) -> Vec<String> {
    let realms = Realms::all(site.rocket).iter();
    let pages = realms.flat_map(|realm| realm.core().config.login_paths(None));
    pages.map(str::to_owned).collect()
}

/// A logout needs no guard: where nobody is logged in, it does nothing.
fn is_logout(path: &str) -> bool {
    let last = segments(path).last().unwrap_or_default();
    ["logout", "log-out", "signout", "sign-out"].contains(&last)
}

/// Whether a route at `/` looks as if it were for users: a single static name such as `/admin`, without an open page or
/// form at the same address.
fn is_inner(route: &Looked<'_>, routes: &[Looked<'_>]) -> bool {
    let path = route.path();
    let is_name = is_static(path) && segments(path).count() == 1 && !path.contains('.');
    let is_open_counterpart = |other: &Looked<'_>| {
        let is_other = other.known.route.method != route.known.route.method;
        is_other && !other.is_guarded() && same_pattern(other.path(), path)
    };
    is_name && !routes.iter().any(is_open_counterpart)
}
