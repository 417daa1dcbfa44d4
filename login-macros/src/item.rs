//! Reads the item below one of our attributes as a free function.

use darling::{Error, Result, error::Accumulator};
use proc_macro2::{TokenStream, TokenTree};
use quote::quote_spanned;
use syn::{
    Attribute, FnArg, ItemFn, Visibility,
    parse::{ParseStream, Parser},
};

use crate::{error::error, krate::Krate};

/// The keywords that may come before `fn`.
const QUALIFIERS: [&str; 5] = ["const", "async", "safe", "unsafe", "extern"];

/// The function below `#[attribute]`.
pub(crate) fn function(attribute: &str, item: TokenStream) -> Result<ItemFn> {
    syn::parse2(item.clone()).map_err(|unparsable| match not_a_function.parse2(item) {
        Ok(Some(token)) => error(
            &token,
            format_args!("`#[{attribute}]` can only be used on a function"),
            format_args!("put it above a function: `#[{attribute}] fn ..`"),
        ),
        _ => Error::from(unparsable),
    })
}

/// The rules for every attribute: neither a method nor a `const fn`.
pub(crate) fn check_free(attribute: &str, item: &ItemFn, errors: &mut Accumulator) {
    if let Some(FnArg::Receiver(receiver)) = item.sig.inputs.first() {
        errors.push(error(
            &receiver.self_token,
            format_args!("`#[{attribute}]` cannot be used on a method"),
            "move it out of the `impl` and make it a function without `self`",
        ));
    }
    if let Some(constness) = &item.sig.constness {
        errors.push(error(
            constness,
            format_args!("`#[{attribute}]` cannot be used on a `const fn`"),
            "remove `const`",
        ));
    }
}

/// The generated items as one item that a module replaces by them, and of which an `impl` gives one error.
///
/// An attribute cannot see whether its function is in an `impl`, where each generated item would be an error of its own.
pub(crate) fn in_module(
    args: TokenStream,
    item: TokenStream,
    generated: TokenStream,
) -> TokenStream {
    let Ok(ItemFn { sig, .. }) = syn::parse2(item) else {
        return generated;
    };
    // A method has an error of ours already.
    if sig.receiver().is_some() {
        return generated;
    }
    let private = Krate::lenient(args).private();
    let name = sig.ident;
    // The error underlines the item from its first to its last token.
    let body = quote_spanned!(name.span()=> {});
    quote_spanned!(sig.fn_token.span=> #[#private::items(#generated)] impl #name #body)
}

/// The first token of an item that is not a function.
fn not_a_function(input: ParseStream<'_>) -> syn::Result<Option<TokenTree>> {
    Attribute::parse_outer(input)?;
    input.parse::<Visibility>()?;
    let rest: TokenStream = input.parse()?;
    let qualifier = |token: &TokenTree| match token {
        TokenTree::Ident(word) => QUALIFIERS.iter().any(|qualifier| word == qualifier),
        TokenTree::Literal(_) => true,
        _ => false,
    };
    let first = rest.clone().into_iter().next();
    let keyword = rest.into_iter().find(|token| !qualifier(token));
    let is_function = keyword.is_some_and(|token| token.to_string() == "fn");
    Ok(first.filter(|_| !is_function))
}
