//! Changes of the sharing system: one after the other, each made in memory once it is durable.

use super::SharingView;
use super::notes::{HeadRecord, MarkRecord, ReplacedRecord};
use super::records::{AuthorityRecord, CollectorsRecord, MemberRecord, RightRecord, Row, Standing, What};
use super::state::Known;
use std::sync::Arc;
use strongroom_barrier::{BarrierError, Batch, keys};
use strongroom_keyring::Kind;
use strongroom_secret::SecretBytes;
use strongroom_sharing::MemberId;
use strongroom_store::{Precondition, RowKey};

/// A change in the making: nobody else changes anything until it is dropped, so it is kept until its batch is committed.
#[must_use = "a change is nothing until its batch is committed"]
pub struct SharingChange<'v> {
    view: &'v SharingView,
    batch: Batch,
    _turn: tokio::sync::MutexGuard<'v, ()>,
}

impl SharingView {
    /// Waits for the turn of a change. What it is decided by is read after this.
    pub async fn changing(&self) -> Result<SharingChange<'_>, BarrierError> {
        let turn = self.state.turn.lock().await;
        let root = self.opened.store().get(&keys::root()).await?;
        let root = root.ok_or_else(|| BarrierError::corrupt("the root record is gone"))?;
        // a lock may have come before, or everything have been read anew: then this is not what holds
        let current = self.gate.sharing_of(&self.opened).is_some_and(|now| Arc::ptr_eq(&now, &self.state));
        if !current || !self.gate.opened().is_ok_and(|now| Arc::ptr_eq(&now, &self.opened)) {
            return Err(BarrierError::Store(strongroom_store::StoreError::Busy));
        }
        let mut batch = self.opened.batch();
        batch.require(Precondition::Revision(keys::root(), root.revision));
        Ok(SharingChange { view: self, batch, _turn: turn })
    }
}

impl SharingChange<'_> {
    fn place(&self, what: What, about: &[u8]) -> ([u8; 16], RowKey) {
        let opened = &self.view.opened;
        let hash = opened.sharing_hash(what as u8, about);
        (hash, keys::sharing(opened.partition(), &hash))
    }

    fn put(&mut self, what: What, about: &[u8], plain: &[u8]) -> RowKey {
        let (hash, row) = self.place(what, about);
        let sealed = self.view.opened.seal(Kind::Sharing, hash, plain);
        self.batch.put(row.clone(), sealed);
        row
    }

    fn then(&mut self, apply: impl FnOnce(&mut Known) + Send + 'static) {
        let state = Arc::clone(&self.view.state);
        self.batch.then(move || {
            let mut known = state.known.write();
            apply(&mut known);
            known.version += 1;
        });
    }

    /// Makes the authority where there is none, and never in the place of one.
    pub fn found(&mut self, authority: AuthorityRecord, secrets: &SecretBytes) {
        let plain = secrets.expose(|secrets| {
            let mut plain = Vec::with_capacity(1 + secrets.len());
            plain.push(What::Secrets as u8);
            plain.extend_from_slice(secrets);
            SecretBytes::new(plain)
        });
        let row = plain.expose(|plain| self.put(What::Secrets, &[], plain));
        self.batch.require(Precondition::Absent(row));
        let (_, row) = self.place(What::Authority, &[]);
        self.batch.require(Precondition::Absent(row));
        self.put_authority(authority);
    }

    /// Writes the authority's record.
    pub fn put_authority(&mut self, authority: AuthorityRecord) {
        self.put(What::Authority, &[], &authority.encode());
        self.then(move |known| known.authority = Some(Arc::new(authority)));
    }

    /// Makes a member of a name that nobody has.
    pub fn add_member(&mut self, member: MemberRecord) {
        let (_, row) = self.place(What::Member, member.name.as_str().as_bytes());
        self.batch.require(Precondition::Absent(row));
        self.put_member(member);
    }

    /// Writes a member. One that is removed leaves its name to others.
    pub fn put_member(&mut self, member: MemberRecord) {
        let name = member.name.as_str().as_bytes();
        if member.standing == Standing::Removed {
            let (_, row) = self.place(What::Member, name);
            self.batch.delete(row);
            self.put(What::Removed, &member.id.0, &member.encode());
        } else {
            self.put(What::Member, name, &member.encode());
        }
        self.then(move |known| known.put_member(member));
    }

    /// Writes a group of collectors.
    pub fn put_group(&mut self, group: CollectorsRecord) {
        self.put(What::Group, group.name.as_str().as_bytes(), &group.encode());
        self.then(move |known| drop(known.groups.insert(group.name.to_string(), Arc::new(group))));
    }

    /// Removes a group of collectors.
    pub fn remove_group(&mut self, group: &CollectorsRecord) {
        let name = group.name.to_string();
        let (_, row) = self.place(What::Group, name.as_bytes());
        self.batch.require(Precondition::Present(row.clone()));
        self.batch.delete(row);
        self.then(move |known| drop(known.groups.remove(&name)));
    }

    /// Registers a right.
    pub fn put_right(&mut self, right: RightRecord) {
        self.put(What::Right, &right.about(), &right.encode());
        self.then(move |known| {
            known.rights.insert(right);
        });
    }

    /// Keeps what a collector left word of.
    pub fn put_head(&mut self, head: HeadRecord) {
        self.put(What::Head, &head.collector.0, &head.encode());
        self.then(move |known| drop(known.heads.insert(head.collector, Arc::new(head))));
    }

    /// Forgets what a collector left word of.
    pub fn remove_head(&mut self, collector: MemberId) {
        let (_, row) = self.place(What::Head, &collector.0);
        self.batch.delete(row);
        self.then(move |known| drop(known.heads.remove(&collector)));
    }

    /// Keeps up to where a key counts that was replaced.
    pub fn put_replaced(&mut self, replaced: ReplacedRecord) {
        let about = [replaced.member.0.as_slice(), &replaced.key].concat();
        self.put(What::Replaced, &about, &replaced.encode());
        self.then(move |known| known.put_replaced(replaced));
    }

    /// Uses up what counts once.
    pub fn mark(&mut self, mark: MarkRecord) {
        let row = self.put(What::Mark, &mark.id, &mark.encode());
        self.batch.require(Precondition::Absent(row));
        self.then(move |known| known.put_mark(mark));
    }

    /// Forgets marks that need not be known any more.
    pub fn forget_marks(&mut self, ids: Vec<[u8; 16]>) {
        for id in &ids {
            let (_, row) = self.place(What::Mark, id);
            self.batch.delete(row);
        }
        self.then(move |known| ids.iter().for_each(|id| known.forget_mark(id)));
    }

    /// What is to be committed. The change is kept until that is done.
    pub fn take(&mut self) -> Batch {
        std::mem::take(&mut self.batch)
    }
}

impl std::fmt::Debug for SharingChange<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharingChange({:?})", self.batch)
    }
}
