//! Syslog: messages of RFC 5424 and RFC 3164 as records, and their framings over TCP (RFC 6587).

use super::Place;
use super::line::{incoming, string};
use super::listen::Connection;
use super::stream::{Chunks, Read};
use crate::record::{Incoming, RecordError};
use strongroom_model::{JsonLimits, scan_json};
use tokio::io::AsyncWriteExt as _;

/// Longest message in bytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 64 << 10;
/// Most elements and parameters of structured data that are read.
const MAX_DATA: usize = 64;
/// What may stand before JSON in a message.
const COOKIE: &str = "@cee:";

/// The record of a message: `facility`, `severity`, what its header says, and `message`, or `json` where the message is an
/// object. A text that is no syslog at all is a record of `message` alone, as RFC 3164 (section 4.3.3) wants it.
pub(super) fn record(bytes: &[u8]) -> Result<Vec<u8>, RecordError> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(RecordError::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| RecordError::Text { at: error.valid_up_to() })?;
    let mut record = Record(vec![b'{']);
    let Some((priority, rest)) = priority(text) else {
        record.message(text);
        return Ok(record.done());
    };
    record.number("facility", priority / 8);
    record.number("severity", priority % 8);
    match rest.strip_prefix("1 ") {
        Some(rest) => modern(rest, &mut record),
        None => old(rest, &mut record),
    }
    Ok(record.done())
}

fn priority(text: &str) -> Option<(u16, &str)> {
    let (number, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_plain = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|number| is_plain && *number < 192)?;
    Some((number, rest))
}

/// RFC 5424, section 6.
fn modern(mut rest: &str, record: &mut Record) {
    for name in ["timestamp", "host", "app", "procid", "msgid"] {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        record.text(name, word);
        rest = after;
    }
    let rest = match rest.strip_prefix('-') {
        Some(after) => after,
        None => structured(rest, record),
    };
    let message = rest.strip_prefix(' ').unwrap_or(rest);
    record.message(message.strip_prefix('\u{feff}').unwrap_or(message));
}

/// RFC 3164, section 4.1, as far as a message keeps to it.
fn old(rest: &str, record: &mut Record) {
    let Some(stamp) = rest.get(..15).filter(|stamp| is_stamp(stamp)) else { return record.message(rest) };
    record.text("timestamp", stamp);
    let rest = rest.get(15..).unwrap_or_default().trim_start();
    let (host, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    record.text("host", host);
    let end = rest
        .find(|letter: char| !letter.is_ascii_alphanumeric() && !"_-./".contains(letter))
        .unwrap_or(rest.len());
    let (tag, after) = rest.split_at(end);
    let (id, after) = match after.strip_prefix('[').and_then(|after| after.split_once(']')) {
        Some((id, after)) => (id, after),
        None => ("", after),
    };
    let Some(message) = after.strip_prefix(':').filter(|_| !tag.is_empty() && tag.len() <= 48) else {
        return record.message(rest);
    };
    record.text("app", tag);
    record.text("procid", id);
    record.message(message.trim_start());
}

/// `Oct 11 22:14:15`.
fn is_stamp(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| match at {
        0..3 => byte.is_ascii_alphabetic(),
        3 | 6 => byte == b' ',
        4 => byte == b' ' || byte.is_ascii_digit(),
        9 | 12 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    text.bytes().enumerate().all(shape)
}

/// Structured data: an object of objects, each parameter once. What follows it.
fn structured<'a>(text: &'a str, record: &mut Record) -> &'a str {
    let mut rest = text;
    let mut elements: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    while let Some(inside) = rest.strip_prefix('[') {
        let Some((element, after)) = element(inside) else { break };
        if elements.len() < MAX_DATA && elements.iter().all(|known| known.0 != element.0) {
            elements.push(element);
        }
        rest = after;
    }
    record.structured(&elements);
    rest
}

type Element<'a> = (&'a str, Vec<(&'a str, String)>);

fn element(inside: &str) -> Option<(Element<'_>, &str)> {
    let end = inside.find([' ', ']'])?;
    let (id, mut rest) = inside.split_at(end);
    let mut parameters: Vec<(&str, String)> = Vec::new();
    loop {
        rest = rest.trim_start_matches(' ');
        if let Some(after) = rest.strip_prefix(']') {
            return Some(((id, parameters), after));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at,
                (_, '\\') => match letters.next()?.1 {
                    letter @ ('"' | '\\' | ']') => value.push(letter),
                    letter => value.extend(['\\', letter]),
                },
                (_, letter) => value.push(letter),
            }
        };
        if parameters.len() < MAX_DATA && parameters.iter().all(|known| known.0 != name) {
            parameters.push((name, value));
        }
        rest = quoted.get(end + 1..)?;
    }
}

/// A record that is being written.
struct Record(Vec<u8>);

