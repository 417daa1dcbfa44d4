//! Parses the struct and its `#[user(..)]` attributes.

use darling::{
    Error, FromDeriveInput, FromField, FromMeta, Result,
    ast::{Data, NestedMeta},
    error::Accumulator,
    util::Ignored,
};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, DeriveInput, Generics, Ident, Meta, Token, Type, punctuated::Punctuated};

use crate::{
    error::error,
    krate::Krate,
    options::{CRATE, Choice, Known, Options, Word},
};

const ID: Known = Known::new("id", "#[user(id)]");
const ACTIVE: Known = Known::new("active", "#[user(active)]");
const FIELD_HASH: Known = Known::new("session_hash", "#[user(session_hash)]");
const STRUCT_HASH: Known = Known::new("session_hash", "#[user(session_hash(password_hash))]");

const ON_A_STRUCT: Options<'_> = Options {
    of: "`#[user]` on a struct",
    leading: None,
    known: &[&STRUCT_HASH, &CRATE],
    elsewhere: &[],
};
const ON_A_FIELD: Options<'_> = Options {
    of: "`#[user]` on a field",
    leading: None,
    known: &[&ID, &ACTIVE, &FIELD_HASH],
    elsewhere: &[],
};

#[derive(FromDeriveInput)]
#[darling(attributes(user))]
pub(super) struct Input {
    pub(super) ident: Ident,
    pub(super) generics: Generics,
    data: Data<Ignored, Field>,
    #[darling(default)]
    pub(super) session_hash: FieldNames,
    #[darling(rename = "crate", default)]
    pub(super) krate: Krate,
}

impl Input {
    pub(super) fn parse(input: &DeriveInput) -> Result<Self> {
        let mut errors = Error::accumulator();
        check_options(&ON_A_STRUCT, &input.attrs, &mut errors);
        if let syn::Data::Struct(data) = &input.data {
            for field in &data.fields {
                check_options(&ON_A_FIELD, &field.attrs, &mut errors);
            }
        }
        errors.finish()?;
        Self::from_derive_input(input)
    }

    pub(super) fn fields(&self) -> &[Field] {
        match &self.data {
            Data::Struct(data) => &data.fields,
            Data::Enum(_) => &[],
        }
    }
}

#[derive(FromField)]
#[darling(attributes(user))]
pub(super) struct Field {
    pub(super) ident: Option<Ident>,
    pub(super) ty: Type,
    pub(super) id: Word,
    pub(super) active: Choice,
    pub(super) session_hash: Choice,
}

/// Checks all options of one place together, in any number of attributes.
fn check_options(options: &Options<'_>, attributes: &[Attribute], errors: &mut Accumulator) {
    let mut all = Punctuated::<TokenStream, Token![,]>::new();
    for attribute in attributes {
        if attribute.path().is_ident("user")
            && let Ok(list) = attribute.meta.require_list()
        {
            all.push(list.tokens.clone());
        }
    }
    options.list(all.into_token_stream(), errors);
}

/// The fields in `session_hash(a, b)`.
#[derive(Default)]
pub(super) struct FieldNames(pub(super) Vec<Ident>);

impl FromMeta for FieldNames {
    fn from_meta(meta: &Meta) -> Result<Self> {
        const FIX: &str = "write `#[user(session_hash(password_hash))]`";
        let Meta::List(list) = meta else {
            return Err(error(
                meta,
                "`session_hash` on a struct needs the names of fields",
                FIX,
            ));
        };
        let items = NestedMeta::parse_meta_list(list.tokens.clone())?;
        if items.is_empty() {
            return Err(error(meta, "`session_hash` names no field", FIX));
        }
        let name = |item: &NestedMeta| match item {
            NestedMeta::Meta(Meta::Path(path)) => path.get_ident().cloned(),
            _ => None,
        };
        items
            .iter()
            .map(|item| {
                name(item).ok_or_else(|| error(item, "this is not the name of a field", FIX))
            })
            .collect::<Result<_>>()
            .map(Self)
    }
}
