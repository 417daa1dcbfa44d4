//! The attributes that say who may use a route: `#[login_required]`, `#[fresh_login_required]`, `#[anonymous_required]`, `#[public]`.

mod args;
mod check;
mod expand;

use darling::Result;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ItemFn;

use self::args::Args;
use crate::{error, item, route::Route};

/// The name of the added argument. Rocket identifies arguments by their text, so hygiene does not keep two of one name apart.
const ARGUMENT: &str = "__login";

/// What a route requires.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Login,
    FreshLogin,
    Anonymous,
    Public,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Login, Self::FreshLogin, Self::Anonymous, Self::Public];

    fn attribute(self) -> &'static str {
        match self {
            Self::Login => "login_required",
            Self::FreshLogin => "fresh_login_required",
            Self::Anonymous => "anonymous_required",
            Self::Public => "public",
        }
    }
}

pub(crate) fn guarded(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    try_guarded(kind, args, item.clone())
        .unwrap_or_else(|errors| error::beside(without_route(item), errors))
}

/// A method without its route attribute, which would add errors of its own; any other item unchanged.
fn without_route(item: TokenStream) -> TokenStream {
    match syn::parse2::<ItemFn>(item.clone()) {
        Ok(mut method) if method.sig.receiver().is_some() => {
            method.attrs.retain(|attribute| !Route::is(attribute));
            method.into_token_stream()
        }
        _ => item,
    }
}

fn try_guarded(kind: Kind, args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let handler = item::function(kind.attribute(), item).and_then(|item| check::check(kind, item));
    let (args, handler) = error::both(Args::parse(kind, args), handler)?;
    if let Some(redirect) = &args.redirect {
        redirect.check(&handler.route)?;
    }
    Ok(expand::expand(kind, &args, handler))
}
