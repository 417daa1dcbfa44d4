//! Keys that somebody has thought up.

/// Whether a text looks like words or like a pattern.
pub(crate) fn is_guessable(text: &str) -> bool {
    is_phrase(text) || is_pattern(text.as_bytes())
}

/// Whether three quarters of a text are words that can be pronounced. Of generated texts without digits, some look like that.
fn is_phrase(text: &str) -> bool {
    const SHORTEST_WORD: usize = 3;

    let mut words = words(text);
    words.retain(|word| word.len() >= SHORTEST_WORD && is_pronounceable(word));
    let words = words.concat();
    // Spaces and punctuation do not count.
    let all = text.chars().filter(|char| char.is_alphanumeric()).count();
    let vowels = words
        .bytes()
        .filter(|letter| b"aeiou".contains(letter))
        .count();
    // Of the letters in words, two in five are vowels; of random ones, one in five.
    words.len().saturating_mul(4) >= all.saturating_mul(3)
        && vowels.saturating_mul(10) >= words.len().saturating_mul(3)
}

/// Returns the runs of letters, in lower case; `CamelCase` is two.
fn words(text: &str) -> Vec<String> {
    let shouts = !text.contains(|char: char| char.is_ascii_lowercase());
    let mut words = vec![String::new()];
    for char in text.chars() {
        let begins = !char.is_ascii_alphabetic() || char.is_ascii_uppercase() && !shouts;
        if begins {
            words.push(String::new());
        }
        if let (true, Some(word)) = (char.is_ascii_alphabetic(), words.last_mut()) {
            word.push(char.to_ascii_lowercase());
        }
    }
    words
}

/// Whether a word has a vowel among every five letters.
fn is_pronounceable(word: &str) -> bool {
    let has_vowel = |letters: &[u8]| letters.iter().any(|letter| b"aeiouy".contains(letter));
    has_vowel(word.as_bytes()) && word.as_bytes().windows(5).all(has_vowel)
}

/// Whether a text repeats itself, or counts up or down, as in `0123456789abcdef`.
fn is_pattern(text: &[u8]) -> bool {
    let half = text.len().div_euclid(2);
    let repeats = (1..=half).any(|period| {
        let (start, rest) = text.split_at(period);
        rest.iter()
            .zip(start.iter().chain(rest))
            .all(|(a, b)| a == b)
    });
    let steps = text
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.abs_diff(*b) == 1));
    repeats || steps.count().saturating_mul(2) > text.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_and_patterns_are_guessable() {
        for text in [
            "correct horse battery staple, and a donkey",
            "my-super-secret-key-for-production-2026",
            "this_is_the_secret_of_our_web_shop",
            "CorrectHorseBatteryStapleAndADonkey",
            "THIS IS A VERY SECRET KEY, DO NOT SHARE",
            "thisismysupersecretkeyforproduction",
            "change-me-change-me-change-me-now",
            "dev secret dev secret dev secret 123",
            "01234567890123456789012345678901",
            "0123456789abcdefghijklmnopqrstuvwxyz",
            "a1B2c3D4e5a1B2c3D4e5a1B2c3D4e5a1B2c3",
        ] {
            assert!(is_guessable(text), "{text}");
        }
    }

    #[test]
    fn generated_keys_are_not() {
        for text in [
            "6f9619ff-8b86-d011-b42d-00c04fc964ff",
            "Vm3kQ8sLz1XyC5nB7wR9tE2uP4aD6fHj",
            "qwxkzjvmpfhdtrbnslgcwqxkzjvtmprb",
            "q0Zf3mT8wB5vRkXyLh1uNc7sJd2gPaE9iOo4WtQxZ6Y=",
        ] {
            assert!(!is_guessable(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_are_not_guessable_in_any_encoding(bytes: [u8; 32]) {
            for text in [BASE64.encode(&bytes), BASE64URL_NOPAD.encode(&bytes), HEXLOWER.encode(&bytes)] {
                prop_assert!(!is_guessable(&text), "{}", text);
            }
        }
    }
}
