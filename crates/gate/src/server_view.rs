//! The view of the server itself: for the operator engine.

use crate::admit::Gate;
use crate::entry::Entry;
use crate::jobs::{self, JobRecord, JobState};
use crate::people::{self, Directory, UserRecord};
use crate::policy::authz_change;
use crate::seer::Seer;
use crate::trail_feed::TrailFeed;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_audit::{CheckpointKey, Record};
use strongroom_barrier::{BarrierError, Batch, DeepReport, Opened, keys};
use strongroom_crypto::sha256_parts;
use strongroom_keyring::{Kind, RootKey};
use strongroom_model::{CredentialId, JobId, KeysetId, Name};
use strongroom_secret::SecretArray;
use strongroom_store::{Precondition, Revision};

/// Most rows removed by one round of housekeeping.
const HOUSEKEEPING_ROWS: usize = 1_000;

/// A view of the server: root record, hierarchy, lock.
pub struct ServerView {
    pub(crate) gate: Arc<Gate>,
    pub(crate) opened: Option<Arc<Opened>>,
    pub(crate) seer: Option<Seer>,
}

impl ServerView {
    /// The root record's row, if the server was initialised.
    pub async fn root_row(&self) -> Result<Option<(Vec<u8>, Revision)>, BarrierError> {
        let row = self.gate.store().get(&keys::root()).await?;
        Ok(row.map(|row| (row.value, row.revision)))
    }

    /// Replaces the root record; fails if it was replaced meanwhile.
    pub fn put_root(&self, batch: &mut Batch, seen: Option<Revision>, record: Vec<u8>) {
        batch.require(match seen {
            Some(revision) => Precondition::Revision(keys::root(), revision),
            None => Precondition::Absent(keys::root()),
        });
        batch.put(keys::root(), record);
    }

    /// Makes a fresh hierarchy with root as its user, in place of one that was never confirmed.
    pub fn install(
        &self,
        root: &RootKey,
        root_generation: u64,
        user: &Name,
        spki: &[u8],
    ) -> Result<(Batch, CredentialId), BarrierError> {
        let ambient = self.gate.ambient();
        let limits = strongroom_barrier::Limits::default();
        let fresh = Opened::generate(self.gate.store(), ambient, limits, root, root_generation)?;
        let mut batch = Batch::new();
        for table in 0x02..=0x18_u8 {
            batch.delete_prefix(vec![table]);
        }
        batch.absorb(fresh.batch);
        let record = UserRecord::new(user.clone(), self.gate.now());
        let (_, key) = people::add_user(&fresh.opened, &mut batch, &record, spki);
        let seed = SecretArray::<32>::filled(|bytes| ambient.entropy.fill(bytes));
        let partition = fresh.opened.partition();
        let sealed = seed.expose(|bytes| fresh.opened.seal(Kind::CheckpointKey, partition.0, bytes));
        batch.put(keys::checkpoint_key(partition), sealed);
        authz_change(&fresh.opened, &mut batch, 1);
        Ok((batch, key))
    }

    /// Whether anything was ever stored in the hierarchy: then it is not replaced.
    pub async fn has_stores(&self) -> Result<bool, BarrierError> {
        // KeyMap rows exist for stores and for nothing else
        let rows = self.gate.store().list(strongroom_store::Range::prefix(vec![0x07], 1)).await?;
        Ok(!rows.is_empty())
    }

    /// Opens the hierarchy. From here on `entry` is sealed as everything else.
    pub async fn unlock(
        &self,
        root: &RootKey,
        incarnation: [u8; 16],
        entry: &mut Entry,
    ) -> Result<(), BarrierError> {
        // users' writes that were admitted before a lock are done, or will not be: no index misses one
        let alone = self.gate.commits.write().await;
        let opened = self.gate.barrier().open(root).await?;
        drop(alone);
        if let Err(fault) = self.prepare(&opened, incarnation).await {
            self.gate.barrier().lock();
            return Err(fault);
        }
        entry.seal_under(opened);
        self.gate.next_epoch();
        Ok(())
    }

    /// A store from before there was an authorisation revision gets one with its first unlock.
    pub fn begin_authz_revision(&self, batch: &mut Batch) -> Result<bool, BarrierError> {
        let lacks = self.gate.policy.load().revision.is_none();
        if lacks {
            // the number that people were loaded at: nothing of them changes
            authz_change(&*self.gate.opened()?, batch, 0);
        }
        Ok(lacks)
    }

