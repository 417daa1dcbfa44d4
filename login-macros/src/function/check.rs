//! The rules for a loader, handler or listener.
//!
//! - It is a free function, as for all our attributes, and not `unsafe`.
//! - It is neither a route nor a catcher.
//! - It is generic over lifetimes only.
//! - It takes request guards, and so not the request itself.
//! - Its first parameter is an id (user loader) or a reference to an event (listener).
//! - A loader and a handler have a return type, a listener has none.

use darling::{Error, Result, error::Accumulator};
use quote::ToTokens;
use syn::{
    Attribute, FnArg, GenericArgument, GenericParam, ItemFn, PathArguments, ReturnType, Safety,
    Type, parse_quote,
};

use super::Kind;
use crate::{
    error::error,
    item,
    route::{self, Route},
    types,
};

/// The parts of the user's function.
#[derive(Clone)]
pub(super) struct Function {
    pub(super) item: ItemFn,
    /// The type of the first parameter if that is an id or an event.
    pub(super) subject: Option<Type>,
    pub(super) guards: Vec<Type>,
    pub(super) output: Option<Type>,
    /// The type that names the user type: what a loader returns, the event of a listener.
    pub(super) user: Option<Type>,
}

impl Function {
    pub(super) fn new(kind: Kind, mut item: ItemFn) -> Self {
        types::open_fragments(&mut item.sig, |own| own);
        let mut types = item.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some((*typed.ty).clone()),
            FnArg::Receiver(_) => None,
        });
        let subject = if kind.has_subject() {
            types.next()
        } else {
            None
        };
        let guards = types.collect();
        let output = match &item.sig.output {
            ReturnType::Type(_, output) => Some((**output).clone()),
            ReturnType::Default => None,
        };
        let user = match (kind, &output, &subject) {
            (Kind::UserLoader | Kind::RequestLoader, Some(output), _) => {
                let meant = Meant::of(output).map_or_else(|| output.clone(), |meant| meant.output);
                Some(meant).filter(|output| !matches!(output, Type::ImplTrait(_)))
            }
            (Kind::EventListener, _, Some(event)) => {
                Some(event.clone()).filter(|event| matches!(event, Type::Reference(_)))
            }
            _ => None,
        };
        Self {
            item,
            subject,
            guards,
            output,
            user,
        }
    }
}

pub(super) fn check(kind: Kind, function: Function) -> Result<Function> {
    let mut errors = Error::accumulator();
    item::check_free(kind.attribute(), &function.item, &mut errors);
    check_alone(kind, &function, &mut errors);
    check_safe(kind, &function, &mut errors);
    check_one(kind, &function, &mut errors);
    check_subject(kind, &function, &mut errors);
    check_output(kind, &function, &mut errors);
    errors.finish_with(function)
}

fn check_alone(kind: Kind, function: &Function, errors: &mut Accumulator) {
    for attribute in &function.item.attrs {
        if is_of_rocket(attribute) {
            errors.push(error(
                attribute.path(),
                format_args!(
                    "`#[{}]` cannot be used on a route or a catcher",
                    kind.attribute()
                ),
                format_args!(
                    "keep `#[{}]` only, and give the function to the manager",
                    kind.attribute()
                ),
            ));
        }
    }
}

/// Whether this makes a function a route or a catcher.
pub(super) fn is_of_rocket(attribute: &Attribute) -> bool {
    Route::is(attribute) || route::is_catch(attribute)
}

fn check_safe(kind: Kind, function: &Function, errors: &mut Accumulator) {
    if let Safety::Unsafe(token) = &function.item.sig.safety {
        errors.push(error(
            token,
            format_args!("`#[{}]` cannot be used on an `unsafe fn`", kind.attribute()),
            "remove `unsafe`",
        ));
    }
}

