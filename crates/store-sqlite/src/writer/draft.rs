//! A group being written: judged and applied, transaction after transaction, then committed as one.

use super::{Stop, trim};
use crate::queue::{Job, MergeRun, Outcome, Step};
use crate::range::upper_bound;
use crate::record;
use crate::schema::Head;
use foldhash::HashMap;
use rusqlite::{Connection, OptionalExtension, params};
use strongroom_store::{
    Changed, Class, CommitError, Committed, LinkFn, MergeRefused, Precondition, Revision, RowKey, Space,
    TrailHead,
};

/// Revisions of rows that fences name, as the writer last knew them; `None` where there is no row.
#[derive(Default)]
pub(super) struct Fences(HashMap<RowKey, Option<Revision>>);

/// More keys than generations can be in use; beyond it the cache starts anew.
const MAX_FENCES: usize = 4_096;

impl Fences {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn known(&self, key: &RowKey) -> Option<&Option<Revision>> {
        self.0.get(key)
    }

    fn learn(&mut self, key: &RowKey, revision: Option<Revision>) {
        if self.0.len() >= MAX_FENCES {
            self.0.clear();
        }
        self.0.insert(key.clone(), revision);
    }

    /// A write: only what is remembered is worth correcting.
    fn written(&mut self, key: &RowKey, revision: Option<Revision>) {
        if let Some(known) = self.0.get_mut(key) {
            *known = revision;
        }
    }
}

/// What a committed group leaves to be told.
pub(crate) struct Done {
    pub(crate) head: Head,
    pub(crate) changed: Vec<Changed>,
}

pub(super) struct Draft<'w> {
    conn: &'w Connection,
    fences: &'w mut Fences,
    link: LinkFn,
    space: Space,
    start: Head,
    head: Head,
    packed: Vec<u8>,
    changed: Vec<Changed>,
}

impl<'w> Draft<'w> {
    pub(super) fn new(
        conn: &'w Connection,
        fences: &'w mut Fences,
        link: LinkFn,
        space: Space,
        head: Head,
    ) -> Self {
        Self { conn, fences, link, space, start: head, head, packed: Vec::new(), changed: Vec::new() }
    }

    pub(super) fn run(&mut self, jobs: &mut [Job]) -> Result<Vec<Outcome>, Stop> {
        jobs.iter_mut().map(|job| self.one(job)).collect()
    }

    /// The rows that it has written so far.
    pub(super) fn changed(&self) -> &[Changed] {
        &self.changed
    }

    /// Writes the entries as one row and commits.
    pub(super) fn finish(self) -> Result<Done, Stop> {
        if self.head == self.start {
            self.conn.prepare_cached("ROLLBACK")?.execute([])?;
            return Ok(Done { head: self.head, changed: Vec::new() });
        }
        self.write_head()?;
        let commit = self.conn.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        match commit {
            Ok(_) => Ok(Done { head: self.head, changed: self.changed }),
            // running out of disk, the log lacks the frame that would have made it a commit
            Err(error) if crate::error::is_full(&error) => Err(Stop::Full),
            Err(error) => Err(Stop::Commit(error.to_string())),
        }
    }

    fn write_head(&self) -> rusqlite::Result<()> {
        let revision = self.head.revision.0;
        if self.packed.is_empty() {
            let sql = "UPDATE head SET revision = ?1 WHERE id = 0";
            return self.conn.prepare_cached(sql)?.execute([revision]).map(drop);
        }
        let first = to_sql(self.start.trail.seq.saturating_add(1));
        let count = to_sql(self.head.trail.seq.saturating_sub(self.start.trail.seq));
        let sum = record::trail_sum(first, count, revision, &self.packed);
        let sql = "INSERT INTO trail (first_seq, count, revision, sum, entries) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.conn.prepare_cached(sql)?.execute(params![first, count, revision, sum, self.packed]).map(drop)
    }

