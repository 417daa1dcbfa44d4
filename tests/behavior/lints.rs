//! The lints against `unsafe` code and panics stay on.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_lints_against_unsafe_code_and_panics_are_on() {
    // R49, R4, R6
    assert!(read("Cargo.toml").contains("\nunsafe_code = \"forbid\"\n"));
    for member in ["", "login-macros/", "login-runtime/", "examples/members/"] {
        let manifest = read(&format!("{member}Cargo.toml"));
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member}");
    }
    let library = read("login-runtime/src/lib.rs");
    let (_, lints) = library.split_once("warn(").expect("warnings");
    let (lints, _) = lints.split_once(')').expect("their end");
    for lint in [
        "allow_attributes_without_reason",
        "arithmetic_side_effects",
        "expect_used",
        "indexing_slicing",
        "panic",
        "unimplemented",
        "unreachable",
        "unwrap_used",
    ] {
        assert!(lints.contains(&format!("clippy::{lint},")), "{lint} is off");
    }
    let forbidden = read("login-runtime/clippy.toml");
    for path in ["std::assert", "Encoding::decode", "verify_truncated_left"] {
        assert!(
            forbidden.contains(&format!("{path}\"")),
            "{path} is allowed"
        );
    }
    let ci = read(".ci/run");
    assert!(ci.contains("cargo clippy --workspace --all-targets --all-features -- -D warnings"));
}
