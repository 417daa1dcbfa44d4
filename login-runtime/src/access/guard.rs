//! A route's rule: what `#[login_required(..)]` generates, and what `routes![..].guarded(..)` takes.

use std::fmt;
use std::time::Duration;

use rocket::Request;
use rocket::futures::future::BoxFuture;
use rocket::http::Method;

use super::condition::Permission;
use crate::app::user::{UserMixin, UserType};
use crate::config::Config;
use crate::redirect::local::is_local;
use crate::request::cross_site::is_safe;

/// Who may use a route, or a group of routes.
///
/// The attributes are short forms of it: `#[fresh_login_required(Staff, within = "10m", if = may_pay)]` generates the
/// guard of the example. What an attribute refuses at compile time, a guard of a group refuses at launch.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use std::time::Duration;
/// use rocket_login::{GuardRoutes, RouteGuard, UserMixin, condition};
///
/// #[derive(UserMixin)]
/// struct Staff { id: i64, may_pay: bool }
///
/// fn may_pay(staff: &Staff) -> bool { staff.may_pay }
///
/// #[get("/payments")]
/// fn payments() {}
///
/// # fn main() {
/// let guard = RouteGuard::fresh_login()
///     .user::<Staff>()
///     .within(Duration::from_secs(600))
///     .only_if(condition!(may_pay));
/// let rocket = rocket::build().mount("/staff", routes![payments].guarded(guard));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a guard protects nothing until routes are given to it: `routes![..].guarded(guard)`"]
pub struct RouteGuard {
    pub(crate) need: Need,
    pub(crate) within: Option<Duration>,
    pub(crate) user_type: Option<UserType>,
    pub(crate) condition: Option<RouteCondition>,
    pub(crate) forward: bool,
}

/// Which visitors a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Everybody.
    Nothing,
    /// Users who are logged in.
    Login,
    /// Users who have given their credentials recently.
    FreshLogin,
    /// Visitors who are not logged in; users are redirected.
    Anonymous { redirect: &'static str },
}

impl RouteGuard {
    fn new(need: Need) -> Self {
        RouteGuard {
            need,
            within: None,
            user_type: None,
            condition: None,
            forward: false,
        }
    }

    /// Requires a login, as `#[login_required]` does.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// # use rocket_login::{GuardRoutes, RouteGuard};
    /// # #[get("/")] fn orders() {}
    /// # fn main() {
    /// let routes = routes![orders].guarded(RouteGuard::login());
    /// # }
    /// ```
    #[inline]
    pub fn login() -> Self {
        Self::new(Need::Login)
    }

    /// Requires a fresh login, as `#[fresh_login_required]` does.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// # use rocket_login::{GuardRoutes, RouteGuard};
    /// # #[get("/")] fn payments() {}
    /// # fn main() {
    /// let routes = routes![payments].guarded(RouteGuard::fresh_login());
    /// # }
    /// ```
    #[inline]
    pub fn fresh_login() -> Self {
        Self::new(Need::FreshLogin)
    }

    /// Requires that nobody is logged in, as `#[anonymous_required]` does; users are redirected to `redirect`.
    ///
    /// If the request names a page in `next`, they are redirected to that page, by the rules of [`Next`](crate::Next).
    ///
    /// `redirect` is a path of this site; another value stops the launch.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// # use rocket_login::{GuardRoutes, RouteGuard};
    /// # #[get("/register")] fn register() {}
    /// # fn main() {
    /// let routes = routes![register].guarded(RouteGuard::anonymous("/dashboard"));
    /// # }
    /// ```
    #[inline]
    pub fn anonymous(redirect: &'static str) -> Self {
        Self::new(Need::Anonymous { redirect })
    }

    /// Marks routes as open on purpose, as `#[public]` does.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// # use rocket_login::{GuardRoutes, RouteGuard};
    /// # #[get("/about")] fn about() {}
    /// # fn main() {
    /// let routes = routes![about].guarded(RouteGuard::public());
    /// # }
    /// ```
    #[inline]
    pub fn public() -> Self {
        Self::new(Need::Nothing)
    }

    /// Names the user type whose logins count; required where several managers are attached.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{RouteGuard, UserMixin};
    /// # #[derive(UserMixin)] struct Staff { id: i64 }
    /// let guard = RouteGuard::login().user::<Staff>();
    /// ```
    #[inline]
    pub fn user<U: UserMixin>(mut self) -> Self {
        self.user_type = Some(UserType::of::<U>());
        self
    }

    /// Requires that the credentials were given at most this long ago; for a [fresh login](Self::fresh_login) only.
    ///
    /// The window is a whole number of seconds. Default: the setting `fresh_lifetime`.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use std::time::Duration;
    /// # use rocket_login::RouteGuard;
    /// let guard = RouteGuard::fresh_login().within(Duration::from_secs(10 * 60));
    /// ```
    #[inline]
    pub fn within(mut self, window: Duration) -> Self {
        self.within = Some(window);
        self
    }

    /// Requires that a condition holds for the user; others get 403. For logins, fresh or not.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{condition, RouteGuard, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64, staff: bool }
    /// let guard = RouteGuard::login().only_if(condition!(|user: &User| user.staff));
    /// ```
    #[inline]
    pub fn only_if(mut self, condition: RouteCondition) -> Self {
        self.condition = Some(condition);
        self
    }

    /// Forwards a refused request to the next route that matches, instead of refusing it.
    ///
    /// The next route answers visitors without a login, so it must not show protected data. The launch warns of a next
    /// route that is neither guarded nor marked as public. A request from another site and a failure are never forwarded.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// # use rocket_login::{GuardRoutes, RouteGuard};
    /// # #[get("/")] fn dashboard() {}
    /// # #[get("/", rank = 2)] fn welcome() {}
    /// # fn main() {
    /// let mut routes = routes![dashboard].guarded(RouteGuard::login().forward());
    /// routes.extend(routes![welcome].public());
    /// # }
    /// ```
    #[inline]
    pub fn forward(mut self) -> Self {
        self.forward = true;
        self
    }

