//! The options in an attribute's parentheses, and the errors for all others.

use std::collections::HashSet;

use darling::{Error, FromMeta, Result, ast::NestedMeta, error::Accumulator};
use proc_macro2::{Span, TokenStream};
use syn::{Lit, Meta, spanned::Spanned};

use crate::{error::error, route::literal};

/// One option.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    /// How it is written, for error messages.
    pub(crate) written: &'static str,
}

impl Known {
    pub(crate) const fn new(name: &'static str, written: &'static str) -> Self {
        Self { name, written }
    }
}

pub(crate) const CRATE: Known = Known::new("crate", "crate = ::rocket_login");

/// The options that one attribute takes.
pub(crate) struct Options<'a> {
    /// The place of the options, such as "`#[user]` on a field".
    pub(crate) of: &'a str,
    /// What may come before the options, if anything.
    pub(crate) leading: Option<&'static str>,
    pub(crate) known: &'a [&'static Known],
    /// The options of other attributes: the attribute, and the option.
    pub(crate) elsewhere: &'a [(&'static str, &'static Known)],
}

impl Options<'_> {
    /// The options of one attribute.
    pub(crate) fn parse<T: FromMeta>(&self, tokens: TokenStream) -> Result<T> {
        let mut errors = Error::accumulator();
        let options = self.list(tokens, &mut errors);
        let options = errors.handle(T::from_list(&options));
        match options {
            Some(options) => errors.finish_with(options),
            None => Err(Error::multiple(errors.into_inner())),
        }
    }

    /// The options without the wrong ones, each once.
    pub(crate) fn list(&self, tokens: TokenStream, errors: &mut Accumulator) -> Vec<NestedMeta> {
        let mut seen = HashSet::new();
        let options =
            NestedMeta::parse_meta_list(tokens).map_err(|why| error(&why.span(), &why, self.all()));
        let mut options = errors.handle(options).unwrap_or_default();
        options.retain(|option| errors.handle(self.check(option, &mut seen)).is_some());
        options
    }

    /// The option with this name or a similar one.
    pub(crate) fn nearest(&self, name: &str) -> Option<&'static Known> {
        const SIMILAR: f64 = 0.8;
        let similarity = |known: &Known| strsim::jaro(known.name, name);
        let similar = self
            .known
            .iter()
            .filter(|known| similarity(known) > SIMILAR);
        similar
            .max_by(|a, b| similarity(a).total_cmp(&similarity(b)))
            .copied()
    }

    /// The option of another attribute with this name.
    pub(crate) fn elsewhere(&self, name: &str) -> Option<(&'static str, &'static Known)> {
        let found = self.elsewhere.iter().find(|(_, known)| known.name == name);
        found.copied()
    }

    fn check(&self, option: &NestedMeta, seen: &mut HashSet<&'static str>) -> Result<()> {
        let (path, unreadable) = match option {
            NestedMeta::Meta(meta) => (meta.path(), None),
            NestedMeta::NameValueInvalidExpr(pair) => (&pair.path, Some(&pair.value)),
            NestedMeta::Lit(literal) => {
                return Err(error(literal, "an option needs a name", self.all()));
            }
        };
        let name = darling::util::path_to_string(path);
        let Some(known) = self.known.iter().find(|known| known.name == name) else {
            return Err(self.unknown(path, &name));
        };
        if let Some(value) = unreadable {
            return Err(if value.is_empty() {
                no_value(path, known)
            } else {
                error(
                    value,
                    format_args!("`{name}` does not accept this value"),
                    write(known),
                )
            });
        }
        if !seen.insert(known.name) {
            return Err(error(
                path,
                format_args!("`{name}` is given twice"),
                "keep one of them",
            ));
        }
        Ok(())
    }

    fn unknown(&self, path: &syn::Path, name: &str) -> Error {
        if let Some((attribute, known)) = self.elsewhere(name) {
            return error(
                path,
                format_args!("`{name}` belongs to `#[{attribute}]`"),
                format_args!("write `#[{attribute}({})]`", known.written),
            );
        }
        let wrong = format!("{} has no option `{name}`", self.of);
        match self.nearest(name) {
            Some(known) => error(path, wrong, write(known)),
            None => error(path, wrong, self.all()),
        }
    }

    /// All options, for a message.
    fn all(&self) -> String {
        let options = self
            .known
            .iter()
            .map(|known| format!("`{}`", known.written));
        let options = options.collect::<Vec<_>>().join(", ");
        match (self.leading, self.known) {
            (Some(leading), _) => format!("{leading} may come first, then {options}"),
            (None, [_]) => format!("its only option is {options}"),
            (None, _) => format!("its options are {options}"),
        }
    }
}

/// An option without a value: present or not.
#[derive(Clone, Copy, Default)]
pub(crate) struct Word(Option<Span>);

impl Word {
    pub(crate) fn is_present(self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn span(self) -> Span {
        self.0.unwrap_or_else(Span::call_site)
    }
}

impl FromMeta for Word {
    fn from_none() -> Option<Self> {
        Some(Self(None))
    }

