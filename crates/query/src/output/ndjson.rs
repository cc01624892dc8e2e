//! One JSON object a line. Values stand as their senders wrote them; objects that a collector took apart are put together.

use super::Sink;
use crate::row::{Cell, Row, in_one_line};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Parts of a field's name beyond this are not taken apart.
const MAX_PARTS: usize = 32;

pub(super) struct Ndjson<'a> {
    pub(super) out: &'a mut dyn Write,
    pub(super) ids: bool,
}

impl Sink for Ndjson<'_> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        let mut line = object(row, self.ids);
        line.push('\n');
        self.out.write_all(line.as_bytes())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A field, or fields below one.
enum Tree {
    Leaf(String),
    Branch(BTreeMap<String, Tree>),
}

/// A record as one JSON object.
pub(super) fn object(row: &Row, ids: bool) -> String {
    let mut root = BTreeMap::new();
    for cell in &row.cells {
        match cell {
            Cell::Open { name, value } => place(&mut root, name, in_one_line(value.get())),
            Cell::Sealed { label, policy } => {
                root.insert(format!("sealed:{label}"), Tree::Leaf(json!({ "sealed": policy }).to_string()));
            }
            Cell::Broken { label, why } => {
                root.insert(format!("broken:{label}"), Tree::Leaf(json!({ "broken": why }).to_string()));
            }
        }
    }
    let mut line = String::new();
    if ids {
        let about = json!({ "id": row.id.to_string(), "arrived": u64::from(row.hour) * 3600 });
        root.insert("_record".to_owned(), Tree::Leaf(about.to_string()));
    }
    write(&root, &mut line);
    line
}

/// Puts a value under its name, which is a pointer. A name that is in the way of another stays as it is written.
fn place(root: &mut BTreeMap<String, Tree>, name: &str, value: String) {
    let parts: Vec<String> = name.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    let value = match parts.split_last() {
        Some((last, above)) if parts.len() <= MAX_PARTS => match put(root, above, last, value) {
            Ok(()) => return,
            Err(value) => value,
        },
        _ => value,
    };
    let mut name = name.to_owned();
    while root.contains_key(&name) {
        name.push('~');
    }
    root.insert(name, Tree::Leaf(value));
}

fn put(
    mut branch: &mut BTreeMap<String, Tree>,
    above: &[String],
    last: &str,
    value: String,
) -> Result<(), String> {
    for part in above {
        match branch.entry(part.clone()).or_insert_with(|| Tree::Branch(BTreeMap::new())) {
            Tree::Branch(inner) => branch = inner,
            Tree::Leaf(_) => return Err(value),
        }
    }
    if branch.contains_key(last) {
        return Err(value);
    }
    branch.insert(last.to_owned(), Tree::Leaf(value));
    Ok(())
}

fn write(branch: &BTreeMap<String, Tree>, line: &mut String) {
    line.push('{');
    for (number, (name, tree)) in branch.iter().enumerate() {
        if number > 0 {
            line.push(',');
        }
        line.push_str(&serde_json::Value::from(name.as_str()).to_string());
        line.push(':');
        match tree {
            Tree::Leaf(value) => line.push_str(value),
            Tree::Branch(inner) => write(inner, line),
        }
    }
    line.push('}');
}
