//! What the compiler says to users of the macros; renew with `TRYBUILD=overwrite` and read the difference as a user would.

use std::process::Command;

/// The compiler whose words `tests/ui/*/fail/*.stderr` are in; another one may render the same errors otherwise.
const PINNED: &str = "1.95";

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/*/pass/*.rs");
    match compiler() {
        Some(version) if version.starts_with(&format!("rustc {PINNED}.")) => {
            cases.compile_fail("tests/ui/*/fail/*.rs");
        }
        other => {
            println!("tests/ui/*/fail is skipped: it needs rustc {PINNED}, and this is {other:?}");
        }
    }
}

fn compiler() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()
}
