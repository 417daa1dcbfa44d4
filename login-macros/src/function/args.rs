//! Parses `(crate = ..)`.

use darling::{FromMeta, Result};
use proc_macro2::TokenStream;

use super::Kind;
use crate::{
    krate::Krate,
    options::{CRATE, Options},
};

#[derive(FromMeta)]
pub(super) struct Args {
    #[darling(rename = "crate", default)]
    pub(super) krate: Krate,
}

impl Args {
    pub(super) fn parse(kind: Kind, tokens: TokenStream) -> Result<Self> {
        let options = Options {
            of: &format!("`#[{}]`", kind.attribute()),
            leading: None,
            known: &[&CRATE],
            elsewhere: &[],
        };
        options.parse(tokens)
    }
}
