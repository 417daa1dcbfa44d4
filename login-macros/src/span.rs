//! The spans of generated code, named by their purpose.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use syn::{Attribute, spanned::Spanned};

/// For names that we add. The user's code cannot see them and cannot clash with them.
pub(crate) fn local() -> Span {
    Span::mixed_site()
}

/// For an argument that we add to a Rocket handler that still has its `route` attribute.
///
/// Rocket gives its own `__req` and `__data` the span of the argument's type, and finds them only if that span resolves names
/// as the route attribute does. The mixed site does not, and our call site does not if `macro_rules!` builds the handler.
pub(crate) fn handler_argument(function: &Ident, route: &Attribute) -> Span {
    function.span().resolved_at(route.pound_token.span)
}

/// For code that may fail to type-check, so that the compiler underlines what the user wrote.
pub(crate) fn blame(user: &impl Spanned) -> Span {
    Span::mixed_site().located_at(user.span())
}

/// The same tokens, each at the span that `at` makes of its own.
pub(crate) fn respan(tokens: TokenStream, at: &impl Fn(Span) -> Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => {
                let mut spanned = Group::new(group.delimiter(), respan(group.stream(), at));
                spanned.set_span(at(group.span()));
                TokenTree::Group(spanned)
            }
            // Only the span says which crate `$crate` is.
            TokenTree::Ident(ident) if ident == "$crate" => TokenTree::Ident(ident),
            mut token => {
                token.set_span(at(token.span()));
                token
            }
        })
        .collect()
}
