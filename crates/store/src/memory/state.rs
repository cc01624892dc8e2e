//! Rows, trail and the rules of a transaction, as plain data.

use crate::snapshot::Copied;
use crate::{
    Change, Changed, Class, CommitError, Committed, Item, LinkFn, Merge, Moment, Order, PendingEntry,
    Precondition, Range, Revision, Row, RowKey, Space, TrailEntry, TrailHead, Txn,
};
use std::collections::BTreeMap;

/// What a [`MemoryStore`](super::MemoryStore) holds.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) rows: BTreeMap<RowKey, (Revision, Vec<u8>)>,
    pub(super) trail: Vec<TrailEntry>,
    pub(super) revision: Revision,
    pub(super) head: TrailHead,
}

/// A merge already run: its change's index, and the value it gave.
type Merged = Vec<(usize, RowKey, Option<Vec<u8>>)>;

impl State {
    pub(super) fn get(&self, key: &RowKey) -> Option<Row> {
        let (revision, value) = self.rows.get(key)?;
        Some(Row { key: key.clone(), revision: *revision, value: value.clone() })
    }

    pub(super) fn list(&self, range: &Range) -> Vec<Row> {
        let within = self.rows.iter().filter(|(key, _)| key.as_bytes().starts_with(&range.prefix));
        let row = |(key, (revision, value)): (&RowKey, &(Revision, Vec<u8>))| Row {
            key: key.clone(),
            revision: *revision,
            value: value.clone(),
        };
        let after = range.after.as_ref();
        match range.order {
            Order::Ascending => {
                within.filter(|(key, _)| after.is_none_or(|a| *key > a)).take(range.limit).map(row).collect()
            }
            Order::Descending => within
                .rev()
                .filter(|(key, _)| after.is_none_or(|a| *key < a))
                .take(range.limit)
                .map(row)
                .collect(),
        }
    }

    pub(super) fn entries(&self, from_seq: u64, limit: usize) -> Vec<TrailEntry> {
        let start = self.trail.partition_point(|entry| entry.seq < from_seq);
        self.trail.iter().skip(start).take(limit).cloned().collect()
    }

    /// Everything, as it is now.
    pub(super) fn copied(&self) -> Copied {
        let rows = self.rows.iter().map(|(key, (revision, value))| {
            Item::Row(Row { key: key.clone(), revision: *revision, value: value.clone() })
        });
        let items: Vec<Item> = rows.chain(self.trail.iter().cloned().map(Item::Entry)).collect();
        let about_bytes = items.iter().map(|item| u64::try_from(item.weight()).unwrap_or(u64::MAX)).sum();
        let moment = Moment { revision: self.revision, trail: self.head, about_bytes };
        Copied { moment, items: items.into_iter() }
    }

    /// Takes one thing of a snapshot.
    pub(super) fn take(&mut self, item: Item) {
        match item {
            Item::Row(row) => {
                self.rows.insert(row.key, (row.revision, row.value));
            }
            Item::Entry(entry) => {
                self.head = TrailHead { seq: entry.seq, hash: entry.hash };
                self.trail.push(entry);
            }
        }
    }

    /// Applies a transaction; what changed is for the watches.
    pub(super) fn apply(
        &mut self,
        link: LinkFn,
        space: Space,
        txn: Txn,
    ) -> (Result<Committed, CommitError>, Vec<Changed>) {
        let Txn { class, preconditions, changes, entry } = txn;
        if space == Space::Exhausted {
            return (Err(CommitError::Full), Vec::new());
        }
        match self.admits(class, space, &preconditions) {
            Ok(()) => {}
            Err(CommitError::Fenced { index, .. }) => {
                let txn = Some(Box::new(Txn { class, preconditions, changes, entry }));
                return (Err(CommitError::Fenced { index, txn }), Vec::new());
            }
            Err(error) => {
                self.append_failed(link, &error, entry);
                return (Err(error), Vec::new());
            }
        }
        match self.merge_all(changes) {
            Ok((plain, merged)) => {
                self.revision = Revision(self.revision.0.saturating_add(1));
                let changed = self.change(plain, merged);
                let seq = entry.map(|entry| self.append(link, entry.committed, entry.body));
                (Ok(Committed { revision: self.revision, seq }), changed)
            }
            Err(error) => {
                self.append_failed(link, &error, entry);
                (Err(error), Vec::new())
            }
        }
    }

