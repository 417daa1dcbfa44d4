//! The macros of [rocket-login](https://docs.rs/rocket-login). Depend on that crate, which re-exports them, and not on this one.

mod error;
mod function;
mod guarded;
mod item;
mod krate;
mod mixin;
mod options;
mod route;
mod span;
#[cfg(test)]
mod testing;

use proc_macro::TokenStream;

/// Guards a route: who is not logged in is refused, before anything else about the request is looked at.
///
/// ```rust
/// # use rocket::get;
/// # use rocket_login::{login_required, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64, name: String }
/// #[login_required]
/// #[get("/dashboard")]
/// fn dashboard(user: &User) -> String {
///     format!("Hello {}", user.name)
/// }
/// ```
///
/// # Grammar
///
/// `#[login_required]`, with any of these in parentheses:
///
/// - a type, first: the user type that is asked for, where several managers are attached: `#[login_required(Admin)]`.
///   It must be as visible as the handler.
/// - `if = function`: who may pass of those who are logged in, as below.
/// - `forward`: hands a refused request to the next route, as below.
/// - `crate = path`: where rocket-login is found if not at `::rocket_login`.
///
/// It stands above the route attribute, which must be one of Rocket's: `get`, `put`, `post`, `delete`, `head`, `options`,
/// `patch` or `route`. The other way round Rocket has read the handler before the guard is in it, and that does not compile:
///
/// ```rust,compile_fail
/// # use rocket::get;
/// # use rocket_login::login_required;
/// #[get("/dashboard")]
/// #[login_required]
/// fn dashboard() {}
/// ```
///
/// # Conditions
///
/// The condition is a function or closure of the user by reference, and of any request guards after it. It is sync or async
/// and returns `bool`, or `Result<bool, E>` where it can fail. Who is refused by it is answered with 403, or by the
/// [`macro@forbidden_handler`], and not sent to log in: another login is not what is missing.
///
/// ```rust
/// # use rocket::{get, State};
/// # use rocket_login::{login_required, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64, is_staff: bool }
/// # struct Db;
/// # impl Db { async fn is_editor(&self, _: i64) -> bool { true } }
/// async fn may_edit(user: &User, db: &State<Db>) -> bool {
///     db.is_editor(user.id).await
/// }
///
/// #[login_required(if = may_edit)]
/// #[get("/edit")]
/// fn edit() {}
///
/// #[login_required(if = |user: &User| user.is_staff)]
/// #[get("/staff")]
/// fn staff() {}
/// ```
///
/// # Forwarding
///
/// By default a refused request is answered, and no other route is tried. With `forward` it goes to the next route that
/// matches, by rank, as where Rocket's own guards forward:
///
/// ```rust
/// # use rocket::get;
/// # use rocket_login::{login_required, public, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64, name: String }
/// #[login_required(forward)]
/// #[get("/")]
/// fn home(user: &User) -> String {
///     format!("Hello {}", user.name)
/// }
///
/// #[public]
/// #[get("/", rank = 2)]
/// fn welcome() -> &'static str {
///     "Hello stranger"
/// }
/// ```
///
/// Mind what that risks: *any* later route that matches the path then answers those whom this one refused, also one that
/// somebody adds for another purpose, such as a `FileServer` or `/<path..>`. Nothing at such a route shows that it stands
/// behind a guard. Leave `forward` out where a route only must not be reached.
///
/// # What it generates
///
/// 1. A hidden marker type `__login_dashboard`, which tells the runtime the handler's name and place, its route, and what it
///    asks for.
/// 2. One more request guard as the handler's first argument. Nothing else about the handler changes.
///
/// At launch the guard stops an application that has attached no `LoginManager` for the user type.
#[proc_macro_attribute]
pub fn login_required(args: TokenStream, item: TokenStream) -> TokenStream {
    guarded::guarded(guarded::Kind::Login, args.into(), item.into()).into()
}

/// Guards a route as [`macro@login_required`] does, and asks for a fresh login: one by credentials, not by the remember cookie.
///
/// ```rust
/// # use rocket::post;
/// # use rocket_login::fresh_login_required;
/// #[fresh_login_required(within = "10m")]
/// #[post("/password")]
/// fn change_password() {}
/// ```
///
/// # Grammar
///
/// As for [`macro@login_required`], and:
///
/// - `within = "10m"` or `within = 600`: how long ago the login or its confirmation may be, as text or in seconds. By
///   default it is the manager's `fresh_lifetime`.
///
/// It asks for a login as well, so that the two do not stand on one route:
///
/// ```rust,compile_fail
/// # use rocket::post;
/// # use rocket_login::{fresh_login_required, login_required};
/// #[login_required]
/// #[fresh_login_required]
/// #[post("/password")]
/// fn change_password() {}
/// ```
///
/// # What it generates
///
/// The same as [`macro@login_required`].
#[proc_macro_attribute]
pub fn fresh_login_required(args: TokenStream, item: TokenStream) -> TokenStream {
    guarded::guarded(guarded::Kind::FreshLogin, args.into(), item.into()).into()
}

