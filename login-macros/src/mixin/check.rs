//! The rules for a user type.
//!
//! - It is a struct with named fields and without lifetimes.
//! - It has exactly one id: the field marked `#[user(id)]`, or else the field called `id`.
//! - At most one field says whether the user is active.
//! - The session hash names existing fields, each once.
//!
//! A field that looks like one for the session hash or for the active flag, and is not used for it, gets a warning.

use darling::{Error, Result, error::Accumulator};
use syn::{Data, DeriveInput, Fields, Generics, Ident, Type, ext::IdentExt};

use super::input::{Field, Input};
use crate::{
    error::error,
    krate::Krate,
    options::{Choice, Word},
};

/// A user type that has passed the checks.
pub(super) struct User<'a> {
    pub(super) ident: &'a Ident,
    pub(super) generics: &'a Generics,
    pub(super) krate: Krate,
    /// None only in a stub.
    pub(super) id: Option<&'a Field>,
    pub(super) active: Option<&'a Field>,
    pub(super) session_hash: Vec<&'a Field>,
    pub(super) warnings: Vec<Warning<'a>>,
}

/// A field that is probably meant for an option that nothing uses.
pub(super) struct Warning<'a> {
    pub(super) field: &'a Field,
    /// What is wrong, as an identifier.
    pub(super) name: &'static str,
    pub(super) fix: String,
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
            warnings: vec![],
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
        format_args!(
            "write `struct {ident} {{ id: i64, .. }}`, or `#[derive(UserGuard)]` and implement `UserMixin` by hand"
        ),
    ))
}

/// Every rule except the one of [`check_shape`].
pub(super) fn check(input: &Input) -> Result<User<'_>> {
    let fields = input.fields();
    let mut errors = Error::accumulator();
    check_lifetimes(input, &mut errors);
    let id = id(input, fields, &mut errors);
    let active = only("active", fields, |field| field.active.yes(), &mut errors);
    let session_hash = session_hash(input, fields, &mut errors);
    let mut warnings = vec![];
    if session_hash.is_empty() {
        warnings.extend(fields.iter().filter_map(no_session_hash));
    }
    if active.is_none() {
        warnings.extend(fields.iter().filter_map(no_active_flag));
    }
    errors.finish_with(User {
        ident: &input.ident,
        generics: &input.generics,
        krate: input.krate.clone(),
        id,
        active,
        session_hash,
        warnings,
    })
}

fn no_session_hash(field: &Field) -> Option<Warning<'_>> {
    let name = field.ident.as_ref()?.unraw().to_string();
    let warning = || Warning {
        field,
        name: "password_without_session_hash",
        fix: format!(
            "logins stay valid after a change of `{name}`. Write `#[user(session_hash)]` above it, so that a \
             change ends them, or `#[user(session_hash = false)]` if they should stay"
        ),
    };
    let is_open = matches!(field.session_hash, Choice::Unsaid);
    (is_open && is_password(&name)).then(warning)
}

/// Whether a field of this name holds a password or its hash, and not a fact about it, as `password_changed_at` does.
fn is_password(name: &str) -> bool {
    const PASSWORD: [&str; 8] = [
        "password",
        "passwd",
        "passphrase",
        "pass",
        "pwd",
        "pw",
        "passwordhash",
        "passhash",
    ];
    const FORM: [&str; 8] = [
        "hash",
        "hashed",
        "digest",
        "encrypted",
        "argon2",
        "bcrypt",
        "scrypt",
        "phc",
    ];
    let name = name.to_lowercase();
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let is = |words: &[&str], word: &str| words.contains(&word);
    words.clone().any(|word| is(&PASSWORD, word))
        && words.all(|word| is(&PASSWORD, word) || is(&FORM, word))
}

fn no_active_flag(field: &Field) -> Option<Warning<'_>> {
    let name = field.ident.as_ref()?.unraw().to_string();
    let warning = || Warning {
        field,
        name: "active_flag_without_effect",
        fix: format!(
            "users can log in whatever `{name}` is. Write `#[user(active)]` above it, so that inactive users \
             cannot, or `#[user(active = false)]` if it means something else"
        ),
    };
    let is_flag = matches!(&*name, "active" | "is_active" | "enabled" | "is_enabled");
    let is_bool = matches!(&field.ty, Type::Path(ty) if ty.path.is_ident("bool"));
    let is_open = matches!(field.active, Choice::Unsaid);
    (is_open && is_flag && is_bool).then(warning)
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
    let id = only("id", fields, |field| Some(field.id), errors).or_else(by_name);
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
        .filter_map(|field| Some((field.ident.as_ref()?, field.session_hash.yes()?.span())));
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
    of: impl Fn(&Field) -> Option<Word>,
    errors: &mut Accumulator,
) -> Option<&'a Field> {
    let word = |field| of(field).filter(|word| word.is_present());
    let mut flagged = fields
        .iter()
        .filter_map(|field| Some((field, word(field)?)));
    let first = flagged.next().map(|(field, _)| field);
    for (_, word) in flagged {
        errors.push(error(
            &word.span(),
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
                     = help: write `struct User {{ id: i64, .. }}`, or `#[derive(UserGuard)]` and implement `UserMixin` by hand"
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

    fn warned(input: &DeriveInput) -> Vec<String> {
        let input = Input::parse(input).unwrap();
        let user = check(&input).unwrap();
        let warnings = user.warnings.iter();
        warnings
            .map(|warning| warning.field.ident.as_ref().unwrap().to_string())
            .collect()
    }

    #[test]
    fn a_password_outside_the_session_hash_gets_a_warning() {
        for name in [
            "password",
            "password_hash",
            "hashed_password",
            "pwd",
            "pw_hash",
            "passwd",
            "pass_digest",
            "PasswordHash",
        ] {
            let name = quote::format_ident!("{name}");
            let field = warned(&parse_quote!(struct User { id: i64, #name: String }));
            assert_eq!(field, [name.to_string()]);
        }
        for name in [
            "password_changed_at",
            "needs_password_reset",
            "hash",
            "passport",
        ] {
            let name = quote::format_ident!("{name}");
            assert!(warned(&parse_quote!(struct User { id: i64, #name: String })).is_empty());
        }
    }

    #[test]
    fn an_unused_active_flag_gets_a_warning() {
        for name in ["active", "is_active", "enabled", "is_enabled", "r#active"] {
            let name: Ident = syn::parse_str(name).unwrap();
            let field = warned(&parse_quote!(struct User { id: i64, #name: bool }));
            assert_eq!(field, [name.to_string()]);
            assert!(warned(&parse_quote!(struct User { id: i64, #name: Option<Date> })).is_empty());
        }
    }

    #[test]
    fn an_answered_question_gets_no_warning() {
        for input in [
            parse_quote!(
                struct User {
                    id: i64,
                    #[user(session_hash)]
                    password: String,
                    #[user(active)]
                    active: bool,
                }
            ),
            parse_quote!(
                struct User {
                    id: i64,
                    #[user(session_hash = false)]
                    password: String,
                    #[user(active = false)]
                    active: bool,
                }
            ),
            parse_quote!(
                #[user(session_hash(version))]
                struct User {
                    id: i64,
                    version: String,
                    password: String,
                    active: bool,
                    #[user(active)]
                    open: bool,
                }
            ),
        ] {
            assert!(warned(&input).is_empty());
        }
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
