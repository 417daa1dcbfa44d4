//! What the README shows is what there is.

#[test]
fn the_readme_shows_the_quickstart_as_it_is() {
    let readme = include_str!("../README.md");
    let quickstart = include_str!("../examples/quickstart.rs");
    assert!(
        readme.contains(quickstart),
        "copy examples/quickstart.rs into README.md"
    );
}
