//! The login and refresh views at launch: whether those who are sent there can do what they are sent for.

use std::fmt;

use rocket::Phase;
use rocket::http::Method;

use super::known::{Guard, KnownRoute};
use super::pattern::{covers, is_catch_all, reaches_below, same_pattern};
use super::reach::{Arrival, Site, Visitor, absent, elsewhere};
use crate::access::guard::Need;
use crate::config::View;
use crate::realm::RealmCore;
use crate::realm::registry::Realms;
use crate::redirect::local::path_of;

/// A page of this application to which a realm sends visitors.
struct Destination<'a> {
    realm: &'a RealmCore,
    setting: String,
    page: &'a str,
    visitor: Visitor,
}

/// Returns a mistake for each view that its visitors cannot use.
///
/// A handler's own `&User` is not known here; `response::answer` notices it at the first request.
pub(super) fn mistakes<P: Phase>(site: &Site<'_, P>) -> Vec<String> {
    let realms = Realms::all(site.rocket).iter().map(|realm| realm.core());
    let mut mistakes = Vec::new();
    for realm in realms {
        for to in destinations(realm) {
            let mistake = mistake(site, &to);
            mistakes.extend(mistake.map(|mistake| format!("{to}, but {mistake}")));
        }
        mistakes.extend(empty_mounts(site, realm));
    }
    mistakes
}

/// Returns a warning for each view that only a file can answer, while its page is mounted elsewhere.
pub(super) fn warnings<P: Phase>(site: &Site<'_, P>) -> Vec<String> {
    let realms = Realms::all(site.rocket).iter().map(|realm| realm.core());
    let warning = |to: Destination<'_>| {
        let pages = site.matching(Method::Get, to.page);
        match site.arrival(to.realm, to.visitor, pages) {
            Arrival::Answered(files) if files.is_file_server() => {
                let elsewhere = elsewhere(site, to.page)?;
                Some(format!("{to}, where only a file can be, but {elsewhere}"))
            }
            _ => None,
        }
    };
    realms.flat_map(destinations).filter_map(warning).collect()
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_realm = of_realm(self.realm);
        write!(f, "{}{of_realm} is `{}`", self.setting, self.page)
    }
}

/// Names the realm of a setting, where several realms may have it.
pub(super) fn of_realm(realm: &RealmCore) -> String {
    let name = realm.config.realm.as_ref();
    name.map_or_else(String::new, |name| format!(" of the realm `{name}`"))
}

fn destinations(realm: &RealmCore) -> Vec<Destination<'_>> {
    let config = &realm.config;
    let mounted = config.mount_login_views.iter().map(|(base, view)| {
        let setting = format!("`mount_login_views` for `{base}`");
        (setting, view, Visitor::Anonymous)
    });
    let login = (
        "`login_view`".to_owned(),
        &config.login_view,
        Visitor::Anonymous,
    );
    let refresh = (
        "`refresh_view`".to_owned(),
        &config.refresh_view,
        Visitor::Stale,
    );
    let views = mounted.chain([login, refresh]);
    let destinations = views.filter_map(|(setting, view, visitor)| match view {
        Some(View::Local(page)) => Some(Destination {
            realm,
            setting,
            page,
            visitor,
        }),
        // Nothing is known of a page of another server.
        Some(View::External(_)) | None => None,
    });
    destinations.collect()
}

