//! Takes the keys that are known from a document, one by one, and reports each that is left.
//!
//! Everything that is wrong is found at once, each with its line and its whole name, never with its value.

use strongroom_import::{ImportError, Item, Member, Node, Writing, read_tree};

/// Why a document could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It cannot be read at all.
    #[error("line {0}")]
    Unreadable(#[from] ImportError),
    /// It says something that it must not.
    #[error("{0}")]
    Wrong(Findings),
}

/// Everything that is wrong with a document, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings(pub Vec<Finding>);

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {key}: {fault}")]
pub struct Finding {
    /// The line, from 1.
    pub line: u64,
    /// The key in full, with points: `service.network.listen_ip`.
    pub key: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a key or its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No such key here.
    #[error("unknown key")]
    Unknown,
    /// A value of another kind.
    #[error("must be {expected}, is {found}")]
    WrongKind {
        /// What belongs here.
        expected: &'static str,
        /// What stands here.
        found: &'static str,
    },
    /// A value of the right kind that means nothing here.
    #[error("must be {0}")]
    Meaningless(&'static str),
    /// A key that must be there is not.
    #[error("is missing")]
    Missing,
    /// Something that the original takes, and this program does not.
    #[error("{0}")]
    NotDone(&'static str),
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, finding) in self.0.iter().enumerate() {
            write!(f, "{}{finding}", if at == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl Findings {
    pub(crate) fn add(&mut self, line: u64, key: &str, fault: Fault) {
        self.0.push(Finding { line, key: key.to_owned(), fault });
    }

    /// What was read, if nothing was wrong.
    pub(crate) fn or<T>(mut self, read: T) -> Result<T, FileError> {
        if self.0.is_empty() {
            return Ok(read);
        }
        self.0.sort_by_key(|finding| finding.line);
        Err(FileError::Wrong(self))
    }
}

/// A table whose keys are taken one by one.
pub(crate) struct Section {
    path: String,
    line: u64,
    members: Vec<Member>,
}

impl Section {
    /// A whole document.
    pub(crate) fn document(writing: Writing, bytes: &[u8]) -> Result<Self, ImportError> {
        Ok(Self { path: String::new(), line: 1, members: read_tree(writing, bytes)? })
    }

    /// Where it begins.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// A key's whole name.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.members.iter().position(|member| member.name == name)?;
        let node = self.members.remove(at).node;
        // a key with nothing in it takes its default, as if it were not there
        (node.item != Item::Null).then_some(node)
    }

    /// A table of this name; an empty one if there is none.
    pub(crate) fn section(&mut self, name: &str, findings: &mut Findings) -> Self {
        let path = self.path(name);
        let members = match self.take(name) {
            None => return Self { path, line: self.line, members: Vec::new() },
            Some(Node { line, item: Item::Table(members) }) => return Self { path, line, members },
            Some(Node { line, item }) => {
                findings.add(line, &path, Fault::WrongKind { expected: "a table", found: item.kind() });
                Vec::new()
            }
        };
        Self { path, line: self.line, members }
    }

    /// A value read by `parse`, which gives what it should have been.
    pub(crate) fn value<T>(
        &mut self,
        name: &str,
        expected: &'static str,
        findings: &mut Findings,
        parse: impl FnOnce(Item) -> Result<T, Item>,
    ) -> Option<T> {
        let path = self.path(name);
        let Node { line, item } = self.take(name)?;
        match parse(item) {
            Ok(value) => Some(value),
            Err(item) => {
                findings.add(line, &path, Fault::WrongKind { expected, found: item.kind() });
                None
            }
        }
    }

    /// A text. A number is one too: who writes a name of digits means them.
    pub(crate) fn text(&mut self, name: &str, findings: &mut Findings) -> Option<String> {
        self.value(name, "a text", findings, |item| match item {
            Item::Text(text) => Ok(text.as_str().to_owned()),
            Item::Integer(number) => Ok(number.to_string()),
            item => Err(item),
        })
    }

    /// Yes or no, as a flag or as a word.
    pub(crate) fn flag(&mut self, name: &str, findings: &mut Findings) -> Option<bool> {
        self.value(name, "yes or no", findings, |item| match &item {
            Item::Flag(flag) => Ok(*flag),
            Item::Text(text) => yes_no(text.as_str()).ok_or(item),
            _ => Err(item),
        })
    }

    /// A whole number from `least` to `most`, as a number or in digits.
    pub(crate) fn number(
        &mut self,
        name: &str,
        expected: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
        findings: &mut Findings,
    ) -> Option<u64> {
        let (path, line) = (self.path(name), self.line_of(name));
        let found = self.value(name, expected, findings, |item| match &item {
            Item::Integer(number) => u64::try_from(*number).map_err(|_| item),
            Item::Text(text) => text.as_str().trim().parse().map_err(|_| item),
            _ => Err(item),
        })?;
        if !bounds.contains(&found) {
            findings.add(line, &path, Fault::Meaningless(expected));
            return None;
        }
        Some(found)
    }

    /// Texts: a list of them, or one.
    pub(crate) fn texts(&mut self, name: &str, findings: &mut Findings) -> Option<Vec<String>> {
        self.value(name, "a list of texts", findings, |item| match item {
            Item::Text(text) => Ok(vec![text.as_str().to_owned()]),
            Item::List(nodes) => {
                let text = |node: &Node| match &node.item {
                    Item::Text(text) => Some(text.as_str().to_owned()),
                    _ => None,
                };
                let texts: Option<Vec<String>> = nodes.iter().map(text).collect();
                texts.ok_or(Item::List(nodes))
            }
            item => Err(item),
        })
    }

    /// A list of tables; none if there is no such key.
    pub(crate) fn tables(&mut self, name: &str, findings: &mut Findings) -> Vec<Self> {
        let path = self.path(name);
        let nodes = self.value(name, "a list of tables", findings, |item| match item {
            Item::List(nodes) => Ok(nodes),
            item => Err(item),
        });
        let mut tables = Vec::new();
        for (at, Node { line, item }) in nodes.into_iter().flatten().enumerate() {
            let path = format!("{path}.{}", at + 1);
            match item {
                Item::Table(members) => tables.push(Self { path, line, members }),
                item => {
                    findings.add(line, &path, Fault::WrongKind { expected: "a table", found: item.kind() });
                }
            }
        }
        tables
    }

    /// The line of a key that was not yet taken.
    pub(crate) fn line_of(&self, name: &str) -> u64 {
        let found = self.members.iter().find(|member| member.name == name);
        found.map_or(self.line, |member| member.node.line)
    }

    /// Whether this key was not yet taken.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name && member.node.item != Item::Null)
    }

    /// Reports every key that nobody took.
    pub(crate) fn close(self, findings: &mut Findings) {
        for Member { name, node } in &self.members {
            findings.add(node.line, &self.path(name), Fault::Unknown);
        }
    }
}

/// A person's yes or no.
pub(crate) fn yes_no(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "on" => Some(true),
        "no" | "n" | "false" | "0" | "off" => Some(false),
        _ => None,
    }
}
