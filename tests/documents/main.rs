//! Checks that the documents agree with the code.

mod aliases;
mod errors;
mod examples;
mod index;
mod links;
mod settings;
mod source;