    async fn prepare(&self, opened: &Opened, incarnation: [u8; 16]) -> Result<(), BarrierError> {
        let partition = opened.partition();
        let damaged = || BarrierError::corrupt("the key that signs checkpoints");
        let key = keys::checkpoint_key(partition);
        let seed = opened.read_single(Kind::CheckpointKey, partition.0, &key).await?.ok_or_else(damaged)?;
        let seed = seed.expose(SecretArray::<32>::copied).ok_or_else(damaged)?;
        let signer = seed.expose(CheckpointKey::from_seed).map_err(|_| damaged())?;
        self.raise_clock(opened).await?;
        let people = Directory::load(opened).await?;
        self.gate.set_people(Some(Arc::new(people)));
        self.gate.refresh_policy(opened).await?;
        self.gate.signer.store(Some(Arc::new((incarnation, signer))));
        Ok(())
    }

    /// The trail's last entry that opens is the persisted mark which time never runs behind.
    async fn raise_clock(&self, opened: &Opened) -> Result<(), BarrierError> {
        let head = self.gate.store().trail_head();
        let from = head.seq.saturating_sub(63).max(1);
        let entries = self.gate.store().entries(from, 64).await?;
        let sealer = opened.trail();
        let last = entries.iter().rev().find_map(|entry| Record::decode(&entry.body, Some(&sealer)).ok());
        if let Some(record) = last {
            self.gate.clock().raise(record.time);
        }
        Ok(())
    }

    /// Wipes keys and names.
    pub fn lock(&self) {
        self.gate.barrier().lock();
        self.gate.set_people(None);
        self.gate.forget_sharing();
        self.gate.forget_policy();
        self.gate.signer.store(None);
        self.gate.next_epoch();
    }

    /// A batch that ends every token, locked or not.
    pub fn end_tokens(&self) -> Batch {
        let mut batch = Batch::new();
        batch.delete_prefix(keys::all_tokens());
        let people = self.gate.people.load_full();
        batch.then(move || {
            if let Some(people) = people {
                people.forget_tokens();
            }
        });
        batch
    }

    /// Takes note of when a set of unlock keys is made: now.
    pub fn note_set(&self, batch: &mut Batch, set: [u8; 8]) {
        batch.put(keys::unlock_set(set), set_note(set, self.gate.now()));
    }

    /// When a set of unlock keys was made; nobody knows it of sets that are older than such notes.
    pub async fn set_made(&self, set: [u8; 8]) -> Result<Option<UnixMillis>, BarrierError> {
        let Some(row) = self.gate.store().get(&keys::unlock_set(set)).await? else { return Ok(None) };
        let read = || {
            let made = UnixMillis(i64::from_be_bytes(row.value.get(1..9)?.try_into().ok()?));
            (row.value == set_note(set, made)).then_some(made)
        };
        read().map(Some).ok_or_else(|| BarrierError::corrupt("when a set of unlock keys was made"))
    }

    /// The partition's row, wrapped under another root key.
    pub fn rewrap(&self, root: &RootKey, root_generation: u64) -> Option<Batch> {
        self.opened.as_ref().map(|opened| opened.rewrap(root, root_generation))
    }

    /// The partition's row under another root key, laid beside the one in force for whoever opens that root key with these
    /// unlock keys while the server is locked.
    pub async fn lay_beside(
        &self,
        root: &RootKey,
        root_generation: u64,
        set: [u8; 8],
    ) -> Result<Batch, BarrierError> {
        let opened = self.opened.as_ref().ok_or(BarrierError::Locked)?;
        opened.lay_beside(root, root_generation, set).await
    }

    /// Whether these unlock keys open a root key that something was laid beside for.
    pub async fn holds_beside(&self, set: [u8; 8]) -> Result<bool, BarrierError> {
        self.gate.barrier().holds_beside(set).await
    }

    /// Puts what was laid beside in the place of what is in force.
    pub async fn take_beside(&self, root: &RootKey, set: [u8; 8]) -> Result<Option<Batch>, BarrierError> {
        self.gate.barrier().take_beside(root, set).await
    }

    /// Nothing is laid beside any more.
    pub fn forget_beside(&self, batch: &mut Batch) {
        batch.delete_prefix(keys::all_beside());
    }