fn check_one(kind: Kind, function: &Function, errors: &mut Accumulator) {
    for parameter in &function.item.sig.generics.params {
        let ident = match parameter {
            GenericParam::Lifetime(_) => continue,
            GenericParam::Type(parameter) => &parameter.ident,
            GenericParam::Const(parameter) => &parameter.ident,
        };
        errors.push(error(
            ident,
            format_args!(
                "`#[{}]` cannot be used on a generic function",
                kind.attribute()
            ),
            format_args!("write a concrete type in place of `{ident}`"),
        ));
    }
    for ty in &function.guards {
        if let Type::Reference(reference) = ty
            && let Type::Path(request) = &*reference.elem
            && request
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "Request")
        {
            errors.push(error(
                request,
                "`&Request` is not a request guard",
                "take the parts that you need: `host: &Host<'_>`, `jar: &CookieJar<'_>`, `route: &Route`, ..",
            ));
        }
    }
    for ty in function.subject.iter().chain(&function.guards) {
        if let Type::ImplTrait(ty) = ty {
            errors.push(error(
                ty,
                "a parameter cannot be `impl Trait`",
                "write a concrete type",
            ));
        }
    }
}

fn check_subject(kind: Kind, function: &Function, errors: &mut Accumulator) {
    let parameters = function.item.sig.paren_token.span.join();
    match (kind, &function.subject) {
        (Kind::UserLoader, None) => errors.push(error(
            &parameters,
            "a user loader needs the user's id as its first parameter",
            "write `fn load_user(id: i64, ..)`",
        )),
        (Kind::UserLoader, Some(Type::Reference(id))) if !is_str(id) => errors.push(error(
            id,
            "the first parameter of a user loader is the user's id, which is parsed from text",
            "put the id first, `id: i64` or `id: &str`, and request guards after it",
        )),
        (Kind::EventListener, Some(Type::Reference(event))) if event.mutability.is_none() => {}
        (Kind::EventListener, Some(other)) => errors.push(error(
            other,
            "the first parameter of an event listener is a reference to the event",
            "write `event: &LoginEvent<'_, User>`",
        )),
        (Kind::EventListener, None) => errors.push(error(
            &parameters,
            "an event listener needs the event as its first parameter",
            "write `event: &LoginEvent<'_, User>`",
        )),
        _ => {}
    }
}

fn check_output(kind: Kind, function: &Function, errors: &mut Accumulator) {
    let name = &function.item.sig.ident;
    match (kind, &function.output) {
        (Kind::UserLoader | Kind::RequestLoader, None) => errors.push(error(
            name,
            format_args!("`{name}` returns nothing, but a loader must return a user"),
            "write `-> Option<User>`, or `-> Result<Option<User>, E>` if loading can fail",
        )),
        (Kind::UserLoader | Kind::RequestLoader, Some(Type::ImplTrait(output))) => {
            errors.push(error(
                output,
                "a loader cannot return `impl Trait`",
                "write `Option<User>`, or `Result<Option<User>, E>` if loading can fail",
            ));
        }
        (Kind::UserLoader | Kind::RequestLoader, Some(output)) => {
            if let Some(Meant { output, wrong }) = Meant::of(output) {
                errors.push(error(
                    function.output.as_ref().unwrap_or(&output),
                    wrong,
                    format_args!("write `-> {}`", printed(&output)),
                ));
            }
        }
        (Kind::UnauthorizedHandler | Kind::NeedsRefreshHandler | Kind::ForbiddenHandler, None) => {
            errors.push(error(
                name,
                format_args!("`{name}` returns nothing, but a handler must answer the request"),
                "return a responder: `-> Redirect`, `-> (Status, &'static str)`, ..",
            ));
        }
        (
            Kind::UnauthorizedHandler | Kind::NeedsRefreshHandler | Kind::ForbiddenHandler,
            Some(output),
        ) if is_unit(output) => {
            errors.push(error(
                output,
                format_args!("`{name}` returns nothing, but a handler must answer the request"),
                "return a responder: `-> Redirect`, `-> (Status, &'static str)`, ..",
            ));
        }
        (Kind::EventListener, Some(output)) if !is_unit(output) => errors.push(error(
            output,
            "an event listener returns nothing: it cannot change what happened",
            "remove the return type",
        )),
        _ => {}
    }
}

/// What a loader should return in place of a type that looks right and is not.
struct Meant {
    output: Type,
    wrong: &'static str,
}

