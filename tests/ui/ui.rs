//! What the compiler says to users of the macros; renew with `TRYBUILD=overwrite` and read the difference as a user would.
//!
//! One folder a macro. `pass` compiles. `fail` is refused by us, in our own words. `compiler` is refused by the compiler, in its
//! words, which change from one release to the next.

use std::process::Command;

/// The compiler whose words `*/compiler/*.stderr` are in.
const PINNED: &str = "1.95.";

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("*/pass/*.rs");
    let release = release().unwrap_or_default();
    // A nightly underlines all of an expression where stable underlines its first token.
    if release.contains('-') {
        println!("tests/ui/*/fail is skipped: it needs a stable rustc, and this is {release}");
    } else {
        cases.compile_fail("*/fail/*.rs");
    }
    if release.starts_with(PINNED) && !release.contains('-') {
        cases.compile_fail("*/compiler/*.rs");
    } else {
        println!("tests/ui/*/compiler is skipped: it needs rustc {PINNED}*, and this is {release}");
    }
}

/// `1.95.0`, or `1.97.0-nightly`.
fn release() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.split_whitespace().nth(1).map(str::to_owned)
}
