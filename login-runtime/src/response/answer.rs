//! The answer to a denial: what the response becomes instead of a bare status.

use std::io::Cursor;

use rocket::http::uri::Absolute;
use rocket::http::{Accept, MediaType, Method, Status};
use rocket::{Request, Response};
use tracing::error;

use crate::access::denial::{Denied, Reason};
use crate::app::event;
use crate::app::handler::AnswerFn;
use crate::app::loader::{Interrupted, guarded};
use crate::app::user::UserMixin;
use crate::config::View;
use crate::login::visit::{NextChange, Visit};
use crate::realm::{Realm, RealmCore};
use crate::redirect::local;
use crate::redirect::login_url::{login_url, with_field};
use crate::response::flash;

/// Turns the 401 of a denial into its answer: the application's handler first; else, for a browser
/// that asked for a page, the login view; else it stays as the catchers left it.
///
/// Returns whether the response is the answer to a denial.
pub(crate) async fn answer<'r, U: UserMixin>(
    realm: &Realm<U>,
    req: &'r Request<'_>,
    res: &mut Response<'r>,
    denied: &Denied,
) -> bool {
    let core = &realm.core;
    let stands = denied.reason.status() == res.status();
    if stands || denied.certain {
        tell(realm, req, denied.reason).await;
    }
    if !stands {
        return false;
    }
    let (handler, view, message) = match denied.reason {
        Reason::Unauthorized => (
            realm.unauthorized_handler,
            core.config.login_view_of(req.uri().path().as_str()),
            &realm.login_message,
        ),
        Reason::NeedsRefresh => (
            realm.needs_refresh_handler,
            core.config.refresh_view.as_ref(),
            &realm.needs_refresh_message,
        ),
        Reason::Forbidden => {
            if let Some(handler) = realm.forbidden_handler {
                custom(handler, realm, req, res).await;
            }
            return true;
        }
        Reason::AlreadyLoggedIn => {
            let elsewhere = denied.redirect.filter(|path| local::is_local(path));
            let elsewhere = elsewhere.unwrap_or("/").to_owned();
            send(Asker::of(req), res, elsewhere);
            return true;
        }
        Reason::CrossSite => return true,
    };
    if let Some(handler) = handler {
        custom(handler, realm, req, res).await;
        return true;
    }
    let Some(view) = view else { return true };
    let asker = Asker::of(req);
    let next = match asker {
        Asker::Htmx => htmx_next(core, req),
        Asker::Person => page_next(core, req),
        Asker::Script => return true,
    };
    let location = if core.config.use_session_for_next {
        Visit::<U>::of(req).pending().next = next.map(NextChange::Set);
        location(core, view, None)
    } else {
        location(core, view, next.as_deref())
    };
    send(asker, res, location);
    if asker == Asker::Person
        && let Some(message) = message
    {
        message.flash(realm.localize.as_deref(), req, res);
    }
    true
}

/// Tells the listeners of a refusal, and of whom, where somebody was there.
async fn tell<U: UserMixin>(realm: &Realm<U>, req: &Request<'_>, reason: Reason) {
    let Some(event) = reason.event() else { return };
    let user = if reason.is_of_a_user() && !realm.listeners.is_empty() {
        let present = Visit::of(req).present(realm, req).await;
        present.ok().and_then(|present| present.user)
    } else {
        None
    };
    event::emit(realm, req, event, user, None).await;
}

/// Who asked, and so how they can be sent elsewhere.
#[derive(Clone, Copy, PartialEq)]
enum Asker {
    /// A person's browser, for a page.
    Person,
    /// A page that htmx changes, for a part of it.
    Htmx,
    /// A script, for data: it is not sent anywhere.
    Script,
}

impl Asker {
    fn of(req: &Request<'_>) -> Self {
        let headers = req.headers();
        // What most denials ask first, since each look-up costs; htmx never navigates.
        let mode = headers.get_one("Sec-Fetch-Mode");
        if mode == Some("navigate") {
            Self::Person
        } else if headers.get_one("HX-Request") == Some("true") {
            Self::Htmx
        } else if mode.is_none() && prefers_a_page(req) {
            Self::Person
        } else {
            Self::Script
        }
    }
}