impl Meant {
    fn of(output: &Type) -> Option<Self> {
        if let Some(found) = first_argument(output, "Option") {
            if let Some(user) = first_argument(found, "Result") {
                return Some(Self {
                    output: with_first_argument(found, parse_quote!(Option<#user>)),
                    wrong: "a loader that can fail returns the error outside the `Option`",
                });
            }
            return Some(Self {
                output: with_first_argument(output, owned(found)?),
                wrong: BORROWED,
            });
        }
        let found = first_argument(output, "Result")?;
        let user = owned(first_argument(found, "Option")?)?;
        Some(Self {
            output: with_first_argument(output, with_first_argument(found, user)),
            wrong: BORROWED,
        })
    }
}

const BORROWED: &str =
    "a loader cannot return a borrowed user, because the user lives as long as the request";

/// The type behind a reference.
fn owned(ty: &Type) -> Option<Type> {
    match ty {
        Type::Reference(reference) => Some((*reference.elem).clone()),
        _ => None,
    }
}

/// `User` of `Option<User>` and of `std::option::Option<User>`.
fn first_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(ty) if last.ident == name => Some(ty),
        _ => None,
    }
}

fn with_first_argument(ty: &Type, first: Type) -> Type {
    let mut ty = ty.clone();
    if let Type::Path(path) = &mut ty
        && let Some(last) = path.path.segments.last_mut()
        && let PathArguments::AngleBracketed(arguments) = &mut last.arguments
        && let Some(argument) = arguments.args.first_mut()
    {
        *argument = GenericArgument::Type(first);
    }
    ty
}

/// Whether this is `&str`, with any lifetime.
pub(super) fn is_str(ty: &syn::TypeReference) -> bool {
    ty.mutability.is_none() && matches!(&*ty.elem, Type::Path(elem) if elem.path.is_ident("str"))
}

