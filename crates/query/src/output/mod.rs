//! How records are written.

mod csv;
mod file;
mod ndjson;
mod stix;
mod table;
#[cfg(test)]
mod tests;

pub use file::{OutputError, OutputFile};

use crate::row::{Cell, Row};
use std::io::{self, Write};
use strongroom_ambient::Ambient;

/// The most bytes of values that a table or CSV may have: their columns are known at the end only, so they are kept in
/// memory until then.
pub const MAX_HELD_BYTES: usize = 256 << 20;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A JSON object a line: values as their senders wrote them.
    #[default]
    Ndjson,
    /// For people.
    Table,
    /// RFC 4180.
    Csv,
    /// A STIX 2.1 bundle.
    Stix,
}

/// Where records go, one at a time.
pub trait Sink {
    /// One record.
    fn row(&mut self, row: &Row) -> io::Result<()>;
    /// The end: what can be written only now.
    fn finish(&mut self) -> io::Result<()>;
}

/// Writes records in a format. `ids` puts each record's id and hour before its fields, where the format has no place for it.
pub fn sink<'a>(format: Format, ids: bool, ambient: &Ambient, out: &'a mut dyn Write) -> Box<dyn Sink + 'a> {
    match format {
        Format::Ndjson => Box::new(ndjson::Ndjson { out, ids }),
        Format::Table => Box::new(table::Table { out, held: Held::default(), ids }),
        Format::Csv => Box::new(csv::Csv { out, held: Held::default(), ids }),
        Format::Stix => Box::new(stix::Stix::new(out, ambient)),
    }
}

/// Rows that wait for their columns.
#[derive(Default)]
pub(crate) struct Held {
    rows: Vec<Row>,
    bytes: usize,
}

impl Held {
    fn add(&mut self, row: &Row) -> io::Result<()> {
        let length = |cell: &Cell| match cell {
            Cell::Open { name, value } => name.len() + value.get().len(),
            Cell::Sealed { label, policy } => label.len() + policy.len(),
            Cell::Broken { label, .. } => label.len(),
        };
        self.bytes += row.cells.iter().map(|cell| 64 + length(cell)).sum::<usize>();
        if self.bytes > MAX_HELD_BYTES {
            let text = "too many records for this format, which is made in memory: use ndjson, or --limit";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        self.rows.push(row.clone());
        Ok(())
    }

    /// The names of all opened fields, each once, in order.
    fn columns(&self) -> Vec<String> {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        let names = cells.filter_map(|cell| match cell {
            Cell::Open { name, .. } => Some(name.as_str()),
            _ => None,
        });
        let names: std::collections::BTreeSet<&str> = names.collect();
        names.into_iter().map(str::to_owned).collect()
    }

    fn has_sealed(&self) -> bool {
        self.rows.iter().any(Row::has_sealed)
    }
}

/// What is not open, in one cell: `LABEL: POLICY; ...`.
fn sealed_cell(row: &Row) -> String {
    let cells = row.cells.iter().filter_map(|cell| match cell {
        Cell::Open { .. } => None,
        Cell::Sealed { label, policy } => Some(format!("{label}: {policy}")),
        Cell::Broken { label, why } => Some(format!("{label}: broken, {why}")),
    });
    cells.collect::<Vec<_>>().join("; ")
}
