//! The spans of generated code, named by what they are for.

use proc_macro2::{Ident, Span};
use syn::{Attribute, spanned::Spanned};

/// For names that we add and that the user must neither see nor clash with.
pub(crate) fn local() -> Span {
    Span::mixed_site()
}

/// For an argument that we add to a Rocket handler, below which `route` still stands.
///
/// Rocket writes its own `__req` and `__data` with the span of the argument's type, and finds them only where that span resolves
/// names as the route attribute does: not at the mixed site, and where `macro_rules!` puts the pieces together not at ours.
pub(crate) fn handler_argument(function: &Ident, route: &Attribute) -> Span {
    function.span().resolved_at(route.path().span())
}

/// For calls that may fail to type-check: the compiler then underlines what the user wrote.
pub(crate) fn blame(user: &impl Spanned) -> Span {
    Span::mixed_site().located_at(user.span())
}
