//! Types of a function's signature, read and moved to another place.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{
    GenericArgument, Lifetime, ParenthesizedGenericArguments, PathArguments, PathSegment,
    Signature, TraitBound, Type, TypeFnPtr, TypeReference,
    visit_mut::{self, VisitMut},
};

use crate::span;

/// An argument that may be a user, and the part of it that names the type: `&User`, or `Fresh<'_, User>`.
pub(crate) fn user(ty: &Type) -> Option<(&Type, &Type)> {
    match ty {
        Type::Reference(reference) => match &*reference.elem {
            named @ Type::Path(_) => Some((ty, named)),
            _ => None,
        },
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            (last.ident == "Fresh").then_some((ty, ty))
        }
        _ => None,
    }
}

/// The type with `'static` for every lifetime, elided or named: an associated type has no other one in scope.
pub(crate) fn with_static(ty: &Type) -> Type {
    replaced(ty, "'static")
}

/// The type with `'_` for every lifetime, for the body of another function.
pub(crate) fn elided(ty: &Type) -> Type {
    replaced(ty, "'_")
}

fn replaced(ty: &Type, by: &'static str) -> Type {
    let mut ty = ty.clone();
    Lifetimes { by }.visit_type_mut(&mut ty);
    ty
}

/// Replaces the types that are fragments of `macro_rules!`, as in `-> $page`, by what the fragments hold, each token at the
/// span that `at` makes of its own.
pub(crate) fn open_fragments(signature: &mut Signature, at: impl Fn(Span) -> Span) {
    Fragments(at).visit_signature_mut(signature);
}

struct Fragments<F>(F);

impl<F: Fn(Span) -> Span> VisitMut for Fragments<F> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        // `&dyn A + B` would be another type than the `&$fragment`.
        if let Type::Group(group) = ty
            && !matches!(*group.elem, Type::TraitObject(_) | Type::ImplTrait(_))
        {
            let tokens = span::respan(group.elem.to_token_stream(), &self.0);
            *ty = syn::parse2(tokens.clone()).unwrap_or(Type::Verbatim(tokens));
        }
        visit_mut::visit_type_mut(self, ty);
    }
}

struct Lifetimes {
    by: &'static str,
}

impl VisitMut for Lifetimes {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        *lifetime = Lifetime::new(self.by, span::blame(lifetime));
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        let and = span::blame(&reference.and_token);
        reference
            .lifetime
            .get_or_insert_with(|| Lifetime::new(self.by, and));
        visit_mut::visit_type_reference_mut(self, reference);
    }

    /// `LoginEvent<User>` is short for `LoginEvent<'_, User>`, which only a function may leave out.
    fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
        if segment.ident == "LoginEvent"
            && let PathArguments::AngleBracketed(arguments) = &mut segment.arguments
            && !matches!(arguments.args.first(), Some(GenericArgument::Lifetime(_)))
        {
            let lifetime = Lifetime::new(self.by, span::blame(&segment.ident));
            arguments
                .args
                .insert(0, GenericArgument::Lifetime(lifetime));
        }
        visit_mut::visit_path_segment_mut(self, segment);
    }

    // The lifetimes in these are their own.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }
    fn visit_trait_bound_mut(&mut self, bound: &mut TraitBound) {
        if bound.lifetimes.is_none() {
            visit_mut::visit_trait_bound_mut(self, bound);
        }
    }
}
