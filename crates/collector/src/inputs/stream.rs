//! Raw TCP: one JSON object a connection, ended by its close, as the original's clients send; or lines of objects. The
//! sender is told nothing, but its connection is closed only when all of it is durable.

use super::line::{self, Shape, incoming};
use super::listen::Connection;
use super::{GRACE, Place};
use crate::intake::MAX_GROUP;
use crate::record::{Incoming, MAX_RECORD_BYTES, RecordError};
use crate::settings::Format;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Sleep;
use tokio::time::error::Elapsed;

/// A sender that is silent for longer is not waited for.
const SILENCE: Duration = Duration::from_mins(10);
/// The same in the middle of a record.
const SILENCE_WITHIN: Duration = Duration::from_mins(1);
/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Reads bounded chunks until the end, which a sender, its silence or the end of the collector brings.
pub(super) struct Chunks<R> {
    stream: R,
    pub(super) buffer: Vec<u8>,
    place: Place,
    /// Runs once the collector ends.
    grace: Option<Pin<Box<Sleep>>>,
}

/// Why there is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// The buffer has grown.
    More,
    /// The sender has ended.
    End,
    /// The connection broke, or was silent for too long.
    Broken,
}

impl<R: AsyncRead + Unpin> Chunks<R> {
    pub(super) fn new(stream: R, place: Place) -> Self {
        Self { stream, buffer: Vec::new(), place, grace: None }
    }

    pub(super) fn into_stream(self) -> R {
        self.stream
    }

    /// Reads on.
    pub(super) async fn more(&mut self) -> Read {
        self.buffer.reserve(READ_BYTES);
        let patience = if self.buffer.is_empty() { SILENCE } else { SILENCE_WITHIN };
        if self.grace.is_none() {
            let mut stop = self.place.stop.clone();
            tokio::select! {
                read = tokio::time::timeout(patience, self.stream.read_buf(&mut self.buffer)) => return Read::of(&read),
                () = stop.wait() => {}
            }
        }
        let grace = || Box::pin(tokio::time::sleep(GRACE));
        let grace = self.grace.get_or_insert_with(grace);
        tokio::select! {
            biased;
            () = grace.as_mut() => Read::Broken,
            read = self.stream.read_buf(&mut self.buffer) => Read::of(&Ok(read)),
        }
    }
}

impl Read {
    fn of(read: &Result<std::io::Result<usize>, Elapsed>) -> Self {
        match read {
            Ok(Ok(0)) => Self::End,
            Ok(Ok(_)) => Self::More,
            Ok(Err(_)) | Err(_) => Self::Broken,
        }
    }
}

/// What is known of how a sender writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Unknown,
    /// One object over many lines.
    Whole,
    Lines,
    /// A program that speaks HTTP; a browser that was talked into it sends whatever a page wants, and nothing of it is taken.
    Http,
}

/// Serves one connection.
pub(super) async fn objects(connection: Connection, place: Place) {
    let source = format!("{} from {}", place.name, connection.peer.ip());
    let mut chunks = Chunks::new(connection.stream, place.clone());
    let mut manner = Manner::Unknown;
    let end = loop {
        let read = chunks.more().await;
        if manner == Manner::Unknown {
            manner = manner_of(&chunks.buffer);
        }
        if manner == Manner::Http {
            return place.intake.reject(&source, &chunks.buffer, &RecordError::NoObject);
        }
        if manner == Manner::Lines && !deliver_lines(&mut chunks.buffer, &place, &source).await {
            return;
        }
        if read != Read::More {
            break read;
        }
        if chunks.buffer.len() > MAX_RECORD_BYTES {
            place.intake.reject(&source, &chunks.buffer, &RecordError::TooLong);
            return;
        }
    };
    last(&chunks.buffer, end, &place, &source).await;
    // the close says that all is durable
    let _ = chunks.into_stream().shutdown().await;
}

/// What stands behind the last line break: a record if it is whole, else the beginning of one.
async fn last(rest: &[u8], end: Read, place: &Place, source: &str) {
    let rest = rest.trim_ascii();
    if rest.is_empty() {
        return;
    }
    if end == Read::Broken && line::shape(rest) != Shape::Whole {
        return place.intake.reject(source, rest, &RecordError::Unfinished);
    }
    // what did not go in is told and kept by the intake
    let _ = place.intake.deliver(source, vec![incoming(rest.to_vec())]).await;
}

/// By the first line: whether it is a record by itself.
fn manner_of(bytes: &[u8]) -> Manner {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.last() == Some(&b'\n'));
    let Some(first) = lines.map(<[u8]>::trim_ascii).find(|line| !line.is_empty()) else {
        return Manner::Unknown;
    };
    match line::shape(first) {
        _ if first.ends_with(b" HTTP/1.1") || first.ends_with(b" HTTP/1.0") => Manner::Http,
        Shape::Beginning => Manner::Whole,
        Shape::Whole | Shape::Other => Manner::Lines,
    }
}

/// Delivers the whole lines of a buffer, and leaves the rest in it. False if nothing more can be taken.
async fn deliver_lines(buffer: &mut Vec<u8>, place: &Place, source: &str) -> bool {
    let Some(end) = buffer.iter().rposition(|byte| *byte == b'\n') else { return true };
    let rest = buffer.split_off(end + 1);
    let lines = std::mem::replace(buffer, rest);
    let mut group: Vec<Incoming> = Vec::new();
    for found in lines.split(|byte| *byte == b'\n') {
        match line::record(found, Format::Json) {
            None => {}
            Some(Ok(json)) => group.push(incoming(json)),
            Some(Err(error)) => place.intake.reject(source, found, &error),
        }
        if group.len() == MAX_GROUP && place.intake.deliver(source, std::mem::take(&mut group)).await.is_err()
        {
            return false;
        }
    }
    group.is_empty() || place.intake.deliver(source, group).await.is_ok()
}
