//! The answer to a denial: what the response becomes instead of a bare status.

use rocket::http::{Method, Status};
use rocket::{Request, Response};
use tracing::error;

use super::again;
use super::asker::{self, Asker};
use super::body::empty;
use super::flash;
use super::wanted::Wanted;
use crate::access::denial::{Denied, Reason};
use crate::app::contain::contain;
use crate::app::handler::AnswerFn;
use crate::app::user::UserMixin;
use crate::config::View;
use crate::login::visit::Visit;
use crate::realm::message::Message;
use crate::realm::{Realm, RealmCore};
use crate::redirect::local;
use crate::redirect::login_url::{at_host, login_url, path_and_query, with_field};

/// Answers a denial and emits its event. Returns whether the response is the answer to it.
///
/// A denial may be overtaken: the guard was optional, or another route answered after a forward. Then the response
/// stays as it is.
pub(crate) async fn answer<'r, U: UserMixin>(
    realm: &Realm<U>,
    req: &'r Request<'_>,
    res: &mut Response<'r>,
    denied: Denied,
) -> bool {
    let stands = denied.reason.status() == res.status() && !denied.is_overtaken(req);
    if (stands || denied.certain) && !denied.emitted {
        emit(realm, req, denied.reason).await;
    }
    if stands {
        replace(realm, req, res, denied).await;
    }
    stands
}

/// Replaces a bare 401 or 403: by the application's handler if there is one, by a redirect for a browser that asked for
/// a page; else the response stays as the catchers left it.
async fn replace<'r, U: UserMixin>(
    realm: &Realm<U>,
    req: &'r Request<'_>,
    res: &mut Response<'r>,
    denied: Denied,
) {
    let config = &realm.core.config;
    if denied.reason == Reason::Unauthorized && again::load_again(&realm.core, req, res) {
        return;
    }
    if let Some((handler, _)) = handler_of(realm, denied.reason) {
        return custom(handler, realm, req, res).await;
    }
    match denied.reason {
        Reason::Unauthorized => {
            let view = config.login_view_of(req.uri().path().as_str());
            send_to_view(realm, req, res, view, realm.login_message.as_ref());
        }
        Reason::NeedsRefresh => {
            let view = config.refresh_view_of(req.uri().path().as_str());
            send_to_view(realm, req, res, view, realm.needs_refresh_message.as_ref());
        }
        Reason::AlreadyLoggedIn => {
            let wanted = Wanted::of(req, Some(realm)).target;
            let location = wanted.path().or(denied.redirect).unwrap_or("/").to_owned();
            let asker = Asker::of(req);
            send(asker, res, location);
            if asker != Asker::Script && config.use_session_for_next {
                Visit::<U>::of(&realm.core, req).forget_next();
            }
        }
        Reason::CrossSite | Reason::Forbidden => {}
    }
}

/// Returns the application's handler for a refusal, with its name.
pub(super) fn handler_of<U>(realm: &Realm<U>, reason: Reason) -> Option<(AnswerFn, &'static str)> {
    let (handler, name) = match reason {
        Reason::Unauthorized => (realm.unauthorized_handler, "unauthorized_handler"),
        Reason::NeedsRefresh => (realm.needs_refresh_handler, "needs_refresh_handler"),
        Reason::Forbidden => (realm.forbidden_handler, "forbidden_handler"),
        Reason::CrossSite | Reason::AlreadyLoggedIn => return None,
    };
    Some((handler?, name))
}

/// Emits the event of a denial, with the user where one is known.
async fn emit<U: UserMixin>(realm: &Realm<U>, req: &Request<'_>, reason: Reason) {
    let Some(event) = reason.event() else { return };
    let user = if reason.is_of_a_user() && !realm.listeners.is_empty() {
        // Contained, since the search runs the methods of the user type, and nothing catches a panic in a fairing.
        let limit = realm.core.config.loader_timeout;
        let current = contain(limit, || {
            Box::pin(
                Visit::of(&realm.core, req)
                    .current(realm, req)
                    .into_future(),
            )
        })
        .await;
        if let Err(interrupted) = &current {
            error!("the user of a denied request could not be found: {interrupted}");
        }
        current
            .ok()
            .and_then(Result::ok)
            .and_then(|current| current.user)
    } else {
        None
    };
    realm.emit(req, event, user, None).await;
}

