//! Checks that the documents agree with the code.

const SECURITY: &str = include_str!("../SECURITY.md");

#[test]
fn the_readme_shows_the_quickstart_as_it_is() {
    let quickstart = include_str!("../examples/quickstart.rs");
    assert!(
        README.contains(quickstart),
        "copy examples/quickstart.rs into README.md"
    );
}

/// The numbers of the attacks in the project's list, without those that need a session store.
const ATTACKS: [u8; 69] = [
    1, 2, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 17, 18, 20, 21, 22, 24, 25, 26, 27, 29, 30, 32, 34,
    35, 37, 38, 39, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 56, 57, 58, 59, 60, 62,
    63, 65, 66, 67, 68, 69, 70, 72, 73, 74, 76, 77, 78, 79, 81, 82, 83, 84, 86, 87,
];

#[test]
fn the_index_has_a_row_for_every_requirement_and_attack() {
    let rows: Vec<_> = INDEX
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

/// The files in which a module of a test target, or of the runtime, may stand.
fn sources(module: &str) -> Vec<String> {
    let (target, path) = module.split_once("::").unwrap_or((module, ""));
    let path = path.replace("::", "/");
    let root = match target {
        "login_runtime" => "login-runtime/src".to_owned(),
        "answers" | "guards" | "hygiene" | "lints" | "logins" => format!("tests/behavior/{target}"),
        target => format!("tests/{target}"),
    };
    if path.is_empty() {
        vec![format!("{root}.rs"), format!("{root}/main.rs")]
    } else {
        vec![format!("{root}/{path}.rs"), format!("{root}/{path}/mod.rs")]
    }
}

#[test]
fn the_readme_lists_every_setting_as_the_code_has_it() {
    let rows = rocket_login::__private::settings()
        .into_iter()
        .map(|row| format!("| `{}` | {} | {} |\n", row.name, row.default, row.meaning));
    let expected: String = rows.collect();
    let head = "| setting | default | what it sets |\n| --- | --- | --- |\n";
    let (_, rest) = include_str!("../README.md")
        .split_once(head)
        .expect("a table of settings");
    let (listed, _) = rest.split_once("\n\n").expect("its end");
    assert!(
        format!("{listed}\n") == expected,
        "put this into README.md, under \"Settings\":\n\n{head}{expected}"
    );
}
