//! JSON. The scan bounds it; the walk finds the lines.

use super::{Item, MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH, Member, Node, Room};
use crate::error::{Fault, ImportError};
use crate::json::Members;
use crate::lines::{Lines, line_of};
use serde_json::value::RawValue;
use strongroom_model::{JsonLimits, scan_json};

pub(super) fn read(text: &str) -> Result<Vec<Member>, ImportError> {
    // an empty file says nothing, as it does in the other two
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let limits = JsonLimits { bytes: MAX_DOCUMENT_BYTES, depth: MAX_DOCUMENT_DEPTH };
    scan_json(text.as_bytes(), limits)
        .map_err(|error| ImportError::at(line_of(text.as_bytes(), error.at), Fault::Json(error.fault)))?;
    let mut walk = Walk { text, lines: Lines::new(text.as_bytes()), room: Room::new() };
    walk.members(text, 1)
}

struct Walk<'a> {
    text: &'a str,
    lines: Lines<'a>,
    room: Room,
}

impl<'a> Walk<'a> {
    fn members(&mut self, object: &'a str, depth: usize) -> Result<Vec<Member>, ImportError> {
        let line = self.line(object);
        let found: Result<Members<'a>, _> = serde_json::from_str(object);
        let found = found.map_err(|_| ImportError::at(line, Fault::NoObject))?.0;
        let member = |(name, value): (String, &'a RawValue)| {
            let node = self.node(value.get(), depth)?;
            Ok(Member { name, node })
        };
        found.into_iter().map(member).collect()
    }

    fn node(&mut self, value: &'a str, depth: usize) -> Result<Node, ImportError> {
        let line = self.line(value);
        self.room.take(line, depth)?;
        let malformed = |_| ImportError::at(line, Fault::NoObject);
        let item = match value.as_bytes().first() {
            Some(b'{') => Item::Table(self.members(value, depth + 1)?),
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(value).map_err(malformed)?;
                let nodes = values.into_iter().map(|value| self.node(value.get(), depth + 1));
                Item::List(nodes.collect::<Result<_, _>>()?)
            }
            Some(b'"') => Item::Text(serde_json::from_str::<String>(value).map_err(malformed)?.into()),
            Some(b't') => Item::Flag(true),
            Some(b'f') => Item::Flag(false),
            Some(b'n') => Item::Null,
            _ => value.parse().map_or_else(|_| Item::Other(value.to_owned()), Item::Integer),
        };
        Ok(Node { line, item })
    }

    /// The line in which a part of the text begins.
    fn line(&mut self, part: &str) -> u64 {
        self.lines.at(part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr()))
    }
}
