//! Adds the guard to the handler, and the marker type that tells the runtime about the route.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{ItemFn, ext::IdentExt, parse_quote_spanned};

use super::{
    Kind,
    args::{Args, Within},
    check::Handler,
};
use crate::span;

/// The name of the added argument. Rocket keys arguments by text, so that hygiene would not keep two apart.
pub(super) const ARGUMENT: &str = "__login";

pub(super) fn expand(kind: Kind, args: &Args, handler: Handler) -> TokenStream {
    let Handler {
        item: mut handler,
        route,
    } = handler;
    let name = handler.sig.ident.unraw();
    let span = span::handler_argument(&handler.sig.ident, &route);
    let marker = Ident::new(&format!("{ARGUMENT}_{name}"), span);
    let policy = policy(kind, args, &handler, &marker);

    // First, so that it decides before any other guard, path segment or body is looked at.
    let private = args.krate.private_at(span);
    let argument = Ident::new(ARGUMENT, span);
    let guard = parse_quote_spanned!(span=> #argument: #private::Guarded<#marker>);
    handler.sig.inputs.insert(0, guard);

    quote!(#policy #handler)
}

fn policy(kind: Kind, args: &Args, handler: &ItemFn, marker: &Ident) -> TokenStream {
    let cfgs: Vec<_> = handler
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .collect();
    let (vis, private) = (&handler.vis, args.krate.private());
    let realm = if let Some(user) = &args.user {
        let span = span::blame(user);
        let private = args.krate.private_at(span);
        quote_spanned!(span=> type Realm = #private::RealmOf<#user>;)
    } else {
        quote!(type Realm = #private::DefaultRealm;)
    };
    let name = handler.sig.ident.unraw().to_string();
    let fresh = kind == Kind::FreshLogin;
    let within = if let Some(Within(seconds)) = args.within {
        quote!(::core::option::Option::Some(#seconds))
    } else {
        quote!(::core::option::Option::None)
    };
    quote_spanned! {span::local()=>
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis struct #marker;

        #(#cfgs)*
        impl #private::Policy for #marker {
            #realm
            const NAME: &'static ::core::primitive::str = #name;
            const LOCATION: &'static ::core::primitive::str = ::core::concat!(::core::file!(), ":", ::core::line!());
            const FRESH: ::core::primitive::bool = #fresh;
            const WITHIN: ::core::option::Option<::core::primitive::u64> = #within;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_raw_string_hashes)] // expect-test writes them

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
                type Realm = ::rocket_login::__private::DefaultRealm;
                const NAME: &'static ::core::primitive::str = "hello";
                const LOCATION: &'static ::core::primitive::str = ::core::concat!(
                    ::core::file!(), ":", ::core::line!()
                );
                const FRESH: ::core::primitive::bool = false;
                const WITHIN: ::core::option::Option<::core::primitive::u64> = ::core::option::Option::None;
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
        "##]].assert_eq(&pretty(guarded(
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
                type Realm = ::web::login::__private::RealmOf<Admin>;
                const NAME: &'static ::core::primitive::str = "move";
                const LOCATION: &'static ::core::primitive::str = ::core::concat!(
                    ::core::file!(), ":", ::core::line!()
                );
                const FRESH: ::core::primitive::bool = true;
                const WITHIN: ::core::option::Option<::core::primitive::u64> = ::core::option::Option::Some(
                    600u64,
                );
            }
            #[cfg(feature = "admin")]
            #[rocket::post("/")]
            async fn r#move(__login: ::web::login::__private::Guarded<__login_move>) {}
        "##]].assert_eq(&pretty(guarded(
            Kind::FreshLogin,
            quote!(Admin, within = "10m", crate = ::web::login),
            quote! {
                #[cfg(feature = "admin")]
                #[rocket::post("/")]
                async fn r#move() {}
            },
        )));
    }

    #[test]
    fn a_refused_handler_is_given_back_as_it_was() {
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
