//! What stands in a YAML text, one thing after the other, without what no reader here takes: anchors, aliases, tags.

use crate::error::{Fault, ImportError};
use saphyr_parser::{Event, Parser, ScanError, Span, StrInput};

/// Events without what is refused everywhere.
pub(crate) struct Events<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Events<'a> {
    /// A text's.
    pub(crate) fn of(text: &'a str) -> Self {
        Self(Parser::new_from_str(text))
    }

    pub(crate) fn next(&mut self) -> Result<(Event<'a>, u64), ImportError> {
        let Some(next) = self.0.next_event() else { return Ok((Event::StreamEnd, 1)) };
        let (event, span) = next.map_err(|error| broken(&error))?;
        let line = line(&span);
        let refused = match &event {
            Event::Alias(_) => Some("aliases"),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if *anchor != 0 =>
            {
                Some("anchors")
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => Some("tags"),
            _ => None,
        };
        match refused {
            Some(what) => Err(ImportError::at(line, Fault::Refused(what))),
            None => Ok((event, line)),
        }
    }
}

fn line(span: &Span) -> u64 {
    u64::try_from(span.start.line()).unwrap_or(1).max(1)
}

/// The parser's own words name no more of the text than one character.
fn broken(error: &ScanError) -> ImportError {
    let line = u64::try_from(error.marker().line()).unwrap_or(1).max(1);
    ImportError::at(line, Fault::Yaml(error.info().to_owned()))
}
