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

#[test]
fn the_readme_says_that_cookies_can_be_read() {
    // R17
    let readme = include_str!("../README.md").replace('\n', " ");
    assert!(
        readme.contains("Cookies are signed, not encrypted: choose user ids that tell nothing.")
    );
}
