//! The guide, page by page.

#[doc = include_str!("../docs/guide/migration.md")]
pub mod migration {}
