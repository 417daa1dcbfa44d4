//! What a search for the user of a request begins with, and what it finds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rocket::Request;

use super::cookie::LoginCookie;
use super::fate::{Fate, Fates};
use crate::app::event::EventKind;
use crate::realm::RealmCore;
use crate::request::client_info::ClientInfo;
use crate::request::cookie_header::Presented;
use crate::revocation::replicated::freshness::Trust;
use crate::token::{Kind, LoginId, Token};

/// The cookies and the user of a request, in its cache: loaders hold references to the tokens, guards to the user.
pub(crate) struct Findings<U> {
    pub(crate) session: LoginCookie,
    /// `None` if the cookie did not come; empty until it is needed, because verifying it costs as much as the session.
    remember: Option<OnceLock<Box<LoginCookie>>>,
    pub(crate) user: OnceLock<U>,
    /// The user whose login has ended because its remember cookie was copied; only for the listeners.
    robbed: OnceLock<U>,
    /// Whether an old copy of the store judged a cookie.
    is_stale: AtomicBool,
    notes: Mutex<Notes>,
}

/// What became of the cookies, for the log and for the listeners.
#[derive(Default)]
struct Notes {
    fates: Fates,
    events: Vec<Event>,
}

/// An event that is emitted when the search is over.
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    /// The login that the event is about.
    pub(crate) login: Option<LoginId>,
    about: About,
}

/// The user whom an event is about.
enum About {
    /// The one who was found in the end.
    Found,
    Robbed,
    Nobody,
}

impl<U> Findings<U> {
    pub(crate) fn begin(core: &RealmCore, req: &Request<'_>, client: &ClientInfo<'_>) -> Self {
        let remember = client.cookie(Kind::Remember);
        Findings {
            session: LoginCookie::read(core, req, client, Kind::Session),
            remember: (remember != Presented::Absent).then(OnceLock::new),
            user: OnceLock::new(),
            robbed: OnceLock::new(),
            is_stale: AtomicBool::new(false),
            notes: Mutex::default(),
        }
    }

    /// Returns a login cookie, verified.
    pub(crate) fn cookie(&self, core: &RealmCore, req: &Request<'_>, kind: Kind) -> &LoginCookie {
        static ABSENT: LoginCookie = LoginCookie::Absent;
        match (kind, &self.remember) {
            (Kind::Session, _) => &self.session,
            (Kind::Device, _) | (Kind::Remember, None) => &ABSENT,
            (Kind::Remember, Some(remember)) => remember
                .get_or_init(|| Box::new(LoginCookie::read(core, req, &core.client(req), kind))),
        }
    }

    /// Notes that an old copy of the store judged a cookie.
    pub(crate) fn note_stale(&self) {
        self.is_stale.store(true, Ordering::Relaxed);
    }

    /// How far the login can be trusted.
    pub(crate) fn trust(&self) -> Trust {
        if self.is_stale.load(Ordering::Relaxed) {
            Trust::Stale
        } else {
            Trust::Fresh
        }
    }

    /// Notes what became of a cookie.
    pub(crate) fn note(&self, kind: Kind, fate: Fate, token: Option<&Token>) {
        self.notes().fates.set(kind, fate);
        if let Some(event) = fate.event() {
            self.note_event(event, token);
        }
    }

    /// Notes what became of Flask's cookies.
    #[cfg(feature = "flask")]
    pub(crate) fn note_flask(&self, fate: Fate, token: Option<&Token>) {
        self.notes().fates.flask = Some(fate);
        if let Some(event) = fate.event() {
            self.note_event(event, token);
        }
    }

    pub(crate) fn note_event(&self, kind: EventKind, token: Option<&Token>) {
        let about = match kind {
            EventKind::LoadedFromCookie
            | EventKind::LoadedFromRequest
            | EventKind::SessionProtected => About::Found,
            #[cfg(feature = "flask")]
            EventKind::LoadedFromFlask => About::Found,
            EventKind::RememberTokenReused => About::Robbed,
            _ => About::Nobody,
        };
        self.notes().events.push(Event {
            kind,
            login: token.map(|token| token.login_id),
            about,
        });
    }

    /// Notes whose remember cookie was copied.
    pub(crate) fn note_robbed(&self, user: U) {
        self.robbed.get_or_init(|| user);
    }

    /// Returns the user whom an event is about.
    pub(crate) fn user_of(&self, event: &Event) -> Option<&U> {
        match event.about {
            About::Found => self.user.get(),
            About::Robbed => self.robbed.get(),
            About::Nobody => None,
        }
    }

    pub(crate) fn fates(&self) -> Fates {
        self.notes().fates
    }

    pub(crate) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.notes().events)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
