//! A file that grows, is rotated, is truncated. How far it is durable lies with the records themselves, so after a crash
//! nothing of it is doubled and nothing left out.
//!
//! A position is the file's inode, a digest of its beginning and an offset. Where the inode at the path is another, the old
//! file is read to its end first: it is still open, or is found beside the path under another name.

use super::Place;
use super::line;
use super::reader::{Found, Lines};
use crate::intake::{MAX_GROUP, SinkError};
use crate::record::{Incoming, Mark, RecordError};
use crate::settings::Format;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_crypto::sha256;

/// Between two looks at the file.
const PAUSE: Duration = Duration::from_millis(250);
/// Bytes of the beginning that tell a file from one that took its place under the same inode.
const HEAD_BYTES: usize = 256;
const READ_BYTES: usize = 256 << 10;
const POSITION_BYTES: usize = 8 + 8 + 1 + 16;

/// How far which file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    inode: u64,
    offset: u64,
    head_bytes: u8,
    head: [u8; 16],
}

impl Position {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(POSITION_BYTES);
        bytes.extend_from_slice(&self.inode.to_be_bytes());
        bytes.extend_from_slice(&self.offset.to_be_bytes());
        bytes.push(self.head_bytes);
        bytes.extend_from_slice(&self.head);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (inode, rest) = bytes.split_first_chunk::<8>()?;
        let (offset, rest) = rest.split_first_chunk::<8>()?;
        let (head_bytes, rest) = rest.split_first()?;
        let head = rest.try_into().ok()?;
        Some(Self {
            inode: u64::from_be_bytes(*inode),
            offset: u64::from_be_bytes(*offset),
            head_bytes: *head_bytes,
            head,
        })
    }
}

/// An open file and what was read of it.
struct Open {
    file: File,
    inode: u64,
    head: Vec<u8>,
    lines: Lines,
    /// Where reading began.
    start: u64,
}

impl Open {
    /// Opens a file and goes to a place in it.
    fn at(path: &Path, offset: u64) -> io::Result<Self> {
        let not_plain = || io::Error::other("it is no plain file");
        // before it is opened: a pipe would keep the thread until somebody writes to it
        if !std::fs::metadata(path)?.is_file() {
            return Err(not_plain());
        }
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(not_plain());
        }
        let mut head = Vec::new();
        (&mut file).take(HEAD_BYTES as u64 - 1).read_to_end(&mut head)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self { file, inode: metadata.ino(), head, lines: Lines::default(), start: offset })
    }

    /// Goes on where a position says, if this is its file.
    fn resumed(path: &Path, position: &Position) -> io::Result<Option<Self>> {
        let open = Self::at(path, position.offset)?;
        let is_same = open.inode == position.inode
            && open.file.metadata()?.len() >= position.offset
            && digest(&open.head, position.head_bytes) == Some(position.head);
        Ok(is_same.then_some(open))
    }

    fn offset(&self) -> u64 {
        self.start + self.lines.passed()
    }

    fn position(&mut self) -> Position {
        let wanted = usize::try_from(self.offset()).unwrap_or(usize::MAX).min(HEAD_BYTES - 1);
        if self.head.len() < wanted {
            self.read_head();
        }
        let head_bytes = u8::try_from(self.head.len().min(wanted)).unwrap_or(u8::MAX);
        let head = digest(&self.head, head_bytes).unwrap_or_default();
        Position { inode: self.inode, offset: self.offset(), head_bytes, head }
    }

    /// The beginning was not all there when the file was opened.
    fn read_head(&mut self) {
        use std::os::unix::fs::FileExt as _;
        let mut head = vec![0; HEAD_BYTES - 1];
        if let Ok(length) = self.file.read_at(&mut head, 0) {
            head.truncate(length);
            self.head = head;
        }
    }

    /// Reads on; whether there was anything.
    fn more(&mut self) -> io::Result<bool> {
        let Self { file, lines, .. } = self;
        Ok(file.take(READ_BYTES as u64).read_to_end(&mut lines.buffer)? > 0)
    }

    /// Whether the file is shorter than what was read of it.
    fn is_truncated(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() < self.start + self.lines.read())
    }
}

fn digest(head: &[u8], bytes: u8) -> Option<[u8; 16]> {
    let head = head.get(..usize::from(bytes))?;
    sha256(head).first_chunk::<16>().copied()
}

/// Follows a file until the end.
pub(super) async fn follow(path: PathBuf, format: Format, place: Place) {
    if matches!(format, Format::Stix | Format::Misp) {
        return once(&path, format, &place).await;
    }
    let mut tail = Tail { path, format, place: place.clone(), open: None, over: None, has_told: false };
    let mut stop = place.stop.clone();
    loop {
        let is_last = stop.is_now();
        match tail.step().await {
            Ok(true) => {}
            Ok(false) if is_last => return,
            Ok(false) => tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.wait() => {}
            },
            Err(_) => return,
        }
        if is_last {
            return;
        }
    }
}

