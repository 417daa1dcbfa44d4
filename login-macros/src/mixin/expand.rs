//! Generates the impls of a user type.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{GenericParam, Generics, Lifetime, parse_quote, spanned::Spanned};

use super::{
    check::{User, Warning},
    input::Field,
};
use crate::{krate::Krate, span};

pub(super) fn expand(user: &User<'_>) -> TokenStream {
    let generics = with_bounds(user.generics);
    let mixin = user_mixin(user, &user.krate.private(), &generics);
    let guard = guard(user.ident, user.generics, &user.krate);
    let warnings = user.warnings.iter().map(warning);
    quote!(#mixin #guard #(#warnings)*)
}

fn user_mixin(user: &User<'_>, private: &TokenStream, generics: &Generics) -> TokenStream {
    let ident = user.ident;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let get_id = get_id(user.id, &user.krate);
    let is_active = user.active.map(|field| is_active(field, &user.krate));
    let session_hash = session_hash(&user.session_hash, private);
    quote_spanned! {span::local()=>
        #[automatically_derived]
        impl #impl_generics #private::UserMixin for #ident #ty_generics #where_clause {
            #get_id
            #is_active
            #session_hash
        }
    }
}

fn get_id(id: Option<&Field>, krate: &Krate) -> TokenStream {
    let Some(Field { ident, ty, .. }) = id else {
        return quote_spanned!(span::local()=> fn get_id(&self) -> impl ::core::fmt::Display { "" });
    };
    let span = span::blame(ty);
    let private = krate.private_at(span);
    let display = quote_spanned!(span=> impl ::core::fmt::Display);
    let id = quote_spanned!(span=> #private::IdField(&self.#ident));
    quote_spanned! {span::local()=>
        fn get_id(&self) -> #display {
            #id
        }
    }
}

