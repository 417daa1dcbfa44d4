//! Wraps the user's function in one of the fixed signature.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Attribute, ItemFn, Lifetime, ParenthesizedGenericArguments, TraitBound, Type, TypeFnPtr,
    TypeReference, Visibility,
    ext::IdentExt,
    visit_mut::{self, VisitMut},
};

use super::{
    Kind,
    check::{self, Function},
};
use crate::{krate::Krate, span};

pub(super) fn expand(kind: Kind, krate: &Krate, function: &Function) -> TokenStream {
    let private = krate.private();
    let signature = signature(kind, krate, function);
    let (outer, inner) = split(&function.item);
    let subject = subject(kind, krate, function);
    let guards = guards(kind, krate, function);
    let answer = answer(kind, krate, function);
    quote_spanned! {span::local()=>
        #(#outer)*
        #signature {
            #inner
            #private::pin(async move {
                #subject
                #(#guards)*
                #answer
            })
        }
    }
}

/// The fixed signature around a function that was refused, where it can be told: whatever names it then still compiles.
pub(super) fn stub(kind: Kind, krate: &Krate, function: &Function) -> Option<TokenStream> {
    let signature = signature(kind, krate, function)?;
    let (outer, inner) = split(&function.item);
    Some(quote_spanned! {span::local()=>
        #(#outer)*
        #signature {
            #[allow(dead_code)]
            #inner
            ::core::unimplemented!()
        }
    })
}

