//! Checks that the documents agree with the code.

mod agents;
mod aliases;
mod dependencies;
mod errors;
mod examples;
mod index;
mod links;
mod map;
mod quickstart;
mod settings;
mod source;
