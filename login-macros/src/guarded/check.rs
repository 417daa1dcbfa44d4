//! What a guarded handler must be.
//!
//! - a free function, as for all our attributes
//! - below us there is still a route attribute, so that Rocket has not read the arguments yet
//! - no second guard of ours
//! - no argument of the name that we add

use darling::{Error, Result, error::Accumulator};
use syn::{Attribute, FnArg, ItemFn, Pat};

use super::{Kind, expand::ARGUMENT};
use crate::{error::error, item, route};

/// A handler below which Rocket's route attribute still stands.
pub(super) struct Handler {
    pub(super) item: ItemFn,
    pub(super) route: Attribute,
}

pub(super) fn check(kind: Kind, item: ItemFn) -> Result<Handler> {
    let mut errors = Error::accumulator();
    item::check_free(kind.attribute(), &item, &mut errors);
    let route = errors.handle(route(kind, &item));
    check_alone(kind, &item, &mut errors);
    check_argument(&item, &mut errors);
    match route {
        Some(route) => errors.finish_with(Handler { item, route }),
        None => Err(Error::multiple(errors.into_inner())),
    }
}

fn route(kind: Kind, handler: &ItemFn) -> Result<Attribute> {
    let route = handler
        .attrs
        .iter()
        .find(|attribute| route::is_route(attribute));
    route.cloned().ok_or_else(|| {
        let attribute = kind.attribute();
        error(
            &handler.sig.ident,
            format_args!(
                "no route attribute below `#[{attribute}]`: it is missing, or it stands above, where the guard comes too late"
            ),
            format_args!("write `#[{attribute}]` first and `#[get(..)]` below it"),
        )
    })
}

fn check_alone(kind: Kind, handler: &ItemFn, errors: &mut Accumulator) {
    for attribute in &handler.attrs {
        let Some(other) = Kind::ALL
            .into_iter()
            .find(|other| is_guard(*other, attribute))
        else {
            continue;
        };
        let mend = if other == kind {
            "remove one of them"
        } else {
            "keep `#[fresh_login_required]`, which asks for a login as well"
        };
        errors.push(error(attribute.path(), "two guards on one route", mend));
    }
}

fn check_argument(handler: &ItemFn, errors: &mut Accumulator) {
    for argument in &handler.sig.inputs {
        if let FnArg::Typed(typed) = argument
            && let Pat::Ident(pat) = &*typed.pat
            && pat.ident == ARGUMENT
        {
            errors.push(error(
                &pat.ident,
                format_args!("an argument is called `{ARGUMENT}`, which is the name of the guard that is added here"),
                "give it another name",
            ));
        }
    }
}

fn is_guard(kind: Kind, attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last();
    last.is_some_and(|segment| segment.ident == kind.attribute())
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;
    use crate::testing::messages;

    fn refused(item: TokenStream) -> Vec<String> {
        let item = item::function("login_required", item);
        messages(item.and_then(|item| check(Kind::Login, item)))
    }

    #[test]
    fn a_handler_without_a_route_below_is_refused() {
        let expected = "no route attribute below `#[login_required]`: it is missing, or it stands above, where the guard comes too late\n\
                        = help: write `#[login_required]` first and `#[get(..)]` below it";
        assert_eq!(
            refused(quote!(
                fn open() {}
            )),
            [expected]
        );
        assert_eq!(
            refused(quote!(
                #[catch(401)]
                fn open() {}
            )),
            [expected]
        );
    }

    #[test]
    fn a_second_guard_is_refused() {
        assert_eq!(
            refused(quote!(
                #[rocket_login::login_required]
                #[get("/")]
                fn a() {}
            )),
            ["two guards on one route\n= help: remove one of them"]
        );
        assert_eq!(
            refused(quote!(
                #[get("/")]
                #[fresh_login_required]
                fn a() {}
            )),
            [
                "two guards on one route\n= help: keep `#[fresh_login_required]`, which asks for a login as well"
            ]
        );
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let refused = refused(quote!(
            const fn open(self, __login: u8) {}
        ));
        let first_lines: Vec<_> = refused
            .iter()
            .filter_map(|message| message.lines().next())
            .collect();
        assert_eq!(
            first_lines,
            [
                "`#[login_required]` stands on a method",
                "`#[login_required]` stands on a `const fn`",
                "no route attribute below `#[login_required]`: it is missing, or it stands above, where the guard comes too late",
                "an argument is called `__login`, which is the name of the guard that is added here",
            ]
        );
    }

    #[test]
    fn something_else_than_a_function_is_refused() {
        for item in [
            quote!(
                struct A;
            ),
            quote!(
                #[get("/")]
                pub mod a {}
            ),
            quote!(impl A {}),
        ] {
            assert_eq!(
                refused(item),
                [
                    "`#[login_required]` stands on something other than a function\n\
                  = help: put it above a function: `#[login_required] fn ..`"
                ]
            );
        }
    }
}
