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
mod types;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;

/// Guards a route: refuses everybody who is not logged in, before Rocket looks at anything else in the request.
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
/// - a type, first: the user type that must be logged in, if several managers are attached: `#[login_required(Admin)]`.
///   The type must be as visible as the handler.
/// - `if = function`: a condition that the user must meet, see below.
/// - `forward`: a refused request goes to the next route, see below.
/// - `crate = path`: the path of rocket-login if it is not `::rocket_login`.
///
/// Write it above the route attribute, which must be one of Rocket's: `get`, `put`, `post`, `delete`, `head`, `options`,
/// `patch` or `route`. Below the route attribute it does not compile, because Rocket has then already read the handler:
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
/// A condition is a function or closure. Its first parameter is a reference to the user, and request guards may follow. It is
/// sync or async and returns `bool`, or `Result<bool, E>` if it can fail. A user who does not meet it gets a 403, or the answer
/// of the [`macro@forbidden_handler`]. Nobody is sent to the login page, because a login would not help.
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
/// By default a refused request is answered, and Rocket tries no other route. With `forward` it goes to the next route that
/// matches, by rank, as with Rocket's own guards that forward:
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
/// `forward` has a risk: *any* later route that matches the path then answers a refused request, even one that was added for
/// another purpose, such as a `FileServer` or `/<path..>`. The launch warns of the next route if it is neither guarded nor
/// marked as public. Do not use `forward` if you only want to protect a route.
///
/// # What it generates
///
/// 1. A hidden marker type `__login_dashboard`, which holds the handler's name and location, its route, and its rule.
/// 2. One more request guard, as the handler's first argument. Nothing else in the handler changes. So other code cannot call the
///    handler; move what both need into a function of its own.
///
/// If no `LoginManager` for the user type is attached, the application does not launch.
#[proc_macro_attribute]
pub fn login_required(args: TokenStream, item: TokenStream) -> TokenStream {
    route(guarded::Kind::Login, args, item)
}

/// Guards a route as [`macro@login_required`] does, and requires a fresh login: one by credentials, not by the remember cookie.
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
/// The same as for [`macro@login_required`], and:
///
/// - `within = "10m"` or `within = 600`: the maximum age of the login or of its confirmation, as text or in seconds. Default:
///   the manager's `fresh_lifetime`.
///
/// It also requires a login, so the two attributes cannot be on one route:
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
    route(guarded::Kind::FreshLogin, args, item)
}

/// Redirects logged-in users away from a route, such as the login page.
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
/// - `redirect = "/path"`: where logged-in users are sent if the request names no page in `next`. Default: `"/"`. It must
///   be a path on this site, and not the path of the route itself.
/// - `forward`: their request goes to the next route instead, with the risk that [`macro@login_required`] describes.
/// - `crate = path`: the path of rocket-login if it is not `::rocket_login`.
///
/// A redirect to another site does not compile:
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
    route(guarded::Kind::Anonymous, args, item)
}

/// Marks a route as public, so that a route without any attribute is a mistake.
///
/// ```rust
/// # use rocket::get;
/// # use rocket_login::public;
/// #[public]
/// #[get("/about")]
/// fn about() -> &'static str {
///     "Example Ltd."
/// }
/// ```
///
/// Everybody may use the route. The attribute changes only the list of routes at launch, and the routes that
/// `unguarded_routes = "deny"` refuses.
///
/// # Grammar
///
/// `#[public]`, or `#[public(crate = path)]` if rocket-login is not `::rocket_login`. No other guard of this crate may be on
/// the same route:
///
/// ```rust,compile_fail
/// # use rocket::get;
/// # use rocket_login::{login_required, public};
/// #[public]
/// #[login_required]
/// #[get("/about")]
/// fn about() {}
/// ```
///
/// # What it generates
///
/// The same as [`macro@login_required`].
#[proc_macro_attribute]
pub fn public(args: TokenStream, item: TokenStream) -> TokenStream {
    route(guarded::Kind::Public, args, item)
}

