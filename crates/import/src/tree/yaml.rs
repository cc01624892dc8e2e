//! YAML, its safe part.

use super::{Item, Member, Node, Room};
use crate::error::{Fault, ImportError};
use crate::yaml::is_json_number;
use crate::yaml_events::Events;
use saphyr_parser::{Event, ScalarStyle};

pub(super) fn read(text: &str) -> Result<Vec<Member>, ImportError> {
    let mut walk = Walk { events: Events::of(text), room: Room::new() };
    let members = loop {
        match walk.events.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::MappingStart(..), _) => break walk.members(1)?,
            // nothing but comments
            (Event::StreamEnd, _) => return Ok(Vec::new()),
            (Event::Scalar(text, ScalarStyle::Plain, ..), _) if text.is_empty() => break Vec::new(),
            (_, line) => return Err(ImportError::at(line, Fault::NoObject)),
        }
    };
    loop {
        match walk.events.next()? {
            (Event::DocumentEnd | Event::Nothing, _) => {}
            (Event::StreamEnd, _) => return Ok(members),
            (_, line) => return Err(ImportError::at(line, Fault::Refused("several documents"))),
        }
    }
}

struct Walk<'a> {
    events: Events<'a>,
    room: Room,
}

impl<'a> Walk<'a> {
    fn members(&mut self, depth: usize) -> Result<Vec<Member>, ImportError> {
        let mut members: Vec<Member> = Vec::new();
        loop {
            let (name, line) = match self.events.next()? {
                (Event::MappingEnd, _) => return Ok(members),
                (Event::Scalar(name, ScalarStyle::Plain, ..), line) if name == "<<" => {
                    return Err(ImportError::at(line, Fault::Refused("merge keys")));
                }
                (Event::Scalar(name, ..), line) => (name.into_owned(), line),
                (_, line) => return Err(ImportError::at(line, Fault::Refused("keys that are no texts"))),
            };
            if members.iter().any(|member| member.name == name) {
                return Err(ImportError::at(line, Fault::Again { name }));
            }
            let (event, _) = self.events.next()?;
            let node = self.node(line, event, depth)?;
            members.push(Member { name, node });
        }
    }

    fn node(&mut self, line: u64, event: Event<'a>, depth: usize) -> Result<Node, ImportError> {
        self.room.take(line, depth)?;
        let item = match event {
            Event::Scalar(text, style, ..) => scalar(text.into_owned(), style),
            Event::MappingStart(..) => Item::Table(self.members(depth + 1)?),
            Event::SequenceStart(..) => {
                let mut nodes = Vec::new();
                loop {
                    let (event, line) = self.events.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break Item::List(nodes);
                    }
                    nodes.push(self.node(line, event, depth + 1)?);
                }
            }
            _ => return Err(ImportError::at(line, Fault::NoObject)),
        };
        Ok(Node { line, item })
    }
}

/// As a file of secrets is read: what no two readers agree on stays a text.
fn scalar(text: String, style: ScalarStyle) -> Item {
    if style != ScalarStyle::Plain {
        return Item::Text(text.into());
    }
    match text.as_str() {
        "null" | "Null" | "NULL" | "~" | "" => Item::Null,
        "true" | "True" | "TRUE" => Item::Flag(true),
        "false" | "False" | "FALSE" => Item::Flag(false),
        number if is_json_number(number) => {
            number.parse().map_or_else(|_| Item::Other(number.to_owned()), Item::Integer)
        }
        _ => Item::Text(text.into()),
    }
}
