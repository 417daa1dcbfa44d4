//! Helpers of the unit tests.

use darling::Result;
use proc_macro2::TokenStream;

/// Generated code as `rustfmt` would write it.
pub(crate) fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).unwrap())
}

/// The error messages, one for each mistake.
pub(crate) fn messages<T>(result: Result<T>) -> Vec<String> {
    let errors = result.err().map(syn::Error::from);
    errors
        .into_iter()
        .flatten()
        .map(|error| error.to_string())
        .collect()
}