struct Tail {
    path: PathBuf,
    format: Format,
    place: Place,
    open: Option<Open>,
    /// The inode of the file that was replaced and read to its end. Its last lines may be no records, and then no mark says so.
    over: Option<u64>,
    has_told: bool,
}

impl Tail {
    /// Reads and delivers what there is; whether there was anything.
    async fn step(&mut self) -> Result<bool, SinkError> {
        let read = match self.read() {
            Ok(read) => read,
            Err(error) => {
                self.tell(&error);
                return Ok(false);
            }
        };
        let is_over = !read && self.is_replaced();
        if let Some(mut open) = self.open.take() {
            let delivered = self.deliver(&mut open, is_over).await;
            // at the end of a file that was replaced, the one in its place comes next
            self.over = is_over.then_some(open.inode).or(self.over);
            self.open = (!is_over).then_some(open);
            delivered?;
        }
        Ok(read || is_over)
    }

    fn read(&mut self) -> io::Result<bool> {
        if self.open.is_none() {
            self.open = Some(self.resume()?);
            self.has_told = false;
        }
        let Some(open) = &mut self.open else { return Ok(false) };
        if open.is_truncated()? {
            tracing::warn!(source = %self.place.name, "the file was truncated: it is read from its beginning");
            *open = Open::at(&self.path, 0)?;
        }
        open.more()
    }

    /// Where the last durable record of this source says, or at the beginning.
    fn resume(&self) -> io::Result<Open> {
        let position =
            self.place.intake.mark(&self.place.name).and_then(|bytes| Position::from_bytes(&bytes));
        let Some(position) = position else { return Open::at(&self.path, 0) };
        if let Ok(Some(open)) = Open::resumed(&self.path, &position) {
            return Ok(open);
        }
        if self.over == Some(position.inode) {
            return Open::at(&self.path, 0);
        }
        match self.rotated(&position) {
            Some(open) => Ok(open),
            None => Open::at(&self.path, 0),
        }
    }

    /// The file of a position under another name beside the path, unless it is read to its end.
    fn rotated(&self, position: &Position) -> Option<Open> {
        let name = self.path.file_name()?.to_string_lossy().into_owned();
        let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let beside = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
        let mut candidates = beside.filter(|entry| {
            let is_named = entry.file_name().to_string_lossy().starts_with(&name);
            is_named && entry.metadata().is_ok_and(|it| it.ino() == position.inode)
        });
        let open = candidates.find_map(|entry| Open::resumed(&entry.path(), position).ok().flatten())?;
        (open.file.metadata().ok()?.len() > position.offset).then_some(open)
    }

    /// Whether another file stands at the path.
    fn is_replaced(&self) -> bool {
        let Some(open) = &self.open else { return false };
        std::fs::metadata(&self.path).is_ok_and(|there| there.ino() != open.inode)
    }

    async fn deliver(&self, open: &mut Open, is_end: bool) -> Result<(), SinkError> {
        loop {
            let mut group: Vec<Incoming> = Vec::new();
            while group.len() < MAX_GROUP
                && let Some(found) = open.lines.next(is_end)
            {
                self.take(open, found, &mut group);
            }
            if group.is_empty() {
                open.lines.forget();
                return Ok(());
            }
            self.place.intake.deliver(&self.place.name, group).await?;
        }
    }

    fn take(&self, open: &mut Open, found: Found, group: &mut Vec<Incoming>) {
        let Found::Line(at, end) = found else {
            return self.place.intake.reject(&self.place.name, b"", &RecordError::TooLong);
        };
        match line::record(open.lines.text(at, end), self.format) {
            None => {}
            Some(Ok(json)) => {
                let position = open.position().to_bytes();
                let mark = Some(Mark { source: self.place.name.to_string(), position });
                group.push(Incoming { json, mark });
            }
            Some(Err(error)) => {
                self.place.intake.reject(&self.place.name, open.lines.text(at, end), &error);
            }
        }
    }

    /// Once for a row of the same.
    fn tell(&mut self, error: &io::Error) {
        self.open = None;
        if !std::mem::replace(&mut self.has_told, true) {
            tracing::warn!(source = %self.place.name, %error, "the file cannot be read; it is looked for again");
        }
    }
}

/// A document is read once. Each record says which document it is of and its number there, so that after a crash the rest
/// follows, and nothing when all of it is durable.
async fn once(path: &Path, format: Format, place: &Place) {
    let read = tokio::fs::File::open(path).await;
    let ended = match read {
        Ok(file) => super::reader::document(file, format, place, &place.name, true).await,
        Err(error) => return tracing::error!(source = %place.name, %error, "the file cannot be read"),
    };
    if let Err(error) = ended {
        tracing::error!(source = %place.name, %error, "reading has ended");
    }
}

#[cfg(test)]
mod tests;
