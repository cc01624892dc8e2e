//! For people: a column a field. What could steer a terminal is shown as a code.

use super::{Held, Sink, sealed_cell};
use crate::row::{Row, in_one_line, scalar};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Characters of a cell; longer ones are cut.
const MAX_CELL: usize = 60;

pub(super) struct Table<'a> {
    pub(super) out: &'a mut dyn Write,
    pub(super) held: Held,
    pub(super) ids: bool,
}

impl Sink for Table<'_> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.held.add(row)
    }

    fn finish(&mut self) -> io::Result<()> {
        let columns = self.held.columns();
        let has_sealed = self.held.has_sealed();
        let mut lines = vec![self.head(&columns, has_sealed)];
        lines.extend(self.held.rows.iter().map(|row| self.line(row, &columns, has_sealed)));
        let count = lines.first().map_or(0, Vec::len);
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..count).map(width).collect();
        for line in &lines {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(&widths) {
                let _ = write!(text, "{cell:width$}  ");
            }
            writeln!(self.out, "{}", text.trim_end())?;
        }
        self.out.flush()
    }
}

impl Table<'_> {
    fn head(&self, columns: &[String], has_sealed: bool) -> Vec<String> {
        let mut head: Vec<String> = Vec::new();
        if self.ids {
            head.push("_RECORD".to_owned());
        }
        head.extend(columns.iter().map(|name| shown(name)));
        if has_sealed {
            head.push("_SEALED".to_owned());
        }
        head
    }

    fn line(&self, row: &Row, columns: &[String], has_sealed: bool) -> Vec<String> {
        let mut line = Vec::new();
        if self.ids {
            line.push(row.id.to_string());
        }
        line.extend(columns.iter().map(|name| match row.open(name) {
            None => "-".to_owned(),
            Some(value) => shown(&scalar(value).unwrap_or_else(|| in_one_line(value.get()))),
        }));
        if has_sealed {
            line.push(shown(&sealed_cell(row)));
        }
        line
    }
}

/// A text that does nothing to a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (number, c) in text.chars().enumerate() {
        if number == MAX_CELL {
            out.push('…');
            break;
        }
        let steers = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if steers {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}
