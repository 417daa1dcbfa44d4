//! Parses `(Admin, if = Admin::is_chief, within = "10m", forward, crate = ..)`.

use darling::{Error, FromMeta, Result};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    BinOp, Expr, ExprClosure, Lit, LitStr, Meta, Pat, Token, Type, TypePath, UnOp,
    parse::{ParseStream, Parser, discouraged::Speculative},
};

use super::Kind;
use crate::{
    error::error,
    krate::Krate,
    options::{self, CRATE, Known, Options, Word},
    route::{Route, literal},
};

const IF: Known = Known::new("if", "if = User::is_staff");
const WITHIN: Known = Known::new("within", "within = \"10m\"");
const REDIRECT: Known = Known::new("redirect", "redirect = \"/\"");
const FORWARD: Known = Known::new("forward", "forward");

impl Kind {
    fn options(self, of: &str) -> Options<'_> {
        let (known, elsewhere): (&[_], &[_]) = match self {
            Self::Login => (
                &[&IF, &FORWARD, &CRATE],
                &[
                    ("fresh_login_required", &WITHIN),
                    ("anonymous_required", &REDIRECT),
                ],
            ),
            Self::FreshLogin => (
                &[&IF, &WITHIN, &FORWARD, &CRATE],
                &[("anonymous_required", &REDIRECT)],
            ),
            Self::Anonymous => (
                &[&REDIRECT, &FORWARD, &CRATE],
                &[("login_required", &IF), ("fresh_login_required", &WITHIN)],
            ),
            Self::Public => (
                &[&CRATE],
                &[
                    ("login_required", &IF),
                    ("fresh_login_required", &WITHIN),
                    ("anonymous_required", &REDIRECT),
                    ("login_required", &FORWARD),
                ],
            ),
        };
        Options {
            of,
            leading: (self != Self::Public).then_some("a user type"),
            known,
            elsewhere,
        }
    }
}

#[derive(Default, FromMeta)]
pub(super) struct Args {
    /// The user type of the route; without one, the type of the only manager.
    #[darling(skip)]
    pub(super) user: Option<Type>,
    #[darling(rename = "if")]
    pub(super) condition: Option<Condition>,
    pub(super) within: Option<Within>,
    pub(super) redirect: Option<Redirect>,
    pub(super) forward: Word,
    #[darling(rename = "crate", default)]
    pub(super) krate: Krate,
}

impl Args {
    pub(super) fn parse(kind: Kind, tokens: TokenStream) -> Result<Self> {
        let of = format!("`#[{}]`", kind.attribute());
        let options = kind.options(&of);
        let (user, rest) =
            (|input: ParseStream<'_>| user_then_options(&options, input)).parse2(tokens)?;
        let args = options.parse(rest);
        if let Some(Type::Path(user)) = &user
            && let Some(error) = not_a_type(kind, user)
        {
            let mut errors = args.err().into_iter().collect::<Vec<_>>();
            errors.insert(0, error);
            return Err(Error::multiple(errors));
        }
        Ok(Self { user, ..args? })
    }
}

/// A function that decides whether a user may use the route.
pub(super) struct Condition(pub(super) Expr);

impl FromMeta for Condition {
    fn from_meta(meta: &Meta) -> Result<Self> {
        let Meta::NameValue(condition) = meta else {
            return Err(options::no_value(meta, &IF));
        };
        let condition = &condition.value;
        not_a_condition(condition).map_or_else(|| Ok(Self(condition.clone())), Err)
    }
}

/// The mistakes for which the compiler's own error would not name the fix.
fn not_a_condition(condition: &Expr) -> Option<Error> {
    match condition {
        Expr::Group(group) => not_a_condition(&group.expr),
        Expr::Paren(paren) => not_a_condition(&paren.expr),
        Expr::Closure(closure) => untyped_parameter(closure),
        Expr::Call(call) if call.args.is_empty() || call.args.iter().any(is_user) => {
            let function = without_spaces(&call.func);
            Some(error(
                &call.func,
                "`if` takes the function itself, and this calls it",
                format_args!("write `if = {function}`"),
            ))
        }
        value => is_value(value).then(|| {
            error(
                value,
                "`if` takes a function of the user, and this is a value",
                "write `if = User::is_staff`, or `if = |user: &User| user.is_staff`",
            )
        }),
    }
}

/// The compiler does not infer the types of a closure's parameters from the bounds of [`Condition`].
fn untyped_parameter(closure: &ExprClosure) -> Option<Error> {
    let position = closure
        .inputs
        .iter()
        .position(|input| !matches!(input, Pat::Type(_)));
    match position {
        None if closure.inputs.is_empty() => Some(error(
            &closure.inputs_begin,
            "this closure does not take the user",
            "write `if = |user: &User| ..`",
        )),
        None => None,
        Some(0) => {
            let parameter = &closure.inputs[0];
            let name = match parameter {
                Pat::Ident(name) => name.ident.to_string(),
                _ => "user".to_owned(),
            };
            Some(error(
                parameter,
                "this closure does not say which type of user it judges",
                format_args!("write the type: `if = |{name}: &User| ..`"),
            ))
        }
        Some(position) => Some(error(
            &closure.inputs[position],
            "this closure does not say which request guard it takes",
            "write the type: `if = |user: &User, db: &State<Db>| ..`",
        )),
    }
}

/// Whether this is certainly not a function, and most likely what a closure should return.
fn is_value(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => matches!(unary.op, UnOp::Not(_)),
        Expr::Binary(binary) => matches!(
            binary.op,
            BinOp::And(_)
                | BinOp::Or(_)
                | BinOp::Eq(_)
                | BinOp::Ne(_)
                | BinOp::Lt(_)
                | BinOp::Le(_)
                | BinOp::Gt(_)
                | BinOp::Ge(_)
        ),
        Expr::Field(field) => is_variable(&field.base),
        Expr::MethodCall(call) => is_variable(&call.receiver),
        Expr::Macro(macro_) => macro_.mac.path.is_ident("matches"),
        _ => false,
    }
}

