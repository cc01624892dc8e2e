//! Sealed rows kept for point reads: a commit makes every reader's page cache stale, this only its own keys.
//!
//! Only what is read twice goes in, so that a walk through everything does not push out what is in use.
//!
//! A hit is what SQLite would have answered: the writer takes a key out before its commit can be seen, nothing goes in
//! while a commit is under way, and what was read before it began is turned away after it.

use foldhash::HashMap;
use foldhash::quality::RandomState;
use parking_lot::Mutex;
use std::hash::BuildHasher as _;
use strongroom_store::{Changed, Row, RowKey};

const SHARDS: usize = 16;

/// Fingerprints of recent misses, in each shard.
const RECENT: usize = 1_024;

/// Longer values are not kept: a few of them would push everything else out.
const MAX_VALUE: usize = 32 << 10;

/// Rows by key, in shards, bounded in bytes.
pub(crate) struct RowCache {
    shards: [Mutex<Shard>; SHARDS],
    /// Bytes of each of the two generations of a shard.
    limit: usize,
    state: RandomState,
}

/// Rows move from the old generation to the young when they are used; the old one is forgotten as a whole.
#[derive(Default)]
struct Shard {
    // keys are ids and keyed hashes: nobody who asks chooses where they fall
    young: HashMap<RowKey, Row>,
    old: HashMap<RowKey, Row>,
    young_bytes: usize,
    /// Where a key has missed lately.
    recent: Vec<u32>,
    /// Grows when a commit that touches this shard begins and when it ends.
    epoch: u64,
    /// Keys in this shard of a commit under way.
    writing: usize,
}

/// A miss: what is then read may be put in if nothing was written in between.
pub(crate) struct Ticket {
    hash: u64,
    epoch: u64,
}

impl RowCache {
    /// At most so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { shards: Default::default(), limit: bytes / SHARDS / 2, state: RandomState::default() }
    }

    /// The row, or a ticket to put it in.
    pub(crate) fn get(&self, key: &RowKey) -> Result<Row, Ticket> {
        let hash = self.state.hash_one(key);
        let Some(shard) = self.shards.get(shard_of(hash)) else { return Err(Ticket { hash, epoch: 0 }) };
        let mut shard = shard.lock();
        if let Some(row) = shard.young.get(key) {
            return Ok(row.clone());
        }
        if let Some(row) = shard.old.remove(key) {
            shard.keep(row.clone(), self.limit);
            return Ok(row);
        }
        Err(Ticket { hash, epoch: shard.epoch })
    }

    /// Puts in what was read with the ticket, unless it may be stale.
    pub(crate) fn put(&self, ticket: &Ticket, row: &Row) {
        let shard = self.shards.get(shard_of(ticket.hash)).filter(|_| row.value.len() <= MAX_VALUE);
        let Some(mut shard) = shard.map(Mutex::lock) else { return };
        if shard.writing == 0 && shard.epoch == ticket.epoch && shard.missed_before(ticket.hash) {
            shard.keep(row.clone(), self.limit);
        }
    }

    /// A commit of these changes is about to begin.
    pub(crate) fn begin(&self, changes: &[Changed]) {
        self.each(changes, |shard, key| {
            shard.writing += 1;
            shard.remove(key);
        });
    }

    /// It has ended, either way.
    pub(crate) fn end(&self, changes: &[Changed]) {
        self.each(changes, |shard, _| shard.writing = shard.writing.saturating_sub(1));
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            let epoch = shard.epoch.wrapping_add(1);
            *shard = Shard { epoch, writing: shard.writing, ..Shard::default() };
        }
    }

    fn each(&self, changes: &[Changed], act: impl Fn(&mut Shard, &RowKey)) {
        for change in changes {
            if let Some(shard) = self.shards.get(shard_of(self.state.hash_one(&change.key))) {
                let mut shard = shard.lock();
                shard.epoch = shard.epoch.wrapping_add(1);
                act(&mut shard, &change.key);
            }
        }
    }
}

impl Shard {
    /// Whether this key has missed lately; remembers that it has now.
    fn missed_before(&mut self, hash: u64) -> bool {
        if self.recent.is_empty() {
            self.recent.resize(RECENT, 0);
        }
        // the upper half is the fingerprint, the lower the place, the top bits the shard
        let place = usize::try_from(hash % RECENT as u64).unwrap_or(0);
        let fingerprint = u32::try_from(hash >> 32).unwrap_or(0);
        self.recent.get_mut(place).is_some_and(|recent| std::mem::replace(recent, fingerprint) == fingerprint)
    }