    fn from_meta(meta: &Meta) -> Result<Self> {
        let name = darling::util::path_to_string(meta.path());
        match meta {
            Meta::Path(path) => Ok(Self(Some(path.span()))),
            _ => Err(error(
                meta,
                format_args!("`{name}` takes no value"),
                format_args!("write `{name}`"),
            )),
        }
    }
}

/// An option that says yes by its name, and no by `= false`.
#[derive(Clone, Copy, Default)]
pub(crate) enum Choice {
    #[default]
    Unsaid,
    Yes(Word),
    No,
}

impl Choice {
    /// The option's word, if it says yes.
    pub(crate) fn yes(self) -> Option<Word> {
        match self {
            Self::Yes(word) => Some(word),
            Self::Unsaid | Self::No => None,
        }
    }
}

impl FromMeta for Choice {
    fn from_none() -> Option<Self> {
        Some(Self::Unsaid)
    }

    fn from_meta(meta: &Meta) -> Result<Self> {
        let name = darling::util::path_to_string(meta.path());
        match meta {
            Meta::Path(_) => Word::from_meta(meta).map(Self::Yes),
            Meta::NameValue(pair) if matches!(literal(&pair.value), Some(Lit::Bool(no)) if !no.value) => {
                Ok(Self::No)
            }
            _ => Err(error(
                meta,
                format_args!("`{name}` takes no value, except `false`"),
                format_args!("write `{name}` or `{name} = false`"),
            )),
        }
    }
}

/// The error for a missing value.
pub(crate) fn no_value(place: &impl Spanned, known: &Known) -> Error {
    error(
        place,
        format_args!("`{}` has no value", known.name),
        write(known),
    )
}

fn write(known: &Known) -> String {
    format!("write `{}`", known.written)
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::testing::messages;

    const WITHIN: Known = Known::new("within", "within = \"10m\"");
    const FORWARD: Known = Known::new("forward", "forward");
    const OPTIONS: Options<'_> = Options {
        of: "`#[a]`",
        leading: None,
        known: &[&FORWARD, &CRATE],
        elsewhere: &[("b", &WITHIN)],
    };

    #[derive(FromMeta)]
    struct Parsed {
        forward: Word,
    }

    #[derive(FromMeta)]
    struct Chosen {
        forward: Choice,
    }

    fn refused(tokens: TokenStream) -> Vec<String> {
        messages(OPTIONS.parse::<Parsed>(tokens))
    }

    #[test]
    fn a_word_is_present_or_not() {
        let is_present = |tokens| {
            OPTIONS
                .parse::<Parsed>(tokens)
                .unwrap()
                .forward
                .is_present()
        };
        assert!(is_present(quote!(forward)));
        assert!(!is_present(quote!()));
        assert_eq!(
            refused(quote!(forward = true)),
            ["`forward` takes no value\n= help: write `forward`"]
        );
    }

    #[test]
    fn a_choice_is_yes_or_no_or_open() {
        let choice = |tokens| OPTIONS.parse::<Chosen>(tokens).map(|parsed| parsed.forward);
        assert!(choice(quote!(forward)).unwrap().yes().is_some());
        assert!(matches!(choice(quote!(forward = false)), Ok(Choice::No)));
        assert!(matches!(choice(quote!()), Ok(Choice::Unsaid)));
        for value in [quote!(forward = true), quote!(forward("/"))] {
            assert_eq!(
                messages(choice(value)),
                [
                    "`forward` takes no value, except `false`\n= help: write `forward` or `forward = false`"
                ]
            );
        }
    }

    #[test]
    fn an_unknown_option_gets_the_nearest_one() {
        assert_eq!(
            refused(quote!(forwrad)),
            ["`#[a]` has no option `forwrad`\n= help: write `forward`"]
        );
        assert_eq!(
            refused(quote!(zzz = 1)),
            [
                "`#[a]` has no option `zzz`\n= help: its options are `forward`, `crate = ::rocket_login`"
            ]
        );
    }

    #[test]
    fn an_option_of_another_attribute_gets_that_attribute() {
        assert_eq!(
            refused(quote!(within = 3)),
            ["`within` belongs to `#[b]`\n= help: write `#[b(within = \"10m\")]`"]
        );
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        assert_eq!(
            refused(quote!(forward, "text", forward, crate = , zzz)),
            [
                "an option needs a name\n= help: its options are `forward`, `crate = ::rocket_login`",
                "`forward` is given twice\n= help: keep one of them",
                "`crate` has no value\n= help: write `crate = ::rocket_login`",
                "`#[a]` has no option `zzz`\n= help: its options are `forward`, `crate = ::rocket_login`",
            ]
        );
    }

    #[test]
    fn unreadable_options_get_the_list_of_options() {
        let refused = refused(quote!(forward forward));
        assert_eq!(refused.len(), 1);
        assert!(
            refused[0].ends_with("= help: its options are `forward`, `crate = ::rocket_login`")
        );
    }
}