/// Whether this begins with a variable, such as `user.role`. An attribute sees no variables.
fn is_variable(expr: &Expr) -> bool {
    match expr {
        Expr::Field(field) => is_variable(&field.base),
        Expr::MethodCall(call) => is_variable(&call.receiver),
        Expr::Path(path) => path
            .path
            .get_ident()
            .is_some_and(|name| name.to_string().starts_with(char::is_lowercase)),
        _ => false,
    }
}

/// Whether this is `user` or `&user`, the argument that the runtime gives.
fn is_user(expr: &Expr) -> bool {
    match expr {
        Expr::Reference(reference) => is_user(&reference.expr),
        Expr::Path(path) => path.path.is_ident("user"),
        _ => false,
    }
}

/// Code as it is usually written, for paths and calls.
fn without_spaces(code: &impl ToTokens) -> String {
    code.to_token_stream().to_string().split(' ').collect()
}

/// Where users who are already logged in are redirected: a path of this site.
pub(super) struct Redirect(pub(super) LitStr);

impl Redirect {
    pub(super) const DEFAULT: &str = "/";

    /// Refuses a page that sends users to itself.
    ///
    /// The index `/` may be mounted anywhere, so it is judged at the launch, as are mount points in general.
    pub(super) fn check(&self, route: &Route) -> Result<()> {
        let Self(redirect) = self;
        let path = |text: &LitStr| {
            let text = text.value();
            let path = text.split(['?', '#']).next().unwrap_or_default();
            path.trim_end_matches('/').to_owned()
        };
        let target = path(redirect);
        let is_itself = route.uri.as_ref().is_some_and(|uri| path(uri) == target);
        if route.method != "GET" || !is_itself || target.is_empty() {
            return Ok(());
        }
        Err(error(
            redirect,
            "`redirect` is the page itself, so that users are sent there again and again",
            "write a page for users: `redirect = \"/\"`",
        ))
    }
}

impl FromMeta for Redirect {
    fn from_meta(meta: &Meta) -> Result<Self> {
        let Meta::NameValue(redirect) = meta else {
            return Err(options::no_value(meta, &REDIRECT));
        };
        let Some(Lit::Str(text)) = literal(&redirect.value) else {
            return Err(error(
                &redirect.value,
                "`redirect` is not text",
                "write the path on this site in quotes: `redirect = \"/\"`",
            ));
        };
        let path = text.value();
        let wrong = if !path.starts_with('/') {
            "`redirect` is not a path that begins with `/`"
        } else if path.starts_with("//") || path.contains('\\') {
            "`redirect` leads to another site"
        } else if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            "`redirect` contains a character that a URL cannot contain"
        } else {
            return Ok(Self(text.clone()));
        };
        let fix = if path.starts_with('/') || path.contains(':') {
            "/"
        } else {
            &*format!("/{path}")
        };
        Err(error(
            text,
            wrong,
            format_args!("write a path on this site: `redirect = {fix:?}`"),
        ))
    }
}

