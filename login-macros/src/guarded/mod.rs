//! `#[login_required]` and `#[fresh_login_required]`.

mod args;
mod check;
mod expand;

use darling::Result;
use proc_macro2::TokenStream;

use self::args::Args;
use crate::{error, item};

/// What a guarded route asks of its visitor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Login,
    FreshLogin,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Login, Self::FreshLogin];

    fn attribute(self) -> &'static str {
        match self {
            Self::Login => "login_required",
            Self::FreshLogin => "fresh_login_required",
        }
    }
}

pub(crate) fn guarded(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    try_guarded(kind, args, item.clone()).unwrap_or_else(|errors| error::beside(item, errors))
}

fn try_guarded(kind: Kind, args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let handler = item::function(kind.attribute(), item).and_then(|item| check::check(kind, item));
    let (args, handler) = error::both(Args::parse(kind, args), handler)?;
    Ok(expand::expand(kind, &args, handler))
}
