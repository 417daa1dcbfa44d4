//! The rules for a user type.
//!
//! - It is a struct with named fields and without lifetimes.
//! - It has exactly one id: the field marked `#[user(id)]`, or else the field called `id`.
//! - At most one field says whether the user is active.
//! - The session hash names existing fields, each once.

use darling::{Error, Result, error::Accumulator};
use syn::{Data, DeriveInput, Fields, Generics, Ident};

use super::input::{Field, Input};
use crate::{error::error, krate::Krate, options::Word};

/// A user type that has passed the checks.
pub(super) struct User<'a> {
    pub(super) ident: &'a Ident,
    pub(super) generics: &'a Generics,
    pub(super) krate: Krate,
    /// None only in a stub.
    pub(super) id: Option<&'a Field>,
    pub(super) active: Option<&'a Field>,
    pub(super) session_hash: Vec<&'a Field>,
}

impl<'a> User<'a> {
    /// A replacement for a refused type, unless it would add errors of its own.
    pub(super) fn stub(input: &'a DeriveInput, krate: Krate) -> Option<Self> {
        let (ident, generics) = (&input.ident, &input.generics);
        let stub = Self {
            ident,
            generics,
            krate,
            id: None,
            active: None,
            session_hash: vec![],
        };
        generics.lifetimes().next().is_none().then_some(stub)
    }
}

/// Checked first: `darling` has its own error for unions, and the fields of the other shapes do not matter.
pub(super) fn check_shape(input: &DeriveInput) -> Result<()> {
    let what = match &input.data {
        Data::Struct(data) => match data.fields {
            Fields::Named(_) => return Ok(()),
            Fields::Unnamed(_) => "a tuple struct",
            Fields::Unit => "a struct without fields",
        },
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    let ident = &input.ident;
    Err(error(
        ident,
        format_args!(
            "`{ident}` is {what}, but `UserMixin` can only be derived for a struct with named fields"
        ),
        format_args!("write `struct {ident} {{ id: i64, .. }}`, or implement `UserMixin` by hand"),
    ))
}

/// Every rule except the one of [`check_shape`].
pub(super) fn check(input: &Input) -> Result<User<'_>> {
    let fields = input.fields();
    let mut errors = Error::accumulator();
    check_lifetimes(input, &mut errors);
    let user = User {
        ident: &input.ident,
        generics: &input.generics,
        krate: input.krate.clone(),
        id: id(input, fields, &mut errors),
        active: only("active", fields, |field| field.active, &mut errors),
        session_hash: session_hash(input, fields, &mut errors),
    };
    errors.finish_with(user)
}

fn check_lifetimes(input: &Input, errors: &mut Accumulator) {
    for parameter in input.generics.lifetimes() {
        errors.push(error(
            &parameter.lifetime,
            "a user lives as long as the whole request and cannot borrow",
            "use fields that own their data: `String` instead of `&str`",
        ));
    }
}

fn id<'a>(input: &Input, fields: &'a [Field], errors: &mut Accumulator) -> Option<&'a Field> {
    let by_name = || fields.iter().find(|field| is_named(field, "id"));
    let id = only("id", fields, |field| field.id, errors).or_else(by_name);
    if id.is_none() {
        let ident = &input.ident;
        errors.push(error(
            ident,
            format_args!("`{ident}` has no field called `id`"),
            "mark the field that holds the user's id with `#[user(id)]`",
        ));
    }
    id
}

fn session_hash<'a>(
    input: &'a Input,
    fields: &'a [Field],
    errors: &mut Accumulator,
) -> Vec<&'a Field> {
    let mut hashed: Vec<&Field> = vec![];
    let named = input.session_hash.0.iter().map(|name| (name, name.span()));
    let flagged = fields
        .iter()
        .filter(|field| field.session_hash.is_present());
    let flagged =
        flagged.filter_map(|field| Some((field.ident.as_ref()?, field.session_hash.span())));
    for (name, span) in named.chain(flagged) {
        let Some(field) = fields
            .iter()
            .find(|field| field.ident.as_ref() == Some(name))
        else {
            let known: Vec<_> = fields
                .iter()
                .filter_map(|field| field.ident.as_ref())
                .map(|name| format!("`{name}`"))
                .collect();
            let fix = format!("its fields are {}", known.join(", "));
            errors.push(error(
                &span,
                format_args!("`{}` has no field `{name}`", input.ident),
                fix,
            ));
            continue;
        };
        if hashed.iter().any(|other| other.ident == field.ident) {
            errors.push(error(
                &span,
                format_args!("`{name}` is already in the session hash"),
                "name it once",
            ));
            continue;
        }
        hashed.push(field);
    }
    hashed
}

