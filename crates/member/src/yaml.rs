//! A configuration in YAML as a tree with lines: its safe part, bounded. Anchors, aliases, tags, merge keys, keys that come
//! twice and keys that are no texts are refused.

use crate::config::Fault;
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// The largest configuration that is read, in bytes.
pub(crate) const MAX_FILE_BYTES: usize = 1 << 20;
/// How deep it nests at most.
const MAX_DEPTH: usize = 16;
/// The most nodes.
const MAX_NODES: usize = 100_000;

/// Something in a configuration, and its line.
#[derive(Clone, PartialEq, Eq)]
pub struct Node {
    /// Its line, from 1.
    pub line: u64,
    /// What it is.
    pub value: Value,
}

/// What a [`Node`] is.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number without quotes, as it is written.
    Number(String),
    /// Any other text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values in their order; no key comes twice.
    Map(Vec<(String, Node)>),
}

impl Value {
    /// What it is, for people.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl Node {
    /// A value of a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }
}

/// A secret may stand in it: only its shape is shown.
impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({}: {})", self.line, self.value.kind())
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

/// A fault and its line.
pub(crate) type At = (u64, Fault);

/// Reads a document of another program's, as [`crate::Config`] reads a member's.
///
/// # Errors
/// What is wrong with it, and its line.
pub fn read_yaml(text: &str) -> Result<Node, (u64, Fault)> {
    read(text)
}

/// Reads a document.
pub(crate) fn read(text: &str) -> Result<Node, At> {
    if text.len() > MAX_FILE_BYTES {
        return Err((1, Fault::TooLarge));
    }
    let mut walk = Walk { parser: Parser::new_from_str(text), nodes: 0 };
    let root = loop {
        match walk.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::StreamEnd, line) => return Ok(Node { line, value: Value::Map(Vec::new()) }),
            (event, line) => break walk.node(event, line, 0)?,
        }
    };
    loop {
        match walk.next()? {
            (Event::DocumentEnd | Event::Nothing, _) => {}
            (Event::StreamEnd, _) => return Ok(root),
            (_, line) => return Err((line, Fault::Refused("several documents"))),
        }
    }
}

struct Walk<'a> {
    parser: Parser<'a, StrInput<'a>>,
    nodes: usize,
}

impl<'a> Walk<'a> {
    fn next(&mut self) -> Result<(Event<'a>, u64), At> {
        let Some(next) = self.parser.next_event() else { return Ok((Event::StreamEnd, 1)) };
        let (event, span) = next.map_err(|error| {
            let line = u64::try_from(error.marker().line()).unwrap_or(1).max(1);
            (line, Fault::Yaml(error.info().to_owned()))
        })?;
        let line = line(&span);
        match refused(&event) {
            Some(what) => Err((line, Fault::Refused(what))),
            None => Ok((event, line)),
        }
    }

    fn node(&mut self, event: Event<'a>, line: u64, depth: usize) -> Result<Node, At> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err((line, Fault::TooDeep));
        }
        let value = match event {
            Event::Scalar(text, style, ..) => scalar(text.into_owned(), style),
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.map(depth)?,
            _ => return Err((line, Fault::Refused("what is no value"))),
        };
        Ok(Node { line, value })
    }

    fn list(&mut self, depth: usize) -> Result<Value, At> {
        let mut list = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(list)),
                (event, line) => list.push(self.node(event, line, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, At> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        loop {
            let (key, line) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Map(entries)),
                (Event::Scalar(key, style, ..), line) => {
                    if key == "<<" && style == ScalarStyle::Plain {
                        return Err((line, Fault::Refused("merge keys")));
                    }
                    (key.into_owned(), line)
                }
                (_, line) => return Err((line, Fault::Refused("keys that are no texts"))),
            };
            if !seen.insert(key.clone()) {
                return Err((line, Fault::Twice { key }));
            }
            let (event, _) = self.next()?;
            // the line of the key is where people look
            let node = self.node(event, line, depth + 1)?;
            entries.push((key, node));
        }
    }
}

fn refused(event: &Event<'_>) -> Option<&'static str> {
    match event {
        Event::Alias(_) => Some("aliases"),
        Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _)
            if *anchor != 0 =>
        {
            Some("anchors")
        }
        Event::Scalar(_, _, _, Some(_))
        | Event::SequenceStart(_, Some(_))
        | Event::MappingStart(_, Some(_)) => Some("tags"),
        _ => None,
    }
}

fn line(span: &Span) -> u64 {
    u64::try_from(span.start.line()).unwrap_or(1).max(1)
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text);
    }
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        digits if digits.len() < 20 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Value::Number(text)
        }
        _ => Value::Text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_keeps_its_lines_and_kinds() {
        let root = read("a: 1\nb:\n  - x\n  - true\nc: \"2\"\nd:\n").unwrap();
        assert_eq!(root.get("a").unwrap().value, Value::Number("1".into()));
        assert_eq!(root.get("c").unwrap().value, Value::Text("2".into()));
        assert_eq!(root.get("d").unwrap().value, Value::Null);
        let Value::List(list) = &root.get("b").unwrap().value else { panic!("no list") };
        assert_eq!((list[1].line, &list[1].value), (4, &Value::Bool(true)));
    }

    #[test]
    fn what_is_not_plain_is_refused_with_its_line() {
        for (text, line) in [
            ("a: 1\nb: &x 2\n", 2),
            ("a: &x 1\nb: *x\n", 1),
            ("a: !tag 1\n", 1),
            ("a: 1\na: 2\n", 2),
            ("<<: {}\n", 1),
            ("a: 1\n? [b]\n: c\n", 2),
            ("a: 1\n---\nb: 2\n", 2),
        ] {
            assert_eq!(read(text).unwrap_err().0, line, "{text}");
        }
        assert!(matches!(read(&"[".repeat(30)), Err((_, Fault::TooDeep | Fault::Yaml(_)))));
        assert!(matches!(read(&" ".repeat(MAX_FILE_BYTES + 1)), Err((_, Fault::TooLarge))));
    }
}
