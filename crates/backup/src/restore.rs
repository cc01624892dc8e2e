//! Restoring: what a new data directory is to hold.

use crate::check::{Report, walk};
use crate::{BackupError, KeysError, Mark, Progress};
use std::io::Read;
use strongroom_ambient::Ambient;
use strongroom_audit::{Decision, Life, Record, Verdict, link};
use strongroom_barrier::keys as rows;
use strongroom_model::{Action, Origin, RequestId};
use strongroom_secret::SecretBytes;
use strongroom_store::{Item, Revision, Row, RowKey, StoreError, TrailEntry};
use strongroom_unlock::RootRecord;

/// Tables whose rows end with the life that made them: tokens, and outcomes kept for repetitions.
const VOID_TABLES: [u8; 2] = [0x0b, 0x0c];

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub report: Report,
    /// The life that begins.
    pub life: Life,
    /// The revision at which the new data directory stands.
    pub revision: Revision,
    /// Tokens and outcomes that were left out.
    pub left_out: u64,
}

/// Checks a backup and hands on what a new data directory is to hold: everything but tokens and outcomes, a root record
/// with a new incarnation, where this life came from, and the entry that says so. What was handed on counts only if this
/// answers with success.
pub fn restore(
    source: impl Read,
    keys: Option<&[SecretBytes]>,
    ambient: &Ambient,
    progress: Progress<'_>,
    mut put: impl FnMut(&Item) -> Result<(), StoreError>,
) -> Result<Restored, BackupError> {
    let mut left_out = 0;
    let (report, root) = walk(source, keys, progress, |item| {
        if let Item::Row(row) = &item {
            if row.key == rows::root() || row.key == rows::last_backup() {
                return Ok(());
            }
            if row.key.as_bytes().first().is_some_and(|table| VOID_TABLES.contains(table)) {
                left_out += 1;
                return Ok(());
            }
        }
        put(&item).map_err(BackupError::from)
    })?;
    let root = root.ok_or(KeysError::Missing("root record"))?;
    let mut record = RootRecord::decode(&root.value).map_err(KeysError::from)?;
    let header = &report.header;
    let life = Life {
        before: record.incarnation,
        incarnation: ambient.random(),
        backup: header.backup,
        at: header.trail,
        made: header.made,
        // time never runs behind what was used in the life before
        restored: ambient.now().max(header.made),
    };
    record.incarnation = life.incarnation;
    // a copy must not open by itself beside the original: a person unlocks it once
    record.auto_held = !record.autos().is_empty();
    let revision = Revision(header.revision.0.saturating_add(1));
    let mark = Mark { backup: header.backup, made: header.made, seq: header.trail.seq };
    let row = |key: RowKey, value| Item::Row(Row { key, revision, value });
    put(&row(rows::root(), record.encode()))?;
    put(&row(rows::last_backup(), mark.encode()))?;
    put(&row(rows::life(header.trail.seq), life.encode()))?;
    put(&Item::Entry(entry(&life, ambient)))?;
    Ok(Restored { report, life, revision, left_out })
}

/// The first entry of the new life. There is no key to seal it with, and nothing in it to seal.
fn entry(life: &Life, ambient: &Ambient) -> TrailEntry {
    let record = Record {
        request: RequestId(ambient.uuid_v7()),
        time: life.restored,
        action: Action::Restore,
        decision: Decision::Allowed,
        who: None,
        origin: Origin::Internal.to_string(),
        resource: String::new(),
        rule: format!("restored from a backup of entry {}", life.at.seq),
        note: String::new(),
    };
    let body = record.encode(ambient, None);
    let (seq, verdict) = (life.at.seq.saturating_add(1), Verdict::Done.code());
    let hash = link(&life.at.hash, seq, verdict, &body);
    TrailEntry { seq, verdict, body, hash }
}
