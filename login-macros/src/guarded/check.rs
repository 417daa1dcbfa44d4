//! The rules for a guarded handler.
//!
//! - It is a free function, as all our attributes require.
//! - The route attribute is below ours, so that Rocket has not yet read the arguments.
//! - It has only one of our guards.
//! - None of its arguments has the name of the argument that we add.

use darling::{Error, Result, error::Accumulator};
use syn::{Attribute, FnArg, ItemFn, Pat};

use super::{ARGUMENT, Kind};
use crate::{
    error::error,
    item,
    route::{self, Route},
};

/// A handler that still has Rocket's route attribute.
pub(super) struct Handler {
    pub(super) item: ItemFn,
    pub(super) route: Route,
}

pub(super) fn check(kind: Kind, item: ItemFn) -> Result<Handler> {
    let mut errors = Error::accumulator();
    item::check_free(kind.attribute(), &item, &mut errors);
    check_alone(kind, &item, &mut errors);
    check_argument(&item, &mut errors);
    let route = errors.handle(route(kind, &item)).flatten();
    match route {
        Some(route) => errors.finish_with(Handler { item, route }),
        None => Err(Error::multiple(errors.into_inner())),
    }
}

/// `None` for a method, which was already refused.
fn route(kind: Kind, handler: &ItemFn) -> Result<Option<Route>> {
    let route = Route::find(&handler.attrs);
    if route.is_some() || handler.sig.receiver().is_some() {
        return Ok(route);
    }
    let attribute = kind.attribute();
    if let Some(catch) = handler.attrs.iter().find(|attr| route::is_catch(attr)) {
        return Err(error(
            catch.path(),
            format_args!("`#[{attribute}]` cannot be used on a catcher"),
            format_args!("remove `#[{attribute}]` and guard the routes instead"),
        ));
    }
    Err(error(
        &handler.sig.ident,
        format_args!(
            "no route attribute below `#[{attribute}]`: it is missing, or it stands above, where the guard comes too late"
        ),
        format_args!("write `#[{attribute}]` first and `#[get(..)]` below it"),
    ))
}

fn check_alone(kind: Kind, handler: &ItemFn, errors: &mut Accumulator) {
    for attribute in &handler.attrs {
        let is = |other: &Kind| is_guard(*other, attribute);
        let Some(other) = Kind::ALL.into_iter().find(is) else {
            continue;
        };
        let (this, that) = (kind.attribute(), other.attribute());
        let path = attribute.path();
        errors.push(match (kind, other) {
            _ if kind == other => error(
                path,
                format_args!("`#[{this}]` is on this route twice"),
                "remove one of them",
            ),
            (Kind::Login | Kind::FreshLogin, Kind::Login | Kind::FreshLogin) => error(
                path,
                "two guards on one route",
                "keep `#[fresh_login_required]`, which also requires a login",
            ),
            _ => error(
                path,
                format_args!("`#[{this}]` and `#[{that}]` on one route contradict each other"),
                "keep the one that you mean",
            ),
        });
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
                format_args!(
                    "the name `{ARGUMENT}` is reserved for the guard that this attribute adds"
                ),
                "give the argument another name",
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
    }

    #[test]
    fn a_catcher_cannot_be_guarded() {
        assert_eq!(
            refused(quote!(
                #[rocket::catch(401)]
                fn denied() {}
            )),
            ["`#[login_required]` cannot be used on a catcher\n\
              = help: remove `#[login_required]` and guard the routes instead"]
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
            ["`#[login_required]` is on this route twice\n= help: remove one of them"]
        );
        assert_eq!(
            refused(quote!(
                #[get("/")]
                #[fresh_login_required]
                fn a() {}
            )),
            [
                "two guards on one route\n= help: keep `#[fresh_login_required]`, which also requires a login"
            ]
        );
    }

    #[test]
    fn guards_that_contradict_each_other_are_refused() {
        let pair = |kind, other: TokenStream| {
            let item = quote!(#[#other] #[get("/")] fn a() {});
            let item = item::function("any", item);
            messages(item.and_then(|item| check(kind, item)))
        };
        assert_eq!(
            pair(Kind::Public, quote!(login_required)),
            [
                "`#[public]` and `#[login_required]` on one route contradict each other\n\
              = help: keep the one that you mean"
            ]
        );
        for kind in Kind::ALL {
            for other in Kind::ALL {
                let other: TokenStream = other.attribute().parse().unwrap();
                assert_eq!(pair(kind, other).len(), 1);
            }
        }
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
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
                "`#[login_required]` cannot be used on a method",
                "`#[login_required]` cannot be used on a `const fn`",
                "the name `__login` is reserved for the guard that this attribute adds",
            ]
        );
    }

    #[test]
    fn an_item_that_is_not_a_function_is_refused() {
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
                ["`#[login_required]` can only be used on a function\n\
                  = help: put it above a function: `#[login_required] fn ..`"]
            );
        }
    }
}
