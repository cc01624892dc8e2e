//! RFC 4180, with spreadsheets in mind: what they would run as a formula gets an apostrophe before it.

use super::{Held, Sink, sealed_cell};
use crate::row::{Row, in_one_line, scalar};
use serde_json::value::RawValue;
use std::io::{self, Write};

pub(super) struct Csv<'a> {
    pub(super) out: &'a mut dyn Write,
    pub(super) held: Held,
    pub(super) ids: bool,
}

impl Sink for Csv<'_> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.held.add(row)
    }

    fn finish(&mut self) -> io::Result<()> {
        let columns = self.held.columns();
        let has_sealed = self.held.has_sealed();
        let mut head: Vec<String> = columns.iter().map(|name| cell(name, true)).collect();
        if has_sealed {
            head.push("_sealed".to_owned());
        }
        if self.ids {
            head.insert(0, "_record".to_owned());
        }
        line(self.out, &head)?;
        for row in &self.held.rows {
            let value = |name: &String| row.open(name).map(value).unwrap_or_default();
            let mut cells: Vec<String> = columns.iter().map(value).collect();
            if has_sealed {
                cells.push(cell(&sealed_cell(row), true));
            }
            if self.ids {
                cells.insert(0, cell(&row.id.to_string(), true));
            }
            line(self.out, &cells)?;
        }
        self.out.flush()
    }
}

fn line(out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
    out.write_all(cells.join(",").as_bytes())?;
    out.write_all(b"\r\n")
}

fn value(value: &RawValue) -> String {
    // a number is no formula, also where it begins with a sign
    let is_text = value.get().starts_with('"');
    match scalar(value) {
        Some(text) => cell(&text, is_text),
        None if value.get() == "null" => String::new(),
        None => cell(&in_one_line(value.get()), true),
    }
}

fn cell(text: &str, may_be_formula: bool) -> String {
    let is_formula = may_be_formula
        && text.trim_start_matches([' ', '\u{a0}']).starts_with([
            '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
        ]);
    let guard = if is_formula { "'" } else { "" };
    if is_formula || text.contains(['"', ',', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ') {
        return format!("\"{guard}{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}
