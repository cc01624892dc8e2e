//! The view of everything, sealed as it lies: for backups.

use crate::admit::Gate;
use crate::entry::{CommitError, Entry};
use crate::seer::Seer;
use crate::server_view::ServerView;
use crate::standing::{RightLost, Standing};
use std::sync::Arc;
use strongroom_authz::Target;
use strongroom_backup::{DATA_FORMAT, Framer, Header, Mark};
use strongroom_barrier::{BarrierError, Batch, Opened, keys};
use strongroom_crypto::MacKey;
use strongroom_model::Action;
use strongroom_store::{Item, Snapshot, Space, StoreError};

/// What is read from the store at a time, in bytes.
const PIECE_BYTES: usize = 512 << 10;

/// A view of everything, without the keys to any of it.
pub struct BackupView {
    gate: Arc<Gate>,
    opened: Option<Arc<Opened>>,
    seer: Option<Seer>,
}

impl From<ServerView> for BackupView {
    fn from(view: ServerView) -> Self {
        Self { gate: view.gate, opened: view.opened, seer: view.seer }
    }
}

/// Why a backup broke off.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    /// The store below.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The right to it was lost on the way, or the token ended.
    #[error(transparent)]
    Right(#[from] RightLost),
    /// The last floor of the disk: the log must be folded, and a backup is in its way.
    #[error("the disk is full")]
    Full,
    /// That it is complete could not be recorded.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// A backup whose moment has been taken.
pub struct BackupBegun {
    gate: Arc<Gate>,
    right: Standing,
    header: Header,
    work: Box<Work>,
    first: Vec<u8>,
    mac: MacKey,
}

/// What is at work on a thread of its own.
struct Work {
    snapshot: Box<dyn Snapshot>,
    framer: Framer,
}

impl BackupView {
    /// Takes the moment. One backup at a time: another is [`StoreError::Busy`].
    pub async fn begin(self, version: &str) -> Result<BackupBegun, BarrierError> {
        let opened = self.opened.ok_or(BarrierError::Locked)?;
        let seer = self.seer.ok_or(BarrierError::Locked)?;
        let right = Standing::new(seer, Action::CreateBackup, &Target::Server);
        let incarnation = self.gate.signer.load().as_ref().map(|signer| signer.0);
        let incarnation = incarnation.ok_or(BarrierError::Locked)?;
        let mut snapshot = self.gate.store().snapshot().await?;
        let moment = snapshot.moment();
        let (snapshot, items) = blocking(move || {
            let items = snapshot.read(PIECE_BYTES)?;
            Ok((snapshot, items))
        })
        .await?;
        let mac = mac_key(&opened, &items)?;
        let header = Header {
            version: version.to_owned(),
            data_format: DATA_FORMAT,
            backup: self.gate.ambient().random(),
            incarnation,
            made: self.gate.now(),
            revision: moment.revision,
            trail: moment.trail,
            about_bytes: moment.about_bytes,
        };
        let (mut framer, mut first) = Framer::begin(&header);
        for item in &items {
            framer.push(item, &mut first);
        }
        let work = Box::new(Work { snapshot, framer });
        Ok(BackupBegun { gate: self.gate, right, header, work, first, mac })
    }
}

/// The key of the MAC leads from the partition's row of this moment; the KEK may have been rotated since.
fn mac_key(opened: &Opened, items: &[Item]) -> Result<MacKey, BarrierError> {
    let row = items.iter().find_map(|item| match item {
        Item::Row(row) if row.key.as_bytes().starts_with(&keys::partitions()) => Some(row),
        _ => None,
    });
    let row = row.ok_or_else(|| BarrierError::corrupt("no partition"))?;
    opened.backup_mac(&row.value).ok_or(BarrierError::Store(StoreError::Busy))
}

impl BackupBegun {
    /// Which moment it is.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its bytes. `end` is the entry that says that it was complete; dropped before, it says that it was not.
    pub fn stream(self, mut end: Entry) -> BackupStream {
        end.note(format!("{} broke off", self.describe()));
        let Self { gate, right, header, work, first, mac } = self;
        BackupStream { gate, right, header, work: Some(work), first: Some(first), mac, end, bytes: 0 }
    }

    /// For the trail.
    pub fn describe(&self) -> String {
        describe(&self.header)
    }
}

fn describe(header: &Header) -> String {
    let id = strongroom_model::ObjectId(header.backup);
    format!("backup {id} of entry {}", header.trail.seq)
}

/// A backup's bytes, a piece at a time, while work goes on.
pub struct BackupStream {
    gate: Arc<Gate>,
    right: Standing,
    header: Header,
    work: Option<Box<Work>>,
    first: Option<Vec<u8>>,
    mac: MacKey,
    end: Entry,
    bytes: u64,
}

impl BackupStream {
    /// The next bytes; none at the end. The last ones leave when it is durable that they do. With the right to them a
    /// backup ends, and without its last bytes it is none.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, BackupFault> {
        if let Err(lost) = self.right.renew_fresh().await {
            self.end.note(format!("{} broke off: {lost}", describe(&self.header)));
            return Err(lost.into());
        }
        let piece = match self.first.take() {
            Some(first) => Some(first),
            None => self.advance().await?,
        };
        let length = piece.as_ref().map_or(0, Vec::len);
        self.bytes = self.bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        Ok(piece)
    }

    async fn advance(&mut self) -> Result<Option<Vec<u8>>, BackupFault> {
        let Some(mut work) = self.work.take() else { return Ok(None) };
        if self.gate.space() == Space::Exhausted {
            return Err(BackupFault::Full);
        }
        let (work, ended, mut out) = blocking(move || {
            let mut out = Vec::with_capacity(2 * PIECE_BYTES);
            let mut ended = false;
            while out.is_empty() && !ended {
                let items = work.snapshot.read(PIECE_BYTES)?;
                ended = items.is_empty();
                for item in &items {
                    work.framer.push(item, &mut out);
                }
            }
            Ok((work, ended, out))
        })
        .await?;
        if ended {
            work.framer.finish(&self.mac, &mut out);
            drop(work.snapshot);
            self.complete(out.len()).await?;
        } else {
            self.work = Some(work);
        }
        Ok(Some(out))
    }

    async fn complete(&mut self, last: usize) -> Result<(), CommitError> {
        let Header { backup, made, trail, .. } = self.header;
        let bytes = self.bytes.saturating_add(u64::try_from(last).unwrap_or(u64::MAX));
        self.end.note(format!("{} complete: {bytes} bytes", describe(&self.header)));
        let mut batch = Batch::new();
        batch.put(keys::last_backup(), Mark { backup, made, seq: trail.seq }.encode());
        self.end.commit(batch).await.map(drop)
    }
}

impl Gate {
    /// When the last backup was made that was complete, or that this data directory was restored from.
    pub async fn last_backup(&self) -> Result<Option<Mark>, BarrierError> {
        let row = self.store().get(&keys::last_backup()).await?;
        let damaged = || BarrierError::corrupt("the mark of the last backup");
        row.map(|row| Mark::decode(&row.value).ok_or_else(damaged)).transpose()
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Closed)?
}

impl std::fmt::Debug for BackupView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BackupView")
    }
}

impl std::fmt::Debug for BackupBegun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackupBegun({})", self.describe())
    }
}

impl std::fmt::Debug for BackupStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackupStream({})", describe(&self.header))
    }
}
