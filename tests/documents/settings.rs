//! The guide's table of settings is the one in the code.

#[test]
fn the_guide_lists_every_setting_as_the_code_has_it() {
    let rows = rocket_login::__private::settings()
        .into_iter()
        .map(|row| format!("| `{}` | {} | {} |\n", row.name, row.default, row.meaning));
    let expected: String = rows.collect();
    let head = "| setting | default | what it sets |\n| --- | --- | --- |\n";
    let (_, rest) = include_str!("../../docs/guide/settings.md")
        .split_once(head)
        .expect("a table of settings");
    let listed = rest.split("\n\n").next().unwrap_or(rest).trim_end();
    assert!(
        format!("{listed}\n") == expected,
        "put this into docs/guide/settings.md:\n\n{head}{expected}"
    );
}