/// How old the credentials of a fresh login may be on this route, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Within(pub(super) u64);

impl Within {
    const FIX: &str = "write text such as `within = \"10m\"`, or seconds: `within = 600`";
}

impl FromMeta for Within {
    fn from_meta(meta: &Meta) -> Result<Self> {
        match meta {
            Meta::NameValue(within) => Self::from_expr(&within.value),
            _ => Err(error(meta, "`within` has no value", Self::FIX)),
        }
    }

    fn from_expr(expr: &Expr) -> Result<Self> {
        let wrong = |what: &str| error(expr, what, Self::FIX);
        let seconds = match literal(expr) {
            Some(Lit::Int(seconds)) => seconds
                .base10_parse()
                .map_err(|_| wrong("`within` is not a number of seconds"))?,
            Some(Lit::Str(text)) => {
                let duration = humantime::parse_duration(&text.value())
                    .map_err(|why| wrong(&format!("`within` is not a duration: {why}")))?;
                if duration.subsec_nanos() != 0 {
                    return Err(wrong("`within` is not a whole number of seconds"));
                }
                duration.as_secs()
            }
            _ => return Err(wrong("`within` is not a duration")),
        };
        if seconds == 0 {
            return Err(wrong("`within` is zero, and no login is that fresh"));
        }
        Ok(Self(seconds))
    }
}

fn user_then_options(
    options: &Options<'_>,
    input: ParseStream<'_>,
) -> syn::Result<(Option<Type>, TokenStream)> {
    let ahead = input.fork();
    let user = ahead.parse().ok().filter(|user| {
        let alone = ahead.is_empty() || ahead.peek(Token![,]);
        alone && options.leading.is_some() && !is_option(options, user)
    });
    if user.is_some() {
        input.advance_to(&ahead);
        input.parse::<Option<Token![,]>>()?;
    }
    Ok((user, input.parse()?))
}

/// Whether this is the name of an option, or probably a misspelled one.
fn is_option(options: &Options<'_>, user: &Type) -> bool {
    let Type::Path(TypePath {
        qself: None, path, ..
    }) = user
    else {
        return false;
    };
    path.get_ident().is_some_and(|name| {
        let name = name.to_string();
        options.elsewhere(&name).is_some()
            || name.starts_with(char::is_lowercase) && options.nearest(&name).is_some()
    })
}

