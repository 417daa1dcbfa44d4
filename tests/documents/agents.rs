//! AGENTS.md says what the compiler says.

use std::fs;

/// An assistant has only these words to learn from, so they must be the compiler's.
#[test]
fn agents_md_quotes_the_compiler_word_for_word() {
    let agents = include_str!("../../AGENTS.md");
    let quotes = agents.split("```text\n").skip(1);
    let mut count = 0;
    for quote in quotes {
        let (quote, rest) = quote.split_once("```\n").unwrap();
        let link = rest.split("](").nth(1).unwrap();
        let file = link.split(')').next().unwrap();
        let said = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        for line in quote.lines() {
            assert!(said.contains(line), "{file} does not say\n{line}");
        }
        count += 1;
    }
    assert_eq!(count, 10, "a rule without its error");
}
