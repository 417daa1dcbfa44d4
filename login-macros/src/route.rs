//! Recognizes and reads Rocket's route attributes.

use darling::ast::NestedMeta;
use proc_macro2::TokenStream;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "head", "options", "patch"];

/// A route attribute.
pub(crate) struct Route {
    pub(crate) attribute: Attribute,
    pub(crate) method: String,
    /// None only if Rocket will refuse the attribute.
    pub(crate) uri: Option<LitStr>,
}

impl Route {
    /// The route attribute on a function, such as `#[get(..)]` or `#[rocket::get(..)]`.
    pub(crate) fn find(attributes: &[Attribute]) -> Option<Self> {
        attributes.iter().find_map(Self::read)
    }

    /// Whether this is a route attribute.
    pub(crate) fn is(attribute: &Attribute) -> bool {
        Self::read(attribute).is_some()
    }

    fn read(attribute: &Attribute) -> Option<Self> {
        let name = attribute.path().segments.last()?.ident.to_string();
        let args = match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        let args = NestedMeta::parse_meta_list(args).unwrap_or_default();
        let (method, uri) = if name == "route" {
            (
                args.first().and_then(word)?,
                args.iter().find_map(uri_option),
            )
        } else if METHODS.contains(&&*name) {
            (name, args.first().and_then(text))
        } else {
            return None;
        };
        Some(Self {
            attribute: attribute.clone(),
            method: method.to_uppercase(),
            uri,
        })
    }
}

/// Whether this is `#[catch(..)]`.
pub(crate) fn is_catch(attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last();
    last.is_some_and(|segment| segment.ident == "catch")
}

/// `GET`
fn word(arg: &NestedMeta) -> Option<String> {
    match arg {
        NestedMeta::Meta(Meta::Path(path)) => Some(path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

/// `"/dashboard"`
fn text(arg: &NestedMeta) -> Option<LitStr> {
    match arg {
        NestedMeta::Lit(Lit::Str(text)) => Some(text.clone()),
        _ => None,
    }
}

/// `uri = "/dashboard"`
fn uri_option(arg: &NestedMeta) -> Option<LitStr> {
    match arg {
        NestedMeta::Meta(Meta::NameValue(option)) if option.path.is_ident("uri") => {
            literal(&option.value).and_then(|literal| match literal {
                Lit::Str(text) => Some(text.clone()),
                _ => None,
            })
        }
        _ => None,
    }
}

/// The literal, also if it is a `macro_rules!` argument, which comes in invisible brackets.
pub(crate) fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    /// `GET /dashboard`
    fn read(attribute: &Attribute) -> Option<String> {
        let Route { method, uri, .. } = Route::read(attribute)?;
        Some(format!(
            "{method} {}",
            uri.map_or_else(String::new, |uri| uri.value())
        ))
    }

    #[test]
    fn plain_and_qualified_routes_are_read() {
        for (attribute, expected) in [
            (parse_quote!(#[get("/?<page>", rank = -2)]), "GET /?<page>"),
            (
                parse_quote!(#[rocket::post(r"/<id>", data = "<form>")]),
                "POST /<id>",
            ),
            (
                parse_quote!(#[::rocket::route(GET, format = "json", uri = "/")]),
                "GET /",
            ),
        ] {
            assert_eq!(read(&attribute).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_route_that_rocket_refuses_is_still_a_route() {
        assert_eq!(read(&parse_quote!(#[get])).as_deref(), Some("GET "));
        assert_eq!(read(&parse_quote!(#[put(1 2 3)])).as_deref(), Some("PUT "));
    }

    #[test]
    fn other_attributes_are_not_routes() {
        assert_eq!(read(&parse_quote!(#[catch(404)])), None);
        assert_eq!(read(&parse_quote!(#[doc = "get"])), None);
        assert_eq!(read(&parse_quote!(#[get::only])), None);
        assert!(is_catch(&parse_quote!(#[rocket::catch(404)])));
    }
}
