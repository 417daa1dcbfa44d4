//! What the library's own sources may not hold, and that the compiler's lints against the rest are on.

use std::fs;
use std::path::{Path, PathBuf};

/// The lints that forbid a panic; `unsafe` is forbidden in the whole workspace.
const AGAINST_PANICS: [&str; 5] = [
    "clippy::arithmetic_side_effects",
    "clippy::expect_used",
    "clippy::indexing_slicing",
    "clippy::panic",
    "clippy::unwrap_used",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file of the runtime, without its tests, comments and blank lines; each line with its number.
struct Source {
    path: PathBuf,
    lines: Vec<(usize, String)>,
}

impl Source {
    fn file_name(&self) -> String {
        self.path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }

    fn code(&self) -> String {
        let lines = self.lines.iter().map(|(_, line)| line.as_str());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Where a line is that may not be.
    fn assert_no_line(&self, what: &str, is_bad: impl Fn(&str) -> bool) {
        for (number, line) in &self.lines {
            assert!(
                !is_bad(line),
                "{what}: {}:{number}: {line}",
                self.path.display()
            );
        }
    }
}

/// How a module of tests begins: within its file, or by the name of its own.
const TESTS: [&str; 2] = ["#[cfg(test)]\nmod ", "#[cfg(test)]\npub(crate) mod "];

fn sources() -> Vec<Source> {
    let mut folders = vec![root().join("login-runtime/src")];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.push((path.clone(), fs::read_to_string(path).unwrap()));
            }
        }
    }
    let files_of_tests: Vec<String> = texts
        .iter()
        .flat_map(|(_, text)| TESTS.iter().flat_map(|start| text.split(start).skip(1)))
        .filter_map(|rest| Some(rest.split_once(';')?.0.to_owned() + ".rs"))
        .collect();
    texts.retain(|(path, _)| !files_of_tests.iter().any(|name| path.ends_with(name)));
    assert!(texts.len() > 30, "{}", texts.len());
    let sources = texts.into_iter().map(|(path, text)| {
        let code = TESTS.iter().fold(text.as_str(), |code, start| {
            code.split_once(start).map_or(code, |(code, _)| code)
        });
        let lines = (1..).zip(code.lines());
        let kept = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
        let lines = kept
            .map(|(number, line)| (number, line.to_owned()))
            .collect();
        Source { path, lines }
    });
    sources.collect()
}

/// The words of a line, as Rust's names are made.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|char: char| !char.is_alphanumeric() && char != '_')
}

#[test]
fn the_lints_against_unsafe_code_and_panics_are_on() {
    // R49
    let workspace = read("Cargo.toml");
    assert!(workspace.contains("\nunsafe_code = \"forbid\"\n"));
    for member in ["", "login-macros/", "login-runtime/", "examples/members/"] {
        let manifest = read(&format!("{member}Cargo.toml"));
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member}");
    }
    let library = read("login-runtime/src/lib.rs");
    let (_, lints) = library.split_once("warn(").expect("warnings");
    let (lints, _) = lints.split_once(')').expect("their end");
    for lint in AGAINST_PANICS {
        assert!(lints.contains(lint), "{lint} is off");
    }
    let ci = read(".ci/run");
    assert!(ci.contains("cargo clippy --workspace --all-targets --all-features -- -D warnings"));
}

#[test]
fn what_the_lints_are_told_to_accept_has_a_reason() {
    // R49: `expect` complains when there is nothing left to expect; `allow` would stay for ever.
    let mut expected = 0;
    for source in sources() {
        let code = source.code();
        for attribute in code.split("#[").skip(1) {
            let attribute = attribute.split("]\n").next().unwrap_or_default();
            if AGAINST_PANICS.iter().any(|lint| attribute.contains(lint)) {
                let path = source.path.display();
                assert!(attribute.starts_with("expect("), "{path}: {attribute}");
                assert!(attribute.contains("reason = \""), "{path}: {attribute}");
                expected += 1;
            }
        }
    }
    assert_eq!(expected, 5, "one more or less: look at it, and count anew");
}

#[test]
fn nothing_else_in_the_runtime_panics_on_purpose() {
    // R49: what no lint of ours knows.
    for source in sources() {
        // What stands in a `const` block is told by the compiler.
        source.assert_no_line("it panics", |line| {
            !line.contains("const {") && {
                let panics = [
                    "assert",
                    "assert_eq",
                    "assert_ne",
                    "todo",
                    "unimplemented",
                    "unreachable",
                ];
                let debug = |word: &str| word.starts_with("debug_assert");
                words(line).any(|word| {
                    debug(word) || (panics.contains(&word) && line.contains(&format!("{word}!")))
                })
            }
        });
        source.assert_no_line("it is unsafe", |line| {
            words(line).any(|word| word == "unsafe")
        });
    }
}

#[test]
fn secrets_are_compared_whole_and_in_constant_time() {
    // R4
    const SECRETS: [&str; 10] = [
        "tag",
        "mac",
        "hash",
        "session_hash",
        "digest",
        "identifier",
        "protection",
        "signature",
        "secret",
        "secrets",
    ];
    let mut verified = 0;
    for source in sources() {
        source.assert_no_line("a part of a tag is enough", |line| {
            words(line).any(|word| word.starts_with("verify_truncated"))
        });
        source.assert_no_line("a secret is compared byte by byte", |line| {
            let compares = line.contains("==") || line.contains("!=");
            compares && words(line).any(|word| SECRETS.contains(&word))
        });
        verified += source.code().matches(".verify_slice(").count();
    }
    assert_eq!(
        verified, 2,
        "tokens and an application's own values are verified, nothing else"
    );
}

#[test]
fn there_is_one_decoder_of_tokens() {
    // R6: what it refuses is not read in another way.
    let decoders = |name: &str| -> Vec<String> {
        let has_one = sources()
            .into_iter()
            .filter(|source| source.file_name() != "keys.rs" && source.code().contains(name));
        let mut files: Vec<_> = has_one.map(|source| source.file_name()).collect();
        files.sort();
        files
    };
    assert_eq!(
        decoders("BASE64URL_NOPAD.decode"),
        ["signer.rs", "token.rs"]
    );
    for other in [
        "BASE64.",
        "BASE64URL.",
        "HEXLOWER.decode",
        "_PERMISSIVE",
        "serde_json",
        "from_utf8_lossy",
        "from_utf8_unchecked",
    ] {
        assert_eq!(decoders(other), [""; 0], "{other}");
    }
    let token = sources()
        .into_iter()
        .find(|source| source.file_name() == "token.rs")
        .unwrap();
    let code = token.code();
    assert_eq!(code.matches("decode_mut(").count(), 1);
    assert_eq!(code.matches("Self::parse(").count(), 1);
    let (before, after) = code.split_once("Self::parse(").unwrap();
    assert!(before.contains("verify_slice(tag)") && !after.contains("verify_slice("));
}