fn mistake<P: Phase>(site: &Site<'_, P>, to: &Destination<'_>) -> Option<String> {
    let pages = || site.matching(Method::Get, to.page);
    match site.arrival(to.realm, to.visitor, pages()) {
        Arrival::NoRoute => {
            let url = "if another server answers it, write its whole URL, such as";
            let path = path_of(to.page);
            let fix = format!("correct the setting; {url} `https://www.example.com{path}`");
            Some(absent(site, to.page, &fix))
        }
        Arrival::Refused(page, guard) => {
            let refuses = refusal(guard);
            let hidden = pages().find(|other| is_hidden_by(other, page));
            Some(match hidden {
                Some(hidden) => format!(
                    "{} {refuses}, and answers before {}: give it a higher rank, such as `rank = 20`",
                    page.shown(),
                    hidden.shown()
                ),
                None if is_catch_all(page.route.uri.path()) => {
                    let fix = "mount a page there, or correct the setting";
                    let fix = elsewhere(site, to.page).unwrap_or_else(|| fix.to_owned());
                    let page = page.shown();
                    format!("only {page} answers there, and {refuses}: {fix}")
                }
                None => format!(
                    "{} {refuses}, so that {}: {}",
                    page.shown(),
                    consequence(to.visitor),
                    removal(page, guard)
                ),
            })
        }
        // A route for all pages answers them all. Another dynamic route may forward a page that it cannot parse.
        Arrival::Answered(page)
            if is_catch_all(page.route.uri.path())
                && !page.is_public()
                && !page.is_file_server() =>
        {
            let hidden = pages().find(|other| is_hidden_by(other, page))?;
            Some(format!(
                "{} answers before {}: give it a higher rank, such as `rank = 20`, or write `#[public]` above it if it \
                 forwards this page",
                page.shown(),
                hidden.shown()
            ))
        }
        Arrival::Answered(page) => refused_form(site, to, page),
    }
}

/// Whether a route is for one page, and comes behind a route for more pages.
fn is_hidden_by(route: &KnownRoute<'_>, first: &KnownRoute<'_>) -> bool {
    let (path, first_path) = (route.route.uri.path(), first.route.uri.path());
    route.route.rank > first.route.rank && covers(first_path, path) && !covers(path, first_path)
}

/// Returns a mistake if the form on a page is sent to a route that refuses the page's visitors.
///
/// A form may be sent to any address; the usual one is that of the page.
fn refused_form<P: Phase>(
    site: &Site<'_, P>,
    to: &Destination<'_>,
    page: &KnownRoute<'_>,
) -> Option<String> {
    let beside = site.matching(Method::Post, to.page);
    let beside = beside.filter(|form| same_pattern(form.route.uri.path(), page.route.uri.path()));
    let Arrival::Refused(form, guard) = site.arrival(to.realm, to.visitor, beside) else {
        return None;
    };
    Some(format!(
        "{}, which takes the form of that page, {}, so that {}: {}",
        form.shown(),
        refusal(guard),
        consequence(to.visitor),
        removal(form, guard)
    ))
}

/// Says whom a guard requires.
fn refusal(guard: Guard<'_>) -> &'static str {
    match guard.rule().need {
        Need::FreshLogin => "requires a fresh login",
        Need::Anonymous { .. } => "is only for visitors who are not logged in",
        Need::Login | Need::Nothing => "requires a login",
    }
}

fn consequence(visitor: Visitor) -> &'static str {
    match visitor {
        Visitor::Stale => "no login becomes fresh again",
        Visitor::Anonymous | Visitor::User => "nobody can log in",
    }
}

/// Says how to remove a guard from a route.
fn removal(known: &KnownRoute<'_>, guard: Guard<'_>) -> String {
    let name = known.route.name.as_deref().unwrap_or("the route");
    let rule = match guard {
        Guard::OfGroup(_) => return format!("mount `{name}` outside its guarded group"),
        Guard::OfAttribute(rule) => rule,
    };
    let attribute = match rule.need {
        Need::FreshLogin => "fresh_login_required",
        Need::Anonymous { .. } => "anonymous_required",
        Need::Login | Need::Nothing => "login_required",
    };
    format!("remove `#[{attribute}]` from `{name}`")
}

/// Returns a mistake for each mount point that has a login page of its own, or none on purpose, and no route.
fn empty_mounts<'a, P: Phase>(
    site: &'a Site<'_, P>,
    realm: &'a RealmCore,
) -> impl Iterator<Item = String> + 'a {
    let mounts = realm.config.mount_login_views.iter();
    let empty = mounts.filter(|(base, _)| {
        let mut routes = site.routes.iter();
        !routes.any(|known| reaches_below(known.route.uri.path(), base))
    });
    empty.map(|(base, _)| {
        format!(
            "`mount_login_views`{} names the mount point `{base}`, but no route is mounted there: \
             correct the mount point, or remove it",
            of_realm(realm)
        )
    })
}
