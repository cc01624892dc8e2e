//! Standard input and files that are read once: lines, or one document.

use super::line::{self, incoming};
use super::stix::MAX_DOCUMENT_BYTES;
use super::{Place, misp, stix};
use crate::intake::{MAX_GROUP, SinkError};
use crate::record::{Incoming, MAX_RECORD_BYTES, Mark, RecordError};
use crate::settings::Format;
use strongroom_crypto::sha256;
use tokio::io::{AsyncRead, AsyncReadExt as _};

const READ_BYTES: usize = 256 << 10;

/// Reads standard input to its end, or to the collector's.
pub(super) async fn standard_input(format: Format, place: Place) {
    let mut stop = place.stop.clone();
    let name = place.name.clone();
    let read = read(tokio::io::stdin(), format, &place, &name);
    tokio::select! {
        ended = read => if let Err(error) = ended {
            tracing::error!(source = %name, %error, "reading has ended");
        },
        () = stop.wait() => {}
    }
}

/// Reads all there is.
pub(super) async fn read(
    stream: impl AsyncRead + Unpin,
    format: Format,
    place: &Place,
    source: &str,
) -> Result<(), SinkError> {
    match format {
        Format::Stix | Format::Misp => document(stream, format, place, source, false).await,
        _ => lines(stream, format, place, source).await,
    }
}

/// Reads one document; `marks` if it can be read again after a crash.
pub(super) async fn document(
    mut stream: impl AsyncRead + Unpin,
    format: Format,
    place: &Place,
    source: &str,
    marks: bool,
) -> Result<(), SinkError> {
    let mut all = Vec::new();
    let limit = MAX_DOCUMENT_BYTES as u64 + 1;
    if let Err(error) = (&mut stream).take(limit).read_to_end(&mut all).await {
        tracing::error!(source, %error, "reading has failed");
        return Ok(());
    }
    let records = if format == Format::Misp { misp::records(&all) } else { stix::records(&all) };
    let mut records = match records {
        Ok(records) => records,
        Err(error) => {
            place.intake.reject(source, &all, &error);
            return Ok(());
        }
    };
    if marks {
        let last = place.intake.mark(source);
        let done = mark(&all, source, last.as_deref(), &mut records);
        records.drain(..done);
    }
    let mut records = records.into_iter();
    loop {
        let group: Vec<Incoming> = records.by_ref().take(MAX_GROUP).collect();
        if group.is_empty() {
            return Ok(());
        }
        place.intake.deliver(source, group).await?;
    }
}

/// Gives each record its mark: the document's digest, and how many records are done with it. How many are done already.
fn mark(document: &[u8], source: &str, last: Option<&[u8]>, records: &mut [Incoming]) -> usize {
    let digest = sha256(document);
    for (number, record) in records.iter_mut().enumerate() {
        let done = (number as u64 + 1).to_be_bytes();
        record.mark = Some(Mark { source: source.to_owned(), position: [digest.as_slice(), &done].concat() });
    }
    let done = last.and_then(|last| last.strip_prefix(digest.as_slice()));
    let done = done.and_then(|done| done.try_into().ok()).map_or(0, u64::from_be_bytes);
    usize::try_from(done).unwrap_or(usize::MAX).min(records.len())
}

async fn lines(
    mut stream: impl AsyncRead + Unpin,
    format: Format,
    place: &Place,
    source: &str,
) -> Result<(), SinkError> {
    let mut lines = Lines::default();
    loop {
        lines.buffer.reserve(READ_BYTES);
        let read = stream.read_buf(&mut lines.buffer).await;
        let is_end = !matches!(read, Ok(1..));
        if let Err(error) = read {
            tracing::error!(source, %error, "reading has failed");
        }
        loop {
            let mut group = Vec::new();
            while group.len() < MAX_GROUP
                && let Some(found) = lines.next(is_end)
            {
                match found {
                    Found::Line(at, end) => match line::record(lines.text(at, end), format) {
                        None => {}
                        Some(Ok(json)) => group.push(incoming(json)),
                        Some(Err(error)) => place.intake.reject(source, lines.text(at, end), &error),
                    },
                    Found::TooLong => place.intake.reject(source, b"", &RecordError::TooLong),
                }
            }
            if group.is_empty() {
                break;
            }
            place.intake.deliver(source, group).await?;
        }
        lines.forget();
        if is_end {
            return Ok(());
        }
    }
}

