//! A look at the log before SQLite opens it: SQLite drops everything behind the first bad frame without a word.
//!
//! Layout: <https://www.sqlite.org/fileformat2.html>, section 4. All numbers are big-endian.

use crate::error::{corrupt, io};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;
use strongroom_store::StoreError;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const LOG: &str = "strongroom.db-wal";

/// What was found on opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenReport {
    /// Frames of the log that hold committed work.
    pub wal_frames: u64,
    /// Frames behind the first incomplete one: of a group that was never acknowledged, as far as can be told.
    pub discarded_wal_frames: u64,
}

/// Reads the whole log once. More than one commit behind the first bad frame means damage: only the last group can be
/// torn by an interruption, since every group before it had been synced.
pub(crate) fn inspect(path: &Path) -> Result<OpenReport, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(OpenReport::default()),
        Err(error) => return Err(io("opening the log")(error)),
    };
    scan(&mut BufReader::with_capacity(1 << 16, file))
}

fn scan(log: &mut impl Read) -> Result<OpenReport, StoreError> {
    let mut header = [0; HEADER];
    if !fill(log, &mut header)? {
        // a log whose header was never synced has no frame that was
        return Ok(OpenReport::default());
    }
    let mut walk = Walk::start(&header)?;
    let mut frame = vec![0; FRAME_HEADER.saturating_add(walk.page_size)];
    while fill(log, &mut frame)? {
        walk.frame(&frame);
    }
    walk.finish()
}

/// Whether the buffer could be filled.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> Result<bool, StoreError> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(io("reading the log")(error)),
    }
}

struct Walk {
    page_size: usize,
    little_endian: bool,
    salt: [u8; 8],
    sums: (u32, u32),
    frames: u64,
    /// The last frame that ends a commit, while no bad one has come.
    committed: u64,
    /// The first bad frame, and whether it claims to end a commit.
    bad: Option<(u64, bool)>,
    /// Frames of this log behind it, and commits among them.
    behind: u64,
    commits_behind: u64,
}

impl Walk {
    fn start(header: &[u8; HEADER]) -> Result<Self, StoreError> {
        let damaged = || corrupt(format!("{LOG} header"));
        let little_endian = match number(header, 0) {
            0x377f_0682 => true,
            0x377f_0683 => false,
            _ => return Err(damaged()),
        };
        let sums = add_up(little_endian, (0, 0), header.get(..24).unwrap_or_default());
        let page_size = usize::try_from(number(header, 8)).unwrap_or(0);
        let sane = page_size.is_power_of_two() && (512..=65_536).contains(&page_size);
        if sums != (number(header, 24), number(header, 28)) || !sane {
            return Err(damaged());
        }
        let salt = header.get(16..24).and_then(|salt| salt.try_into().ok()).unwrap_or_default();
        let (frames, committed, bad, behind, commits_behind) = (0, 0, None, 0, 0);
        Ok(Self { page_size, little_endian, salt, sums, frames, committed, bad, behind, commits_behind })
    }

    fn frame(&mut self, frame: &[u8]) {
        self.frames += 1;
        let commit = number(frame, 4) != 0;
        let ours = frame.get(8..16) == Some(&self.salt);
        if self.bad.is_some() {
            self.behind += u64::from(ours);
            self.commits_behind += u64::from(ours && commit);
            return;
        }
        let sums = add_up(self.little_endian, self.sums, frame.get(..8).unwrap_or_default());
        let sums = add_up(self.little_endian, sums, frame.get(FRAME_HEADER..).unwrap_or_default());
        if ours && number(frame, 0) != 0 && sums == (number(frame, 16), number(frame, 20)) {
            self.sums = sums;
            if commit {
                self.committed = self.frames;
            }
        } else {
            self.bad = Some((self.frames, commit && self.nearly_ours(frame)));
            self.behind = u64::from(ours);
        }
    }

    /// Of this log but for one flipped bit; a leftover of an earlier log has another random salt.
    fn nearly_ours(&self, frame: &[u8]) -> bool {
        let salt = frame.get(8..16).unwrap_or_default();
        salt.iter().zip(self.salt).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>() <= 1
    }

    fn finish(self) -> Result<OpenReport, StoreError> {
        let Some((place, commit)) = self.bad else {
            let discarded_wal_frames = self.frames - self.committed;
            return Ok(OpenReport { wal_frames: self.committed, discarded_wal_frames });
        };
        if self.commits_behind + u64::from(commit && self.behind > 0) > 1 {
            return Err(corrupt(format!("{LOG} frame {place}")));
        }
        let whole_but_uncommitted = place - 1 - self.committed;
        let discarded_wal_frames = self.behind + whole_but_uncommitted;
        Ok(OpenReport { wal_frames: self.committed, discarded_wal_frames })
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..at.saturating_add(4)).and_then(|bytes| bytes.try_into().ok());
    found.map_or(0, u32::from_be_bytes)
}

/// The log's checksum over pairs of words.
fn add_up(little_endian: bool, start: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word =
        |bytes: [u8; 4]| if little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
    let (pairs, _) = bytes.as_chunks::<8>();
    pairs.iter().fold(start, |(one, two), &[a, b, c, d, e, f, g, h]| {
        let one = one.wrapping_add(word([a, b, c, d])).wrapping_add(two);
        (one, two.wrapping_add(word([e, f, g, h])).wrapping_add(one))
    })
}
