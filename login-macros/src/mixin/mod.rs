//! `#[derive(UserMixin)]` and `#[derive(UserGuard)]`.

mod check;
mod expand;
mod input;

use darling::Result;
use proc_macro2::TokenStream;
use syn::DeriveInput;

use self::{check::User, input::Input};
use crate::{error, krate::Krate};

pub(crate) fn mixin(input: TokenStream) -> TokenStream {
    match syn::parse2(input) {
        Ok(input) => try_mixin(&input).unwrap_or_else(|errors| {
            let stub = User::stub(&input, krate_of(&input));
            error::beside(
                stub.map(|stub| expand::expand(&stub)).unwrap_or_default(),
                errors,
            )
        }),
        Err(unparsable) => unparsable.into_compile_error(),
    }
}

fn try_mixin(input: &DeriveInput) -> Result<TokenStream> {
    check::check_shape(input)?;
    let input = Input::parse(input)?;
    Ok(expand::expand(&check::check(&input)?))
}

/// The guard without the mixin.
pub(crate) fn guard(input: TokenStream) -> TokenStream {
    match syn::parse2::<DeriveInput>(input) {
        Ok(input) => expand::guard(&input.ident, &input.generics, &krate_of(&input)),
        Err(unparsable) => unparsable.into_compile_error(),
    }
}

fn krate_of(input: &DeriveInput) -> Krate {
    let user = input
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("user"));
    let args = user
        .filter_map(|attr| attr.meta.require_list().ok())
        .map(|list| list.tokens.clone());
    Krate::lenient(args.collect())
}
