//! Adds the guard to the handler, and the marker type that describes the route to the runtime.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{FnArg, ItemFn, LitStr, ext::IdentExt, parse_quote, parse_quote_spanned};

use super::{
    ARGUMENT, Kind,
    args::{Args, Condition, Redirect, Within},
    check::Handler,
};
use crate::{krate::Krate, span, types};

pub(super) fn expand(kind: Kind, args: &Args, mut handler: Handler) -> TokenStream {
    let name = handler.item.sig.ident.unraw();
    let span = span::handler_argument(&handler.item.sig.ident, &handler.route.attribute);
    // Rocket gives its own names the span of a type. That of a fragment is in its macro, and is forgotten when an attribute
    // returns the fragment.
    types::open_fragments(&mut handler.item.sig, |own| own.resolved_at(span));
    let marker = Ident::new(&format!("{ARGUMENT}_{name}"), span);
    let policy = policy(kind, args, &handler, &marker);

    // The first argument, so that it decides before any other guard, path segment or body is read.
    let mut handler = handler.item;
    let private = args.krate.private_at(span);
    let argument = Ident::new(ARGUMENT, span);
    let guard = parse_quote_spanned!(span=> #argument: #private::Guarded<#marker>);
    handler.sig.inputs.insert(0, guard);

    quote!(#policy #handler)
}

fn policy(kind: Kind, args: &Args, handler: &Handler, marker: &Ident) -> TokenStream {
    let Handler { item, route } = handler;
    let cfgs: Vec<_> = item
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .collect();
    let (vis, private) = (&item.vis, args.krate.private());
    // Rocket's name of the route, including `r#`: the audit compares the two.
    let name = item.sig.ident.to_string();
    let method = &route.method;
    let uri = route.uri.as_ref().map(LitStr::value).unwrap_or_default();
    let guard = route_guard(kind, args);
    let checks = check_users(kind, args, item);
    quote_spanned! {span::local()=>
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis struct #marker;

        #(#cfgs)*
        impl #private::Policy for #marker {
            const NAME: &'static ::core::primitive::str = #name;
            const LOCATION: &'static ::core::primitive::str = ::core::concat!(::core::file!(), ":", ::core::line!());
            const METHOD: &'static ::core::primitive::str = #method;
            const URI: &'static ::core::primitive::str = #uri;

            fn guard() -> #private::RouteGuard {
                #checks
                #guard
            }
        }
    }
}

