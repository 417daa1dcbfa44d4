//! What the documents say is what there is.

const SECURITY: &str = include_str!("../SECURITY.md");

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

/// The numbers of the attacks that the project's list knows, but for those of the store.
const ATTACKS: [u8; 69] = [
    1, 2, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 17, 18, 20, 21, 22, 24, 25, 26, 27, 29, 30, 32, 34,
    35, 37, 38, 39, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 56, 57, 58, 59, 60, 62,
    63, 65, 66, 67, 68, 69, 70, 72, 73, 74, 76, 77, 78, 79, 81, 82, 83, 84, 86, 87,
];

#[test]
fn the_security_page_has_a_row_for_every_requirement_and_attack() {
    let rows: Vec<_> = SECURITY
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .collect();
    let requirements = (1..=51).map(|number| format!("R{number}"));
    let attacks = ATTACKS.map(|number| format!("T{number:02}"));
    for number in requirements.chain(attacks) {
        let count = rows.iter().filter(|row| **row == number).count();
        assert_eq!(count, 1, "{number}");
    }
}

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let words = SECURITY.split('`').filter(|word| word.contains("::"));
    let mut count = 0;
    for word in words {
        let (module, name) = word.rsplit_once("::").unwrap();
        let candidates = sources(module);
        let function = format!("fn {name}(");
        let is_there = candidates
            .iter()
            .filter_map(|file| std::fs::read_to_string(file).ok())
            .any(|source| source.contains(&function));
        assert!(is_there, "`{word}` is in none of {candidates:?}");
        count += 1;
    }
    assert!(count > 100, "{count}");
}

/// The files in which a module of a test target, or of the runtime, may stand.
fn sources(module: &str) -> Vec<String> {
    let (target, path) = module.split_once("::").unwrap_or((module, ""));
    let path = path.replace("::", "/");
    let root = match target {
        "login_runtime" => "login-runtime/src".to_owned(),
        target => format!("tests/{target}"),
    };
    if path.is_empty() {
        vec![format!("{root}.rs"), format!("{root}/main.rs")]
    } else {
        vec![format!("{root}/{path}.rs"), format!("{root}/{path}/mod.rs")]
    }
}
