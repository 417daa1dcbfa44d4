//! Every public name of the published crates stands in a file, so that a reviewer sees each change.
//!
//! Renew the files with `PUBLIC_API=required UPDATE_EXPECT=1 cargo test -p login-public-api`. Without `required` the test
//! does nothing: it needs a nightly compiler, and another one can print the same items in another way.

use std::env;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use expect_test::expect_file;

/// `login-macros` is not here: its macros are in the list of the facade.
const CRATES: [&str; 4] = ["rocket-login", "login-runtime", "login-sqlx", "login-redis"];

/// The compiler that made the lists: change it here when you renew them with another one.
const NIGHTLY: &str = "rustc 1.97.0-nightly (e50aa6fba 2026-05-19)";

#[test]
fn the_public_api_is_the_one_in_the_files() {
    if env::var_os("PUBLIC_API").is_none_or(|value| value != "required") {
        println!("skipped: it builds all crates with the nightly compiler of CI");
        return;
    }
    let version = rustup("rustc").arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    if version.trim() != NIGHTLY {
        println!("skipped: the lists were made by {NIGHTLY}, and this is {version}");
        return;
    }
    for name in CRATES {
        expect_file![format!("./{name}.txt")].assert_eq(&public_api(name));
    }
}

fn rustup(program: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", program]);
    command
}

/// One line for each public item, without the traits that the compiler implements by itself.
fn public_api(name: &str) -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("nightly");
    let built = rustup("cargo")
        .args([
            "rustdoc",
            "--quiet",
            "--locked",
            "--lib",
            "--all-features",
            "--package",
            name,
        ])
        .arg("--target-dir")
        .arg(&target)
        .args([
            "--",
            "-Z",
            "unstable-options",
            "--output-format",
            "json",
            "--cap-lints",
            "allow",
        ])
        .status();
    assert!(built.unwrap().success(), "rustdoc fails for {name}");
    let json = target.join(format!("doc/{}.json", name.replace('-', "_")));
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build();
    let mut list = String::new();
    for item in api.unwrap().items() {
        writeln!(list, "{item}").unwrap();
    }
    list
}
