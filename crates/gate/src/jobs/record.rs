//! A job's record: what it is to do, and how far it has come.

use strongroom_ambient::UnixMillis;
use strongroom_barrier::{Reader, Rewritten, Writer};
use strongroom_model::{KeysetId, RequestId, UserId};

const FORMAT: u8 = 1;

/// What has become of a job. Numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum JobState {
    /// It has work to do.
    Running = 1,
    /// It has done everything.
    Done = 2,
    /// Somebody gave it up, or another took its place.
    Cancelled = 3,
    /// Something that it met keeps it from coming to its end.
    Failed = 4,
}

impl JobState {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Running, Self::Done, Self::Cancelled, Self::Failed]
            .into_iter()
            .find(|state| *state as u8 == code)
    }
}

/// The only kind of job so far: everything that a keyset seals is sealed anew under a term.
const REWRITE: u8 = 1;

/// A job that seals everything of a keyset anew, pass after pass until one finds nothing of an older term; then the
/// older terms are retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// What has become of it.
    pub state: JobState,
    /// The keyset.
    pub keyset: KeysetId,
    /// The keyset's name when it began; empty for the partition's own.
    pub name: String,
    /// Everything is sealed anew under this term, or a newer one.
    pub term: u32,
    /// Who began it.
    pub by: UserId,
    /// The request that began it: its entry in the trail.
    pub request: RequestId,
    /// Begun when.
    pub started: UnixMillis,
    /// When it last got on.
    pub updated: UnixMillis,
    /// Passes begun, from 1.
    pub pass: u32,
    /// The last row that this pass saw.
    pub cursor: Vec<u8>,
    /// Rows that this pass saw.
    pub seen: u64,
    /// Of them those of older terms.
    pub older: u64,
    /// Of them those that cannot be opened.
    pub damaged: u64,
    /// Records sealed anew, in all passes.
    pub rewritten: u64,
    /// Rows that a pass sees, roughly.
    pub total: u64,
    /// What a person should know.
    pub note: String,
}

impl JobRecord {
    /// Takes a step's findings in; the state stays.
    pub fn advance(&mut self, found: &Rewritten) {
        self.cursor.clone_from(&found.cursor);
        self.seen = self.seen.saturating_add(found.seen);
        self.older = self.older.saturating_add(found.older);
        self.rewritten = self.rewritten.saturating_add(found.older);
        self.damaged = self.damaged.saturating_add(found.damaged);
        self.total = self.total.max(self.seen);
        if self.note.is_empty() && !found.places.is_empty() {
            self.note = format!("cannot be opened: {}", found.places.join(", "));
        }
    }

    /// Begins another pass.
    pub fn next_pass(&mut self) {
        self.pass = self.pass.saturating_add(1);
        self.total = self.seen;
        (self.seen, self.older, self.damaged) = (0, 0, 0);
        self.cursor.clear();
        self.note.clear();
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        Writer::new()
            .u8(FORMAT)
            .u8(REWRITE)
            .u8(self.state as u8)
            .raw(&self.keyset.0)
            .u32(self.term)
            .raw(&self.by.0)
            .raw(&self.request.0)
            .i64(self.started.0)
            .i64(self.updated.0)
            .u32(self.pass)
            .u64(self.seen)
            .u64(self.older)
            .u64(self.damaged)
            .u64(self.rewritten)
            .u64(self.total)
            .bytes(&self.cursor)
            .bytes(self.name.as_bytes())
            .bytes(self.note.as_bytes())
            .finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FORMAT && reader.u8()? == REWRITE).then_some(())?;
        Some(Self {
            state: JobState::from_code(reader.u8()?)?,
            keyset: KeysetId(reader.array()?),
            term: reader.u32()?,
            by: UserId(reader.array()?),
            request: RequestId(reader.array()?),
            started: UnixMillis(reader.i64()?),
            updated: UnixMillis(reader.i64()?),
            pass: reader.u32()?,
            seen: reader.u64()?,
            older: reader.u64()?,
            damaged: reader.u64()?,
            rewritten: reader.u64()?,
            total: reader.u64()?,
            cursor: reader.bytes()?.to_vec(),
            name: reader.text()?.to_owned(),
            note: reader.text()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> JobRecord {
        JobRecord {
            state: JobState::Running,
            keyset: KeysetId([1; 16]),
            name: "web".to_owned(),
            term: 2,
            by: UserId([2; 16]),
            request: RequestId([3; 16]),
            started: UnixMillis(4),
            updated: UnixMillis(5),
            pass: 1,
            cursor: vec![5, 6],
            seen: 7,
            older: 6,
            damaged: 1,
            rewritten: 8,
            total: 9,
            note: "a note".to_owned(),
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was_and_no_shorter_one_does() {
        let bytes = record().encode();
        assert_eq!(JobRecord::decode(&bytes), Some(record()));
        for length in 0..bytes.len() {
            assert_eq!(JobRecord::decode(&bytes[..length]), None, "{length}");
        }
    }

    /// `vectors/gate/job-v1.hex`: made from the description in `docs/formats/rows.md` on 2026-11-22, opened for ever.
    #[test]
    fn golden_job_decodes() {
        let golden = include_str!("../../../../vectors/gate/job-v1.hex").trim();
        let hex = |byte: &u8| format!("{byte:02x}");
        assert_eq!(record().encode().iter().map(hex).collect::<String>(), golden);
    }

    #[test]
    fn another_pass_begins_at_the_front_and_knows_how_much_there_is() {
        let mut record = record();
        record.next_pass();
        assert_eq!((record.pass, record.total, record.seen, record.cursor.len()), (2, 7, 0, 0));
        assert_eq!((record.rewritten, record.note.as_str()), (8, ""));
    }
}
