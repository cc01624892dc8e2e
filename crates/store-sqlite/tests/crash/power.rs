//! Power cuts: a traced run is replayed to many moments, and of what had not been synced then, some is lost.

use crate::trace::{self, Event};
use crate::verify;
use std::collections::HashMap;
use std::path::Path;
use strongroom_store::{Store, conformance};
use strongroom_store_sqlite::{Options, SqliteStore};

/// What a disk may have kept of the unsynced.
#[derive(Debug, Clone, Copy)]
enum Luck {
    Nothing,
    Everything,
    /// Each 512 bytes on their own.
    Some(u64),
}

/// One file: what is certainly on disk, and what may be.
#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<(usize, Pending)>,
}

#[derive(Debug, Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl File {
    /// A sync that began after event `began` makes everything before it durable.
    fn sync(&mut self, began: usize) {
        let (done, rest) =
            std::mem::take(&mut self.pending).into_iter().partition(|(index, _)| *index < began);
        self.pending = rest;
        for (_, change) in done {
            change.apply(&mut self.durable, Luck::Everything);
        }
    }

    fn after_cut(&self, luck: Luck) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for (index, change) in &self.pending {
            let luck = if let Luck::Some(seed) = luck { Luck::Some(mix(seed ^ *index as u64)) } else { luck };
            change.apply(&mut bytes, luck);
        }
        bytes
    }
}

impl Pending {
    fn apply(&self, bytes: &mut Vec<u8>, luck: Luck) {
        match (self, luck) {
            (_, Luck::Nothing) => {}
            (Self::Truncate(_), Luck::Some(seed)) if seed & 1 == 0 => {}
            (Self::Truncate(len), _) => bytes.resize(*len, 0),
            (Self::Write(at, data), _) => {
                for (sector, chunk) in data.chunks(512).enumerate() {
                    if matches!(luck, Luck::Some(seed) if mix(seed ^ sector as u64) & 1 == 0) {
                        continue;
                    }
                    let from = at + sector * 512;
                    bytes.resize(bytes.len().max(from + chunk.len()), 0);
                    bytes[from..from + chunk.len()].copy_from_slice(chunk);
                }
            }
        }
    }
}

fn mix(seed: u64) -> u64 {
    let word = (seed ^ (seed >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (word ^ (word >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 17
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_at_any_moment_it_keeps_what_it_acknowledged() {
    let root = tempfile::tempdir().unwrap();
    let live = root.path().join("live");
    // made and closed beforehand: making a store is another test's matter
    SqliteStore::open(&live, Options::TEST, conformance::link).unwrap().close().await.unwrap();
    let mut disk = HashMap::new();
    for name in ["strongroom.db", "strongroom.db-wal"] {
        let durable = std::fs::read(live.join(name)).unwrap_or_default();
        disk.insert(name.to_owned(), File { durable, pending: Vec::new() });
    }
    let Some(events) = trace::record(&live) else { return };
    assert!(folds(&events) > 1, "the run should fold its log more than once");
    let (mut acknowledged, mut cuts) = (Vec::new(), 0_u64);
    for (index, event) in events.iter().enumerate() {
        step(&mut disk, index, event, &mut acknowledged);
        // every moment is too many: those around acknowledgements, syncs and a sample of the rest
        if matches!(event, Event::Write { .. }) && !mix(index as u64).is_multiple_of(5) {
            continue;
        }
        for luck in [Luck::Nothing, Luck::Everything, Luck::Some(mix(index as u64))] {
            cut(root.path(), &disk, luck, &acknowledged).await;
            cuts += 1;
        }
    }
    assert_eq!(acknowledged.len(), 36);
    assert!(cuts > 200, "{cuts} cuts");
}

/// How often the main file was synced.
fn folds(events: &[Event]) -> usize {
    events
        .iter()
        .filter(|event| matches!(event, Event::Synced { file, .. } if file == "strongroom.db"))
        .count()
}

fn step(disk: &mut HashMap<String, File>, index: usize, event: &Event, acknowledged: &mut Vec<String>) {
    match event {
        Event::Write { file, at, bytes } => {
            if let Some(file) = disk.get_mut(file) {
                file.pending.push((index, Pending::Write(*at, bytes.clone())));
            }
        }
        Event::Truncate { file, len } => {
            if let Some(file) = disk.get_mut(file) {
                file.pending.push((index, Pending::Truncate(*len)));
            }
        }
        Event::SyncBegan { .. } => {}
        Event::Synced { file, began } => {
            if let Some(file) = disk.get_mut(file) {
                file.sync(*began);
            }
        }
        Event::Acknowledged(key) => acknowledged.push(key.clone()),
    }
}

async fn cut(root: &Path, disk: &HashMap<String, File>, luck: Luck, acknowledged: &[String]) {
    let dir = tempfile::tempdir_in(root).unwrap();
    for (name, file) in disk {
        std::fs::write(dir.path().join(name), file.after_cut(luck)).unwrap();
    }
    verify(dir.path(), acknowledged).await.close().await.unwrap();
}
