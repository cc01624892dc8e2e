//! Keysets in memory, and what is derived from them: replaced whole when a key changes, read without a lock.

use arc_swap::{ArcSwap, Guard};
use std::sync::Arc;
use strongroom_keyring::Keyset;
use strongroom_model::KeysetId;
use strongroom_store::{Precondition, Revision, RowKey};

/// A keyset, unwrapped, with the row it came from: the fence of everything it seals.
#[derive(Debug)]
pub struct KeysetState {
    /// The keys.
    pub keyset: Arc<Keyset>,
    /// Its row.
    pub row: RowKey,
    /// The row's revision when it was read.
    pub revision: Revision,
}

impl KeysetState {
    /// That the keyset is still as it was here.
    pub(crate) fn fence(&self) -> Precondition {
        Precondition::Fence(self.row.clone(), self.revision)
    }
}

/// A keyset's place in memory: always its newest known state.
#[derive(Debug)]
pub(crate) struct KeysetCell {
    id: KeysetId,
    row: RowKey,
    state: ArcSwap<KeysetState>,
}

impl KeysetCell {
    pub(crate) fn new(row: RowKey, keyset: Keyset, revision: Revision) -> Arc<Self> {
        let (id, keyset) = (keyset.id(), Arc::new(keyset));
        let state = ArcSwap::from_pointee(KeysetState { keyset, row: row.clone(), revision });
        Arc::new(Self { id, row, state })
    }

    pub(crate) fn id(&self) -> KeysetId {
        self.id
    }

    pub(crate) fn row(&self) -> &RowKey {
        &self.row
    }

    pub(crate) fn current(&self) -> Arc<KeysetState> {
        self.state.load_full()
    }

    /// Takes what was committed at a revision, unless something newer is known.
    pub(crate) fn install(&self, keyset: &Arc<Keyset>, revision: Revision) {
        let next = Arc::new(KeysetState { keyset: Arc::clone(keyset), row: self.row.clone(), revision });
        self.state
            .rcu(|present| if present.revision < revision { Arc::clone(&next) } else { Arc::clone(present) });
    }
}

/// What was derived from one state of a keyset.
pub(crate) struct Made<T> {
    pub(crate) state: Arc<KeysetState>,
    value: T,
}

impl<T> std::ops::Deref for Made<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Something derived from a keyset (its sealing keys at a place), derived again once the keyset is another. To look at
/// it costs two atomic loads: no lock, no allocation.
pub(crate) struct Live<T> {
    cell: Arc<KeysetCell>,
    derive: Box<dyn Fn(&Keyset) -> T + Send + Sync>,
    made: ArcSwap<Made<T>>,
}

impl<T> Live<T> {
    pub(crate) fn new(cell: &Arc<KeysetCell>, derive: impl Fn(&Keyset) -> T + Send + Sync + 'static) -> Self {
        let state = cell.current();
        let value = derive(&state.keyset);
        let made = ArcSwap::from_pointee(Made { state, value });
        Self { cell: Arc::clone(cell), derive: Box::new(derive), made }
    }

    /// As of the keyset's newest state.
    pub(crate) fn current(&self) -> Guard<Arc<Made<T>>> {
        let made = self.made.load();
        if Arc::ptr_eq(&made.state, &self.cell.state.load()) { made } else { self.renewed() }
    }

    #[cold]
    fn renewed(&self) -> Guard<Arc<Made<T>>> {
        let state = self.cell.current();
        let value = (self.derive)(&state.keyset);
        let made = Arc::new(Made { state, value });
        self.made.store(Arc::clone(&made));
        Guard::from_inner(made)
    }

    pub(crate) fn cell(&self) -> &Arc<KeysetCell> {
        &self.cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_ambient::{Ambient, FakeClock, SeededEntropy, UnixMillis};
    use strongroom_model::PartitionId;

    #[test]
    fn what_is_derived_follows_its_keyset_and_an_older_state_never_returns() {
        let ambient = Ambient {
            clock: Arc::new(FakeClock::at(UnixMillis(0))),
            entropy: Arc::new(SeededEntropy::new(3)),
        };
        let id = KeysetId([5; 16]);
        let keyset = Keyset::generate(&ambient, id);
        let (two, row) = (keyset.with_new_term(&ambient), crate::keys::keyset(PartitionId([1; 16]), id));
        let two = Arc::new(two.expect("room for a term"));
        let cell = KeysetCell::new(row, keyset, Revision(1));
        let live = Live::new(&cell, Keyset::write_term);
        assert_eq!(***live.current(), 1);
        cell.install(&two, Revision(3));
        assert_eq!((***live.current(), live.current().state.revision), (2, Revision(3)));
        let old = Arc::new(two.without_terms_before(2));
        cell.install(&old, Revision(2));
        assert_eq!(cell.current().keyset.terms().len(), 2, "a late installer does not turn the keyset back");
    }
}
