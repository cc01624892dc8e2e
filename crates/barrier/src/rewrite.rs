//! The rewriter: seals the records of a keyset anew under its write term, a few rows at a time, in the order of their
//! keys. It replaces a row only if its ciphertext is unchanged: what a writer did meanwhile stays.

use crate::BarrierError;
use crate::batch::Batch;
use crate::folder::FolderSealers;
use crate::keysets::KeysetState;
use crate::opened::Opened;
use crate::rows::keys;
use crate::sealed::{COUNTS, ENTRIES, SINGLES, SealedAt, VERSIONS};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_keyring::{OpenError, Sealer};
use strongroom_model::{FolderId, KeysetId};
use strongroom_store::{Range, Row, RowKey};

/// Rows read at a time: with the largest values they are what is held in memory.
const CHUNK_ROWS: usize = 16;
/// Places of damaged records that are told.
const TOLD: usize = 4;

/// How much one step does.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Records sealed anew at most.
    pub records: usize,
    /// Bytes of them, roughly, at most; one larger record goes by itself.
    pub bytes: usize,
    /// Rows looked at, at most.
    pub rows: usize,
}

/// What a step found, and the change that it makes.
#[derive(Debug)]
pub struct Rewritten {
    /// The change; empty if everything it saw was sealed under the write term.
    pub batch: Batch,
    /// The last row it saw: the next step goes on after it.
    pub cursor: Vec<u8>,
    /// Rows seen.
    pub seen: u64,
    /// Records of older terms.
    pub older: u64,
    /// Records that cannot be opened, and stay as they are.
    pub damaged: u64,
    /// Where the first of them lie.
    pub places: Vec<String>,
    /// Whether everything has been seen.
    pub done: bool,
}

impl Rewritten {
    fn new(cursor: &[u8]) -> Self {
        Self {
            batch: Batch::new(),
            cursor: cursor.to_vec(),
            seen: 0,
            older: 0,
            damaged: 0,
            places: Vec::new(),
            done: false,
        }
    }
}

/// Sealing keys made for a step.
struct Keys<'a> {
    opened: &'a Opened,
    state: Arc<KeysetState>,
    folders: BTreeMap<FolderId, FolderSealers>,
}

impl Keys<'_> {
    fn reseal(&mut self, at: &SealedAt, value: &[u8]) -> Result<Vec<u8>, OpenError> {
        let opened = self.opened;
        let seal =
            |sealer: Option<&Sealer>| at.reseal(sealer.ok_or(OpenError::Malformed)?, &opened.ambient, value);
        if let Some(id) = at.folder {
            let keyset = &self.state.keyset;
            let fresh = || FolderSealers::new(keyset, opened.partition, id);
            seal(self.folders.entry(id).or_insert_with(fresh).of(at.kind))
        } else {
            let made = opened.singles.current();
            seal(made.iter().find(|(kind, _)| *kind == at.kind).map(|(_, sealer)| sealer))
        }
    }
}

impl Opened {
    /// Prefixes of everything that a keyset seals, in the order of the rows.
    async fn sealed_by(&self, id: KeysetId) -> Result<Vec<Vec<u8>>, BarrierError> {
        let mut folders: Vec<FolderId> = Vec::new();
        let mut prefixes: Vec<Vec<u8>> = Vec::new();
        if id == self.system.id() {
            folders.extend(self.own_folders().map(|folder| folder.id));
            prefixes.extend(SINGLES.iter().map(|(table, _)| keys::table(*table)));
        }
        folders.extend(self.attached_to(id).await?.into_iter().map(FolderId::from));
        for table in [ENTRIES, VERSIONS, COUNTS] {
            prefixes.extend(folders.iter().map(|folder| [&[table][..], &folder.0].concat()));
        }
        prefixes.sort_unstable();
        Ok(prefixes)
    }

    /// Records that a keyset seals, roughly: every name has an entry and at least one version.
    pub async fn records_of(&self, id: KeysetId) -> Result<u64, BarrierError> {
        let mut records = 0_u64;
        for store in self.attached_to(id).await? {
            if let Some(folder) = self.known_folder(store.into()) {
                records = records.saturating_add(folder.count().await?.0.saturating_mul(2).saturating_add(1));
            }
        }
        Ok(records)
    }

    /// One step after `cursor`.
    pub async fn rewrite(
        &self,
        id: KeysetId,
        cursor: &[u8],
        bounds: Bounds,
    ) -> Result<Rewritten, BarrierError> {
        let mut done = Rewritten::new(cursor);
        let Some(state) = self.keyset(id) else {
            return Ok(Rewritten { done: true, ..done });
        };
        done.batch.require(state.fence());
        let mut keys = Keys { opened: self, state, folders: BTreeMap::new() };
        let mut bytes = 0;
        for prefix in self.sealed_by(id).await? {
            if prefix.as_slice() < cursor && !cursor.starts_with(&prefix) {
                continue;
            }
            let mut after = RowKey::new(cursor).ok().filter(|key| key.as_bytes().starts_with(&prefix));
            loop {
                let rows =
                    self.store.list(Range { after, ..Range::prefix(prefix.as_slice(), CHUNK_ROWS) }).await?;
                let Some(last) = rows.last().map(|row| row.key.clone()) else { break };
                for row in rows {
                    let full = done.batch.len() >= bounds.records || bytes >= bounds.bytes;
                    if full || usize::try_from(done.seen).is_ok_and(|seen| seen >= bounds.rows) {
                        return Ok(done);
                    }
                    bytes += rewrite_row(&mut keys, &mut done, row);
                }
                after = Some(last);
                tokio::task::yield_now().await;
            }
        }
        done.done = true;
        Ok(done)
    }
}

/// Gives the bytes that it adds to the change.
fn rewrite_row(keys: &mut Keys<'_>, done: &mut Rewritten, row: Row) -> usize {
    done.seen += 1;
    row.key.as_bytes().clone_into(&mut done.cursor);
    let at = SealedAt::of(&row.key, &row.value);
    if at.is_some_and(|at| at.term(&row.value) == Some(keys.state.keyset.write_term())) {
        return 0;
    }
    let resealed = at.and_then(|at| keys.reseal(&at, &row.value).ok());
    let Some(fresh) = resealed else {
        done.damaged += 1;
        if done.places.len() < TOLD {
            done.places.push(format!("{:?}", row.key));
        }
        return 0;
    };
    done.older += 1;
    let bytes = fresh.len() + row.value.len();
    let old = row.value;
    done.batch.merge(row.key, move |present| match present {
        Some(present) if present == old => Ok(Some(fresh)),
        // changed or deleted meanwhile, under the present term: it stays as it is
        other => Ok(other.map(<[u8]>::to_vec)),
    });
    bytes
}
