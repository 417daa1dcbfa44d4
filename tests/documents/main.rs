//! Checks that the documents agree with the code.

mod agents;
mod aliases;
mod errors;
mod examples;
mod index;
mod links;
mod settings;
mod source;
