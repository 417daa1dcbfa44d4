//! A failed login that is answered by a redirect back to the login page: it keeps the page that the visitor wanted.

use rocket::{Request, Response};

use super::wanted::Wanted;
use crate::realm::RealmCore;
use crate::redirect::local::{is_local, path_of, same_path};
use crate::redirect::login_url::login_url;

/// Adds the query field `next` of the request to a redirect from one login page to another.
pub(crate) fn keep_next(core: &RealmCore, req: &Request<'_>, res: &mut Response<'_>) {
    if !res.status().class().is_redirection() {
        return;
    }
    let Some(location) = res.headers().get_one("Location") else {
        return;
    };
    let is_login_page = |path: &str| {
        let mut pages = core.config.login_paths(req.host());
        pages.any(|page| same_path(page, path))
    };
    let has_next = location.contains("?next=") || location.contains("&next=");
    let (page, _fragment) = location.split_once('#').unwrap_or((location, ""));
    let is_retry =
        is_local(page) && is_login_page(path_of(page)) && is_login_page(req.uri().path().as_str());
    if !is_retry || has_next {
        return;
    }
    if let Some(next) = Wanted::of(req, None).target.path() {
        let location = login_url(location, Some(next), "next");
        res.set_raw_header("Location", location);
    }
}