/// `is_staff` and `User::is_staff` are no types by their names, and most likely conditions.
fn not_a_type(kind: Kind, user: &TypePath) -> Option<Error> {
    let last = &user.path.segments.last()?.ident;
    let is_function = last.to_string().starts_with(char::is_lowercase);
    let fix = match kind {
        Kind::Login | Kind::FreshLogin => {
            format!("write it as the condition: `if = {}`", without_spaces(user))
        }
        Kind::Anonymous | Kind::Public => "write the user type: `User`".to_owned(),
    };
    is_function.then(|| error(user, "this is a function, not a user type", fix))
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};
    use syn::{ItemFn, parse_quote};

    use super::*;
    use crate::testing::messages;

    fn fresh(tokens: TokenStream) -> Args {
        Args::parse(Kind::FreshLogin, tokens).unwrap()
    }

    fn refused(kind: Kind, tokens: TokenStream) -> String {
        messages(Args::parse(kind, tokens)).join("\n")
    }

    fn within(tokens: TokenStream) -> Option<u64> {
        fresh(tokens).within.map(|within| within.0)
    }

    #[test]
    fn nothing_is_required() {
        assert!(fresh(quote!()).user.is_none());
        assert_eq!(within(quote!()), None);
    }

    #[test]
    fn a_duration_is_text_or_seconds() {
        assert_eq!(within(quote!(within = "10m")), Some(600));
        assert_eq!(within(quote!(within = "1h 30m")), Some(5_400));
        assert_eq!(within(quote!(within = 90)), Some(90));
    }

    #[test]
    fn a_leading_type_is_the_user() {
        let args = fresh(quote!(accounts::Admin<'static>, within = 5,));
        let user = args.user.unwrap().to_token_stream().to_string();
        assert_eq!(user, "accounts :: Admin < 'static >");
        assert_eq!(args.within.unwrap().0, 5);
    }

    #[test]
    fn the_error_for_a_bad_duration_shows_a_good_one() {
        let fix = "\n= help: write text such as `within = \"10m\"`, or seconds: `within = 600`";
        for (tokens, wrong) in [
            (
                quote!(within = 0),
                "`within` is zero, and no login is that fresh",
            ),
            (
                quote!(within = "0s"),
                "`within` is zero, and no login is that fresh",
            ),
            (
                quote!(within = "500ms"),
                "`within` is not a whole number of seconds",
            ),
            (quote!(within = -5), "`within` is not a number of seconds"),
            (quote!(within), "`within` has no value"),
            (quote!(within("10m")), "`within` has no value"),
            (quote!(within = true), "`within` is not a duration"),
            (
                quote!(within = 99999999999999999999),
                "`within` is not a number of seconds",
            ),
        ] {
            assert_eq!(refused(Kind::FreshLogin, tokens), format!("{wrong}{fix}"));
        }
        let soon = refused(Kind::FreshLogin, quote!(within = "soon"));
        assert!(soon.starts_with("`within` is not a duration: "), "{soon}");
    }

    #[test]
    fn a_duration_on_a_plain_login_names_the_other_attribute() {
        assert_eq!(
            refused(Kind::Login, quote!(within = "10m")),
            "`within` belongs to `#[fresh_login_required]`\n\
             = help: write `#[fresh_login_required(within = \"10m\")]`"
        );
    }

    #[test]
    fn a_condition_is_any_function() {
        for condition in [
            quote!(User::is_staff),
            quote!(|user: &User| user.is_staff),
            quote!(has_role("staff")),
            quote!(any_of(is_staff, User::is_admin)),
            quote!(Role::Staff.required()),
            quote!((User::is_staff)),
            quote!(async |user: &User, db: &State<Db>| db.is_staff(user).await),
        ] {
            let args = Args::parse(Kind::Login, quote!(if = #condition, forward)).unwrap();
            let parsed = args.condition.unwrap().0.to_token_stream();
            assert_eq!(parsed.to_string(), condition.to_string());
            assert!(args.forward.is_present());
        }
        for value in [
            quote!("User::is_staff"),
            quote!(true),
            quote!(!User::is_banned),
            quote!(user.is_staff),
            quote!(user.role().is_staff()),
            quote!(user.id == 1 && user.is_staff),
            quote!(matches!(user.role, Role::Staff)),
        ] {
            assert_eq!(
                refused(Kind::Login, quote!(if = #value)),
                "`if` takes a function of the user, and this is a value\n\
                 = help: write `if = User::is_staff`, or `if = |user: &User| user.is_staff`"
            );
        }
        assert_eq!(
            refused(Kind::Login, quote!(if)),
            "`if` has no value\n= help: write `if = User::is_staff`"
        );
    }

    #[test]
    fn a_condition_is_not_called() {
        for call in [
            quote!(is_staff()),
            quote!(is_staff(user)),
            quote!(is_staff(&user)),
        ] {
            assert_eq!(
                refused(Kind::Login, quote!(if = #call)),
                "`if` takes the function itself, and this calls it\n= help: write `if = is_staff`"
            );
        }
        assert_eq!(
            refused(Kind::Login, quote!(if = models::User::is_staff())),
            "`if` takes the function itself, and this calls it\n= help: write `if = models::User::is_staff`"
        );
    }

    #[test]
    fn a_closure_says_the_types_that_it_takes() {
        for (closure, expected) in [
            (
                quote!(|u| u.is_staff),
                "this closure does not say which type of user it judges\n\
                 = help: write the type: `if = |u: &User| ..`",
            ),
            (
                quote!(|User { is_staff, .. }| *is_staff),
                "this closure does not say which type of user it judges\n\
                 = help: write the type: `if = |user: &User| ..`",
            ),
            (
                quote!(async |user: &User, db| db.is_staff(user).await),
                "this closure does not say which request guard it takes\n\
                 = help: write the type: `if = |user: &User, db: &State<Db>| ..`",
            ),
            (
                quote!(|| true),
                "this closure does not take the user\n= help: write `if = |user: &User| ..`",
            ),
        ] {
            assert_eq!(refused(Kind::Login, quote!(if = #closure)), expected);
        }
    }

    #[test]
    fn the_error_for_a_condition_in_place_of_the_user_type_names_the_option() {
        assert_eq!(
            refused(Kind::Login, quote!(models::User::is_staff)),
            "this is a function, not a user type\n\
             = help: write it as the condition: `if = models::User::is_staff`"
        );
        assert_eq!(
            refused(Kind::FreshLogin, quote!(is_staff, forward)),
            "this is a function, not a user type\n\
             = help: write it as the condition: `if = is_staff`"
        );
    }

    #[test]
    fn a_page_does_not_send_users_to_itself() {
        let check = |redirect, handler: ItemFn| {
            let args = Args::parse(Kind::Anonymous, quote!(redirect = #redirect)).unwrap();
            let route = Route::find(&handler.attrs).unwrap();
            args.redirect.unwrap().check(&route).is_ok()
        };
        let page = || -> ItemFn {
            parse_quote!(
                #[get("/login?<next>")]
                fn page() {}
            )
        };
        for redirect in ["/login", "/login/", "/login?again", "/login#form"] {
            assert!(!check(redirect, page()), "{redirect}");
        }
        for redirect in ["/", "/login/again", "/log", "/dashboard?from=/login"] {
            assert!(check(redirect, page()), "{redirect}");
        }
        // Under a mount point, the index has another path.
        assert!(check(
            "/",
            parse_quote!(
                #[get("/")]
                fn index() {}
            )
        ));
        // The route of a form, beside an open page.
        assert!(check(
            "/login",
            parse_quote!(
                #[post("/login")]
                fn form() {}
            )
        ));
    }

    #[test]
    fn a_redirect_stays_on_this_site() {
        let redirect = |tokens| Args::parse(Kind::Anonymous, tokens).unwrap().redirect;
        assert_eq!(
            redirect(quote!(redirect = "/home?tab=1"))
                .unwrap()
                .0
                .value(),
            "/home?tab=1"
        );
        assert!(redirect(quote!()).is_none());
        for (tokens, expected) in [
            (
                quote!(redirect = "home"),
                "`redirect` is not a path that begins with `/`\n\
                 = help: write a path on this site: `redirect = \"/home\"`",
            ),
            (
                quote!(redirect = ""),
                "`redirect` is not a path that begins with `/`\n\
                 = help: write a path on this site: `redirect = \"/\"`",
            ),
            (
                quote!(redirect = "https://example.org"),
                "`redirect` is not a path that begins with `/`\n\
                 = help: write a path on this site: `redirect = \"/\"`",
            ),
            (
                quote!(redirect = "//example.org"),
                "`redirect` leads to another site\n\
                 = help: write a path on this site: `redirect = \"/\"`",
            ),
            (
                quote!(redirect = "/\\example.org"),
                "`redirect` leads to another site\n\
                 = help: write a path on this site: `redirect = \"/\"`",
            ),
            (
                quote!(redirect = "/a b"),
                "`redirect` contains a character that a URL cannot contain\n\
                 = help: write a path on this site: `redirect = \"/\"`",
            ),
            (
                quote!(redirect = home),
                "`redirect` is not text\n\
                 = help: write the path on this site in quotes: `redirect = \"/\"`",
            ),
            (
                quote!(redirect),
                "`redirect` has no value\n= help: write `redirect = \"/\"`",
            ),
        ] {
            assert_eq!(refused(Kind::Anonymous, tokens), expected);
        }
    }

    #[test]
    fn each_attribute_has_its_own_options() {
        assert_eq!(
            refused(Kind::Public, quote!(forward)),
            "`forward` belongs to `#[login_required]`\n= help: write `#[login_required(forward)]`"
        );
        assert_eq!(
            refused(Kind::Anonymous, quote!(if = User::is_staff)),
            "`if` belongs to `#[login_required]`\n\
             = help: write `#[login_required(if = User::is_staff)]`"
        );
        assert_eq!(
            refused(Kind::Public, quote!(Admin)),
            "`#[public]` has no option `Admin`\n= help: its only option is `crate = ::rocket_login`"
        );
    }

    #[test]
    fn unknown_and_repeated_options_are_refused() {
        assert_eq!(
            refused(Kind::FreshLogin, quote!(wihtin = "10m")),
            "`#[fresh_login_required]` has no option `wihtin`\n= help: write `within = \"10m\"`"
        );
        assert_eq!(
            refused(Kind::Login, quote!(forwrad)),
            "`#[login_required]` has no option `forwrad`\n= help: write `forward`"
        );
        assert_eq!(
            refused(Kind::FreshLogin, quote!(within = 1, within = 2)),
            "`within` is given twice\n= help: keep one of them"
        );
        assert_eq!(
            refused(Kind::Login, quote!(User, Admin)),
            "`#[login_required]` has no option `Admin`\n= help: a user type may come first, \
             then `if = User::is_staff`, `forward`, `crate = ::rocket_login`"
        );
    }
}