/// None only for a function that was refused, and from which it cannot be told.
fn signature(kind: Kind, krate: &Krate, function: &Function) -> Option<TokenStream> {
    let (vis, name) = (&function.item.vis, &function.item.sig.ident);
    let private = krate.private();
    if function.item.sig.receiver().is_some() {
        return None;
    }
    let parameters = match kind {
        Kind::UserLoader => quote_spanned!(span::local()=> __id: &'__r ::core::primitive::str,),
        Kind::EventListener => {
            let event = with_one_lifetime(function.subject.as_ref()?);
            quote_spanned!(span::local()=> __event: #event,)
        }
        _ => quote!(),
    };
    // A return type that will not do is then told of once, on the user's own.
    let blame = blame(function);
    let private_there = krate.private_at(blame);
    let output = match kind {
        Kind::UserLoader | Kind::RequestLoader => {
            let output = match function.output.as_ref()? {
                Type::ImplTrait(_) => return None,
                output => with_one_lifetime(output),
            };
            quote_spanned! {blame=>
                #private_there::LoadResult<<#output as #private_there::IntoLoadResult>::User>
            }
        }
        Kind::UnauthorizedHandler | Kind::NeedsRefreshHandler | Kind::ForbiddenHandler => {
            quote_spanned!(blame=> #private_there::Answer<'__r>)
        }
        Kind::EventListener => quote!(()),
    };
    let future = quote_spanned!(blame=> #private_there::BoxFuture<'__r, #output>);
    Some(quote_spanned! {span::local()=>
        #vis fn #name<'__r>(#parameters __req: &'__r #private::Request<'_>) -> #future
    })
}

/// Reads the id. An id that does not parse is nobody's.
fn subject(kind: Kind, krate: &Krate, function: &Function) -> Option<TokenStream> {
    match (kind, &function.subject) {
        (Kind::UserLoader, Some(Type::Reference(id))) if check::is_str(id) => None,
        (Kind::UserLoader, Some(id)) => {
            let span = span::blame(id);
            let private = krate.private_at(span);
            let parse = quote_spanned!(span=> #private::parse_id::<#id>(__id));
            Some(quote_spanned! {span::local()=>
                let __id = match #parse {
                    ::core::option::Option::Some(__id) => __id,
                    ::core::option::Option::None => {
                        return ::core::result::Result::Ok(::core::option::Option::None);
                    }
                };
            })
        }
        _ => None,
    }
}

/// Asks for each guard. Its type is inferred from the call, so that no lifetime needs rewriting.
fn guards(kind: Kind, krate: &Krate, function: &Function) -> Vec<TokenStream> {
    let name = function.item.sig.ident.unraw().to_string();
    let guard = match kind {
        Kind::UserLoader | Kind::RequestLoader => "guard",
        _ => "handler_guard",
    };
    let fail = if kind == Kind::EventListener {
        let private = krate.private();
        quote_spanned!(span::local()=> #private::listener_guard_failed(#name, __error))
    } else {
        quote_spanned!(span::local()=> ::core::result::Result::Err(__error))
    };
    let temporaries = temporaries(function);
    let guards = function
        .guards
        .iter()
        .zip(temporaries)
        .map(|(ty, temporary)| {
            let span = span::blame(ty);
            let private = krate.private_at(span);
            let guard = Ident::new(guard, span);
            let ask = quote_spanned!(span=> #private::#guard(#private::FromRequest::from_request(__req).await));
            quote_spanned! {span::local()=>
                let #temporary = match #ask {
                    ::core::result::Result::Ok(__guard) => __guard,
                    ::core::result::Result::Err(__error) => return #fail,
                };
            }
        });
    guards.collect()
}

/// Calls the user's function and turns what it says into what the runtime wants.
fn answer(kind: Kind, krate: &Krate, function: &Function) -> TokenStream {
    let name = &function.item.sig.ident;
    let subject = match kind {
        Kind::UserLoader => quote_spanned!(span::local()=> __id,),
        Kind::EventListener => quote_spanned!(span::local()=> __event,),
        _ => quote!(),
    };
    let temporaries = temporaries(function);
    let blame = blame(function);
    let private = krate.private_at(blame);
    let dot_await = function
        .item
        .sig
        .asyncness
        .map(|_| quote_spanned!(blame=> .await));
    let call = quote_spanned!(blame=> #name(#subject #(#temporaries),*) #dot_await);
    match kind {
        Kind::UserLoader | Kind::RequestLoader => {
            quote_spanned!(blame=> #private::IntoLoadResult::into_load_result(#call))
        }
        Kind::UnauthorizedHandler | Kind::NeedsRefreshHandler | Kind::ForbiddenHandler => {
            quote_spanned!(blame=> #private::respond(__req, #call))
        }
        Kind::EventListener => call,
    }
}

fn blame(function: &Function) -> Span {
    let output = function.output.as_ref();
    output.map_or_else(span::local, span::blame)
}

fn temporaries(function: &Function) -> impl Iterator<Item = Ident> {
    (0..function.guards.len()).map(|index| format_ident!("__guard{index}", span = span::local()))
}

/// The attributes of the wrapper, and the user's function as it stands inside of it.
fn split(item: &ItemFn) -> (Vec<&Attribute>, ItemFn) {
    const OUTER: [&str; 3] = ["doc", "cfg", "deprecated"];
    const BOTH: [&str; 4] = ["allow", "warn", "deny", "forbid"];
    let is = |attribute: &Attribute, names: &[&str]| {
        names.iter().any(|name| attribute.path().is_ident(name))
    };
    let outer = item
        .attrs
        .iter()
        .filter(|attr| is(attr, &OUTER) || is(attr, &BOTH))
        .collect();
    let mut inner = item.clone();
    inner.vis = Visibility::Inherited;
    inner.attrs.retain(|attr| !is(attr, &OUTER));
    (outer, inner)
}

/// The type with `'__r` for every lifetime, elided or named, that the user's own signature brings in.
fn with_one_lifetime(ty: &Type) -> Type {
    struct OneLifetime;

    impl VisitMut for OneLifetime {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident != "static" {
                *lifetime = Lifetime::new("'__r", span::blame(lifetime));
            }
        }

        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            let and = span::blame(&reference.and_token);
            reference
                .lifetime
                .get_or_insert_with(|| Lifetime::new("'__r", and));
            visit_mut::visit_type_reference_mut(self, reference);
        }

        // Lifetimes in these belong to the type itself.
        fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
        fn visit_parenthesized_generic_arguments_mut(
            &mut self,
            _: &mut ParenthesizedGenericArguments,
        ) {
        }
        fn visit_trait_bound_mut(&mut self, bound: &mut TraitBound) {
            if bound.lifetimes.is_none() {
                visit_mut::visit_trait_bound_mut(self, bound);
            }
        }
    }

    let mut ty = ty.clone();
    OneLifetime.visit_type_mut(&mut ty);
    ty
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_raw_string_hashes)] // expect-test writes them

    use expect_test::expect;
    use quote::quote;

    use crate::{
        function::{Kind, function},
        testing::pretty,
    };

    #[test]
    fn a_user_loader_reads_the_id_and_asks_for_its_guards() {
        expect![[r#"
            /// Finds a user.
            #[allow(clippy::unused_async)]
            pub fn load_user<'__r>(
                __id: &'__r ::core::primitive::str,
                __req: &'__r ::rocket_login::__private::Request<'_>,
            ) -> ::rocket_login::__private::BoxFuture<
                '__r,
                ::rocket_login::__private::LoadResult<
                    <Option<User> as ::rocket_login::__private::IntoLoadResult>::User,
                >,
            > {
                #[allow(clippy::unused_async)]
                #[instrument]
                async fn load_user(
                    id: i64,
                    db: &State<Db>,
                    Wrapped(x): Wrapped<'_>,
                ) -> Option<User> {
                    db.user(id).await
                }
                ::rocket_login::__private::pin(async move {
                    let __id = match ::rocket_login::__private::parse_id::<i64>(__id) {
                        ::core::option::Option::Some(__id) => __id,
                        ::core::option::Option::None => {
                            return ::core::result::Result::Ok(::core::option::Option::None);
                        }
                    };
                    let __guard0 = match ::rocket_login::__private::guard(
                        ::rocket_login::__private::FromRequest::from_request(__req).await,
                    ) {
                        ::core::result::Result::Ok(__guard) => __guard,
                        ::core::result::Result::Err(__error) => {
                            return ::core::result::Result::Err(__error);
                        }
                    };
                    let __guard1 = match ::rocket_login::__private::guard(
                        ::rocket_login::__private::FromRequest::from_request(__req).await,
                    ) {
                        ::core::result::Result::Ok(__guard) => __guard,
                        ::core::result::Result::Err(__error) => {
                            return ::core::result::Result::Err(__error);
                        }
                    };
                    ::rocket_login::__private::IntoLoadResult::into_load_result(
                        load_user(__id, __guard0, __guard1).await,
                    )
                })
            }
        "#]].assert_eq(&pretty(function(
            Kind::UserLoader,
            quote!(),
            quote! {
                /// Finds a user.
                #[allow(clippy::unused_async)]
                #[instrument]
                pub async fn load_user(id: i64, db: &State<Db>, Wrapped(x): Wrapped<'_>) -> Option<User> { db.user(id).await }
            },
        )));
    }

    #[test]
    fn an_id_of_text_is_taken_as_it_is() {
        expect![[r#"
            fn load_user<'__r>(
                __id: &'__r ::core::primitive::str,
                __req: &'__r ::rocket_login::__private::Request<'_>,
            ) -> ::rocket_login::__private::BoxFuture<
                '__r,
                ::rocket_login::__private::LoadResult<
                    <Result<
                        Option<User>,
                        Failed<'__r>,
                    > as ::rocket_login::__private::IntoLoadResult>::User,
                >,
            > {
                fn load_user<'a>(id: &'a str) -> Result<Option<User>, Failed<'a>> {
                    find(id)
                }
                ::rocket_login::__private::pin(async move {
                    ::rocket_login::__private::IntoLoadResult::into_load_result(load_user(__id))
                })
            }
        "#]]
        .assert_eq(&pretty(function(
            Kind::UserLoader,
            quote!(),
            quote!(
                fn load_user<'a>(id: &'a str) -> Result<Option<User>, Failed<'a>> {
                    find(id)
                }
            ),
        )));
    }

    #[test]
    fn a_request_loader_has_no_id() {
        expect![[r#"
            fn by_key<'__r>(
                __req: &'__r ::web::login::__private::Request<'_>,
            ) -> ::web::login::__private::BoxFuture<
                '__r,
                ::web::login::__private::LoadResult<
                    <Option<User> as ::web::login::__private::IntoLoadResult>::User,
                >,
            > {
                fn by_key(key: Key) -> Option<User> {
                    find(key)
                }
                ::web::login::__private::pin(async move {
                    let __guard0 = match ::web::login::__private::guard(
                        ::web::login::__private::FromRequest::from_request(__req).await,
                    ) {
                        ::core::result::Result::Ok(__guard) => __guard,
                        ::core::result::Result::Err(__error) => {
                            return ::core::result::Result::Err(__error);
                        }
                    };
                    ::web::login::__private::IntoLoadResult::into_load_result(by_key(__guard0))
                })
            }
        "#]]
        .assert_eq(&pretty(function(
            Kind::RequestLoader,
            quote!(crate = ::web::login),
            quote!(
                fn by_key(key: Key) -> Option<User> {
                    find(key)
                }
            ),
        )));
    }

    #[test]
    fn a_handler_answers_with_its_responder() {
        expect![[r#"
            fn ask<'__r>(
                __req: &'__r ::rocket_login::__private::Request<'_>,
            ) -> ::rocket_login::__private::BoxFuture<
                '__r,
                ::rocket_login::__private::Answer<'__r>,
            > {
                async fn ask(host: &Host<'_>) -> Redirect {
                    to(host).await
                }
                ::rocket_login::__private::pin(async move {
                    let __guard0 = match ::rocket_login::__private::handler_guard(
                        ::rocket_login::__private::FromRequest::from_request(__req).await,
                    ) {
                        ::core::result::Result::Ok(__guard) => __guard,
                        ::core::result::Result::Err(__error) => {
                            return ::core::result::Result::Err(__error);
                        }
                    };
                    ::rocket_login::__private::respond(__req, ask(__guard0).await)
                })
            }
        "#]]
        .assert_eq(&pretty(function(
            Kind::UnauthorizedHandler,
            quote!(),
            quote!(
                async fn ask(host: &Host<'_>) -> Redirect {
                    to(host).await
                }
            ),
        )));
    }

    #[test]
    fn a_listener_is_told_and_says_nothing() {
        expect![[r#"
            fn audit<'__r>(
                __event: &'__r LoginEvent<'__r, User>,
                __req: &'__r ::rocket_login::__private::Request<'_>,
            ) -> ::rocket_login::__private::BoxFuture<'__r, ()> {
                async fn audit(event: &LoginEvent<'_, User>, db: &State<Db>) {
                    db.note(event).await
                }
                ::rocket_login::__private::pin(async move {
                    let __guard0 = match ::rocket_login::__private::handler_guard(
                        ::rocket_login::__private::FromRequest::from_request(__req).await,
                    ) {
                        ::core::result::Result::Ok(__guard) => __guard,
                        ::core::result::Result::Err(__error) => {
                            return ::rocket_login::__private::listener_guard_failed("audit", __error);
                        }
                    };
                    audit(__event, __guard0).await
                })
            }
        "#]].assert_eq(&pretty(function(
            Kind::EventListener,
            quote!(),
            quote!(async fn audit(event: &LoginEvent<'_, User>, db: &State<Db>) { db.note(event).await }),
        )));
    }

    #[test]
    fn lifetimes_of_function_pointers_stay_their_own() {
        expect![[r#"
            fn by_key<'__r>(
                __req: &'__r ::rocket_login::__private::Request<'_>,
            ) -> ::rocket_login::__private::BoxFuture<
                '__r,
                ::rocket_login::__private::LoadResult<
                    <Result<
                        Option<User>,
                        Failed<fn(&str) -> &str, dyn for<'x> Tell<'x>, &'static str, &'__r str>,
                    > as ::rocket_login::__private::IntoLoadResult>::User,
                >,
            > {
                fn by_key() -> Result<
                    Option<User>,
                    Failed<fn(&str) -> &str, dyn for<'x> Tell<'x>, &'static str, &str>,
                > {
                    Ok(None)
                }
                ::rocket_login::__private::pin(async move {
                    ::rocket_login::__private::IntoLoadResult::into_load_result(by_key())
                })
            }
        "#]]
        .assert_eq(&pretty(function(
            Kind::RequestLoader,
            quote!(),
            quote!(
                fn by_key() -> Result<
                    Option<User>,
                    Failed<fn(&str) -> &str, dyn for<'x> Tell<'x>, &'static str, &str>,
                > {
                    Ok(None)
                }
            ),
        )));
    }

    #[test]
    fn beside_an_error_stands_the_signature_that_was_meant() {
        expect![[r#"
            fn by_key<'__r>(
                __req: &'__r login::__private::Request<'_>,
            ) -> login::__private::BoxFuture<
                '__r,
                login::__private::LoadResult<
                    <Option<User> as login::__private::IntoLoadResult>::User,
                >,
            > {
                #[allow(dead_code)]
                unsafe fn by_key() -> Option<User> {
                    None
                }
                ::core::unimplemented!()
            }
            ::core::compile_error! {
                "`#[request_loader]` has no option `wrong`\n= help: its only option is `crate = ::rocket_login`"
            }
            ::core::compile_error! {
                "`#[request_loader]` stands on an `unsafe fn`\n= help: remove `unsafe`"
            }
        "#]]
        .assert_eq(&pretty(function(
            Kind::RequestLoader,
            quote!(crate = login, wrong),
            quote!(
                unsafe fn by_key() -> Option<User> {
                    None
                }
            ),
        )));
    }
}
