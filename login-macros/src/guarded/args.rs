//! Parses `(Admin, within = "10m", crate = ..)`.

use darling::{FromMeta, Result, ast::NestedMeta};
use proc_macro2::TokenStream;
use syn::{
    Expr, ExprLit, Lit, Meta, Token, Type,
    parse::{ParseStream, Parser, discouraged::Speculative},
    spanned::Spanned,
};

use super::Kind;
use crate::{error::error, krate::Krate};

const KEYS: [&str; 2] = ["within", "crate"];

#[derive(Default, FromMeta)]
pub(super) struct Args {
    /// The type of user that the route wants; none is the manager's own.
    #[darling(skip)]
    pub(super) user: Option<Type>,
    pub(super) within: Option<Within>,
    #[darling(rename = "crate", default)]
    pub(super) krate: Krate,
}

impl Args {
    pub(super) fn parse(kind: Kind, tokens: TokenStream) -> Result<Self> {
        let (user, options) = user_then_options.parse2(tokens)?;
        let options = NestedMeta::parse_meta_list(options)?;
        if kind == Kind::Login
            && let Some(within) = options.iter().find_map(as_within)
        {
            return Err(error(
                within,
                "`within` limits the age of a fresh login, and `#[login_required]` takes any login",
                "write `#[fresh_login_required(within = \"10m\")]`",
            ));
        }
        Ok(Self {
            user,
            ..Self::from_list(&options)?
        })
    }
}

/// How long ago a login may be and still count as fresh on one route, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Within(pub(super) u64);

impl Within {
    const MEND: &str = "write text such as `within = \"10m\"`, or seconds: `within = 600`";
}

impl FromMeta for Within {
    fn from_meta(meta: &Meta) -> Result<Self> {
        match meta {
            Meta::NameValue(within) => Self::from_expr(&within.value),
            _ => Err(error(meta, "`within` has no value", Self::MEND)),
        }
    }

    fn from_expr(expr: &Expr) -> Result<Self> {
        let wrong = |what: &str| error(expr, what, Self::MEND);
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

/// The literal itself where a `macro_rules!` argument arrives in invisible brackets.
fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

fn user_then_options(input: ParseStream<'_>) -> syn::Result<(Option<Type>, TokenStream)> {
    let ahead = input.fork();
    let user = ahead.parse().ok().filter(|user| {
        let alone = ahead.is_empty() || ahead.peek(Token![,]);
        alone && !is_key(user)
    });
    if user.is_some() {
        input.advance_to(&ahead);
        input.parse::<Option<Token![,]>>()?;
    }
    Ok((user, input.parse()?))
}

fn is_key(user: &Type) -> bool {
    matches!(user, Type::Path(ty) if KEYS.iter().any(|key| ty.path.is_ident(key)))
}

fn as_within(option: &NestedMeta) -> Option<&impl Spanned> {
    match option {
        NestedMeta::Meta(meta) if meta.path().is_ident("within") => Some(meta.path()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};

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
    fn a_bad_duration_says_what_a_good_one_is() {
        let mend = "\n= help: write text such as `within = \"10m\"`, or seconds: `within = 600`";
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
            assert_eq!(refused(Kind::FreshLogin, tokens), format!("{wrong}{mend}"));
        }
        let soon = refused(Kind::FreshLogin, quote!(within = "soon"));
        assert!(soon.starts_with("`within` is not a duration: "), "{soon}");
    }

    #[test]
    fn a_duration_on_a_plain_login_names_the_other_attribute() {
        assert_eq!(
            refused(Kind::Login, quote!(within = "10m")),
            "`within` limits the age of a fresh login, and `#[login_required]` takes any login\n\
             = help: write `#[fresh_login_required(within = \"10m\")]`"
        );
    }

    #[test]
    fn unknown_and_repeated_keys_are_refused() {
        let unknown = refused(Kind::FreshLogin, quote!(wihtin = "10m"));
        assert!(
            unknown.contains("Unknown field: `wihtin`. Did you mean `within`?"),
            "{unknown}"
        );
        let repeated = refused(Kind::FreshLogin, quote!(within = 1, within = 2));
        assert!(repeated.contains("Duplicate field `within`"), "{repeated}");
    }
}
