//! The map at the top of `login-runtime/src/lib.rs` is true: a folder uses only what stands below it.

use std::fs;
use std::path::Path;

use crate::source::files;

const ROOT: &str = "login-runtime/src";

#[test]
fn a_folder_uses_only_what_stands_below_it_in_the_map() {
    let map = fs::read_to_string(Path::new(ROOT).join("lib.rs")).unwrap();
    let rows = map.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let names = rows.flat_map(|row| row.split(" | ").next().unwrap_or_default().split(", "));
    let places: Vec<_> = names.map(|name| name.trim_matches(['`', '/'])).collect();
    assert!(places.len() > 15, "{places:?}");
    let place = |name: &str| places.iter().position(|place| *place == name);
    let mut upwards = Vec::new();
    for file in files(ROOT, "rs") {
        let mut parts = file.strip_prefix(ROOT).unwrap().iter();
        let top = parts.next().and_then(|part| part.to_str()).unwrap();
        let Some(here) = place(top.trim_end_matches(".rs")) else {
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("mod tests {").next().unwrap_or_default();
        let code = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for used in line.split("crate::").skip(1) {
                let name = used.split(|c: char| !c.is_alphanumeric() && c != '_');
                let there = name.into_iter().next().and_then(place);
                if there.is_some_and(|there| there < here) {
                    upwards.push(format!("{}: {line}", file.display()));
                }
            }
        }
    }
    assert!(upwards.is_empty(), "{}", upwards.join("\n"));
}
