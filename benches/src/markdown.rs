//! Prints tables for `NOTES.md`.

/// The first column describes the row; the others are numbers.
pub(crate) struct Table {
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn print(&self) {
        println!("\n| {} |", self.head.join(" | "));
        println!("| --- |{}", " ---: |".repeat(self.head.len() - 1));
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
    }
}