fn is_active(Field { ident, ty, .. }: &Field, krate: &Krate) -> TokenStream {
    let span = span::blame(ty);
    let private = krate.private_at(span);
    let value = quote_spanned!(span=> #private::active_flag(&self.#ident));
    quote_spanned! {span::local()=>
        fn is_active(&self) -> ::core::primitive::bool {
            #value
        }
    }
}

fn session_hash(fields: &[&Field], private: &TokenStream) -> Option<TokenStream> {
    let calls = fields.iter().map(
        |Field { ident, ty, .. }| quote_spanned!(span::blame(ty)=> __hash.field(&self.#ident);),
    );
    (!fields.is_empty()).then(|| {
        quote_spanned! {span::local()=>
            fn session_hash(&self, __hash: &mut #private::SessionHasher) {
                #(#calls)*
            }
        }
    })
}

/// Makes `&User` a request guard, and stops the launch of an application without a manager for this user type.
pub(super) fn guard(ident: &Ident, generics: &Generics, krate: &Krate) -> TokenStream {
    let private = krate.private();
    let generics = with_bounds(generics);
    let (own_generics, ty_generics, where_clause) = generics.split_for_impl();
    let r = Lifetime::new("'__r", span::local());
    let mut with_r = generics.clone();
    with_r
        .params
        .insert(0, GenericParam::Lifetime(parse_quote!(#r)));
    let (impl_generics, ..) = with_r.split_for_impl();
    quote_spanned! {span::local()=>
        #[automatically_derived]
        impl #own_generics #private::UserGuard for #ident #ty_generics #where_clause {}

        #[automatically_derived]
        impl #impl_generics #private::FromRequest<'__r> for &'__r #ident #ty_generics #where_clause {
            type Error = #private::GuardError;

            fn from_request<'life0, 'async_trait>(
                __req: &'__r #private::Request<'life0>,
            ) -> #private::BoxFuture<'async_trait, #private::Outcome<Self, Self::Error>>
            where
                '__r: 'async_trait,
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                #private::user_guard::<#ident #ty_generics>(__req)
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Sentinel for &'__r #ident #ty_generics #where_clause {
            fn abort(__rocket: &#private::Rocket<#private::Ignite>) -> ::core::primitive::bool {
                #private::manager_is_missing::<#ident #ty_generics>(__rocket)
            }
        }
    }
}

/// Stable macros cannot emit a warning. The use of a deprecated item is one, but only with the span of the user's code.
fn warning(Warning { field, name, fix }: &Warning<'_>) -> TokenStream {
    let name = Ident::new(name, field.ident.span());
    quote_spanned! {span::local()=>
        const _: () = {
            #[allow(non_upper_case_globals)]
            #[deprecated(note = #fix)]
            const #name: () = ();
            #name
        };
    }
}

/// Every type parameter must be as thread-safe and long-lived as a user.
fn with_bounds(generics: &Generics) -> Generics {
    let mut bounded = generics.clone();
    for parameter in bounded.type_params_mut() {
        parameter.bounds.push(parse_quote!(::core::marker::Send));
        parameter.bounds.push(parse_quote!(::core::marker::Sync));
        parameter.bounds.push(parse_quote!('static));
    }
    bounded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_raw_string_hashes)] // expect-test writes them

    use expect_test::expect;
    use quote::quote;

    use super::*;
    use crate::{
        mixin::{check::check, guard, input::Input, mixin},
        testing::pretty,
    };

    fn warnings(input: TokenStream) -> TokenStream {
        let input = syn::parse2(input).unwrap();
        let input = Input::parse(&input).unwrap();
        check(&input)
            .unwrap()
            .warnings
            .iter()
            .map(warning)
            .collect()
    }

    #[test]
    fn a_user_gets_the_mixin_the_guard_and_the_sentinel() {
        expect![[r#"
            #[automatically_derived]
            impl ::rocket_login::__private::UserMixin for User {
                fn get_id(&self) -> impl ::core::fmt::Display {
                    ::rocket_login::__private::IdField(&self.id)
                }
                fn is_active(&self) -> ::core::primitive::bool {
                    ::rocket_login::__private::active_flag(&self.enabled)
                }
                fn session_hash(&self, __hash: &mut ::rocket_login::__private::SessionHasher) {
                    __hash.field(&self.password);
                    __hash.field(&self.id);
                    __hash.field(&self.seal);
                }
            }
            #[automatically_derived]
            impl ::rocket_login::__private::UserGuard for User {}
            #[automatically_derived]
            impl<'__r> ::rocket_login::__private::FromRequest<'__r> for &'__r User {
                type Error = ::rocket_login::__private::GuardError;
                fn from_request<'life0, 'async_trait>(
                    __req: &'__r ::rocket_login::__private::Request<'life0>,
                ) -> ::rocket_login::__private::BoxFuture<
                    'async_trait,
                    ::rocket_login::__private::Outcome<Self, Self::Error>,
                >
                where
                    '__r: 'async_trait,
                    'life0: 'async_trait,
                    Self: 'async_trait,
                {
                    ::rocket_login::__private::user_guard::<User>(__req)
                }
            }
            #[automatically_derived]
            impl<'__r> ::rocket_login::__private::Sentinel for &'__r User {
                fn abort(
                    __rocket: &::rocket_login::__private::Rocket<::rocket_login::__private::Ignite>,
                ) -> ::core::primitive::bool {
                    ::rocket_login::__private::manager_is_missing::<User>(__rocket)
                }
            }
        "#]]
        .assert_eq(&pretty(mixin(quote! {
            #[user(session_hash(password, id))]
            struct User {
                id: i64,
                #[user(active)]
                enabled: bool,
                password: String,
                #[user(session_hash)]
                seal: String,
            }
        })));
    }

    #[test]
    fn a_field_without_effect_gets_a_warning() {
        expect![[r#"
            const _: () = {
                #[allow(non_upper_case_globals)]
                #[deprecated(
                    note = "logins stay valid after a change of `password`. Write `#[user(session_hash)]` above it, so that a change ends them, or `#[user(session_hash = false)]` if they should stay"
                )]
                const password_without_session_hash: () = ();
                password_without_session_hash
            };
            const _: () = {
                #[allow(non_upper_case_globals)]
                #[deprecated(
                    note = "users can log in whatever `active` is. Write `#[user(active)]` above it, so that inactive users cannot, or `#[user(active = false)]` if it means something else"
                )]
                const active_flag_without_effect: () = ();
                active_flag_without_effect
            };
        "#]].assert_eq(&pretty(warnings(quote! {
            struct User { id: i64, active: bool, password: String }
        })));
    }

    #[test]
    fn a_guard_alone_is_for_a_type_that_implements_the_mixin_by_hand() {
        expect![[r#"
            #[automatically_derived]
            impl login::__private::UserGuard for Account {}
            #[automatically_derived]
            impl<'__r> login::__private::FromRequest<'__r> for &'__r Account {
                type Error = login::__private::GuardError;
                fn from_request<'life0, 'async_trait>(
                    __req: &'__r login::__private::Request<'life0>,
                ) -> login::__private::BoxFuture<
                    'async_trait,
                    login::__private::Outcome<Self, Self::Error>,
                >
                where
                    '__r: 'async_trait,
                    'life0: 'async_trait,
                    Self: 'async_trait,
                {
                    login::__private::user_guard::<Account>(__req)
                }
            }
            #[automatically_derived]
            impl<'__r> login::__private::Sentinel for &'__r Account {
                fn abort(
                    __rocket: &login::__private::Rocket<login::__private::Ignite>,
                ) -> ::core::primitive::bool {
                    login::__private::manager_is_missing::<Account>(__rocket)
                }
            }
        "#]]
        .assert_eq(&pretty(guard(quote! {
            #[user(crate = login)]
            enum Account { Person(i64), Robot(i64) }
        })));
    }

    #[test]
    fn a_generic_user_of_another_id_under_another_crate() {
        expect![[r#"
            #[automatically_derived]
            impl<
                T: Clone + ::core::marker::Send + ::core::marker::Sync + 'static,
                const N: usize,
            > login::__private::UserMixin for User<T, N>
            where
                T: Copy,
            {
                fn get_id(&self) -> impl ::core::fmt::Display {
                    login::__private::IdField(&self.r#type)
                }
            }
            #[automatically_derived]
            impl<
                T: Clone + ::core::marker::Send + ::core::marker::Sync + 'static,
                const N: usize,
            > login::__private::UserGuard for User<T, N>
            where
                T: Copy,
            {}
            #[automatically_derived]
            impl<
                '__r,
                T: Clone + ::core::marker::Send + ::core::marker::Sync + 'static,
                const N: usize,
            > login::__private::FromRequest<'__r> for &'__r User<T, N>
            where
                T: Copy,
            {
                type Error = login::__private::GuardError;
                fn from_request<'life0, 'async_trait>(
                    __req: &'__r login::__private::Request<'life0>,
                ) -> login::__private::BoxFuture<
                    'async_trait,
                    login::__private::Outcome<Self, Self::Error>,
                >
                where
                    '__r: 'async_trait,
                    'life0: 'async_trait,
                    Self: 'async_trait,
                {
                    login::__private::user_guard::<User<T, N>>(__req)
                }
            }
            #[automatically_derived]
            impl<
                '__r,
                T: Clone + ::core::marker::Send + ::core::marker::Sync + 'static,
                const N: usize,
            > login::__private::Sentinel for &'__r User<T, N>
            where
                T: Copy,
            {
                fn abort(
                    __rocket: &login::__private::Rocket<login::__private::Ignite>,
                ) -> ::core::primitive::bool {
                    login::__private::manager_is_missing::<User<T, N>>(__rocket)
                }
            }
        "#]]
        .assert_eq(&pretty(mixin(quote! {
            #[user(crate = login)]
            struct User<T: Clone, const N: usize> where T: Copy {
                id: u8,
                #[user(id)]
                r#type: T,
            }
        })));
    }

    #[test]
    fn a_refused_type_still_is_a_user_type() {
        expect![[r##"
            #[automatically_derived]
            impl login::__private::UserMixin for User {
                fn get_id(&self) -> impl ::core::fmt::Display {
                    ""
                }
            }
            #[automatically_derived]
            impl login::__private::UserGuard for User {}
            #[automatically_derived]
            impl<'__r> login::__private::FromRequest<'__r> for &'__r User {
                type Error = login::__private::GuardError;
                fn from_request<'life0, 'async_trait>(
                    __req: &'__r login::__private::Request<'life0>,
                ) -> login::__private::BoxFuture<
                    'async_trait,
                    login::__private::Outcome<Self, Self::Error>,
                >
                where
                    '__r: 'async_trait,
                    'life0: 'async_trait,
                    Self: 'async_trait,
                {
                    login::__private::user_guard::<User>(__req)
                }
            }
            #[automatically_derived]
            impl<'__r> login::__private::Sentinel for &'__r User {
                fn abort(
                    __rocket: &login::__private::Rocket<login::__private::Ignite>,
                ) -> ::core::primitive::bool {
                    login::__private::manager_is_missing::<User>(__rocket)
                }
            }
            ::core::compile_error! {
                "`User` is an enum, but `UserMixin` can only be derived for a struct with named fields\n= help: write `struct User { id: i64, .. }`, or `#[derive(UserGuard)]` and implement `UserMixin` by hand"
            }
        "##]].assert_eq(&pretty(mixin(quote! {
            #[user(crate = login)]
            enum User { A }
        })));
    }
}
