//! Turns the user's function into a constant of its name, which the builder of `LoginManager` takes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, ItemFn, Type, Visibility, ext::IdentExt, parse_quote};

use super::{
    Kind,
    check::{self, Function},
};
use crate::{krate::Krate, span, types};

pub(super) fn expand(kind: Kind, krate: &Krate, function: &Function) -> TokenStream {
    let private = krate.private();
    let parameters = parameters(kind);
    let subject = subject(kind, krate, function);
    let guards = guards(kind, krate, function);
    let answer = answer(kind, krate, function);
    let checks = check_guards(kind, krate, function);
    let body = quote_spanned! {span::local()=>
        #checks
        |#parameters| #private::pin(async move {
            #subject
            #(#guards)*
            #answer
        })
    };
    handler(kind, krate, function, &body)
}

/// A refused function that still implements its trait, so that the code that names it compiles.
///
/// None if its signature does not name the user type.
pub(super) fn stub(kind: Kind, krate: &Krate, function: &Function) -> Option<TokenStream> {
    let is_method = function.item.sig.receiver().is_some();
    if is_method || kind.has_user() && function.user.is_none() {
        return None;
    }
    let mut function = function.clone();
    function
        .item
        .attrs
        .retain(|attribute| !check::is_of_rocket(attribute));
    function.item.attrs.push(parse_quote!(#[allow(dead_code)]));
    // The id may be the mistake.
    function.subject = None;
    let body = quote_spanned!(span::local()=> ::core::unimplemented!());
    Some(handler(kind, krate, &function, &body))
}

/// The constant, its type and the trait. `body` is the function pointer that the trait gives; it calls the user's function.
fn handler(kind: Kind, krate: &Krate, function: &Function, body: &TokenStream) -> TokenStream {
    let item = &function.item;
    let (vis, name) = (&item.vis, &item.sig.ident);
    let (outer, inner) = split(item);
    let cfgs: Vec<_> = outer
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .collect();
    // With the user's spans the compiler warns about a function that is never used, and shows the function in errors.
    let first = item.sig.fn_token.span;
    let braces = quote_spanned!(name.span()=> {});
    let unit = quote_spanned!(first=> #vis struct #name #braces);
    let constant = quote_spanned!(first=> #vis const #name: #name = #name {};);
    let (into, pointer) = kind.runtime_names();
    let into = Ident::new(into, span::local());
    let private = krate.private();

    // The type and the signature have one span, so that a type that is not accepted gives one error.
    let there = function.user.as_ref().map_or_else(span::local, span::blame);
    let private_there = krate.private_at(there);
    let pointer = Ident::new(pointer, there);
    let method = format_ident!("into_{}", kind.attribute(), span = there);
    let user = function.user.as_ref().map(|ty| {
        let ty = types::with_static(ty);
        let names_user = Ident::new(kind.names_user(), there);
        quote_spanned!(there=> <#ty as #private_there::#names_user>::User)
    });
    let of_user = user.as_ref().map(|_| quote_spanned!(there=> <Self::User>));
    let user = user.map(|user| quote_spanned!(there=> type User = #user;));
    let id_type = id_type(kind, krate, function);
    let signature = quote_spanned!(there=> fn #method(self) -> #private_there::#pointer #of_user);

    quote_spanned! {span::local()=>
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #unit

        #(#outer)*
        #[allow(non_upper_case_globals)]
        #constant

        #(#cfgs)*
        impl #private::#into for #name {
            #user

            #id_type

            #signature {
                #inner
                #body
            }
        }
    }
}

/// Refuses the guards that always fail: those that ask the loader itself, or a user where nobody is logged in.
fn check_guards(kind: Kind, krate: &Krate, function: &Function) -> Option<TokenStream> {
    let user = function.user.as_ref().map(types::with_static);
    let checks = function.guards.iter().filter_map(|ty| {
        let span = match ty {
            Type::Reference(reference) => span::blame(&reference.elem),
            _ => span::blame(ty),
        };
        let (private, elided) = (krate.private_at(span), types::elided(ty));
        Some(match (kind, &user) {
            (Kind::UserLoader | Kind::RequestLoader, Some(user)) => {
                let user = quote_spanned!(span=> <#user as #private::IntoLoadResult>::User);
                quote_spanned!(span=> #private::loader_guard::<{ <#private::GuardFor<#elided, #user>>::IS_SAME }>();)
            }
            (Kind::UnauthorizedHandler, _) if types::user(ty).is_some() => {
                quote_spanned!(span=> #private::visitor_guard::<{ <#private::GuardFor<#elided, ()>>::IS_USER }>();)
            }
            _ => return None,
        })
    });
    let checks: Vec<_> = checks.collect();
    let private = krate.private();
    (!checks.is_empty()).then(|| {
        quote_spanned! {span::local()=>
            {
                #[allow(unused_imports)]
                use #private::NoUser as _;
                #(#checks)*
            }
        }
    })
}

fn parameters(kind: Kind) -> TokenStream {
    match kind {
        Kind::UserLoader => quote_spanned!(span::local()=> __id, __req),
        Kind::EventListener => quote_spanned!(span::local()=> __event, __req),
        _ => quote_spanned!(span::local()=> __req),
    }
}

/// Tells the manager as what the loader takes ids, and whether it can read one. A `&str` is the default.
fn id_type(kind: Kind, krate: &Krate, function: &Function) -> Option<TokenStream> {
    let id = match (kind, &function.subject) {
        (Kind::UserLoader, Some(Type::Reference(id))) if check::is_str(id) => return None,
        (Kind::UserLoader, Some(id)) => id,
        _ => return None,
    };
    let private = krate.private();
    let parse = parse(krate, id);
    Some(quote_spanned! {span::local()=>
        fn id_type(&self) -> #private::IdType {
            #private::IdType::new::<#id>(|__id| #parse.is_some())
        }
    })
}

/// Parses `__id`. Always with the same span, so that the compiler gives one error for a type that cannot be parsed.
fn parse(krate: &Krate, id: &Type) -> TokenStream {
    let span = span::blame(id);
    let private = krate.private_at(span);
    quote_spanned!(span=> #private::parse_id::<#id>(__id))
}

/// Parses the id. If it cannot be parsed, no user has it.
fn subject(kind: Kind, krate: &Krate, function: &Function) -> Option<TokenStream> {
    match (kind, &function.subject) {
        (Kind::UserLoader, Some(Type::Reference(id))) if check::is_str(id) => None,
        (Kind::UserLoader, Some(id)) => {
            let parse = parse(krate, id);
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

/// Runs each request guard. Its type is inferred from the call, so no lifetime has to be rewritten.
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

/// Calls the user's function and converts its result for the runtime.
fn answer(kind: Kind, krate: &Krate, function: &Function) -> TokenStream {
    let name = &function.item.sig.ident;
    let subject = match kind {
        Kind::UserLoader => quote_spanned!(span::local()=> __id,),
        Kind::EventListener => {
            let event = function.subject.as_ref();
            quote_spanned!(event.map_or_else(span::local, span::blame)=> __event,)
        }
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

/// The attributes of the constant, and the user's function with its own attributes, for the implementation.
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
    fn a_user_loader_parses_the_id_and_runs_its_guards() {
        expect![[r#"
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            pub struct load_user {}
            /// Finds a user.
            #[allow(clippy::unused_async)]
            #[allow(non_upper_case_globals)]
            pub const load_user: load_user = load_user {};
            impl ::rocket_login::__private::IntoUserLoader for load_user {
                type User = <Option<User> as ::rocket_login::__private::IntoLoadResult>::User;
                fn id_type(&self) -> ::rocket_login::__private::IdType {
                    ::rocket_login::__private::IdType::new::<
                        i64,
                    >(|__id| ::rocket_login::__private::parse_id::<i64>(__id).is_some())
                }
                fn into_user_loader(self) -> ::rocket_login::__private::UserLoader<Self::User> {
                    #[allow(clippy::unused_async)]
                    #[instrument]
                    async fn load_user(
                        id: i64,
                        db: &State<Db>,
                        Wrapped(x): Wrapped<'_>,
                    ) -> Option<User> {
                        db.user(id).await
                    }
                    {
                        #[allow(unused_imports)]
                        use ::rocket_login::__private::NoUser as _;
                        ::rocket_login::__private::loader_guard::<
                            {
                                <::rocket_login::__private::GuardFor<
                                    &'_ State<Db>,
                                    <Option<User> as ::rocket_login::__private::IntoLoadResult>::User,
                                >>::IS_SAME
                            },
                        >();
                        ::rocket_login::__private::loader_guard::<
                            {
                                <::rocket_login::__private::GuardFor<
                                    Wrapped<'_>,
                                    <Option<User> as ::rocket_login::__private::IntoLoadResult>::User,
                                >>::IS_SAME
                            },
                        >();
                    }
                    |__id, __req| ::rocket_login::__private::pin(async move {
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
    fn a_text_id_is_passed_on_as_it_is() {
        expect![[r#"
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            struct load_user {}
            #[allow(non_upper_case_globals)]
            const load_user: load_user = load_user {};
            impl ::rocket_login::__private::IntoUserLoader for load_user {
                type User = <Result<
                    Option<User>,
                    Failed<'static>,
                > as ::rocket_login::__private::IntoLoadResult>::User;
                fn into_user_loader(self) -> ::rocket_login::__private::UserLoader<Self::User> {
                    fn load_user<'a>(id: &'a str) -> Result<Option<User>, Failed<'a>> {
                        find(id)
                    }
                    |__id, __req| ::rocket_login::__private::pin(async move {
                        ::rocket_login::__private::IntoLoadResult::into_load_result(load_user(__id))
                    })
                }
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
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            struct by_key {}
            #[allow(non_upper_case_globals)]
            const by_key: by_key = by_key {};
            impl ::web::login::__private::IntoRequestLoader for by_key {
                type User = <Option<User> as ::web::login::__private::IntoLoadResult>::User;
                fn into_request_loader(self) -> ::web::login::__private::RequestLoader<Self::User> {
                    fn by_key(key: Key) -> Option<User> {
                        find(key)
                    }
                    {
                        #[allow(unused_imports)]
                        use ::web::login::__private::NoUser as _;
                        ::web::login::__private::loader_guard::<
                            {
                                <::web::login::__private::GuardFor<
                                    Key,
                                    <Option<User> as ::web::login::__private::IntoLoadResult>::User,
                                >>::IS_SAME
                            },
                        >();
                    }
                    |__req| ::web::login::__private::pin(async move {
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
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            struct ask {}
            #[allow(non_upper_case_globals)]
            const ask: ask = ask {};
            impl ::rocket_login::__private::IntoUnauthorizedHandler for ask {
                fn into_unauthorized_handler(self) -> ::rocket_login::__private::AnswerFn {
                    async fn ask(host: &Host<'_>) -> Redirect {
                        to(host).await
                    }
                    {
                        #[allow(unused_imports)]
                        use ::rocket_login::__private::NoUser as _;
                        ::rocket_login::__private::visitor_guard::<
                            { <::rocket_login::__private::GuardFor<&'_ Host<'_>, ()>>::IS_USER },
                        >();
                    }
                    |__req| ::rocket_login::__private::pin(async move {
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
    fn a_listener_gets_the_event_and_returns_nothing() {
        expect![[r##"
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            struct audit {}
            #[allow(non_upper_case_globals)]
            const audit: audit = audit {};
            impl ::rocket_login::__private::IntoEventListener for audit {
                type User = <&'static LoginEvent<
                    'static,
                    User,
                > as ::rocket_login::__private::EventRef>::User;
                fn into_event_listener(
                    self,
                ) -> ::rocket_login::__private::EventListener<Self::User> {
                    async fn audit(event: &LoginEvent<'_, User>, db: &State<Db>) {
                        db.note(event).await
                    }
                    |__event, __req| ::rocket_login::__private::pin(async move {
                        let __guard0 = match ::rocket_login::__private::handler_guard(
                            ::rocket_login::__private::FromRequest::from_request(__req).await,
                        ) {
                            ::core::result::Result::Ok(__guard) => __guard,
                            ::core::result::Result::Err(__error) => {
                                return ::rocket_login::__private::listener_guard_failed(
                                    "audit",
                                    __error,
                                );
                            }
                        };
                        audit(__event, __guard0).await
                    })
                }
            }
        "##]]
        .assert_eq(&pretty(function(
            Kind::EventListener,
            quote!(),
            quote!(
                async fn audit(event: &LoginEvent<'_, User>, db: &State<Db>) {
                    db.note(event).await
                }
            ),
        )));
    }

    #[test]
    fn lifetimes_of_function_pointers_are_kept() {
        expect![[r#"
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            struct by_key {}
            #[allow(non_upper_case_globals)]
            const by_key: by_key = by_key {};
            impl ::rocket_login::__private::IntoRequestLoader for by_key {
                type User = <Result<
                    Option<User>,
                    Failed<fn(&str) -> &str, dyn for<'x> Tell<'x>, &'static str, &'static str>,
                > as ::rocket_login::__private::IntoLoadResult>::User;
                fn into_request_loader(
                    self,
                ) -> ::rocket_login::__private::RequestLoader<Self::User> {
                    fn by_key() -> Result<
                        Option<User>,
                        Failed<fn(&str) -> &str, dyn for<'x> Tell<'x>, &'static str, &str>,
                    > {
                        Ok(None)
                    }
                    |__req| ::rocket_login::__private::pin(async move {
                        ::rocket_login::__private::IntoLoadResult::into_load_result(by_key())
                    })
                }
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
    fn a_refused_function_still_implements_its_trait() {
        expect![[r##"
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            struct by_key {}
            #[allow(dead_code)]
            #[allow(non_upper_case_globals)]
            const by_key: by_key = by_key {};
            impl login::__private::IntoRequestLoader for by_key {
                type User = <Option<User> as login::__private::IntoLoadResult>::User;
                fn into_request_loader(self) -> login::__private::RequestLoader<Self::User> {
                    #[allow(dead_code)]
                    unsafe fn by_key() -> Option<User> {
                        None
                    }
                    ::core::unimplemented!()
                }
            }
            ::core::compile_error! {
                "`#[request_loader]` has no option `wrong`\n= help: its only option is `crate = ::rocket_login`"
            }
            ::core::compile_error! {
                "`#[request_loader]` cannot be used on an `unsafe fn`\n= help: remove `unsafe`"
            }
        "##]]
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
