//! TOML. The parser bounds its own depth; the walk bounds ours, and finds the lines.

use super::{Item, Member, Node, Room};
use crate::error::{Fault, ImportError};
use crate::lines::line_of;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) fn read(text: &str) -> Result<Vec<Member>, ImportError> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        ImportError::at(line_of(text.as_bytes(), at), Fault::Toml(error.message().to_owned()))
    })?;
    Walk { text, room: Room::new() }.members(table.into_inner(), 1)
}

struct Walk<'a> {
    text: &'a str,
    room: Room,
}

impl<'a> Walk<'a> {
    /// The members in the order in which they stand in the text.
    fn members(&mut self, table: DeTable<'a>, depth: usize) -> Result<Vec<Member>, ImportError> {
        let mut found: Vec<_> = table.into_iter().collect();
        found.sort_by_key(|(name, _)| name.span().start);
        let member = |(name, value): (Spanned<_>, Spanned<DeValue<'a>>)| {
            let name: Spanned<std::borrow::Cow<'a, str>> = name;
            let line = self.line(name.span());
            let node = self.node(line, value.into_inner(), depth)?;
            Ok(Member { name: name.into_inner().into_owned(), node })
        };
        found.into_iter().map(member).collect()
    }

    fn node(&mut self, line: u64, value: DeValue<'a>, depth: usize) -> Result<Node, ImportError> {
        self.room.take(line, depth)?;
        let item = match value {
            DeValue::String(text) => Item::Text(text.into_owned().into()),
            DeValue::Boolean(flag) => Item::Flag(flag),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| Item::Other(number.as_str().to_owned()), Item::Integer),
            DeValue::Float(number) => Item::Other(number.as_str().to_owned()),
            DeValue::Datetime(moment) => Item::Other(moment.to_string()),
            DeValue::Table(table) => Item::Table(self.members(table, depth + 1)?),
            DeValue::Array(values) => {
                let mut nodes = Vec::new();
                for value in values {
                    let line = self.line(value.span());
                    nodes.push(self.node(line, value.into_inner(), depth + 1)?);
                }
                Item::List(nodes)
            }
        };
        Ok(Node { line, item })
    }

    fn line(&self, span: Range<usize>) -> u64 {
        line_of(self.text.as_bytes(), span.start)
    }
}