    /// Whether there is room, and every precondition holds.
    fn admits(&self, class: Class, space: Space, preconditions: &[Precondition]) -> Result<(), CommitError> {
        if space == Space::Reserved && class == Class::Ordinary {
            return Err(CommitError::Full);
        }
        for (index, precondition) in preconditions.iter().enumerate() {
            self.check(index, precondition)?;
        }
        Ok(())
    }

    /// Runs the merges, changes nothing.
    fn merge_all(&self, changes: Vec<Change>) -> Result<(Vec<(usize, Change)>, Merged), CommitError> {
        let mut plain = Vec::with_capacity(changes.len());
        let mut merged = Merged::new();
        for (index, change) in changes.into_iter().enumerate() {
            match change {
                Change::Merge(key, merge) => self.merge(index, key, merge, &mut merged)?,
                other => plain.push((index, other)),
            }
        }
        Ok((plain, merged))
    }

    fn check(&self, index: usize, precondition: &Precondition) -> Result<(), CommitError> {
        let revision = |key: &RowKey| self.rows.get(key).map(|(revision, _)| *revision);
        let holds = match precondition {
            Precondition::Absent(key) => !self.rows.contains_key(key),
            Precondition::Present(key) => self.rows.contains_key(key),
            Precondition::Revision(key, wanted) => revision(key) == Some(*wanted),
            Precondition::Fence(key, wanted) => {
                return if revision(key) == Some(*wanted) {
                    Ok(())
                } else {
                    Err(CommitError::Fenced { index, txn: None })
                };
            }
            Precondition::NonePrefixed(prefix) => {
                !self.rows.keys().any(|key| key.as_bytes().starts_with(prefix))
            }
        };
        if holds { Ok(()) } else { Err(CommitError::Precondition { index }) }
    }

    /// A merge sees what an earlier merge of the same transaction gave, else the row as it was.
    fn merge(&self, index: usize, key: RowKey, merge: Merge, merged: &mut Merged) -> Result<(), CommitError> {
        let earlier =
            merged.iter().rev().find(|(_, other, _)| *other == key).map(|(_, _, value)| value.as_deref());
        let present = earlier.unwrap_or_else(|| self.rows.get(&key).map(|(_, value)| value.as_slice()));
        let value = merge(present).map_err(|_| CommitError::Refused { index })?;
        merged.push((index, key, value));
        Ok(())
    }

    fn change(&mut self, plain: Vec<(usize, Change)>, merged: Merged) -> Vec<Changed> {
        let computed = merged.into_iter().map(|(index, key, value)| match value {
            Some(value) => (index, Change::Put(key, value)),
            None => (index, Change::Delete(key)),
        });
        let mut ordered: Vec<_> = plain.into_iter().chain(computed).collect();
        ordered.sort_by_key(|(index, _)| *index);
        ordered.into_iter().flat_map(|(_, change)| self.change_one(change)).collect()
    }

    fn change_one(&mut self, change: Change) -> Vec<Changed> {
        let revision = self.revision;
        let changed = |key, deleted| Changed { revision, key, deleted };
        match change {
            Change::Put(key, value) => {
                self.rows.insert(key.clone(), (revision, value));
                vec![changed(key, false)]
            }
            Change::Delete(key) => self.rows.remove(&key).map(|_| changed(key, true)).into_iter().collect(),
            Change::DeletePrefix(prefix) if prefix.is_empty() => Vec::new(),
            Change::DeletePrefix(prefix) => {
                let within = self.rows.keys().filter(|key| key.as_bytes().starts_with(&prefix));
                let gone: Vec<RowKey> = within.cloned().collect();
                gone.into_iter()
                    .filter(|key| self.rows.remove(key).is_some())
                    .map(|key| changed(key, true))
                    .collect()
            }
            Change::TrimTrail(seq) => {
                let seq = seq.min(self.head.seq.saturating_sub(1));
                self.trail.retain(|entry| entry.seq > seq);
                Vec::new()
            }
            // merges have been turned into puts and deletes
            Change::Merge(..) => Vec::new(),
        }
    }

    fn append_failed(&mut self, link: LinkFn, error: &CommitError, entry: Option<PendingEntry>) {
        if let Some(entry) = entry.filter(|_| error.leaves_entry()) {
            self.append(link, entry.failed, entry.body);
        }
    }

    fn append(&mut self, link: LinkFn, verdict: u8, body: Vec<u8>) -> u64 {
        let seq = self.head.seq.saturating_add(1);
        let hash = link(&self.head.hash, seq, verdict, &body);
        self.head = TrailHead { seq, hash };
        self.trail.push(TrailEntry { seq, verdict, body, hash });
        seq
    }
}