    fn keep(&mut self, row: Row, limit: usize) {
        self.young_bytes += weight(&row);
        if let Some(before) = self.young.insert(row.key.clone(), row) {
            self.young_bytes = self.young_bytes.saturating_sub(weight(&before));
        }
        if self.young_bytes > limit {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }

    fn remove(&mut self, key: &RowKey) {
        if let Some(row) = self.young.remove(key) {
            self.young_bytes = self.young_bytes.saturating_sub(weight(&row));
        }
        self.old.remove(key);
    }
}

fn shard_of(hash: u64) -> usize {
    usize::try_from(hash >> 60).unwrap_or(0) % SHARDS
}

/// Bytes that a row takes: the key twice, the value, and the map's share.
fn weight(row: &Row) -> usize {
    row.value.len() + 2 * row.key.as_bytes().len() + 128
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_store::Revision;

    fn row(n: u32, len: usize) -> Row {
        Row { key: key(n), revision: Revision(1), value: vec![1; len] }
    }

    fn key(n: u32) -> RowKey {
        RowKey::new(n.to_be_bytes()).unwrap()
    }

    fn changed(n: u32) -> [Changed; 1] {
        [Changed { revision: Revision(2), key: key(n), deleted: false }]
    }

    fn read(cache: &RowCache, n: u32) -> Ticket {
        cache.get(&key(n)).expect_err("a miss")
    }

    /// Twice, as it takes to be kept.
    fn put(cache: &RowCache, ticket: &Ticket, row: &Row) {
        cache.put(ticket, row);
        cache.put(ticket, row);
    }

    #[test]
    fn what_was_read_before_a_commit_is_turned_away_during_and_after_it() {
        let cache = RowCache::new(1 << 20);
        let early = read(&cache, 1);
        cache.begin(&changed(1));
        let during = read(&cache, 1);
        put(&cache, &early, &row(1, 10));
        put(&cache, &during, &row(1, 10));
        cache.end(&changed(1));
        put(&cache, &early, &row(1, 10));
        put(&cache, &during, &row(1, 10));
        let after = read(&cache, 1);
        put(&cache, &after, &row(1, 10));
        assert_eq!(cache.get(&key(1)).ok(), Some(row(1, 10)));
        cache.begin(&changed(1));
        assert!(cache.get(&key(1)).is_err(), "a key being written is not answered from memory");
        cache.end(&changed(1));
        cache.clear();
        put(&cache, &after, &row(1, 10));
        assert!(cache.get(&key(1)).is_err(), "clearing turns tickets away, too");
    }

    #[test]
    fn what_is_read_once_is_not_kept() {
        let cache = RowCache::new(1 << 20);
        for n in 0..2_000 {
            cache.put(&read(&cache, n), &row(n, 100));
        }
        let kept = (0..2_000).filter(|n| cache.get(&key(*n)).is_ok()).count();
        assert_eq!(kept, 0);
        cache.put(&read(&cache, 1_999), &row(1_999, 100));
        assert!(cache.get(&key(1_999)).is_ok(), "the second miss is");
    }

    #[test]
    fn it_keeps_what_is_used_and_stays_within_its_bytes() {
        let limit = 1 << 20;
        let cache = RowCache::new(limit);
        for n in 0..10_000 {
            put(&cache, &read(&cache, n + 1), &row(n + 1, 1_000));
            let kept = cache.get(&key(0)).map(drop);
            let _ = kept.map_err(|ticket| put(&cache, &ticket, &row(0, 1_000)));
        }
        let bytes = |map: &HashMap<RowKey, Row>| map.values().map(weight).sum::<usize>();
        let shards = cache.shards.iter().map(|shard| shard.lock());
        let held: usize = shards.map(|shard| bytes(&shard.young) + bytes(&shard.old)).sum();
        assert!(held > limit / 4 && held <= limit + SHARDS * 2_000, "{held} bytes");
        assert!(cache.get(&key(0)).is_ok(), "a row in use is kept");
        put(&cache, &read(&cache, 99_999), &row(99_999, MAX_VALUE + 1));
        assert!(cache.get(&key(99_999)).is_err(), "a long row is not kept");
    }
}
