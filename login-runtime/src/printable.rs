//! Foreign text in our log lines, which must not write lines of its own.

use std::fmt::{self, Write as _};

/// Text with its control characters escaped.
pub(crate) struct Printable<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Printable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.to_string().chars() {
            if char.is_control() {
                write!(f, "{}", char.escape_default())?;
            } else {
                f.write_char(char)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Printable;

    #[test]
    fn nothing_foreign_begins_a_line_or_moves_the_cursor() {
        let text = Printable("a\nError: b\r\x1b[2J\u{9b}\u{e9}");
        assert_eq!(text.to_string(), "a\\nError: b\\r\\u{1b}[2J\\u{9b}\u{e9}");
    }
}