/// Keeps the logged in away from a route, such as the login page, and sends them elsewhere.
///
/// ```rust
/// # use rocket::get;
/// # use rocket_login::anonymous_required;
/// #[anonymous_required(redirect = "/dashboard")]
/// #[get("/login")]
/// fn login_form() -> &'static str {
///     "<form method=post>..</form>"
/// }
/// ```
///
/// # Grammar
///
/// `#[anonymous_required]`, with any of these in parentheses:
///
/// - a type, first: the user type that must not be logged in, as for [`macro@login_required`].
/// - `redirect = "/path"`: where the logged in are sent, `"/"` by default. It is a path on this site, and not that of the route
///   itself.
/// - `forward`: hands their request to the next route instead, with the risk that [`macro@login_required`] tells of.
/// - `crate = path`: where rocket-login is found if not at `::rocket_login`.
///
/// Another site is no place to send them to:
///
/// ```rust,compile_fail
/// # use rocket::get;
/// # use rocket_login::anonymous_required;
/// #[anonymous_required(redirect = "//example.org")]
/// #[get("/login")]
/// fn login_form() {}
/// ```
///
/// # What it generates
///
/// The same as [`macro@login_required`].
#[proc_macro_attribute]
pub fn anonymous_required(args: TokenStream, item: TokenStream) -> TokenStream {
    guarded::guarded(guarded::Kind::Anonymous, args.into(), item.into()).into()
}

/// Marks a route as meant to be open, so that one without a guard is known to be a mistake.
///
/// ```rust
/// # use rocket::get;
/// # use rocket_login::public;
/// #[public]
/// #[get("/imprint")]
/// fn imprint() -> &'static str {
///     "Example Ltd."
/// }
/// ```
///
/// It lets everybody pass. What it changes is the list of routes at launch, and what a manager that is told to refuse unmarked
/// routes does.
///
/// # Grammar
///
/// `#[public]`, or `#[public(crate = path)]` where rocket-login is not found at `::rocket_login`. No other guard of this crate
/// stands on the same route:
///
/// ```rust,compile_fail
/// # use rocket::get;
/// # use rocket_login::{login_required, public};
/// #[public]
/// #[login_required]
/// #[get("/imprint")]
/// fn imprint() {}
/// ```
///
/// # What it generates
///
/// The same as [`macro@login_required`].
#[proc_macro_attribute]
pub fn public(args: TokenStream, item: TokenStream) -> TokenStream {
    guarded::guarded(guarded::Kind::Public, args.into(), item.into()).into()
}

/// Makes a function the user loader, which finds a user by the id in the session.
///
/// ```rust
/// # use rocket::State;
/// # use rocket_login::{user_loader, LoginManager, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # struct Db;
/// # impl Db { async fn user(&self, id: i64) -> Option<User> { Some(User { id }) } }
/// #[user_loader]
/// async fn load_user(id: i64, db: &State<Db>) -> Option<User> {
///     db.user(id).await
/// }
///
/// let manager = LoginManager::new(load_user);
/// ```
///
/// # Grammar
///
/// `#[user_loader]`, or `#[user_loader(crate = path)]` where rocket-login is not found at `::rocket_login`.
///
/// The function is sync or async. Its first parameter is the user's id: `&str`, or any type that is read with `FromStr`. An id
/// that cannot be read is nobody's. The other parameters are request guards. It returns `Option<User>`, or
/// `Result<Option<User>, E>` where loading can fail; an error, and a guard that fails, fail the request, and log nobody out.
///
/// # What it generates
///
/// A function of the same name, attributes and visibility, with the signature that `LoginManager::new` takes. Your function
/// stands inside of it. In order, it
///
/// 1. reads the id,
/// 2. asks for each guard, from left to right, and
/// 3. calls your function.
#[proc_macro_attribute]
pub fn user_loader(args: TokenStream, item: TokenStream) -> TokenStream {
    function::function(function::Kind::UserLoader, args.into(), item.into()).into()
}

/// Makes a function the request loader, which finds a user by the request itself where no cookie does.
///
/// ```rust
/// # use rocket::{http::Status, request::{FromRequest, Outcome, Request}};
/// # use rocket_login::{request_loader, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # struct ApiKey<'r>(&'r str);
/// # #[rocket::async_trait]
/// # impl<'r> FromRequest<'r> for ApiKey<'r> {
/// #     type Error = ();
/// #     async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> { Outcome::Error((Status::BadRequest, ())) }
/// # }
/// #[request_loader]
/// async fn load_by_key(key: Option<ApiKey<'_>>) -> Option<User> {
///     // Look `key` up.
/// #   None
/// }
/// ```
///
/// As [`macro@user_loader`], but for the id: every parameter is a request guard. The result goes to
/// `LoginManager::request_loader`.
#[proc_macro_attribute]
pub fn request_loader(args: TokenStream, item: TokenStream) -> TokenStream {
    function::function(function::Kind::RequestLoader, args.into(), item.into()).into()
}