/// The only field with a flag.
fn only<'a>(
    flag: &str,
    fields: &'a [Field],
    of: impl Fn(&Field) -> Word,
    errors: &mut Accumulator,
) -> Option<&'a Field> {
    let mut flagged = fields.iter().filter(|field| of(field).is_present());
    let first = flagged.next();
    for field in flagged {
        errors.push(error(
            &of(field).span(),
            format_args!("a second field is marked `#[user({flag})]`"),
            "mark one field only",
        ));
    }
    first
}

fn is_named(field: &Field, name: &str) -> bool {
    field.ident.as_ref().is_some_and(|ident| ident == name)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;
    use crate::testing::messages;

    fn refused(input: &DeriveInput) -> Vec<String> {
        messages(Input::parse(input).and_then(|input| check(&input).map(|_| ())))
    }

    #[test]
    fn only_a_struct_with_named_fields_is_accepted() {
        let cases: [(DeriveInput, &str); 3] = [
            (
                parse_quote!(
                    enum User {
                        A,
                    }
                ),
                "an enum",
            ),
            (
                parse_quote!(
                    struct User(i64);
                ),
                "a tuple struct",
            ),
            (
                parse_quote!(
                    struct User;
                ),
                "a struct without fields",
            ),
        ];
        for (input, what) in cases {
            assert_eq!(
                messages(check_shape(&input)),
                [format!(
                    "`User` is {what}, but `UserMixin` can only be derived for a struct with named fields\n\
                     = help: write `struct User {{ id: i64, .. }}`, or implement `UserMixin` by hand"
                )]
            );
        }
    }

    #[test]
    fn a_user_without_an_id_is_refused() {
        assert_eq!(
            refused(&parse_quote!(
                struct User {
                    name: String,
                }
            )),
            ["`User` has no field called `id`\n\
              = help: mark the field that holds the user's id with `#[user(id)]`"]
        );
    }

    #[test]
    fn a_second_id_or_flag_is_refused() {
        assert_eq!(
            refused(&parse_quote!(
                struct User {
                    #[user(id, active)]
                    a: bool,
                    #[user(id, active)]
                    b: bool,
                }
            )),
            [
                "a second field is marked `#[user(id)]`\n= help: mark one field only",
                "a second field is marked `#[user(active)]`\n= help: mark one field only",
            ]
        );
    }

    #[test]
    fn a_session_hash_names_each_field_once() {
        assert_eq!(
            refused(&parse_quote!(
                #[user(session_hash(pasword, id))]
                struct User {
                    #[user(session_hash)]
                    id: i64,
                    password: String,
                }
            )),
            [
                "`User` has no field `pasword`\n= help: its fields are `id`, `password`",
                "`id` is already in the session hash\n= help: name it once",
            ]
        );
        let fix = "\n= help: write `#[user(session_hash(password_hash))]`";
        let cases: [(DeriveInput, &str); 3] = [
            (
                parse_quote!(
                    #[user(session_hash)]
                    struct User {
                        id: i64,
                    }
                ),
                "`session_hash` on a struct needs the names of fields",
            ),
            (
                parse_quote!(
                    #[user(session_hash())]
                    struct User {
                        id: i64,
                    }
                ),
                "`session_hash` names no field",
            ),
            (
                parse_quote!(
                    #[user(session_hash("id"))]
                    struct User {
                        id: i64,
                    }
                ),
                "this is not the name of a field",
            ),
        ];
        for (input, wrong) in cases {
            assert_eq!(refused(&input), [format!("{wrong}{fix}")]);
        }
    }

    #[test]
    fn a_borrowing_user_is_refused() {
        assert_eq!(
            refused(&parse_quote!(
                struct User<'a> {
                    id: &'a str,
                }
            )),
            [
                "a user lives as long as the whole request and cannot borrow\n\
              = help: use fields that own their data: `String` instead of `&str`"
            ]
        );
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert_eq!(
            refused(&parse_quote!(
                #[user(id, crate = a, crate = b)]
                struct User {
                    #[user(ide)]
                    id: i64,
                    #[user(active)]
                    #[user(active)]
                    enabled: bool,
                }
            )),
            [
                "`#[user]` on a struct has no option `id`\n\
                 = help: its options are `#[user(session_hash(password_hash))]`, `crate = ::rocket_login`",
                "`crate` is given twice\n= help: keep one of them",
                "`#[user]` on a field has no option `ide`\n= help: write `#[user(id)]`",
                "`active` is given twice\n= help: keep one of them",
            ]
        );
        assert_eq!(
            refused(&parse_quote!(
                struct User {
                    #[user(id = "id")]
                    id: i64,
                }
            )),
            ["`id` takes no value\n= help: write `id`"]
        );
    }
}
