//! The guide: how to do it, page by page.
//!
//! - [Quickstart](quickstart): logins in one file
//! - [Concepts](concepts): what a login is
//! - [Recipes](recipes): databases, passwords, templates, API keys, OAuth, passkeys and more
//! - [Migration](migration): from Flask-Login, without logging anybody out, and from other libraries
//! - [Testing](testing): without a form and without waiting
//! - [Deployment](deployment): the secret, proxies, several servers, containers
//! - [Settings](settings): all of them, with their defaults
//! - [Errors](errors): what the compiler and the launch say, and how to fix it
//! - [Design and limits](design): what the library does not do, and why it is built like this
//! - In the repository: [your logins](https://github.com/rocket-login/rocket-login/blob/main/docs/YOUR-LOGINS.md),
//!   [logins that are bound to a device](https://github.com/rocket-login/rocket-login/blob/main/docs/DEVICE-BOUND.md), and
//!   [several servers](https://github.com/rocket-login/rocket-login/blob/main/docs/OPERATING.md)
//!
//! These modules contain pages only, and exist only in the documentation.

/// Logins in one file, to read and to run: `cargo run --example quickstart`.
///
/// Log in with the name and password that it prints, tick "Remember me", close the browser and come back: you are still
/// logged in. The password page asks you to log in again, because a remembered login is not fresh.
///
/// ```rust,no_run
#[doc = include_str!("../examples/quickstart.rs")]
/// ```
///
/// For a complete application to copy from, see [the members'
/// club](https://github.com/rocket-login/rocket-login/tree/main/examples/members): SQLite, argon2, templates, a staff
/// area, an API with keys, htmx, and tests that drive a real browser. Start it with `cargo run -p members`.
pub mod quickstart {}

/// What a login is, in five words: session, remember, fresh, realm, ended.
///
#[doc = include_str!("../docs/guide/login.svg")]
///
#[doc = include_str!("../docs/guide/concepts.md")]
pub mod concepts {}

#[doc = include_str!("../docs/guide/migration.md")]
pub mod migration {}

#[doc = include_str!("../docs/guide/testing.md")]
#[doc(alias = "LOGIN_DISABLED")]
pub mod testing {}

#[doc = include_str!("../docs/guide/deployment.md")]
pub mod deployment {}

#[doc = include_str!("../docs/guide/settings.md")]
#[doc(alias = "SESSION_REFRESH_EACH_REQUEST")]
pub mod settings {}

#[doc = include_str!("../docs/guide/design.md")]
pub mod design {}

/// Errors you may meet: what the compiler and the launch say, and how to fix it.
///
/// Each message names its fix. These pages list all of them, with an explanation for some.
pub mod errors {
    #[doc = include_str!("../docs/guide/errors/compile.md")]
    pub mod compile {}

    #[doc = include_str!("../docs/guide/errors/launch.md")]
    pub mod launch {}
}

/// Recipes: one page for each task.
///
/// Code without a mark is tested with the library's own tests. Code that needs other crates is marked "not tested" here;
/// the library's CI compiles it against those crates.
pub mod recipes {
    /// A page whose code needs crates that this one does not have.
    ///
    /// `recipes/`, a package of its own, compiles that code.
    macro_rules! recipe {
        ($name:ident $(, after = $after:literal)?) => {
            #[doc = include_str!(concat!("../docs/guide/recipes/", stringify!($name), ".md"))]
            #[doc = "\n```rust,ignore"]
            #[doc = include_str!(concat!("../docs/guide/recipes/", stringify!($name), ".rs"))]
            #[doc = "```\n"]
            $(#[doc = include_str!(concat!("../docs/guide/recipes/", $after))])?
            pub mod $name {}
        };
    }

    recipe!(sqlx);
    recipe!(rocket_db_pools);
    recipe!(diesel);
    recipe!(argon2);
    recipe!(templates);
    recipe!(spa);
    recipe!(oauth, after = "oauth.after.md");
    recipe!(passkeys, after = "passkeys.after.md");
    recipe!(streams);

    #[doc = include_str!("../docs/guide/recipes/api_keys.md")]
    pub mod api_keys {}

    #[doc = include_str!("../docs/guide/recipes/htmx.md")]
    pub mod htmx {}

    #[doc = include_str!("../docs/guide/recipes/password_reset.md")]
    pub mod password_reset {}

    #[doc = include_str!("../docs/guide/recipes/second_factor.md")]
    pub mod second_factor {}

    #[doc = include_str!("../docs/guide/recipes/user_types.md")]
    pub mod user_types {}

    #[doc = include_str!("../docs/guide/recipes/log_in_as.md")]
    pub mod log_in_as {}

    #[doc = include_str!("../docs/guide/recipes/messages.md")]
    pub mod messages {}
}
