//! A search in the documentation finds each of Flask-Login's names.

use std::fs;

use crate::source::files;

/// Everything that Flask-Login 0.6.3 documents or exports.
const NAMES: &str = "
    SECRET_KEY REMEMBER_COOKIE_NAME REMEMBER_COOKIE_DURATION REMEMBER_COOKIE_DOMAIN REMEMBER_COOKIE_PATH
    REMEMBER_COOKIE_SECURE REMEMBER_COOKIE_HTTPONLY REMEMBER_COOKIE_SAMESITE REMEMBER_COOKIE_REFRESH_EACH_REQUEST
    SESSION_PROTECTION USE_SESSION_FOR_NEXT FORCE_HOST_FOR_REDIRECTS LOGIN_DISABLED AUTH_HEADER_NAME
    SESSION_REFRESH_EACH_REQUEST PERMANENT_SESSION_LIFETIME
    LoginManager init_app setup_app user_loader user_callback request_loader request_callback header_loader anonymous_user
    login_view blueprint_login_views login_message login_message_category refresh_view needs_refresh_message
    needs_refresh_message_category localize_callback unauthorized_handler needs_refresh_handler unauthorized needs_refresh
    id_attribute
    login_user logout_user confirm_login login_fresh login_remembered current_user login_required fresh_login_required
    login_url make_next_param set_login_view encode_cookie decode_cookie FlaskLoginClient
    UserMixin AnonymousUserMixin is_authenticated is_active is_anonymous get_id
    user_logged_in user_logged_out user_loaded_from_cookie user_loaded_from_request user_loaded_from_header
    user_login_confirmed user_unauthorized user_needs_refresh user_accessed session_protected
    COOKIE_NAME COOKIE_DURATION COOKIE_SECURE COOKIE_HTTPONLY COOKIE_SAMESITE LOGIN_MESSAGE LOGIN_MESSAGE_CATEGORY
    REFRESH_MESSAGE REFRESH_MESSAGE_CATEGORY ID_ATTRIBUTE EXEMPT_METHODS
";

/// As rustdoc's search does: a part of a name is enough, in any case.
#[test]
fn a_search_finds_every_name_of_flask_login() {
    let mut found: Vec<String> = rocket_login::__private::settings()
        .into_iter()
        .map(|row| row.name)
        .collect();
    let mut files = files("login-runtime/src", "rs");
    files.extend(["login-macros/src/lib.rs", "src/guide.rs"].map(Into::into));
    for file in files {
        let code = fs::read_to_string(file).unwrap();
        let mut aliases = Vec::new();
        for line in code.lines().map(str::trim) {
            if let Some(given) = line.strip_prefix("#[doc(alias") {
                aliases.extend(given.split('"').skip(1).step_by(2).map(str::to_lowercase));
            } else if !line.starts_with("#[") {
                assert!(
                    aliases.is_empty() || !is_reexported(line),
                    "rustdoc forgets the aliases of what another crate exports again: move {aliases:?} to a method"
                );
                found.append(&mut aliases);
            }
            found.extend(public_name(line).map(str::to_lowercase));
        }
    }
    let is_found = |name: &&str| found.iter().any(|it| it.contains(&name.to_lowercase()));
    let missing: Vec<_> = NAMES
        .split_whitespace()
        .filter(|name| !is_found(name))
        .collect();
    assert!(
        missing.is_empty(),
        "write `#[doc(alias = \"..\")]` for {missing:?}"
    );
}

/// Whether a line begins an item that the facade exports, and not a part of it.
fn is_reexported(line: &str) -> bool {
    let kinds = ["pub struct", "pub enum", "pub trait", "macro_rules!"];
    kinds.iter().any(|kind| line.starts_with(kind)) || line.contains("TokenStream")
}

/// Returns the name of the item that a line of code begins, if it is public.
fn public_name(line: &str) -> Option<&str> {
    let item = line.strip_prefix("pub ").unwrap_or(line);
    let is_function_of_a_trait = item.starts_with("fn ") && line == item;
    let item = item
        .trim_start_matches("async ")
        .trim_start_matches("const ");
    let kinds = ["fn ", "struct ", "enum ", "trait "];
    let name = kinds.iter().find_map(|kind| item.strip_prefix(kind))?;
    let is_public = line != item || is_function_of_a_trait;
    is_public.then(|| {
        name.split(|it: char| !it.is_alphanumeric() && it != '_')
            .next()
    })?
}