/// Sends a person to a login page, and htmx to a page change, with the page to come back to.
fn send_to_view<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
    res: &mut Response<'_>,
    view: Option<&View>,
    message: Option<&Message>,
) {
    let core = &realm.core;
    let Some(view) = view else { return };
    let asker = Asker::of(req);
    let here = view.path_here(req.host(), core.config.https);
    if matches!(asker, Asker::Person | Asker::Frame) && here.is_some_and(|path| is_at(req, path)) {
        let page = req.uri().path();
        error!(
            "browsers are sent to `{page}` to log in or to confirm their login, but the page refuses them: remove `&User` or \
             `Fresh` from its handler, or take `CurrentUser`"
        );
        return;
    }
    let next = match asker {
        // A boosted form has no page of its own, like any form that is posted.
        Asker::Htmx if asker::is_boosted(req) => page_next(req).or_else(|| htmx_next(req)),
        Asker::Htmx => htmx_next(req),
        Asker::Person | Asker::Frame => page_next(req),
        Asker::Script => return,
    };
    let next = next.filter(|next| !core.config.is_login_path(next, req.host()));
    let location = if core.config.use_session_for_next {
        // A frame may show any page. What it shows is not what the person wants to see in the window.
        if asker != Asker::Frame {
            Visit::<U>::of(&realm.core, req).keep_next(next);
        }
        location(core, view, here.is_some(), None)
    } else {
        location(core, view, here.is_some(), next)
    };
    send(asker, res, location);
    // A login page of another site cannot show the message.
    if here.is_some()
        && let Some(message) = message
    {
        flash::announce(realm, message, req, res);
    }
}

/// Whether a page that was asked for is itself the view, so that a redirect would never end.
fn is_at(req: &Request<'_>, path: &str) -> bool {
    let is_page = matches!(req.method(), Method::Get | Method::Head);
    is_page && local::same_path(path, req.uri().path().as_str())
}

/// Sends the asker to another address.
fn send(asker: Asker, res: &mut Response<'_>, location: String) {
    match asker {
        Asker::Person | Asker::Frame => {
            empty(res);
            res.set_status(Status::SeeOther);
            res.set_raw_header("Location", location);
        }
        Asker::Htmx => {
            res.set_raw_header("HX-Redirect", location);
        }
        Asker::Script => {}
    }
}

/// Runs the application's own handler. Its response replaces the status, the body and the headers that it sets.
async fn custom<'r, U: UserMixin>(
    handler: AnswerFn,
    realm: &Realm<U>,
    req: &'r Request<'_>,
    res: &mut Response<'r>,
) {
    let answer = contain(realm.core.config.loader_timeout, || handler(req)).await;
    let failed = match answer {
        Ok(Ok(response)) => {
            // If the responder sets no status, the denial's status stays.
            empty(res);
            res.merge(response);
            flash::carry(req, res);
            return;
        }
        Ok(Err(status)) => status,
        Err(interrupted) => {
            error!("the handler of a denied request failed: {interrupted}");
            interrupted.status()
        }
    };
    empty(res);
    res.set_status(failed);
}

/// Returns the address of a login page, with the wanted page where there is one.
fn location(core: &RealmCore, view: &View, is_here: bool, next: Option<String>) -> String {
    let host = core.config.force_host_for_redirects.as_deref();
    let view = view.as_str();
    let url = match (next, host) {
        // A page of this site leads back as it is.
        (Some(next), _) if is_here => with_field(view, "next", &next),
        // Only a configured host may lead back from another site: the client chooses the `Host` header.
        (Some(next), Some(host)) => {
            let is_https = core.config.https == Some(true);
            let scheme = if is_https { "https" } else { "http" };
            login_url(view, Some(&format!("{scheme}://{host}{next}")), "next")
        }
        _ => view.to_owned(),
    };
    at_host(host, url)
}

/// Returns the page to come back to: only what a GET can request again.
fn page_next(req: &Request<'_>) -> Option<String> {
    if !matches!(req.method(), Method::Get | Method::Head) {
        return None;
    }
    let query = req.uri().query().map(|query| query.as_str());
    local::wanted(req.uri().path().as_str(), query)
}

/// Returns the page that requested an htmx fragment: the path and query of the address that htmx sends.
fn htmx_next(req: &Request<'_>) -> Option<String> {
    let (path, query) = path_and_query(req.headers().get_one("HX-Current-URL")?)?;
    local::wanted(path, query)
}
