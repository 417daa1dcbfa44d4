//! Text from outside for log lines: it must not start new lines.

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
    fn foreign_text_cannot_start_a_line_or_move_the_cursor() {
        let text = Printable("a\nError: b\r\x1b[2J\u{9b}\u{e9}");
        assert_eq!(text.to_string(), "a\\nError: b\\r\\u{1b}[2J\\u{9b}\u{e9}");
    }
}