/// Sends whoever asked to another address.
fn send(asker: Asker, res: &mut Response<'_>, location: String) {
    match asker {
        Asker::Person => {
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

fn empty(res: &mut Response<'_>) {
    res.remove_header("Content-Type");
    res.set_sized_body(0, Cursor::new([]));
}

/// Runs the application's own handler; what it answers replaces status, body and named headers.
async fn custom<'r, U: UserMixin>(
    handler: AnswerFn,
    realm: &Realm<U>,
    req: &'r Request<'_>,
    res: &mut Response<'r>,
) {
    let answer = contain(realm.core.config.loader_timeout, || handler(req)).await;
    let failed = match answer {
        Ok(Ok(response)) => {
            // A status that the responder leaves open stays 401.
            empty(res);
            res.merge(response);
            flash::carry(req, res);
            return;
        }
        Ok(Err(status)) => status,
        Err(interrupted) => {
            error!("the handler of a refused request failed: {interrupted}");
            interrupted.status()
        }
    };
    empty(res);
    res.set_status(failed);
}

/// Where a refused request is sent, with the wanted page where there is one.
fn location(core: &RealmCore, view: &View, next: Option<&str>) -> String {
    let local = |view: &str| match next {
        Some(next) => with_field(view, "next", next),
        None => view.to_owned(),
    };
    match (view, &core.config.force_host_for_redirects) {
        (View::Local(view), None) => local(view),
        (View::Local(view), Some(host)) => format!("//{host}{}", local(view)),
        // Only a configured host can lead back from another site; the Host header is the client's.
        (View::External(view), None) => view.clone(),
        (View::External(view), Some(host)) => {
            let scheme = if core.config.https == Some(true) {
                "https"
            } else {
                "http"
            };
            let next = next.map(|next| format!("{scheme}://{host}{next}"));
            login_url(view, next.as_deref(), "next")
        }
    }
}

/// The page to come back to: only what a GET can ask for again, and never a login page.
fn page_next(core: &RealmCore, req: &Request<'_>) -> Option<String> {
    if !matches!(req.method(), Method::Get | Method::Head) {
        return None;
    }
    let query = req.uri().query().map(|query| query.as_str());
    let next = local::wanted(req.uri().path().as_str(), query)?;
    (!core.config.is_login_path(&next)).then_some(next)
}

/// The page that an htmx fragment was asked from; of the address it tells, only path and query.
fn htmx_next(core: &RealmCore, req: &Request<'_>) -> Option<String> {
    let current = req.headers().get_one("HX-Current-URL")?;
    let (current, _fragment) = current.split_once('#').unwrap_or((current, ""));
    let current = Absolute::parse(current).ok()?;
    // A page has a host; of `https:/a` browsers make one that this parser takes for a path.
    current
        .authority()
        .filter(|authority| !authority.host().is_empty())?;
    let query = current.query().map(|query| query.as_str());
    let next = local::wanted(current.path().as_str(), query)?;
    (!core.config.is_login_path(&next)).then_some(next)
}

/// Whether a browser that does not tell its mode asked for a page, and not a script for data.
fn prefers_a_page(req: &Request<'_>) -> bool {
    let scripted = req
        .headers()
        .get_one("X-Requested-With")
        .is_some_and(|by| by.eq_ignore_ascii_case("XMLHttpRequest"));
    !scripted && req.accept().is_none_or(prefers_html)
}

/// Whether the first of the types with the highest weight is a page's.
fn prefers_html(accept: &Accept) -> bool {
    let mut preferred: Option<(&MediaType, f32)> = None;
    for media_type in accept.iter() {
        let weight = media_type.weight_or(1.0);
        if preferred.is_none_or(|(_, highest)| weight > highest) {
            preferred = Some((media_type.media_type(), weight));
        }
    }
    preferred.is_none_or(|(media_type, _)| {
        media_type.is_html()
            || media_type.is_any()
            || media_type.top() == "text" && media_type.sub() == "*"
            || media_type.top() == "application" && media_type.sub() == "xhtml+xml"
    })
}

/// Marks a response as one person's own, whatever the application said of its caching.
pub(crate) fn keep_private(res: &mut Response<'_>) {
    let said_something = res.set_raw_header("Cache-Control", "private, no-store");
    // A look-up costs more than a second `Vary: Cookie` to one who had said nothing but that.
    if !said_something || !varies_by_cookie(res) {
        res.adjoin_raw_header("Vary", "Cookie");
    }
}

fn varies_by_cookie(res: &Response<'_>) -> bool {
    let varies = res.headers().get("Vary");
    varies.flat_map(|vary| vary.split(',')).any(|name| {
        let name = name.trim();
        name == "*" || name.eq_ignore_ascii_case("Cookie")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefers(accept: &str) -> bool {
        prefers_html(&accept.parse().unwrap())
    }

    #[test]
    fn browsers_prefer_pages() {
        assert!(prefers(
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        ));
        assert!(prefers(
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
             image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
        ));
        assert!(prefers("*/*"));
        assert!(prefers("text/*"));
        assert!(prefers("application/json;q=0.5, text/html"));
    }

    #[test]
    fn scripts_prefer_data() {
        assert!(!prefers("application/json"));
        assert!(!prefers("application/json, text/plain, */*"));
        assert!(!prefers("text/html;q=0.5, application/json"));
        assert!(!prefers("image/png"));
    }
}