/// The type as it is usually written.
fn printed(ty: &Type) -> String {
    let code = ty.to_token_stream().to_string();
    code.replace(" < ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace(" :: ", "::")
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;
    use crate::testing::messages;

    fn refused(kind: Kind, item: TokenStream) -> Vec<String> {
        let item = item::function(kind.attribute(), item);
        messages(item.and_then(|item| check(kind, Function::new(kind, item))))
    }

    fn wrong(kind: Kind, item: TokenStream) -> Vec<String> {
        let messages = refused(kind, item);
        messages
            .iter()
            .filter_map(|message| message.lines().next())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_user_loader_without_an_id_is_refused() {
        assert_eq!(
            refused(
                Kind::UserLoader,
                quote!(
                    fn load() -> Option<User> {
                        None
                    }
                )
            ),
            ["a user loader needs the user's id as its first parameter\n\
              = help: write `fn load_user(id: i64, ..)`"]
        );
        assert_eq!(
            wrong(
                Kind::UserLoader,
                quote!(
                    fn load(db: &State<Db>, id: i64) -> Option<User> {
                        None
                    }
                )
            ),
            ["the first parameter of a user loader is the user's id, which is parsed from text"]
        );
    }

    #[test]
    fn a_loader_must_return_a_user() {
        for kind in [Kind::UserLoader, Kind::RequestLoader] {
            assert_eq!(
                wrong(
                    kind,
                    quote!(
                        fn load(id: i64) {}
                    )
                ),
                ["`load` returns nothing, but a loader must return a user"]
            );
            assert_eq!(
                wrong(
                    kind,
                    quote!(
                        fn load(id: i64) -> impl IntoLoadResult {
                            None
                        }
                    )
                ),
                ["a loader cannot return `impl Trait`"]
            );
        }
    }

    #[test]
    fn a_loader_returns_an_owned_user_and_the_error_outside() {
        let borrowed =
            "a loader cannot return a borrowed user, because the user lives as long as the request";
        let inside = "a loader that can fail returns the error outside the `Option`";
        for (output, wrong, fix) in [
            (quote!(Option<&User>), borrowed, "Option<User>"),
            (
                quote!(Option<&'static models::User>),
                borrowed,
                "Option<models::User>",
            ),
            (
                quote!(Result<Option<&User>, Error>),
                borrowed,
                "Result<Option<User>, Error>",
            ),
            (
                quote!(Option<Result<User, Box<dyn Error>>>),
                inside,
                "Result<Option<User>, Box<dyn Error>>",
            ),
            (
                quote!(std::option::Option<io::Result<User>>),
                inside,
                "io::Result<Option<User>>",
            ),
        ] {
            for kind in [Kind::UserLoader, Kind::RequestLoader] {
                let function = quote!(fn load(id: i64) -> #output { None });
                assert_eq!(
                    refused(kind, function),
                    [format!("{wrong}\n= help: write `-> {fix}`")]
                );
            }
        }
    }

    #[test]
    fn the_compiler_checks_any_other_return_type_of_a_loader() {
        assert!(
            wrong(
                Kind::UserLoader,
                quote!(
                    fn load(id: &'static str) -> Alias {
                        None
                    }
                )
            )
            .is_empty()
        );
    }

    #[test]
    fn a_handler_must_answer() {
        for kind in [
            Kind::UnauthorizedHandler,
            Kind::NeedsRefreshHandler,
            Kind::ForbiddenHandler,
        ] {
            let expected = ["`ask` returns nothing, but a handler must answer the request"];
            assert_eq!(
                wrong(
                    kind,
                    quote!(
                        fn ask() {}
                    )
                ),
                expected
            );
            assert_eq!(
                wrong(
                    kind,
                    quote!(
                        fn ask() -> () {}
                    )
                ),
                expected
            );
        }
    }

    #[test]
    fn a_listener_takes_an_event_and_returns_nothing() {
        let kind = Kind::EventListener;
        assert_eq!(
            wrong(
                kind,
                quote!(
                    fn audit() {}
                )
            ),
            ["an event listener needs the event as its first parameter"]
        );
        assert_eq!(
            wrong(
                kind,
                quote!(
                    fn audit(event: LoginEvent<User>) -> bool {
                        true
                    }
                )
            ),
            [
                "the first parameter of an event listener is a reference to the event",
                "an event listener returns nothing: it cannot change what happened",
            ]
        );
        assert!(
            wrong(
                kind,
                quote!(
                    fn audit(event: &LoginEvent<User>) -> () {}
                )
            )
            .is_empty()
        );
    }

    #[test]
    fn a_route_or_catcher_is_no_handler() {
        for attribute in [quote!(get("/")), quote!(rocket::catch(401))] {
            let function = quote!(#[#attribute] fn ask() -> Redirect { Redirect::to("/") });
            assert_eq!(
                refused(Kind::UnauthorizedHandler, function),
                [
                    "`#[unauthorized_handler]` cannot be used on a route or a catcher\n\
                  = help: keep `#[unauthorized_handler]` only, and give the function to the manager"
                ]
            );
        }
    }

    #[test]
    fn the_request_itself_is_not_a_guard() {
        assert_eq!(
            refused(
                Kind::UnauthorizedHandler,
                quote!(
                    fn ask(request: &rocket::Request<'_>) -> Redirect {
                        Redirect::to("/")
                    }
                )
            ),
            [
                "`&Request` is not a request guard\n= help: take the parts that you need: `host: &Host<'_>`, \
              `jar: &CookieJar<'_>`, `route: &Route`, .."
            ]
        );
    }

    #[test]
    fn only_a_safe_free_function_that_is_not_generic_is_accepted() {
        assert_eq!(
            wrong(
                Kind::RequestLoader,
                quote!(
                    const unsafe fn load<'a, T, const N: usize>(
                        self,
                        key: impl Key,
                    ) -> Option<User> {
                        None
                    }
                )
            ),
            [
                "`#[request_loader]` cannot be used on a method",
                "`#[request_loader]` cannot be used on a `const fn`",
                "`#[request_loader]` cannot be used on an `unsafe fn`",
                "`#[request_loader]` cannot be used on a generic function",
                "`#[request_loader]` cannot be used on a generic function",
                "a parameter cannot be `impl Trait`",
            ]
        );
    }
}
