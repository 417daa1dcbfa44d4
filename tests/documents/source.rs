//! Reads the library's own code.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::LitStr;

/// Returns every file below a folder with this extension.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
        let entries = fs::read_dir(folder).unwrap_or_else(|_| panic!("no {}", folder.display()));
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, extension, files);
            } else if path.extension().is_some_and(|it| it == extension) {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    collect(Path::new(folder), extension, &mut files);
    files.sort();
    files
}

/// Returns the texts in a file's code, without tests and attributes.
///
/// Of the attributes count the `message` of `#[diagnostic::on_unimplemented]`, and thiserror's `#[error]`.
pub(crate) fn texts(path: &Path) -> Vec<String> {
    let code = fs::read_to_string(path).unwrap();
    let tokens: TokenStream = code
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut texts = Vec::new();
    walk(tokens, &mut texts);
    texts
}

fn walk(tokens: TokenStream, texts: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_punct(&token, '#') {
            tokens.next_if(|token| is_punct(token, '!'));
        }
        match (token, tokens.peek()) {
            (TokenTree::Punct(hash), Some(TokenTree::Group(attribute)))
                if hash.as_char() == '#' && attribute.delimiter() == Delimiter::Bracket =>
            {
                let is_test = attribute.stream().to_string() == "cfg (test)";
                shown_by(attribute, texts);
                tokens.next();
                if is_test {
                    tokens.by_ref().find(ends_an_item);
                }
            }
            (TokenTree::Group(group), _) => walk(group.stream(), texts),
            (TokenTree::Literal(literal), _) => texts.extend(text(literal.into())),
            _ => {}
        }
    }
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn ends_an_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    }
}

/// Adds the texts of an attribute that a user of the library sees.
fn shown_by(attribute: &Group, texts: &mut Vec<String>) {
    let tokens: Vec<_> = attribute.stream().into_iter().collect();
    let name = tokens.first().map(ToString::to_string).unwrap_or_default();
    let Some(TokenTree::Group(arguments)) = tokens.last() else {
        return;
    };
    let arguments: Vec<_> = arguments.stream().into_iter().collect();
    match name.as_str() {
        "error" => texts.extend(arguments.first().cloned().and_then(text)),
        "diagnostic" => {
            let message = arguments.iter().position(|it| it.to_string() == "message");
            let message = message.and_then(|at| arguments.get(at + 2));
            texts.extend(message.cloned().and_then(text));
        }
        _ => {}
    }
}

fn text(token: TokenTree) -> Option<String> {
    let literal: LitStr = syn::parse2(token.into()).ok()?;
    Some(literal.value())
}
