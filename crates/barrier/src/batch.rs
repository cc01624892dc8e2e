//! A batch: what a view wants to happen at once, and what to remember once it has.

use strongroom_model::Access;
use strongroom_store::{Change, Class, MergeRefused, PendingEntry, Precondition, Revision, RowKey, Txn};

/// What to do in memory once a batch is durable, given the number of its commit.
pub type Applied = Box<dyn FnOnce(Revision) + Send>;

/// Sealed changes with their preconditions. Only views build them; only the gate commits them.
#[derive(Default)]
pub struct Batch {
    pub(crate) class: Class,
    pub(crate) needs: Access,
    pub(crate) preconditions: Vec<Precondition>,
    pub(crate) changes: Vec<Change>,
    pub(crate) applied: Vec<Applied>,
}

impl Batch {
    /// A batch that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets it use the reserve of a full disk.
    #[must_use]
    pub fn essential(mut self) -> Self {
        self.class = Class::Essential;
        self
    }

    /// Takes note of the access that it needs: of an action which makes or changes, by what is there, the view that
    /// builds its batch knows which. The gate decides it when the batch is committed.
    pub fn need(&mut self, access: Access) {
        self.needs = self.needs.with(access);
    }

    /// The access that it needs; none: what its action does.
    pub fn needs(&self) -> Access {
        self.needs
    }

    /// Requires something.
    pub fn require(&mut self, precondition: Precondition) {
        if !self.preconditions.contains(&precondition) {
            self.preconditions.push(precondition);
        }
    }

    /// Writes a row whose value is already sealed or is no secret.
    pub fn put(&mut self, key: RowKey, value: Vec<u8>) {
        self.changes.push(Change::Put(key, value));
    }

    /// Replaces a row's value by a function of it, on the writer.
    pub(crate) fn merge(
        &mut self,
        key: RowKey,
        merge: impl FnOnce(Option<&[u8]>) -> Result<Option<Vec<u8>>, MergeRefused> + Send + 'static,
    ) {
        self.changes.push(Change::Merge(key, Box::new(merge)));
    }

    /// Deletes a row.
    pub fn delete(&mut self, key: RowKey) {
        self.changes.push(Change::Delete(key));
    }

    /// Deletes all rows with a prefix.
    pub fn delete_prefix(&mut self, prefix: Vec<u8>) {
        self.changes.push(Change::DeletePrefix(prefix));
    }

    /// Trims the trail's front, up to and including an entry.
    pub fn trim_trail(&mut self, up_to: u64) {
        self.changes.push(Change::TrimTrail(up_to));
    }

    /// Adds something to do in memory once it is durable.
    pub fn then(&mut self, applied: impl FnOnce() + Send + 'static) {
        self.applied.push(Box::new(move |_| applied()));
    }

    /// The same for what has to know the commit: rows written here have its number as their revision.
    pub fn then_at(&mut self, applied: impl FnOnce(Revision) + Send + 'static) {
        self.applied.push(Box::new(applied));
    }

    /// Adds another batch's part to this one.
    pub fn absorb(&mut self, other: Self) {
        self.needs = self.needs.with(other.needs);
        for precondition in other.preconditions {
            self.require(precondition);
        }
        self.changes.extend(other.changes);
        self.applied.extend(other.applied);
    }

    /// Whether it writes a row.
    pub fn puts(&self, key: &RowKey) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Put(written, _) if written == key))
    }

    /// How many changes it makes.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The transaction with its entry, and what to do once it is durable.
    pub fn into_txn(self, entry: Option<PendingEntry>) -> (Txn, Vec<Applied>) {
        let Self { class, needs: _, preconditions, changes, applied } = self;
        (Txn { class, preconditions, changes, entry }, applied)
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} preconditions, {:?})", self.preconditions.len(), self.changes)
    }
}