    /// Judges a transaction before anything of it is written, so that nothing has to be taken back.
    fn one(&mut self, job: &mut Job) -> Result<Outcome, Stop> {
        if let Some(error) = self.judge(job)? {
            let entry = job.entry.as_ref().filter(|_| error.leaves_entry());
            if let Some(entry) = entry {
                self.append(entry.failed, &entry.body);
            }
            return Ok(Err(error));
        }
        self.head.revision = Revision(self.head.revision.0.saturating_add(1));
        for step in &job.steps {
            self.apply(step)?;
        }
        let seq = job.entry.as_ref().map(|entry| self.append(entry.committed, &entry.body));
        Ok(Ok(Committed { revision: self.head.revision, seq }))
    }

    fn judge(&mut self, job: &mut Job) -> Result<Option<CommitError>, Stop> {
        if self.space != Space::Ample && job.class == Class::Ordinary {
            return Ok(Some(CommitError::Full));
        }
        for (index, precondition) in job.preconditions.iter().enumerate() {
            if !self.holds(precondition)? {
                let fence = matches!(precondition, Precondition::Fence(..));
                return Ok(Some(if fence {
                    CommitError::Fenced { index, txn: None }
                } else {
                    CommitError::Precondition { index }
                }));
            }
        }
        self.merges(&mut job.steps)
    }

    fn holds(&mut self, precondition: &Precondition) -> rusqlite::Result<bool> {
        Ok(match precondition {
            Precondition::Absent(key) => self.revision(key)?.is_none(),
            Precondition::Present(key) => self.revision(key)?.is_some(),
            Precondition::Revision(key, wanted) => self.revision(key)? == Some(*wanted),
            Precondition::Fence(key, wanted) => self.fence(key)? == Some(*wanted),
            Precondition::NonePrefixed(prefix) => {
                let sql = "SELECT 1 FROM rows WHERE key >= ?1 AND key < ?2 LIMIT 1";
                !self.conn.prepare_cached(sql)?.exists(params![prefix, upper_bound(prefix)])?
            }
        })
    }

    fn fence(&mut self, key: &RowKey) -> rusqlite::Result<Option<Revision>> {
        if let Some(known) = self.fences.known(key) {
            return Ok(*known);
        }
        let revision = self.revision(key)?;
        self.fences.learn(key, revision);
        Ok(revision)
    }

    fn revision(&self, key: &RowKey) -> rusqlite::Result<Option<Revision>> {
        if let Some(known) = self.fences.known(key) {
            return Ok(*known);
        }
        let mut select = self.conn.prepare_cached("SELECT revision FROM rows WHERE key = ?1")?;
        select.query_row([key.as_bytes()], |row| row.get(0).map(Revision)).optional()
    }

    /// Runs the merges in order; a later one sees what an earlier one gave.
    fn merges(&self, steps: &mut [Step]) -> Result<Option<CommitError>, Stop> {
        for index in 0..steps.len() {
            let (earlier, rest) = steps.split_at_mut(index);
            let Some(Step::Merge(key, run)) = rest.first_mut() else { continue };
            let present = match earlier_merge(earlier, key) {
                Some(run) => run.result().cloned(),
                None => self.value(key)?,
            };
            if !run.on(present)? {
                return Ok(Some(CommitError::Refused { index }));
            }
        }
        Ok(None)
    }

    fn value(&self, key: &RowKey) -> Result<Option<Vec<u8>>, Stop> {
        let found =
            crate::readers::read_row(self.conn, key).map_err(|error| Stop::Before(error.to_string()))?;
        Ok(found.map(|row| row.value))
    }

    fn apply(&mut self, step: &Step) -> rusqlite::Result<()> {
        match step {
            Step::Put(key, value) => self.put(key, value),
            Step::Delete(key) => self.delete(key),
            Step::DeletePrefix(prefix) => self.delete_prefix(prefix),
            Step::Merge(key, run) => match run.result() {
                Some(value) => self.put(key, value),
                None => self.delete(key),
            },
            Step::TrimTrail(seq) => trim::trim(self.conn, (*seq).min(self.start.trail.seq.saturating_sub(1))),
        }
    }