impl Record {
    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        string(name, &mut self.0);
        self.0.push(b':');
    }

    fn number(&mut self, name: &str, number: u16) {
        self.name(name);
        self.0.extend_from_slice(number.to_string().as_bytes());
    }

    /// Nothing for what is not there.
    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() && text != "-" {
            self.name(name);
            string(text, &mut self.0);
        }
    }

    fn structured(&mut self, elements: &[Element<'_>]) {
        if elements.is_empty() {
            return;
        }
        self.name("data");
        let data: serde_json::Map<String, serde_json::Value> = elements
            .iter()
            .map(|(id, parameters)| {
                let inside =
                    parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into()));
                ((*id).to_owned(), serde_json::Value::Object(inside.collect()))
            })
            .collect();
        // written into memory
        let _ = serde_json::to_writer(&mut self.0, &data);
    }

    fn message(&mut self, text: &str) {
        let inside = text.strip_prefix(COOKIE).unwrap_or(text).trim();
        // one level less: it stands in an object
        let limits = JsonLimits { bytes: MAX_MESSAGE_BYTES, depth: crate::record::MAX_RECORD_DEPTH - 1 };
        if inside.starts_with('{') && scan_json(inside.as_bytes(), limits).is_ok() {
            self.name("json");
            self.0.extend_from_slice(inside.as_bytes());
        } else {
            self.name("message");
            string(text, &mut self.0);
        }
    }

    fn done(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

/// Serves one connection: messages with their length before them, or ended by a line break.
pub(super) async fn stream(connection: Connection, place: Place) {
    let source = format!("{} from {}", place.name, connection.peer.ip());
    let mut chunks = Chunks::new(connection.stream, place.clone());
    loop {
        let read = chunks.more().await;
        let is_end = read != Read::More;
        let mut group = Vec::new();
        let mut taken = 0;
        let fault = loop {
            match frame(chunks.buffer.get(taken..).unwrap_or_default(), is_end) {
                Ok(None) => break None,
                Ok(Some((message, length))) => {
                    taken += length;
                    take(message, &place, &source, &mut group);
                }
                Err(error) => break Some(error),
            }
        };
        chunks.buffer.drain(..taken);
        if !group.is_empty() && place.intake.deliver(&source, group).await.is_err() {
            return;
        }
        if let Some(error) = fault {
            // where the next message begins is not known any more
            place.intake.reject(&source, &chunks.buffer, &error);
            return;
        }
        if is_end {
            let rest = chunks.buffer.trim_ascii();
            if !rest.is_empty() {
                place.intake.reject(&source, rest, &RecordError::Unfinished);
            }
            break;
        }
    }
    let _ = chunks.into_stream().shutdown().await;
}

fn take(message: &[u8], place: &Place, source: &str, group: &mut Vec<Incoming>) {
    if message.trim_ascii().is_empty() {
        return;
    }
    match record(message.trim_ascii_end()) {
        Ok(json) => group.push(incoming(json)),
        Err(error) => place.intake.reject(source, message, &error),
    }
}

/// The first message of a buffer and the bytes that it takes there.
fn frame(buffer: &[u8], is_end: bool) -> Result<Option<(&[u8], usize)>, RecordError> {
    if buffer.first().is_some_and(u8::is_ascii_digit) {
        return counted(buffer);
    }
    let end = buffer.iter().position(|byte| *byte == b'\n' || *byte == 0);
    match end {
        Some(end) if end <= MAX_MESSAGE_BYTES => Ok(buffer.get(..end).map(|message| (message, end + 1))),
        None if is_end && (1..=MAX_MESSAGE_BYTES).contains(&buffer.len()) => Ok(Some((buffer, buffer.len()))),
        None if buffer.len() <= MAX_MESSAGE_BYTES => Ok(None),
        _ => Err(RecordError::TooLong),
    }
}

/// `LENGTH SP MESSAGE`.
fn counted(buffer: &[u8]) -> Result<Option<(&[u8], usize)>, RecordError> {
    let wrong = RecordError::Shape { wanted: "syslog: a message's length is 1 to 5 digits and a space" };
    let Some(space) = buffer.iter().take(7).position(|byte| *byte == b' ') else {
        return if buffer.len() < 6 && buffer.iter().all(u8::is_ascii_digit) { Ok(None) } else { Err(wrong) };
    };
    let digits = buffer.get(..space).and_then(|digits| std::str::from_utf8(digits).ok());
    let length: usize = digits.filter(|it| it.len() <= 5).and_then(|it| it.parse().ok()).ok_or(wrong)?;
    if length > MAX_MESSAGE_BYTES {
        return Err(RecordError::TooLong);
    }
    let end = space + 1 + length;
    Ok(buffer.get(space + 1..end).map(|message| (message, end)))
}

#[cfg(test)]
mod tests;