    /// Returns how old, in seconds, the credentials of a fresh login may be for a request with this method.
    pub(crate) fn window(&self, config: &Config, method: Method) -> Option<u64> {
        let window = self.within.map(|window| window.as_secs());
        let window = window.or(config.fresh_lifetime)?;
        let grace = if is_safe(method) {
            0
        } else {
            config.fresh_grace_period
        };
        Some(window.saturating_add(grace))
    }

    /// Whether the setting `exempt_methods` opens the route to everybody, as Flask-Login does for OPTIONS.
    ///
    /// A route for visitors without a login has no exemptions: its redirect protects nothing.
    pub(crate) fn is_exempt(&self, config: &Config, method: Method) -> bool {
        matches!(self.need, Need::Login | Need::FreshLogin)
            && config.exempt_methods.contains(&method)
    }

    /// The combinations and values that cannot work, in the words that the attributes use.
    pub(crate) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let is_login = matches!(self.need, Need::Login | Need::FreshLogin);
        match self.within {
            Some(_) if self.need != Need::FreshLogin => mistakes.push(
                "`within` belongs to `#[fresh_login_required]`: write `RouteGuard::fresh_login().within(..)`"
                    .to_owned(),
            ),
            Some(window) if window.subsec_nanos() != 0 => mistakes.push(
                "`within` is not a whole number of seconds: write one such as `Duration::from_secs(600)`"
                    .to_owned(),
            ),
            Some(Duration::ZERO) => mistakes.push(
                "`within` is zero, and no login is that fresh: write a duration such as `Duration::from_secs(600)`"
                    .to_owned(),
            ),
            _ => {}
        }
        if self.condition.is_some() && !is_login {
            mistakes.push(
                "`if` belongs to `#[login_required]`: write `RouteGuard::login().only_if(..)`"
                    .to_owned(),
            );
        }
        if self.need == Need::Nothing && self.forward {
            mistakes.push(
                "`forward` belongs to `#[login_required]`: a public route refuses nobody; remove `.forward()`"
                    .to_owned(),
            );
        }
        if self.need == Need::Nothing && self.user_type.is_some() {
            mistakes.push(
                "`#[public]` takes no user type: everybody may use the route; remove `.user::<..>()`"
                    .to_owned(),
            );
        }
        if let Need::Anonymous { redirect } = self.need
            && !is_local(redirect)
        {
            mistakes.push(format!(
                "`redirect` is not a path of this site: `{}`; write one such as `/`",
                redirect.escape_debug()
            ));
        }
        mistakes
    }
}

/// A condition on the user of a route, made by [`condition!`](crate::condition!).
///
/// The example of [`condition!`](crate::condition!) shows it.
#[derive(Clone, Copy)]
pub struct RouteCondition {
    permit: PermitFn,
    judges: fn() -> UserType,
}

type PermitFn = for<'r> fn(&'r Request<'_>) -> BoxFuture<'r, Permission>;

impl RouteCondition {
    #[doc(hidden)]
    #[inline]
    #[must_use]
    pub fn new(
        permit: for<'r> fn(&'r Request<'_>) -> BoxFuture<'r, Permission>,
        judges: fn() -> UserType,
    ) -> Self {
        RouteCondition { permit, judges }
    }

    /// Asks the condition about the user of a request.
    pub(crate) fn permit<'r>(&self, req: &'r Request<'_>) -> BoxFuture<'r, Permission> {
        (self.permit)(req)
    }

    /// Returns the user type that the condition judges.
    pub(crate) fn judges(&self) -> UserType {
        (self.judges)()
    }
}

impl fmt::Debug for RouteCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteCondition")
            .field("judges", &self.judges())
            .finish_non_exhaustive()
    }
}

/// Makes a condition for [`RouteGuard::only_if`] of a function.
///
/// The function takes the user, then up to six request guards. It may be async, and returns a `bool` or a
/// `Result<bool, E>`.
///
/// # Example
///
/// ```rust
/// # use rocket_login::{condition, RouteGuard, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64, staff: bool }
/// let guard = RouteGuard::login().only_if(condition!(|user: &User| user.staff));
/// ```
#[macro_export]
macro_rules! condition {
    ($function:expr) => {{
        fn condition<'r>() -> $crate::private::Resolved<'r, impl ::core::marker::Sized + use<'r>> {
            $crate::private::condition($function)
        }
        $crate::private::RouteCondition::new(|req| condition().permit(req), || condition().judges())
    }};
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::user::UserGuard;

    #[derive(Debug)]
    struct User;

    impl UserGuard for User {}

    impl UserMixin for User {
        fn get_id(&self) -> impl fmt::Display {
            1
        }
    }

    fn condition() -> RouteCondition {
        RouteCondition::new(
            |_| Box::pin(std::future::ready(Permission::Granted)),
            UserType::of::<User>,
        )
    }

    #[test]
    fn a_guard_that_an_attribute_can_write_has_no_mistake() {
        let minute = Duration::from_secs(60);
        for guard in [
            RouteGuard::login().user::<User>().only_if(condition()),
            RouteGuard::fresh_login().within(minute).forward(),
            RouteGuard::fresh_login().only_if(condition()),
            RouteGuard::anonymous("/home?tab=1").user::<User>(),
            RouteGuard::anonymous("/").forward(),
            RouteGuard::public(),
        ] {
            assert_eq!(guard.mistakes(), [""; 0], "{guard:?}");
        }
    }
}
