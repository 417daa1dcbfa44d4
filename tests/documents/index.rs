//! The index of attacks and requirements names tests that exist.

use std::fs;
use std::path::Path;

/// Lists every requirement and every attack with its tests.
const INDEX: &str = include_str!("../attacks/README.md");

/// The numbers of the attacks in the project's list, without those that need a session store.
const ATTACKS: [u8; 75] = [
    1, 2, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 17, 18, 20, 21, 22, 24, 25, 26, 27, 29, 30, 32, 34,
    35, 37, 38, 39, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 56, 57, 58, 59, 60, 62,
    63, 64, 65, 66, 67, 68, 69, 70, 72, 73, 74, 76, 77, 78, 79, 81, 82, 83, 84, 86, 87, 88, 89, 90,
    91, 92,
];

#[test]
fn the_index_has_a_row_for_every_requirement_and_attack() {
    let rows: Vec<_> = INDEX
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .collect();
    let requirements = (1..=53).map(|number| format!("R{number}"));
    let attacks = ATTACKS.map(|number| format!("T{number:02}"));
    for number in requirements.chain(attacks) {
        let count = rows.iter().filter(|row| **row == number).count();
        assert_eq!(count, 1, "{number}");
    }
}

#[test]
fn every_test_that_the_index_names_exists() {
    let mut sources = Vec::new();
    collect(Path::new("tests/behavior"), "", &mut sources);
    collect(Path::new("tests"), "", &mut sources);
    collect(
        Path::new("login-runtime/src"),
        "login_runtime/",
        &mut sources,
    );

    let names = INDEX.split('`').filter(|word| word.contains("::"));
    let mut count = 0;
    for name in names {
        let (module, function) = name.rsplit_once("::").unwrap();
        let module = format!("{}/", module.replace("::", "/"));
        let function = format!("fn {function}(");
        let exists = sources
            .iter()
            .any(|(path, text)| path.starts_with(&module) && text.contains(&function));
        assert!(exists, "no file of the module contains the test `{name}`");
        count += 1;
    }
    assert!(count > 100, "{count}");
}

/// Adds every Rust file below `folder`: its module path, such as `attacks/forgery/`, and its text.
fn collect(folder: &Path, prefix: &str, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let module = format!("{prefix}{name}/");
        if path.is_dir() {
            collect(&path, &module, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push((module, fs::read_to_string(&path).unwrap()));
        }
    }
}
