//! The client: lines of a file to a collector's TCP port, over some connections. A connection is ended and its other end
//! waited for: the collector closes it when all is durable.

use crate::inputs::{Shape, shape};
use crate::members::Members;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// Most connections.
pub const MAX_WORKERS: usize = 64;
/// For a collector that takes its time: it may wait for room in its spool.
const PATIENCE: Duration = Duration::from_mins(10);

/// What is to be sent, and where to.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Lines of JSON objects.
    pub file: PathBuf,
    /// The collector's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Connections.
    pub workers: usize,
    /// Only the first record.
    pub only_one: bool,
    /// The record is what each line has under this key.
    pub key: Option<String>,
}

/// Why not all was sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The file.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line that is no record. Those before it may have been sent.
    #[error("{path}:{line}: {why}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// The collector.
    #[error("{host}:{port}: {source}")]
    Collector {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
}

type Lines = Arc<Mutex<mpsc::Receiver<Vec<u8>>>>;

impl Sending {
    /// Sends; how many records.
    pub async fn send(&self) -> Result<u64, SendError> {
        let (sender, receiver) = mpsc::channel::<Vec<u8>>(256);
        let lines: Lines = Arc::new(Mutex::new(receiver));
        let mut workers = JoinSet::new();
        for _ in 0..self.workers.clamp(1, MAX_WORKERS) {
            let (lines, host, port) = (lines.clone(), self.host.clone(), self.port);
            workers.spawn(async move { work(&lines, &host, port).await });
        }
        drop(lines);
        let read = self.read(sender).await;
        let mut sent = 0;
        while let Some(ended) = workers.join_next().await {
            let ended = ended.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            let collector =
                |source| SendError::Collector { host: self.host.clone(), port: self.port, source };
            sent += ended.map_err(collector)?;
        }
        read.map(|()| sent)
    }

    async fn read(&self, lines: mpsc::Sender<Vec<u8>>) -> Result<(), SendError> {
        let failed = |source| SendError::File { path: self.file.clone(), source };
        let file = tokio::fs::File::open(&self.file).await.map_err(failed)?;
        let mut reader = BufReader::new(file);
        let mut number = 0;
        loop {
            number += 1;
            let mut line = Vec::new();
            if reader.read_until(b'\n', &mut line).await.map_err(failed)? == 0 {
                return Ok(());
            }
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            let record = self.record(text).map_err(|why| SendError::Line {
                path: self.file.clone(),
                line: number,
                why,
            })?;
            // no worker is left: their errors say why
            if lines.send(record).await.is_err() || self.only_one {
                return Ok(());
            }
        }
    }

    /// A record is one line on the wire.
    fn record(&self, line: &[u8]) -> Result<Vec<u8>, &'static str> {
        if shape(line) != Shape::Whole {
            return Err("no JSON of at most 1 MiB, or one with a key that comes twice");
        }
        let record = match &self.key {
            None => line,
            Some(key) => {
                let mut members = Members::at(line, 0);
                let found = members.find(|member| line.get(member.name.clone()) == Some(key.as_bytes()));
                found.and_then(|member| line.get(member.value)).ok_or("the key is not in it")?
            }
        };
        if record.first() != Some(&b'{') {
            return Err("a record is a JSON object");
        }
        Ok([record, b"\n"].concat())
    }
}

/// One connection, from the first line that there is for it.
async fn work(lines: &Lines, host: &str, port: u16) -> std::io::Result<u64> {
    let mut stream: Option<TcpStream> = None;
    let mut sent = 0;
    loop {
        let next = lines.lock().await.recv().await;
        let Some(line) = next else { break };
        let open = match &mut stream {
            Some(open) => open,
            none => none.insert(TcpStream::connect((host, port)).await?),
        };
        timely(open.write_all(&line)).await?;
        sent += 1;
    }
    if let Some(mut open) = stream {
        open.shutdown().await?;
        // it says nothing; its end is the answer
        timely(open.read_to_end(&mut Vec::new())).await?;
    }
    Ok(sent)
}

async fn timely<T>(work: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::tests::{any, started};
    use crate::settings::InputKind;

    fn sending(text: &str, port: u16) -> (tempfile::NamedTempFile, Sending) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let path = file.path().to_owned();
        (file, Sending { file: path, host: "127.0.0.1".into(), port, workers: 3, only_one: false, key: None })
    }

    #[tokio::test]
    async fn all_lines_arrive_or_the_first_or_what_is_under_a_key() {
        let world = started(InputKind::Tcp(any()));
        let port = world.inputs.addresses()[0].1.port();
        let lines: Vec<String> = (0..500).map(|number| format!("{{\"a\":{{\"b\":{number}}}}}\n\n")).collect();
        let text = lines.concat();
        let (_file, all) = sending(&text, port);
        assert_eq!(all.send().await.unwrap(), 500);
        assert_eq!(world.sink.texts().len(), 500);
        let one = Sending { only_one: true, key: Some("a".into()), ..all };
        assert_eq!(one.send().await.unwrap(), 1);
        assert_eq!(world.sink.texts().last().unwrap(), "{\"b\":0}");
    }

    #[tokio::test]
    async fn a_bad_line_and_nobody_there_are_told() {
        let world = started(InputKind::Tcp(any()));
        let port = world.inputs.addresses()[0].1.port();
        for (text, line) in [("{}\nx\n", 2), ("[1]\n", 1)] {
            let (_file, sending) = sending(text, port);
            assert!(
                matches!(sending.send().await, Err(SendError::Line { line: found, .. }) if found == line)
            );
        }
        world.stopped().await;
        let (_file, sending) = sending("{\"a\":1}\n", port);
        assert!(matches!(sending.send().await, Err(SendError::Collector { .. })));
    }
}
