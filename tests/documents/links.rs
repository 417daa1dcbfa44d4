//! The links in the documents lead somewhere.
//!
//! Links to other sites are not followed, since tests may run without a network. `DOCUMENTS_ONLINE=1` asks `curl` for them.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::source::files;

/// A document that names another repository was forgotten in a move.
const REPOSITORY: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/");
const RAW: &str = "https://raw.githubusercontent.com/rocket-login/rocket-login/main/";
const DOCS: &str = "https://docs.rs/rocket-login/latest/rocket_login/";

fn documents() -> Vec<PathBuf> {
    let mut documents = files("docs", "md");
    let root = fs::read_dir(".")
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let root = root.filter(|path| path.extension().is_some_and(|it| it == "md"));
    documents.extend(root.map(|path| path.strip_prefix(".").unwrap().to_owned()));
    documents.extend(
        [
            "llms.txt",
            "examples/members/README.md",
            "tests/attacks/README.md",
            "benches/NOTES.md",
        ]
        .map(PathBuf::from),
    );
    documents
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let mut count = 0;
    let mut broken = Vec::new();
    for document in documents() {
        for link in links(&fs::read_to_string(&document).unwrap()) {
            count += 1;
            if let Err(why) = check(&document, &link) {
                broken.push(format!("{}: `{link}` {why}", document.display()));
            }
        }
    }
    assert!(count > 50, "{count}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// README.md is also the page of the crate on docs.rs and crates.io, and so are the pages of the guide.
#[test]
fn every_link_of_the_readme_and_the_guide_works_outside_the_repository() {
    let mut pages = files("docs/guide", "md");
    pages.extend(["README.md", "llms.txt"].map(PathBuf::from));
    for page in pages {
        for link in links(&fs::read_to_string(&page).unwrap()) {
            let is_rustdoc = link.starts_with("crate::") || link.starts_with("macro@crate::");
            assert!(
                link.starts_with("https://")
                    || link.starts_with('#')
                    || (is_rustdoc && page.starts_with("docs")),
                "{}: make `{link}` absolute",
                page.display()
            );
        }
    }
}

#[test]
fn every_link_to_another_site_is_answered() {
    if env::var_os("DOCUMENTS_ONLINE").is_none() {
        return;
    }
    let documents = documents();
    let texts = documents
        .iter()
        .map(|path| fs::read_to_string(path).unwrap());
    let links: BTreeSet<_> = texts.flat_map(|text| links(&text)).collect();
    let other = |link: &&String| {
        let own = [REPOSITORY, RAW, DOCS]
            .iter()
            .any(|place| link.starts_with(place));
        link.starts_with("http") && !own
    };
    for link in links.iter().filter(other) {
        let status = Command::new("curl")
            .args([
                "--silent",
                "--fail",
                "--location",
                "--max-time",
                "30",
                "--output",
                "/dev/null",
                link,
            ])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{link}");
    }
}

fn check(document: &Path, link: &str) -> Result<(), String> {
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = target.strip_prefix("macro@").unwrap_or(target);
    let file = if let Some(page) = target.strip_prefix("crate::guide::") {
        page_of(page)?
    } else if target.starts_with("crate::") {
        return Ok(()); // rustdoc checks it
    } else if let Some(page) = target.strip_prefix(DOCS) {
        let page = page.trim_end_matches("index.html").trim_end_matches('/');
        match page.strip_prefix("guide/") {
            Some(page) => page_of(&page.replace('/', "::"))?,
            None => {
                return if page.is_empty() || page == "guide" {
                    Ok(())
                } else {
                    Err("is not a page of the guide".into())
                };
            }
        }
    } else if let Some(path) = target.strip_prefix(REPOSITORY) {
        let path = path
            .strip_prefix("blob/main/")
            .or_else(|| path.strip_prefix("tree/main/"));
        match path {
            Some(path) => PathBuf::from(path),
            None => return Ok(()), // a page of GitHub's own
        }
    } else if let Some(path) = target.strip_prefix(RAW) {
        PathBuf::from(path)
    } else if target.starts_with("https://github.com/") && target.contains("/rocket-login") {
        return Err("is not in the repository that Cargo.toml names".to_owned());
    } else if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    } else if target.is_empty() {
        document.to_owned()
    } else {
        document.parent().unwrap().join(target)
    };
    if !file.exists() {
        return Err(format!("leads to no file: {}", file.display()));
    }
    if anchor.is_empty() || file.extension().is_none_or(|it| it != "md") {
        return Ok(());
    }
    let text = fs::read_to_string(&file).unwrap();
    let mut headings = without_code(&text).filter(|line| line.starts_with('#'));
    if headings.any(|heading| slug(heading) == anchor) {
        Ok(())
    } else {
        Err(format!("names no heading of {}", file.display()))
    }
}

/// Returns the file of a page of the guide, such as `recipes::sqlx`.
fn page_of(page: &str) -> Result<PathBuf, String> {
    let (modules, name) = page.rsplit_once("::").unwrap_or(("", page));
    let guide = include_str!("../../src/guide.rs");
    let is_there = [
        format!("pub mod {name} "),
        format!("recipe!({name})"),
        format!("recipe!({name}, "),
    ];
    if !is_there.iter().any(|it| guide.contains(it)) {
        return Err("is not a page of the guide".to_owned());
    }
    let file = Path::new("docs/guide")
        .join(modules.replace("::", "/"))
        .join(format!("{name}.md"));
    // The others are written in `src/guide.rs`.
    Ok(if file.exists() {
        file
    } else {
        PathBuf::from("src/guide.rs")
    })
}

/// Returns the targets of all links in a document.
fn links(text: &str) -> Vec<String> {
    let text = without_code(text).collect::<Vec<_>>().join("\n");
    // Code between backticks contains no links.
    let outside: String = text.split('`').step_by(2).collect();
    let links = outside.split("](").skip(1);
    links
        .filter_map(|rest| rest.split([')', ' ']).next())
        .map(|link| link.replace('\n', ""))
        .collect()
}

/// Returns the lines outside of code blocks.
fn without_code(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Returns the anchor that GitHub and rustdoc give a heading.
fn slug(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let letters = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ => letter.is_alphanumeric().then_some(letter),
    });
    letters.collect()
}