    /// A new KEK, wrapped by the root key, for every keyset; with `terms` every keyset gets a new term too, and a job
    /// that seals everything anew under it. The trail's old terms stay, so that its entries can be read.
    /// `None`: a keyset has no room for another term.
    pub async fn rekey(
        &self,
        root: &RootKey,
        root_generation: u64,
        terms: Option<&JobRecord>,
    ) -> Result<Option<(Batch, Vec<JobId>)>, BarrierError> {
        let opened = self.opened.as_ref().ok_or(BarrierError::Locked)?;
        let rekeyed = opened.rotate_kek(root, root_generation, terms.is_some()).await?;
        let Some((mut batch, written)) = rekeyed else { return Ok(None) };
        let mut begun = Vec::new();
        let Some(sample) = terms else { return Ok(Some((batch, begun))) };
        let jobs = jobs::all(opened).await?.jobs;
        jobs::forget_ended(opened, &mut batch, &jobs);
        for mut job in jobs {
            if job.record.state == JobState::Running {
                job.record.state = JobState::Cancelled;
                "a rotation of all keys took its place".clone_into(&mut job.record.note);
                jobs::save(opened, &mut batch, &job);
            }
        }
        let names = keyset_names(opened).await?;
        for (id, term) in written.into_iter().filter(|(id, _)| *id != opened.trail_keyset()) {
            let name = names.get(&id).cloned().unwrap_or_default();
            let total = opened.records_of(id).await?;
            let record = JobRecord { keyset: id, term, name, total, ..sample.clone() };
            begun.push(jobs::begin(opened, &mut batch, &record));
        }
        Ok(Some((batch, begun)))
    }

    /// Held while keys change.
    pub async fn key_turn(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, BarrierError> {
        self.opened.as_ref().ok_or(BarrierError::Locked)?.key_turn().await
    }

    /// From here on every caller is looked up anew.
    pub fn forget_callers(&self) {
        self.gate.next_epoch();
    }

    /// What has expired: tokens, and outcomes kept for repetitions.
    pub async fn expired(&self) -> Result<Option<Batch>, BarrierError> {
        self.gate.expired(HOUSEKEEPING_ROWS).await
    }

    /// Looks at everything: the store's pages and rows, then every sealed record. Slow.
    pub async fn deep_check(&self) -> Result<DeepReport, BarrierError> {
        let opened = self.opened.as_ref().ok_or(BarrierError::Locked)?;
        let mut wrong = self.gate.store().check().await?;
        let mut report = opened.deep_check().await?;
        wrong.append(&mut report.wrong);
        Ok(DeepReport { wrong, ..report })
    }

    /// The trail as it grows, for an export that goes on.
    pub fn follow_trail(&self) -> TrailFeed {
        TrailFeed::new(&self.gate)
    }

    /// Believes the wall clock from here on.
    pub fn accept_clock(&self) {
        self.gate.clock().accept();
    }
}

/// `format 1 | time 8 | the first 8 bytes of SHA-256 of the set and what is before`: for the eye, and so nothing else.
fn set_note(set: [u8; 8], made: UnixMillis) -> Vec<u8> {
    let mut note = vec![1];
    note.extend(made.0.to_be_bytes());
    let digest = sha256_parts(&[b"strongroom unlock set\0", &set, &note]);
    note.extend(digest.iter().take(8));
    note
}

async fn keyset_names(opened: &Opened) -> Result<BTreeMap<KeysetId, String>, BarrierError> {
    let mut names = BTreeMap::new();
    for name in opened.keyset_names.page("", None, usize::MAX - 1, |_| true).await?.names.to_vec() {
        if let Some(head) = opened.keyset_names.find(&name).await? {
            names.insert(KeysetId(head.object.0), name);
        }
    }
    Ok(names)
}

impl std::fmt::Debug for ServerView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerView")
    }
}

impl Gate {
    async fn expired(&self, limit: usize) -> Result<Option<Batch>, BarrierError> {
        let opened = self.opened()?;
        let now = self.now().0;
        let mut batch = people::expired_tokens(self, &opened, now, limit).await?;
        if batch.len() < limit {
            batch.absorb(crate::outcome::expired(&opened, now, limit - batch.len()).await?);
        }
        Ok(Some(batch).filter(|batch| !batch.is_empty()))
    }

    /// How many tokens are kept; none while locked.
    pub async fn token_count(&self) -> Result<Option<u64>, BarrierError> {
        let Ok(opened) = self.opened() else { return Ok(None) };
        let mut range = strongroom_store::Range::prefix(keys::tokens(opened.partition()), HOUSEKEEPING_ROWS);
        let mut count = 0_u64;
        loop {
            let rows = self.store().list(range.clone()).await?;
            count = count.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX));
            match rows.into_iter().next_back() {
                Some(last) => range.after = Some(last.key),
                None => return Ok(Some(count)),
            }
        }
    }

    /// Whether housekeeping has anything to remove.
    pub async fn has_expired(&self) -> Result<bool, BarrierError> {
        self.recovery.forget(self.now());
        Ok(self.expired(1).await?.is_some())
    }
}