/// Refuses the user arguments that contradict the attribute.
fn check_users(kind: Kind, args: &Args, handler: &ItemFn) -> TokenStream {
    let users = handler.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => types::user(&typed.ty),
        FnArg::Receiver(_) => None,
    });
    let users: Vec<_> = users.collect();
    let unit = parse_quote!(());
    let user = args.user.as_ref().unwrap_or(&unit);
    let guard = |span, ty| {
        let (private, ty) = (args.krate.private_at(span), types::elided(ty));
        quote_spanned!(span=> <#private::GuardFor<#ty, #user>>)
    };
    let same: Vec<_> = users
        .iter()
        .map(|(ty, _)| guard(span::local(), ty))
        .collect();
    let checks = users.iter().filter_map(|(ty, named)| {
        let span = span::blame(named);
        let (private, guard) = (args.krate.private_at(span), guard(span, ty));
        let check = match (kind, &args.user) {
            (Kind::Login | Kind::FreshLogin, None) => return None,
            (Kind::Login | Kind::FreshLogin, Some(_)) => {
                quote_spanned!(span=> route_user::<{ #guard::IS_USER #(&& !#same::IS_SAME)* }>)
            }
            (Kind::Anonymous, Some(_)) => quote_spanned!(span=> open_route::<{ #guard::IS_SAME }>),
            (Kind::Anonymous | Kind::Public, _) => {
                quote_spanned!(span=> open_route::<{ #guard::IS_USER }>)
            }
        };
        Some(quote_spanned!(span=> #private::#check();))
    });
    let checks: Vec<_> = checks.collect();
    if checks.is_empty() {
        return TokenStream::new();
    }
    let private = args.krate.private();
    quote_spanned! {span::local()=>
        {
            #[allow(unused_imports)]
            use #private::NoUser as _;
            #(#checks)*
        }
    }
}

/// The guard, as a user would write it for a group of routes.
fn route_guard(kind: Kind, args: &Args) -> TokenStream {
    let private = args.krate.private();
    let guard = match kind {
        Kind::Login => quote!(login()),
        Kind::FreshLogin => quote!(fresh_login()),
        Kind::Anonymous => {
            let redirect = args.redirect.as_ref();
            let redirect = redirect.map_or_else(
                || Redirect::DEFAULT.to_owned(),
                |Redirect(path)| path.value(),
            );
            quote!(anonymous(#redirect))
        }
        Kind::Public => quote!(public()),
    };
    let user = args.user.as_ref().map(|user| {
        // Spanned on the type, so that "this is not a user type" points at the user's code.
        let span = span::blame(user);
        quote_spanned!(span=> .user::<#user>())
    });
    let within = args
        .within
        .map(|Within(seconds)| quote!(.within(::core::time::Duration::from_secs(#seconds))));
    let condition = args
        .condition
        .as_ref()
        .map(|condition| only_if(condition, &args.krate));
    let forward = args.forward.is_present().then(|| quote!(.forward()));
    quote_spanned!(span::local()=> #private::RouteGuard::#guard #user #within #condition #forward)
}

/// What `condition!(..)` expands to, spanned on the condition, so that type errors point at the user's code.
fn only_if(Condition(condition): &Condition, krate: &Krate) -> TokenStream {
    let span = span::blame(condition);
    let private = krate.private_at(span);
    let condition = quote_spanned!(span=> #private::condition(#condition));
    let private = krate.private();
    quote_spanned! {span::local()=>
        .only_if({
            fn __condition<'__r>() -> #private::Resolved<'__r, impl ::core::marker::Sized + use<'__r>> {
                #condition
            }
            #private::RouteCondition::new(|__req| __condition().permit(__req), || __condition().judges())
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_raw_string_hashes)] // `expect-test` writes them

    use expect_test::expect;
    use quote::quote;

    use crate::{
        guarded::{Kind, guarded},
        testing::pretty,
    };

    #[test]
    fn a_login_is_one_guard_before_the_others() {
        expect![[r##"
            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            pub struct __login_hello;
            impl ::rocket_login::__private::Policy for __login_hello {
                const NAME: &'static ::core::primitive::str = "hello";
                const LOCATION: &'static ::core::primitive::str = ::core::concat!(
                    ::core::file!(), ":", ::core::line!()
                );
                const METHOD: &'static ::core::primitive::str = "GET";
                const URI: &'static ::core::primitive::str = "/hello/<name>";
                fn guard() -> ::rocket_login::__private::RouteGuard {
                    ::rocket_login::__private::RouteGuard::login()
                }
            }
            /// Greets.
            #[get("/hello/<name>")]
            #[allow(unused)]
            pub fn hello<'r>(
                __login: ::rocket_login::__private::Guarded<__login_hello>,
                name: &'r str,
                user: &User,
            ) -> &'r str {
                name
            }
        "##]]
        .assert_eq(&pretty(guarded(
            Kind::Login,
            quote!(),
            quote! {
                /// Greets.
                #[get("/hello/<name>")]
                #[allow(unused)]
                pub fn hello<'r>(name: &'r str, user: &User) -> &'r str { name }
            },
        )));
    }

    #[test]
    fn a_fresh_login_carries_its_options_and_cfgs() {
        expect![[r##"
            #[cfg(feature = "admin")]
            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            struct __login_move;
            #[cfg(feature = "admin")]
            impl ::web::login::__private::Policy for __login_move {
                const NAME: &'static ::core::primitive::str = "r#move";
                const LOCATION: &'static ::core::primitive::str = ::core::concat!(
                    ::core::file!(), ":", ::core::line!()
                );
                const METHOD: &'static ::core::primitive::str = "POST";
                const URI: &'static ::core::primitive::str = "/";
                fn guard() -> ::web::login::__private::RouteGuard {
                    ::web::login::__private::RouteGuard::fresh_login()
                        .user::<Admin>()
                        .within(::core::time::Duration::from_secs(600u64))
                        .only_if({
                            fn __condition<'__r>() -> ::web::login::__private::Resolved<
                                '__r,
                                impl ::core::marker::Sized + use<'__r>,
                            > {
                                ::web::login::__private::condition(Admin::is_chief)
                            }
                            ::web::login::__private::RouteCondition::new(
                                |__req| __condition().permit(__req),
                                || __condition().judges(),
                            )
                        })
                        .forward()
                }
            }
            #[cfg(feature = "admin")]
            #[rocket::post("/")]
            async fn r#move(__login: ::web::login::__private::Guarded<__login_move>) {}
        "##]]
        .assert_eq(&pretty(guarded(
            Kind::FreshLogin,
            quote!(Admin, if = Admin::is_chief, within = "10m", forward, crate = ::web::login),
            quote! {
                #[cfg(feature = "admin")]
                #[rocket::post("/")]
                async fn r#move() {}
            },
        )));
    }

    #[test]
    fn a_login_page_is_for_anonymous_visitors() {
        expect![[r##"
            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            struct __login_login_form;
            impl ::rocket_login::__private::Policy for __login_login_form {
                const NAME: &'static ::core::primitive::str = "login_form";
                const LOCATION: &'static ::core::primitive::str = ::core::concat!(
                    ::core::file!(), ":", ::core::line!()
                );
                const METHOD: &'static ::core::primitive::str = "GET";
                const URI: &'static ::core::primitive::str = "/login?<next>";
                fn guard() -> ::rocket_login::__private::RouteGuard {
                    ::rocket_login::__private::RouteGuard::anonymous("/dashboard")
                }
            }
            #[route(GET, uri = "/login?<next>")]
            fn login_form(
                __login: ::rocket_login::__private::Guarded<__login_login_form>,
                next: Option<&str>,
            ) {}
        "##]]
        .assert_eq(&pretty(guarded(
            Kind::Anonymous,
            quote!(redirect = "/dashboard"),
            quote! {
                #[route(GET, uri = "/login?<next>")]
                fn login_form(next: Option<&str>) {}
            },
        )));
    }

    #[test]
    fn a_public_route_is_marked_as_public() {
        expect![[r##"
            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            struct __login_about;
            impl ::rocket_login::__private::Policy for __login_about {
                const NAME: &'static ::core::primitive::str = "about";
                const LOCATION: &'static ::core::primitive::str = ::core::concat!(
                    ::core::file!(), ":", ::core::line!()
                );
                const METHOD: &'static ::core::primitive::str = "GET";
                const URI: &'static ::core::primitive::str = "/about";
                fn guard() -> ::rocket_login::__private::RouteGuard {
                    ::rocket_login::__private::RouteGuard::public()
                }
            }
            #[get("/about")]
            fn about(__login: ::rocket_login::__private::Guarded<__login_about>) {}
        "##]]
        .assert_eq(&pretty(guarded(
            Kind::Public,
            quote!(),
            quote! {
                #[get("/about")]
                fn about() {}
            },
        )));
    }

    #[test]
    fn a_refused_handler_is_returned_unchanged() {
        expect![[r#"
            /// Forgotten.
            fn open() {}
            ::core::compile_error! {
                "no route attribute below `#[login_required]`: it is missing, or it stands above, where the guard comes too late\n= help: write `#[login_required]` first and `#[get(..)]` below it"
            }
        "#]].assert_eq(&pretty(guarded(
            Kind::Login,
            quote!(),
            quote! {
                /// Forgotten.
                fn open() {}
            },
        )));
    }
}
