//! Tables as `NOTES.md` shows them.

/// The first column says what stands in a row; the others are numbers.
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
