//! The requests that are measured.

use std::net::{Ipv4Addr, SocketAddr};

use rocket::http::{Cookie, Header, Status};
use rocket::local::asynchronous::{Client, LocalRequest};

use crate::application::Size;

/// The requested page.
pub(crate) const PAGE: &str = "/page";

pub(crate) const REFRESH: &str = "/login-device/refresh";

/// The client's address.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

pub(crate) const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
                       (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/// A request that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// A route of an application without rocket-login.
    Plain,
    /// The same route, with an attached manager that the route does not use.
    Attached,
    /// A route with a hand-written guard that uses Rocket's private cookie: the budget of the guarded route.
    ByHand,
    /// The same promises as the guarded route, without a library.
    Bare,
    /// `#[login_required]` and `&User`.
    Guarded,
    /// `#[fresh_login_required]` and `&User`.
    Fresh,
    /// The guarded route with a list of ended logins of the application's own, which answers at once.
    SharedList,
    /// The guarded route with a store that servers share, which a copy in memory follows.
    Store,
    /// The guarded route for a login that is bound to a device.
    DeviceBound,
    /// The refresh of a login that is bound to a device: a signature is verified.
    Refresh,
    /// The same request without a genuine cookie.
    RefreshByStranger,
    /// The guarded route with eight attached managers.
    EightRealms,
    /// The guarded route for a login with the oldest of the secret keys, which is signed again.
    OldKey,
    /// A POST to an application without rocket-login.
    PlainPost,
    /// A hand-written login, which sets Rocket's private cookie.
    LoginByHand,
    /// `login_user`.
    Login,
    /// Rocket's own answer to a guard that fails with 401.
    Unauthorized,
    /// A guarded route without a login: the redirect, with its message.
    Denial,
}

impl Scene {
    /// Every scene, in the order of the table.
    pub(crate) const ALL: [Self; 18] = [
        Self::Plain,
        Self::Attached,
        Self::ByHand,
        Self::Bare,
        Self::Guarded,
        Self::Fresh,
        Self::SharedList,
        Self::Store,
        Self::DeviceBound,
        Self::Refresh,
        Self::RefreshByStranger,
        Self::EightRealms,
        Self::OldKey,
        Self::PlainPost,
        Self::LoginByHand,
        Self::Login,
        Self::Unauthorized,
        Self::Denial,
    ];

    /// The scene's name.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Attached => "attached",
            Self::ByHand => "by-hand",
            Self::Bare => "bare",
            Self::Guarded => "guarded",
            Self::Fresh => "fresh",
            Self::SharedList => "shared-list",
            Self::Store => "store",
            Self::DeviceBound => "device-bound",
            Self::Refresh => "refresh",
            Self::RefreshByStranger => "refresh-by-stranger",
            Self::EightRealms => "eight-realms",
            Self::OldKey => "old-key",
            Self::PlainPost => "plain-post",
            Self::LoginByHand => "login-by-hand",
            Self::Login => "login",
            Self::Unauthorized => "401",
            Self::Denial => "denial",
        }
    }

    /// The scene of this name.
    #[must_use]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scene| scene.name() == name)
    }

    /// The request without a login that this one is compared with.
    #[must_use]
    pub(crate) fn floor(self) -> Self {
        match self {
            Self::PlainPost
            | Self::LoginByHand
            | Self::Login
            | Self::Refresh
            | Self::RefreshByStranger => Self::PlainPost,
            Self::Unauthorized | Self::Denial => Self::Unauthorized,
            _ => Self::Plain,
        }
    }

    /// The default size of its application.
    #[must_use]
    pub(crate) fn size(self) -> Size {
        Size {
            realms: if self == Self::EightRealms { 8 } else { 1 },
            old_keys: if self == Self::OldKey { 3 } else { 0 },
            ..Size::default()
        }
    }

    /// Whether the client sends a login.
    pub(crate) fn is_logged_in(self) -> bool {
        matches!(
            self,
            Self::Guarded
                | Self::Fresh
                | Self::SharedList
                | Self::Store
                | Self::DeviceBound
                | Self::EightRealms
                | Self::OldKey
        )
    }

    /// The status of the answer.
    pub(crate) fn status(self) -> Status {
        match self {
            Self::Unauthorized | Self::RefreshByStranger => Status::Unauthorized,
            Self::Denial => Status::SeeOther,
            _ => Status::Ok,
        }
    }

    /// Whether the request proves the key of a device.
    pub(crate) fn is_refresh(self) -> bool {
        matches!(self, Self::Refresh | Self::RefreshByStranger)
    }

    pub(crate) fn has_manager(self) -> bool {
        !matches!(
            self,
            Self::Plain
                | Self::PlainPost
                | Self::ByHand
                | Self::Bare
                | Self::LoginByHand
                | Self::Unauthorized
        )
    }

    /// The client's request.
    pub(crate) fn request<'c>(
        self,
        client: &'c Client,
        cookies: &[Cookie<'static>],
    ) -> LocalRequest<'c> {
        let is_post = self.floor() == Self::PlainPost;
        let request = if self.is_refresh() {
            client.post(REFRESH)
        } else if is_post {
            client.post(PAGE)
        } else {
            client.get(PAGE)
        };
        from_browser(request, cookies)
    }
}

/// A request of the client.
pub(crate) fn from_browser<'c>(
    request: LocalRequest<'c>,
    cookies: &[Cookie<'static>],
) -> LocalRequest<'c> {
    // Names in lower case, as Rocket gets them from hyper.
    let mut request = request
        .remote(SocketAddr::from((ADDRESS, 49_152)))
        .header(Header::new("host", "app.example"))
        .header(Header::new("user-agent", BROWSER))
        .header(Header::new(
            "accept",
            "text/html,application/xhtml+xml,*/*;q=0.8",
        ))
        .header(Header::new("accept-language", "en"))
        .header(Header::new("sec-fetch-site", "same-origin"))
        .header(Header::new("sec-fetch-mode", "navigate"));
    // As in a real request: in the header, and parsed by Rocket into its jar.
    let pairs: Vec<_> = cookies
        .iter()
        .map(|cookie| cookie.stripped().to_string())
        .collect();
    request.add_header(Header::new("cookie", pairs.join("; ")));
    request.cookies(cookies.iter().cloned())
}