/// Turns a function into the user loader, which finds a user by the id in the session.
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
/// `#[user_loader]`, or `#[user_loader(crate = path)]` if rocket-login is not `::rocket_login`.
///
/// The function is sync or async, and not inside an `impl`. Its first parameter is the user's id: `&str`, or any type that
/// implements `FromStr`. If the id cannot be parsed, no user has it. The other parameters are request guards. The function
/// returns `Option<User>`, or `Result<Option<User>, E>` if loading can fail. An error, or a guard that fails, fails the
/// request; it logs nobody out. So does a loader that takes longer than the setting `loader_timeout`, if it awaits. One
/// that blocks its thread cannot be interrupted: run blocking calls in `rocket::tokio::task::spawn_blocking`.
///
/// # What it generates
///
/// A constant of the function's name, with its documentation and visibility, which `LoginManager::new` takes. As with any
/// constant, no variable in its scope can have the same name, and the user type must be as visible as the constant. Your
/// function moves into the implementation of `IntoUserLoader` for the constant's type, which
///
/// 1. parses the id,
/// 2. runs each request guard, from left to right, and
/// 3. calls your function.
#[proc_macro_attribute]
pub fn user_loader(args: TokenStream, item: TokenStream) -> TokenStream {
    function(function::Kind::UserLoader, args, item)
}

/// Turns a function into the request loader, which finds a user by the request itself if no cookie does.
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
///     // Find the user of `key`.
/// #   None
/// }
/// ```
///
/// The same as [`macro@user_loader`], but without an id: every parameter is a request guard. Pass it to
/// `LoginManager::request_loader` or `LoginManager::from_requests`.
#[proc_macro_attribute]
pub fn request_loader(args: TokenStream, item: TokenStream) -> TokenStream {
    function(function::Kind::RequestLoader, args, item)
}

/// Turns a function into the answer to a request that needs a login and has none.
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
/// `#[unauthorized_handler]`, or `#[unauthorized_handler(crate = path)]` if rocket-login is not `::rocket_login`.
///
/// The function is sync or async, and not inside an `impl`. Its parameters are request guards, and it returns any responder.
/// If a guard fails, the request is answered with that guard's status.
///
/// # What it generates
///
/// A constant of the function's name, which `LoginManager::unauthorized_handler` takes, as for [`macro@user_loader`].
#[proc_macro_attribute]
pub fn unauthorized_handler(args: TokenStream, item: TokenStream) -> TokenStream {
    function(function::Kind::UnauthorizedHandler, args, item)
}

/// Turns a function into the answer to a request that needs a fresh login and has an older one.
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
/// The same as [`macro@unauthorized_handler`]. Pass it to `LoginManager::needs_refresh_handler`.
#[proc_macro_attribute]
pub fn needs_refresh_handler(args: TokenStream, item: TokenStream) -> TokenStream {
    function(function::Kind::NeedsRefreshHandler, args, item)
}

/// Turns a function into the answer to a logged-in user who does not meet a route's condition.
///
/// ```rust
/// # use rocket::http::Status;
/// # use rocket_login::forbidden_handler;
/// #[forbidden_handler]
/// fn not_yours() -> (Status, &'static str) {
///     (Status::Forbidden, "this page is for the staff")
/// }
/// ```
///
/// The same as [`macro@unauthorized_handler`]. Pass it to `LoginManager::forbidden_handler`.
#[proc_macro_attribute]
pub fn forbidden_handler(args: TokenStream, item: TokenStream) -> TokenStream {
    function(function::Kind::ForbiddenHandler, args, item)
}

