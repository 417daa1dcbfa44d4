//! Loaders, handlers and listeners: the user's function becomes a constant that the builder of `LoginManager` takes.

mod args;
mod check;
mod expand;

use darling::Result;
use proc_macro2::TokenStream;

use self::{args::Args, check::Function};
use crate::{error, item, krate::Krate};

/// The purpose of the function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    UserLoader,
    RequestLoader,
    UnauthorizedHandler,
    NeedsRefreshHandler,
    ForbiddenHandler,
    EventListener,
}

impl Kind {
    fn attribute(self) -> &'static str {
        match self {
            Self::UserLoader => "user_loader",
            Self::RequestLoader => "request_loader",
            Self::UnauthorizedHandler => "unauthorized_handler",
            Self::NeedsRefreshHandler => "needs_refresh_handler",
            Self::ForbiddenHandler => "forbidden_handler",
            Self::EventListener => "event_listener",
        }
    }

    /// The trait in the runtime, and the function pointer that its method returns.
    fn runtime_names(self) -> (&'static str, &'static str) {
        match self {
            Self::UserLoader => ("IntoUserLoader", "UserLoader"),
            Self::RequestLoader => ("IntoRequestLoader", "RequestLoader"),
            Self::UnauthorizedHandler => ("IntoUnauthorizedHandler", "AnswerFn"),
            Self::NeedsRefreshHandler => ("IntoNeedsRefreshHandler", "AnswerFn"),
            Self::ForbiddenHandler => ("IntoForbiddenHandler", "AnswerFn"),
            Self::EventListener => ("IntoEventListener", "EventListener"),
        }
    }

    /// Whether it is for one user type, which its signature names.
    fn has_user(self) -> bool {
        matches!(
            self,
            Self::UserLoader | Self::RequestLoader | Self::EventListener
        )
    }

    /// The trait in the runtime that names the user type of [`Function::user`].
    fn names_user(self) -> &'static str {
        match self {
            Self::EventListener => "EventRef",
            _ => "IntoLoadResult",
        }
    }

    /// Whether the first parameter is not a request guard but an id or an event.
    fn has_subject(self) -> bool {
        matches!(self, Self::UserLoader | Self::EventListener)
    }
}

pub(crate) fn function(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    try_function(kind, args.clone(), item.clone()).unwrap_or_else(|errors| {
        let stub = item::function(kind.attribute(), item.clone())
            .ok()
            .and_then(|item| expand::stub(kind, &Krate::lenient(args), &Function::new(kind, item)));
        error::beside(stub.unwrap_or(item), errors)
    })
}

fn try_function(kind: Kind, args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = item::function(kind.attribute(), item)
        .map(|item| Function::new(kind, item))
        .and_then(|function| check::check(kind, function));
    let (args, function) = error::both(Args::parse(kind, args), function)?;
    Ok(expand::expand(kind, &args.krate, &function))
}
