//! Parses the struct and its `#[user(..)]` attributes.

use darling::{
    FromDeriveInput, FromField, FromMeta, Result,
    ast::{Data, NestedMeta},
    util::{Flag, Ignored},
};
use syn::{Generics, Ident, Meta, Type};

use crate::{error::error, krate::Krate};

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
    pub(super) id: Flag,
    pub(super) active: Flag,
    pub(super) session_hash: Flag,
}

/// The fields in `session_hash(a, b)`.
#[derive(Default)]
pub(super) struct FieldNames(pub(super) Vec<Ident>);

impl FromMeta for FieldNames {
    fn from_meta(meta: &Meta) -> Result<Self> {
        const MEND: &str = "write `#[user(session_hash(password_hash))]`";
        let Meta::List(list) = meta else {
            return Err(error(
                meta,
                "`session_hash` on a struct names its fields",
                MEND,
            ));
        };
        let items = NestedMeta::parse_meta_list(list.tokens.clone())?;
        if items.is_empty() {
            return Err(error(meta, "`session_hash` names no field", MEND));
        }
        let name = |item: &NestedMeta| match item {
            NestedMeta::Meta(Meta::Path(path)) => path.get_ident().cloned(),
            _ => None,
        };
        items
            .iter()
            .map(|item| {
                name(item).ok_or_else(|| error(item, "this is not the name of a field", MEND))
            })
            .collect::<Result<_>>()
            .map(Self)
    }
}
