//! Compile errors: what is wrong, how to fix it, and the code next to them.

use std::fmt::Display;

use darling::{Error, Result};
use proc_macro2::TokenStream;
use syn::spanned::Spanned;

/// An error on the user's `token`. Its second line is the fix, as code that can be copied.
pub(crate) fn error(token: &impl Spanned, wrong: impl Display, fix: impl Display) -> Error {
    // Stable proc macros have no `help:`; this renders like one.
    Error::custom(format!("{wrong}\n= help: {fix}")).with_span(token)
}

/// Both values, or all the errors of both.
pub(crate) fn both<A, B>(a: Result<A>, b: Result<B>) -> Result<(A, B)> {
    let mut errors = Error::accumulator();
    match (errors.handle(a), errors.handle(b)) {
        (Some(a), Some(b)) => errors.finish_with((a, b)),
        _ => Err(Error::multiple(errors.into_inner())),
    }
}

/// The errors, after an item that lets the rest of the program compile, so that one mistake gives one message.
pub(crate) fn beside(item: TokenStream, errors: Error) -> TokenStream {
    let mut tokens = item;
    tokens.extend(errors.write_errors());
    tokens
}
