//! Guarded pages whose visitors are refused and have no page to log in at.

use rocket::Phase;
use rocket::http::{Method, Status};

use super::known::KnownRoute;
use super::reach::Site;
use super::views::of_realm;
use crate::access::guard::{Need, RouteGuard};
use crate::realm::RealmCore;
use crate::realm::registry::Realms;
use crate::redirect::local::is_under;

/// Returns a warning for each view that is not set although a guarded page needs it.
pub(super) fn warnings<P: Phase>(site: &Site<'_, P>) -> Vec<String> {
    let realms = Realms::all(site.rocket).iter().map(|realm| realm.core());
    realms
        .flat_map(|realm| [login_view(site, realm), refresh_view(site, realm)])
        .flatten()
        .collect()
}

fn login_view<P: Phase>(site: &Site<'_, P>, realm: &RealmCore) -> Option<String> {
    if realm.config.login_view.is_some() || !realm.sends_to_login {
        return None;
    }
    let needs = |guard: &RouteGuard| matches!(guard.need, Need::Login | Need::FreshLogin);
    let pages = pages(site, realm, needs, true)?;
    let of_realm = of_realm(realm);
    Some(format!(
        "{pages} a login, but `login_view`{of_realm} is not set: a browser without a login gets a bare 401. Write \
         `.login_view(uri!(..))` with the login page, or answer with a `#[catch(401)]`; if only programs use the \
         application, write `.mount_without_login_view(\"/\")`"
    ))
}

fn refresh_view<P: Phase>(site: &Site<'_, P>, realm: &RealmCore) -> Option<String> {
    if realm.config.refresh_view.is_some() || !realm.sends_to_refresh {
        return None;
    }
    let needs = |guard: &RouteGuard| guard.need == Need::FreshLogin;
    let pages = pages(site, realm, needs, false)?;
    let of_realm = of_realm(realm);
    Some(format!(
        "{pages} a fresh login, but `refresh_view`{of_realm} is not set: a browser with a login that is not fresh gets a \
         bare 401. Write `.refresh_view(uri!(..))` with a page that asks for the password again, which may be the login \
         page, or answer with a `#[catch(401)]`"
    ))
}

/// Names the pages of a realm with a guard of this kind, where nothing answers a refusal.
///
/// `mounts_answer` is whether the login view of a mount point answers too.
fn pages<P: Phase>(
    site: &Site<'_, P>,
    realm: &RealmCore,
    needs: impl Fn(&RouteGuard) -> bool,
    mounts_answer: bool,
) -> Option<String> {
    let is_bare = |known: &KnownRoute<'_>| {
        let path = known.route.uri.path();
        let is_caught = site.rocket.catchers().any(|catcher| {
            catcher.code == Some(Status::Unauthorized.code)
                && is_under(path, catcher.base.path().as_str())
        });
        let mut mounts = realm.config.mount_login_views.iter();
        let mount = mounts.find(|(base, _)| is_under(path, base));
        !is_caught && !mount.is_some_and(|(_, view)| mounts_answer || view.is_none())
    };
    let mut pages: Vec<_> = site
        .routes
        .iter()
        .filter(|known| known.route.method == Method::Get)
        .filter(|known| known.any(|guard| needs(guard) && site.is_of(realm, known, guard)))
        .filter(|known| is_bare(known))
        .map(KnownRoute::shown)
        .collect();
    pages.sort();
    let (first, others) = pages.split_first()?;
    Some(match others.len() {
        0 => format!("{first} requires"),
        1 => format!("{first} and 1 other page require"),
        more => format!("{first} and {more} other pages require"),
    })
}
