//! A mapping of a configuration, read key by key; what nobody has read is refused in the end.

use super::Fault;
use crate::http::Url;
use crate::yaml::{Node, Value};
use std::path::{Path, PathBuf};
use strongroom_secret::SecretBytes;

/// A mapping that is being read. Faults come with their line.
pub struct Section {
    name: String,
    line: u64,
    entries: Vec<(String, Node)>,
}

type At = (u64, Fault);

impl Section {
    /// A mapping of this name: the path of keys to it, for messages.
    pub fn of(name: &str, node: Node) -> Result<Self, At> {
        match node.value {
            Value::Map(entries) => Ok(Self { name: name.to_owned(), line: node.line, entries }),
            // a section whose lines are all commented out
            Value::Null => Ok(Self { name: name.to_owned(), line: node.line, entries: Vec::new() }),
            other => {
                let key = if name.is_empty() { "the configuration".to_owned() } else { name.to_owned() };
                Err((node.line, Fault::Kind { key, wanted: "a mapping", found: other.kind() }))
            }
        }
    }

    /// Its line.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Takes what a key holds, unless that is nothing.
    pub fn node(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|(name, _)| name == key)?;
        let (_, node) = self.entries.remove(at);
        (node.value != Value::Null).then_some(node)
    }

    /// A section in it.
    pub fn section(&mut self, key: &str) -> Result<Option<Self>, At> {
        let name = self.key(key);
        self.node(key).map(|node| Self::of(&name, node)).transpose()
    }

    /// A section that must be there.
    pub fn required_section(&mut self, key: &str) -> Result<Self, At> {
        self.section(key)?.ok_or_else(|| self.missing(key))
    }

    /// A text and its line. A number counts as the text that it is written with.
    pub fn text(&mut self, key: &str) -> Result<Option<(u64, String)>, At> {
        let Some(node) = self.node(key) else { return Ok(None) };
        match node.value {
            Value::Text(text) | Value::Number(text) => Ok(Some((node.line, text))),
            other => Err(self.kind(node.line, key, "a text", &other)),
        }
    }

    /// A text.
    pub fn word(&mut self, key: &str) -> Result<Option<String>, At> {
        Ok(self.text(key)?.map(|(_, text)| text))
    }

    /// A text that is secret; an empty one counts as none.
    pub fn secret(&mut self, key: &str) -> Result<Option<SecretBytes>, At> {
        let text = self.text(key)?.filter(|(_, text)| !text.is_empty());
        Ok(text.map(|(_, text)| SecretBytes::new(text.into_bytes())))
    }

    /// A path; a relative one begins at a folder.
    pub fn path(&mut self, key: &str, home: &Path) -> Result<Option<PathBuf>, At> {
        Ok(self.word(key)?.map(|text| home.join(text)))
    }

    /// Yes or no.
    pub fn flag(&mut self, key: &str) -> Result<Option<bool>, At> {
        let Some(node) = self.node(key) else { return Ok(None) };
        match node.value {
            Value::Bool(flag) => Ok(Some(flag)),
            other => Err(self.kind(node.line, key, "true or false", &other)),
        }
    }

    /// A whole number within bounds.
    pub fn number(&mut self, key: &str, least: u64, most: u64) -> Result<Option<u64>, At> {
        let Some(node) = self.node(key) else { return Ok(None) };
        let Value::Number(text) = &node.value else {
            return Err(self.kind(node.line, key, "a number", &node.value));
        };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        let range = || (node.line, Fault::Range { key: self.key(key), least, most });
        number.ok_or_else(range).map(Some)
    }

    /// The address of a server, which must be there.
    pub fn url(&mut self, key: &str) -> Result<Url, At> {
        let (line, text) = self.text(key)?.ok_or_else(|| self.missing(key))?;
        text.parse().map_err(|source| (line, Fault::Url { key: self.key(key), source }))
    }

    /// The keys that nobody has read yet, with their lines.
    pub fn rest(&self) -> impl Iterator<Item = (&str, u64)> {
        self.entries.iter().map(|(name, node)| (name.as_str(), node.line))
    }

    /// Refuses what nobody has read.
    pub fn finish(self) -> Result<(), At> {
        match self.entries.first() {
            Some((name, node)) => Err((node.line, Fault::Unknown { key: self.key(name) })),
            None => Ok(()),
        }
    }

    /// A fault: a key that must be there.
    pub fn missing(&self, key: &str) -> At {
        (self.line, Fault::Missing { key: self.key(key) })
    }

    fn kind(&self, line: u64, key: &str, wanted: &'static str, found: &Value) -> At {
        (line, Fault::Kind { key: self.key(key), wanted, found: found.kind() })
    }

    fn key(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}