/// Makes a function the answer to a request that needs a login and has none.
///
/// ```rust
/// # use rocket::http::Status;
/// # use rocket_login::unauthorized_handler;
/// #[unauthorized_handler]
/// fn ask_to_log_in() -> (Status, &'static str) {
///     (Status::Unauthorized, "log in first")
/// }
/// ```
///
/// # Grammar
///
/// `#[unauthorized_handler]`, or `#[unauthorized_handler(crate = path)]` where rocket-login is not found at `::rocket_login`.
///
/// The function is sync or async, its parameters are request guards, and it returns any responder. If a guard fails, the
/// request is answered with that guard's status.
///
/// # What it generates
///
/// A function of the same name, attributes and visibility, with the signature that `LoginManager::unauthorized_handler` takes.
/// Your function stands inside of it.
#[proc_macro_attribute]
pub fn unauthorized_handler(args: TokenStream, item: TokenStream) -> TokenStream {
    function::function(
        function::Kind::UnauthorizedHandler,
        args.into(),
        item.into(),
    )
    .into()
}

/// Makes a function the answer to a request that needs a fresh login and has an older one.
///
/// ```rust
/// # use rocket::http::Status;
/// # use rocket_login::needs_refresh_handler;
/// #[needs_refresh_handler]
/// async fn ask_to_confirm() -> (Status, &'static str) {
///     (Status::Unauthorized, "confirm your password first")
/// }
/// ```
///
/// Everything is as for [`macro@unauthorized_handler`]. The result goes to `LoginManager::needs_refresh_handler`.
#[proc_macro_attribute]
pub fn needs_refresh_handler(args: TokenStream, item: TokenStream) -> TokenStream {
    function::function(
        function::Kind::NeedsRefreshHandler,
        args.into(),
        item.into(),
    )
    .into()
}

/// Makes a function the answer to a request for which a route's condition does not hold.
///
/// ```rust
/// # use rocket::http::Status;
/// # use rocket_login::forbidden_handler;
/// #[forbidden_handler]
/// fn not_yours() -> (Status, &'static str) {
///     (Status::Forbidden, "this is for the staff")
/// }
/// ```
///
/// Everything is as for [`macro@unauthorized_handler`]. The result goes to `LoginManager::forbidden_handler`.
#[proc_macro_attribute]
pub fn forbidden_handler(args: TokenStream, item: TokenStream) -> TokenStream {
    function::function(function::Kind::ForbiddenHandler, args.into(), item.into()).into()
}

/// Makes a function a listener, which is told what happened to a login and cannot change it.
///
/// ```rust
/// # use rocket_login::{event_listener, LoginEvent, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// #[event_listener]
/// async fn audit(event: &LoginEvent<'_, User>) {
///     println!("{:?}", event.kind);
/// }
/// ```
///
/// # Grammar
///
/// `#[event_listener]`, or `#[event_listener(crate = path)]` where rocket-login is not found at `::rocket_login`.
///
/// The function is sync or async. Its first parameter is a reference to the event, the others are request guards, and it
/// returns nothing. If a guard fails, that is logged and the listener is not called.
///
/// # What it generates
///
/// A function of the same name, attributes and visibility, with the signature that a `LoginManager` takes. Your function stands
/// inside of it.
#[proc_macro_attribute]
pub fn event_listener(args: TokenStream, item: TokenStream) -> TokenStream {
    function::function(function::Kind::EventListener, args.into(), item.into()).into()
}

/// Makes a struct a user type, and `&User` a request guard that only a logged-in user passes.
///
/// ```rust
/// # use rocket_login::UserMixin;
/// #[derive(UserMixin)]
/// #[user(session_hash(password_hash))]
/// struct User {
///     id: i64,
///     #[user(active)]
///     enabled: bool,
///     password_hash: String,
/// }
/// ```
///
/// # Grammar
///
/// On a field:
///
/// - `#[user(id)]`: the user's id, of any type that implements `Display`. By default it is the field called `id`.
/// - `#[user(active)]`: whether the user may be logged in, a `bool`. By default every user may.
/// - `#[user(session_hash)]`: a part of the session hash, as below; text or bytes.
///
/// On the struct:
///
/// - `#[user(session_hash(a, b))]`: the fields whose change ends every older session and remember token of the user. They
///   are hashed in this order, and after them the fields that are marked themselves. Another order is another hash.
/// - `#[user(crate = path)]`: where rocket-login is found if not at `::rocket_login`.
///
/// The struct has named fields and no lifetimes. Its type parameters get the bounds `Send + Sync + 'static`.
///
/// # What it generates
///
/// 1. `impl UserMixin for User`.
/// 2. `impl FromRequest for &User`: a handler with a parameter `user: &User` is guarded as by [`macro@login_required`].
/// 3. `impl Sentinel for &User`: an application with such a handler and no `LoginManager` for `User` does not launch.
#[proc_macro_derive(UserMixin, attributes(user))]
pub fn derive_user_mixin(input: TokenStream) -> TokenStream {
    mixin::mixin(input.into()).into()
}
