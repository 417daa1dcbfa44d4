//! What axe-core finds on a page: <https://github.com/dequelabs/axe-core>.

use super::{Browser, Server, turn};

/// Version 4.14.1 of the npm package `axe-core`; its licenses are beside it.
const AXE: &str = include_str!("axe/axe.min.js");

/// The criteria of WCAG 2.2 at the levels A and AA.
const RUN: &str = "
    const done = arguments[0];
    const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const report = ({id, help, nodes}) => nodes.map(({html}) => `${id}: ${help}: ${html}`);
    axe.run({runOnly: {type: 'tag', values}}).then(
        ({passes, violations}) =>
            done(passes.length ? violations.flatMap(report) : ['nothing was checked']),
        error => done([String(error)]));";

impl Browser {
    /// Returns what is wrong with the accessibility of the current page.
    pub(crate) async fn violations(&self) -> Vec<String> {
        self.run(AXE).await;
        let violations = self.run_async(RUN).await;
        serde_json::from_value(violations).unwrap()
    }
}

#[rocket::async_test]
async fn violations_are_found() {
    let _turn = turn().await;
    let Some(browser) = Browser::start().await else {
        return;
    };
    let page = r#"<!doctype html><html lang="en"><title>Bad</title><input name="unlabelled">
        <p style="color: #aaa; background: #fff">pale</p>"#;
    let server = Server::elsewhere(page.to_owned()).await;
    browser.goto(&server.url("/")).await;
    let violations = browser.violations().await.join("\n");
    assert!(violations.contains("label: "), "{violations}");
    assert!(violations.contains("color-contrast: "), "{violations}");
}
