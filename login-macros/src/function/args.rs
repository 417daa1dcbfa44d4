//! Parses `(crate = ..)`.

use darling::{FromMeta, Result, ast::NestedMeta};
use proc_macro2::TokenStream;

use crate::krate::Krate;

#[derive(FromMeta)]
pub(super) struct Args {
    #[darling(rename = "crate", default)]
    pub(super) krate: Krate,
}

impl Args {
    pub(super) fn parse(tokens: TokenStream) -> Result<Self> {
        Self::from_list(&NestedMeta::parse_meta_list(tokens)?)
    }
}
