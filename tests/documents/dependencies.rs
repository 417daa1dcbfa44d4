//! ARCHITECTURE.md has a reason for every dependency of the workspace.

use std::collections::BTreeSet;

use rocket::figment::Figment;
use rocket::figment::providers::{Format as _, Toml};
use rocket::figment::value::Dict;

#[test]
fn architecture_md_has_a_reason_for_every_dependency() {
    let page = include_str!("../../ARCHITECTURE.md");
    let (_, reasons) = page.split_once("## Dependencies").unwrap();
    let workspace: Dict = tables("Cargo.toml", "workspace");
    let members = workspace["members"].as_array().unwrap();
    let members = members.iter().map(|member| member.as_str().unwrap());
    let mut count = 0;
    let mut missing = BTreeSet::new();
    for manifest in members
        .map(|member| format!("{member}/Cargo.toml"))
        .chain(["Cargo.toml".to_owned()])
    {
        for kind in ["dependencies", "dev-dependencies"] {
            for (name, value) in tables(&manifest, kind) {
                count += 1;
                let renamed = value.find_ref("package").and_then(|name| name.as_str());
                let name = renamed.unwrap_or(&name);
                let is_ours = name.starts_with("login-") || name == "rocket-login";
                if !is_ours && !reasons.contains(&format!("`{name}`")) {
                    missing.insert(format!("{name} of {manifest}"));
                }
            }
        }
    }
    assert!(count > 50, "{count}");
    assert!(missing.is_empty(), "add to ARCHITECTURE.md: {missing:?}");
}

fn tables(manifest: &str, key: &str) -> Dict {
    let manifest = Figment::from(Toml::file_exact(manifest));
    manifest.extract_inner(key).unwrap_or_default()
}