/// Lines out of chunks; one that is longer than a record may be is passed over.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) buffer: Vec<u8>,
    at: usize,
    is_skipping: bool,
    passed: u64,
}

/// What [`Lines`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Places in the buffer.
    Line(usize, usize),
    /// A line that is longer than a record may be.
    TooLong,
}

impl Lines {
    pub(super) fn text(&self, at: usize, end: usize) -> &[u8] {
        self.buffer.get(at..end).unwrap_or_default()
    }

    /// How many bytes of the source are behind what was found last.
    pub(super) fn passed(&self) -> u64 {
        self.passed + self.at as u64
    }

    /// How many bytes of the source were read.
    pub(super) fn read(&self) -> u64 {
        self.passed + self.buffer.len() as u64
    }

    /// The next line; at the end of the source also one that is not ended.
    pub(super) fn next(&mut self, is_end: bool) -> Option<Found> {
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let found = rest.iter().position(|byte| *byte == b'\n');
            let length = match found {
                Some(length) => length,
                None if is_end && !rest.is_empty() => rest.len(),
                None => {
                    let is_long = rest.len() > MAX_RECORD_BYTES;
                    if is_long || self.is_skipping {
                        self.at = self.buffer.len();
                    }
                    return (is_long && !std::mem::replace(&mut self.is_skipping, true))
                        .then_some(Found::TooLong);
                }
            };
            let start = self.at;
            self.at = start + length + usize::from(found.is_some());
            if std::mem::take(&mut self.is_skipping) {
                continue;
            }
            return Some(if length > MAX_RECORD_BYTES {
                Found::TooLong
            } else {
                Found::Line(start, start + length)
            });
        }
    }

    /// Frees what was found.
    pub(super) fn forget(&mut self) {
        self.passed += self.at as u64;
        self.buffer.drain(..self.at);
        self.at = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &[&str]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for (number, chunk) in chunks.iter().enumerate() {
            lines.buffer.extend_from_slice(chunk.as_bytes());
            while let Some(next) = lines.next(number + 1 == chunks.len()) {
                found.push(match next {
                    Found::Line(at, end) => String::from_utf8(lines.text(at, end).to_vec()).unwrap(),
                    Found::TooLong => "too long".to_owned(),
                });
            }
            lines.forget();
        }
        let sent: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        assert_eq!(lines.passed(), sent as u64);
        found
    }

    #[test]
    fn a_document_goes_on_where_its_last_durable_record_says() {
        let fresh = || vec![incoming(b"{}".to_vec()), incoming(b"{}".to_vec()), incoming(b"{}".to_vec())];
        let mut records = fresh();
        assert_eq!(mark(b"doc", "s", None, &mut records), 0);
        let second = records[1].mark.clone().unwrap().position;
        let third = records[2].mark.clone().unwrap().position;
        assert_eq!(mark(b"doc", "s", Some(&second), &mut fresh()), 2);
        assert_eq!(mark(b"doc", "s", Some(&third), &mut fresh()), 3);
        assert_eq!(mark(b"changed", "s", Some(&second), &mut fresh()), 0);
        assert_eq!(mark(b"doc", "s", Some(&[1, 2]), &mut fresh()), 0);
    }

    #[test]
    fn lines_are_found_over_chunks_and_the_last_without_its_break() {
        assert_eq!(all(&["a\nb", "c\n", "\nd"]), ["a", "bc", "", "d"]);
        assert!(all(&["", ""]).is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_told_once_and_the_next_is_found() {
        let long = "x".repeat(MAX_RECORD_BYTES + 1);
        assert_eq!(all(&["a\n", &long, "yyy", "\nb\n"]), ["a", "too long", "b"]);
        assert_eq!(all(&[&format!("{long}\nb")]), ["too long", "b"]);
    }
}
