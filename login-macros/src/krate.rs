//! The `crate = ..` option, and the only path by which generated code reaches the runtime.

use darling::{FromMeta, Result, ast::NestedMeta};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, Meta, Path};

use crate::{
    error::error,
    options::{CRATE, no_value},
    span,
};

/// The path of the facade in generated code: `::rocket_login` unless `crate = ..` names another path.
#[derive(Clone, Default)]
pub(crate) struct Krate(Option<Path>);

impl Krate {
    /// `::rocket_login::__private`, which holds everything that generated code uses outside `::core`.
    pub(crate) fn private(&self) -> TokenStream {
        self.private_at(span::local())
    }

    /// [`Self::private`] with every token at `span`, for the places where Rocket reuses the span of our tokens.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        if let Some(path) = &self.0 {
            let path = span::respan(path.to_token_stream(), &|_| span);
            quote_spanned!(span=> #path::__private)
        } else {
            quote_spanned!(span=> ::rocket_login::__private)
        }
    }

    /// The `crate` option of arguments that may have other mistakes, for the code next to an error.
    pub(crate) fn lenient(args: TokenStream) -> Self {
        let args = NestedMeta::parse_meta_list(args).unwrap_or_default();
        args.iter()
            .find_map(|arg| match arg {
                NestedMeta::Meta(meta) if meta.path().is_ident("crate") => {
                    Self::from_meta(meta).ok()
                }
                _ => None,
            })
            .unwrap_or_default()
    }
}

impl FromMeta for Krate {
    fn from_meta(meta: &Meta) -> Result<Self> {
        match meta {
            Meta::NameValue(krate) => Self::from_expr(&krate.value),
            _ => Err(no_value(meta, &CRATE)),
        }
    }

    fn from_expr(expr: &Expr) -> Result<Self> {
        Path::from_expr(expr).map(Some).map(Self).map_err(|_| {
            error(
                expr,
                "`crate` takes the path of the rocket-login crate",
                "write `crate = ::rocket_login`",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::testing::messages;

    fn private(args: TokenStream) -> String {
        Krate::lenient(args).private().to_string()
    }

    #[test]
    fn the_default_is_absolute() {
        assert_eq!(private(quote!()), ":: rocket_login :: __private");
    }

    #[test]
    fn a_path_and_text_are_both_accepted() {
        assert_eq!(
            private(quote!(crate = ::web::login)),
            ":: web :: login :: __private"
        );
        assert_eq!(
            private(quote!(crate = "crate::login")),
            "crate :: login :: __private"
        );
    }

    #[test]
    fn it_is_found_next_to_a_wrong_argument() {
        assert_eq!(
            private(quote!(wihtin = 3, crate = login)),
            "login :: __private"
        );
    }

    #[test]
    fn a_value_that_is_not_a_path_is_refused_with_a_fix() {
        assert_eq!(
            messages(Krate::from_expr(&syn::parse_quote!(3))),
            ["`crate` takes the path of the rocket-login crate\n\
              = help: write `crate = ::rocket_login`"]
        );
    }
}