    fn put(&mut self, key: &RowKey, value: &[u8]) -> rusqlite::Result<()> {
        let revision = self.head.revision;
        let sum = record::row_sum(key.as_bytes(), revision.0, value);
        let sql = "INSERT INTO rows (key, revision, sum, value) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key)
                   DO UPDATE SET revision = excluded.revision, sum = excluded.sum, value = excluded.value";
        self.conn.prepare_cached(sql)?.execute(params![key.as_bytes(), revision.0, sum, value])?;
        self.fences.written(key, Some(revision));
        self.changed.push(Changed { revision, key: key.clone(), deleted: false });
        Ok(())
    }

    fn delete(&mut self, key: &RowKey) -> rusqlite::Result<()> {
        let count = self.conn.prepare_cached("DELETE FROM rows WHERE key = ?1")?.execute([key.as_bytes()])?;
        if count > 0 {
            self.deleted(key.clone());
        }
        Ok(())
    }

    fn delete_prefix(&mut self, prefix: &[u8]) -> rusqlite::Result<()> {
        if prefix.is_empty() {
            return Ok(());
        }
        let sql = "DELETE FROM rows WHERE key >= ?1 AND key < ?2 RETURNING key";
        let mut delete = self.conn.prepare_cached(sql)?;
        let mut rows = delete.query(params![prefix, upper_bound(prefix)])?;
        while let Some(row) = rows.next()? {
            // a key of an impossible length is damage that the check reports; it is gone now
            if let Ok(key) = RowKey::new(row.get_ref(0)?.as_blob()?) {
                self.deleted(key);
            }
        }
        Ok(())
    }

    fn deleted(&mut self, key: RowKey) {
        self.fences.written(&key, None);
        self.changed.push(Changed { revision: self.head.revision, key, deleted: true });
    }

    fn append(&mut self, verdict: u8, body: &[u8]) -> u64 {
        let seq = self.head.trail.seq.saturating_add(1);
        let hash = (self.link)(&self.head.trail.hash, seq, verdict, body);
        record::pack(&mut self.packed, verdict, body, &hash);
        self.head.trail = TrailHead { seq, hash };
        seq
    }
}

impl MergeRun {
    /// Runs the merge, or keeps what it gave when it saw the same row; whether it agreed.
    fn on(&mut self, present: Option<Vec<u8>>) -> Result<bool, Stop> {
        *self = match std::mem::replace(self, Self::Running) {
            Self::Fresh(merge) => {
                // a merge that panics is its author's fault, and not to be its neighbours' end
                let run = std::panic::AssertUnwindSafe(|| merge(present.as_deref()));
                let gave = std::panic::catch_unwind(run).unwrap_or(Err(MergeRefused));
                Self::Ran { seen: present, gave }
            }
            Self::Ran { seen, gave } if seen == present => Self::Ran { seen, gave },
            Self::Ran { .. } | Self::Running => {
                return Err(Stop::Before("a merge cannot be run again on another value".to_owned()));
            }
        };
        Ok(matches!(self, Self::Ran { gave: Ok(_), .. }))
    }

    fn result(&self) -> Option<&Vec<u8>> {
        match self {
            Self::Ran { gave: Ok(value), .. } => value.as_ref(),
            _ => None,
        }
    }
}

/// The last earlier merge of the transaction on this key.
fn earlier_merge<'s>(earlier: &'s [Step], key: &RowKey) -> Option<&'s MergeRun> {
    earlier.iter().rev().find_map(|step| match step {
        Step::Merge(other, run) if other == key => Some(run),
        _ => None,
    })
}

pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_runs_once_and_is_good_for_the_row_that_it_saw() {
        let mut run = MergeRun::Fresh(Box::new(|old| Ok(Some([old.unwrap_or_default(), b"+"].concat()))));
        assert!(matches!(run.on(Some(b"a".to_vec())), Ok(true)));
        assert!(matches!(run.on(Some(b"a".to_vec())), Ok(true)), "again on the same row");
        assert_eq!(run.result().map(Vec::as_slice), Some(&b"a+"[..]));
        assert!(matches!(run.on(None), Err(Stop::Before(_))), "another row cannot be merged any more");
    }
}
