//! Every public name of the published crates stands in a file, so that a reviewer sees each change.
//!
//! Renew the files with `UPDATE_EXPECT=1 cargo test -p login-public-api`. It needs a nightly compiler.

use std::env;
use std::path::Path;
use std::process::Command;

use expect_test::expect_file;

/// `login-macros` is not here: its macros are in the list of the facade.
const CRATES: [&str; 4] = ["rocket-login", "login-runtime", "login-sqlx", "login-redis"];

#[test]
fn the_public_api_is_the_one_in_the_files() {
    let nightly = cargo().arg("--version").output();
    if !nightly.is_ok_and(|output| output.status.success()) {
        let required = env::var_os("PUBLIC_API").is_some_and(|value| value == "required");
        assert!(
            !required,
            "install nightly: `rustup toolchain install nightly`"
        );
        println!("skipped: `rustup toolchain install nightly` brings what this test needs");
        return;
    }
    for name in CRATES {
        expect_file![format!("./{name}.txt")].assert_eq(&public_api(name));
    }
}

fn cargo() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]);
    command
}

/// One line for each public item, without the traits that the compiler implements by itself.
fn public_api(name: &str) -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("nightly");
    let built = cargo()
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
    api.unwrap()
        .items()
        .map(|item| format!("{item}\n"))
        .collect()
}
