//! A small document, such as a configuration, whole: a tree in which each value knows its line, the same whether it was
//! written in JSON, YAML or TOML.
//!
//! Its bounds are those of what people write by hand. Texts are wiped when the tree goes, for a configuration of a
//! client's may hold a token.

mod json;
mod toml;
mod yaml;

use crate::error::{Fault, ImportError};
use crate::lines::line_of;
use std::path::Path;

/// The largest document, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;
/// The deepest nesting of a document.
pub const MAX_DOCUMENT_DEPTH: usize = 16;
/// The most values of a document.
pub const MAX_DOCUMENT_VALUES: usize = 10_000;

/// What a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// JSON (RFC 8259).
    Json,
    /// YAML without anchors, aliases and tags.
    Yaml,
    /// TOML 1.0.
    Toml,
}

impl Writing {
    /// All, with the endings of their files' names.
    pub const ENDINGS: [(&'static str, Self); 4] =
        [("toml", Self::Toml), ("yaml", Self::Yaml), ("yml", Self::Yaml), ("json", Self::Json)];

    /// By a file's ending.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        Self::ENDINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending)).map(|(_, found)| *found)
    }
}

/// A value and its place.
#[derive(Debug, PartialEq)]
pub struct Node {
    /// The line where it begins, from 1; of a table's member, the line of its name.
    pub line: u64,
    /// What it is.
    pub item: Item,
}

/// A value.
#[derive(Debug, PartialEq)]
pub enum Item {
    /// Nothing: JSON's and YAML's `null`.
    Null,
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Another number, or a moment, as it is written.
    Other(String),
    /// A text.
    Text(Text),
    /// Values in their order.
    List(Vec<Node>),
    /// Names and values in the order in which they are written.
    Table(Vec<Member>),
}

/// A name and its value.
#[derive(Debug, PartialEq)]
pub struct Member {
    /// The name; no other in the table is the same.
    pub name: String,
    /// Its value.
    pub node: Node,
}

/// A text that is wiped on drop and not printed.
#[derive(PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        strongroom_secret::wipe(&mut self.0);
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Text")
    }
}

impl Item {
    /// What it is, for people.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Flag(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Other(_) => "a number or a moment",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Reads a document: the members of its one table, or the first fault.
pub fn read_tree(writing: Writing, bytes: &[u8]) -> Result<Vec<Member>, ImportError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(ImportError::at(1, Fault::DocumentTooLarge));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ImportError::at(line_of(bytes, error.valid_up_to()), Fault::NotUtf8))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match writing {
        Writing::Json => json::read(text),
        Writing::Yaml => yaml::read(text),
        Writing::Toml => toml::read(text),
    }
}

/// How much more a document may hold.
struct Room {
    values: usize,
}

impl Room {
    fn new() -> Self {
        Self { values: MAX_DOCUMENT_VALUES }
    }

    /// One more value, so deep.
    fn take(&mut self, line: u64, depth: usize) -> Result<(), ImportError> {
        let left = self.values.checked_sub(1).filter(|_| depth <= MAX_DOCUMENT_DEPTH);
        self.values = left.ok_or_else(|| ImportError::at(line, Fault::DocumentTooRich))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
