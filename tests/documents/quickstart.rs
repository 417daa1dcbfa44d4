//! The start of the README.

const README: &str = include_str!("../../README.md");

/// The first code of the README is ignored by rustdoc. It compiles in the quickstart.
#[test]
fn the_readme_shows_parts_of_the_quickstart_as_they_are() {
    let quickstart = include_str!("../../examples/quickstart.rs");
    let (_, rest) = README.split_once("```rust,ignore\n").expect("code");
    let (code, _) = rest.split_once("```\n").expect("its end");
    for part in code.trim_end().split("\n\n") {
        assert!(
            quickstart.contains(part),
            "this is not in the quickstart:\n{part}"
        );
    }
}

#[test]
fn the_readme_comes_to_the_features_after_30_lines() {
    let (start, _) = README.split_once("\n## ").expect("a section");
    assert!(start.lines().count() <= 30, "{}", start.lines().count());
}