/// Turns a function into a listener, which learns what happened to a login and cannot change it.
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
/// `#[event_listener]`, or `#[event_listener(crate = path)]` if rocket-login is not `::rocket_login`.
///
/// The function is sync or async, and not inside an `impl`. Its first parameter is a reference to the event, the others are
/// request guards, and it returns nothing. If a guard fails, an error is logged and the listener does not run. A panic in a
/// listener is contained, and a listener that takes longer than the `loader_timeout` is stopped.
///
/// # What it generates
///
/// A constant of the function's name, which `LoginManager::event_listener` takes, as for [`macro@user_loader`].
#[proc_macro_attribute]
pub fn event_listener(args: TokenStream, item: TokenStream) -> TokenStream {
    function(function::Kind::EventListener, args, item)
}

/// Turns a struct into a user type, and `&User` into a request guard that only a logged-in user passes.
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
/// - `#[user(id)]`: the user's id, of any type that implements `Display`. Default: the field called `id`.
/// - `#[user(active)]`: whether the user may be logged in, a `bool`. Default: every user may.
/// - `#[user(session_hash)]`: a part of the session hash, see below; text or bytes.
///
/// The compiler warns about a field such as `password_hash` if there is no session hash, and about a field such as
/// `is_active` if no field is marked as active. `#[user(session_hash = false)]` and `#[user(active = false)]` above the
/// field say that this is on purpose.
///
/// On the struct:
///
/// - `#[user(session_hash(a, b))]`: fields whose change ends every older session and remember token of the user. They are
///   hashed in this order, followed by the fields that are marked `#[user(session_hash)]`. A new order is a new hash, and so
///   it ends every login.
/// - `#[user(crate = path)]`: the path of rocket-login if it is not `::rocket_login`.
///
/// The struct must have named fields and no lifetimes. Other types implement the trait by hand, with
/// `#[derive(UserGuard)]` for the guard. The struct's type parameters get the bounds `Send + Sync + 'static`.
///
/// # What it generates
///
/// 1. `impl UserMixin for User`.
/// 2. `impl UserGuard for User`, which says that the third part exists.
/// 3. `impl FromRequest for &User`: a handler with a parameter `user: &User` is guarded as with [`macro@login_required`].
/// 4. `impl Sentinel for &User`: an application with such a handler but no `LoginManager` for `User` does not launch.
#[proc_macro_derive(UserMixin, attributes(user))]
pub fn derive_user_mixin(input: TokenStream) -> TokenStream {
    mixin::mixin(input.into()).into()
}

/// Makes `&User` a request guard, for a type that implements the trait `UserMixin` by hand.
///
/// ```rust
/// # use std::fmt::Display;
/// # use rocket::get;
/// use rocket_login::{UserGuard, UserMixin};
///
/// #[derive(UserGuard)]
/// enum Account {
///     Person { id: i64 },
///     Robot { id: i64 },
/// }
///
/// impl UserMixin for Account {
///     fn get_id(&self) -> impl Display {
///         match self {
///             Account::Person { id } | Account::Robot { id } => id,
///         }
///     }
/// }
///
/// #[get("/profile")]
/// fn profile(account: &Account) {}
/// ```
///
/// # Grammar
///
/// `#[user(crate = path)]` on the type: the path of rocket-login if it is not `::rocket_login`.
///
/// # What it generates
///
/// Everything that [`macro@UserMixin`] generates, except the first part.
#[proc_macro_derive(UserGuard, attributes(user))]
pub fn derive_user_guard(input: TokenStream) -> TokenStream {
    mixin::guard(input.into()).into()
}

/// Replaces an item by the generated ones; only for generated code.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn items(generated: TokenStream, _: TokenStream) -> TokenStream {
    generated
}

fn route(kind: guarded::Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    in_module(args, item, |args, item| guarded::guarded(kind, args, item))
}

fn function(kind: function::Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    in_module(args, item, |args, item| {
        function::function(kind, args, item)
    })
}

fn in_module(
    args: TokenStream,
    item: TokenStream,
    generate: impl FnOnce(TokenStream2, TokenStream2) -> TokenStream2,
) -> TokenStream {
    let (args, item) = (TokenStream2::from(args), TokenStream2::from(item));
    let generated = generate(args.clone(), item.clone());
    item::in_module(args, item, generated).into()
}
