//! What is wrong with a page, for an HTML parser.

use std::borrow::Cow;

use html5ever::tendril::TendrilSink;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::RcDom;

/// Returns the errors of a whole page.
pub(crate) fn errors(page: &str) -> Vec<Cow<'static, str>> {
    let tokenizer = TokenizerOpts {
        exact_errors: true,
        ..TokenizerOpts::default()
    };
    let options = ParseOpts {
        tokenizer,
        ..ParseOpts::default()
    };
    let document = parse_document(RcDom::default(), options).one(page);
    document.errors.take()
}
