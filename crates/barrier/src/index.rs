//! The index of opened names: the one thing kept open in memory, wiped on lock.

use crate::name_list::Names;
use crate::shelves::Shelves;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use strongroom_model::ObjectId;

/// An object as the index knows it.
#[derive(Debug)]
pub struct Head {
    /// The object.
    pub object: ObjectId,
    /// Its newest version as last seen; 0 when not seen yet.
    version: AtomicU64,
    /// Whether its newest version cannot be read.
    gone: AtomicBool,
}

impl Head {
    /// An object whose newest version is not known.
    pub(crate) fn new(object: ObjectId, gone: bool) -> Self {
        Self { object, version: AtomicU64::new(0), gone: AtomicBool::new(gone) }
    }

    /// Whether its newest version is deleted or destroyed.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Takes note of whether its newest version can be read.
    pub(crate) fn set_gone(&self, gone: bool) {
        self.gone.store(gone, Ordering::Release);
    }

    /// The newest version as last seen.
    pub fn seen_version(&self) -> Option<u64> {
        match self.version.load(Ordering::Acquire) {
            0 => None,
            version => Some(version),
        }
    }

    /// Takes note of a version.
    pub(crate) fn saw(&self, version: u64) {
        self.version.fetch_max(version, Ordering::AcqRel);
    }
}

/// Names of a folder in order, while there are no more than the limit.
///
/// Writers hold its lock for one insertion or removal in memory, never across input or output.
#[derive(Default)]
pub(crate) struct Index {
    names: Shelves,
    overflowed: bool,
    /// Whether a newest version may be gone: where none is, a listing looks at names alone, not at what they name.
    any_gone: bool,
    /// Grows with every change, so that whoever reads the folder anew knows whether it stood still meanwhile.
    changes: u64,
}

impl Index {
    /// Whether every name of the folder is here.
    pub(crate) fn is_whole(&self) -> bool {
        !self.overflowed
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Head>> {
        self.names.get(name).cloned()
    }

    /// Changes so far.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Takes the place of this one unless it changed since `changes` was asked for. Says whether it did.
    pub(crate) fn replace(&mut self, fresh: Self, changes: u64) -> bool {
        if self.changes != changes {
            return false;
        }
        *self = Self { changes: changes + 1, ..fresh };
        true
    }

    pub(crate) fn insert(&mut self, name: &str, head: Arc<Head>, limit: usize) {
        self.changes += 1;
        self.any_gone |= head.is_gone();
        if self.overflowed {
            return;
        }
        if self.names.len() >= limit {
            self.overflowed = true;
            self.names = Shelves::default();
            return;
        }
        self.names.insert(name, head);
    }

    /// Removes a name if it still names this object.
    pub(crate) fn remove(&mut self, name: &str, object: ObjectId) {
        self.changes += 1;
        if self.names.get(name).is_some_and(|head| head.object == object) {
            self.names.remove(name);
        }
    }

    /// Names in order, after `after`, that begin with `prefix`; at most `limit` that `keep` wants by name and whether
    /// the newest version is gone.
    pub(crate) fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&str, bool) -> bool,
    ) -> Names {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        self.names
            .from(start)
            .map(|(name, head)| (name, self.any_gone && head.is_gone()))
            .take_while(|(name, _)| name.starts_with(prefix))
            .filter(|(name, gone)| keep(name, *gone))
            .take(limit)
            .collect()
    }

    /// Takes note of whether the newest version of what a name names can be read: in whichever head is here now, and so
    /// that whoever reads the folder anew meanwhile looks again.
    pub(crate) fn relive(&mut self, name: &str, object: ObjectId, gone: bool) {
        self.changes += 1;
        self.any_gone |= gone;
        if let Some(head) = self.names.get(name).filter(|head| head.object == object) {
            head.set_gone(gone);
        }
    }

    pub(crate) fn wipe(&mut self) {
        self.changes += 1;
        self.names = Shelves::default();
        self.overflowed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(names: &[&str], limit: usize) -> Index {
        let mut index = Index::default();
        for name in names {
            index.insert(name, Arc::new(Head::new(ObjectId([1; 16]), false)), limit);
        }
        index
    }

    #[test]
    fn pages_follow_each_other_in_order() {
        let index = index(&["b/2", "a", "b/1", "c", "b/3"], 10);
        assert_eq!(index.page("", None, 2, |_, _| true).to_vec(), ["a", "b/1"]);
        assert_eq!(index.page("", Some("b/1"), 9, |_, _| true).to_vec(), ["b/2", "b/3", "c"]);
        assert_eq!(index.page("b/", None, 9, |_, _| true).to_vec(), ["b/1", "b/2", "b/3"]);
        assert_eq!(index.page("b/", Some("a"), 9, |_, _| true).to_vec(), ["b/1", "b/2", "b/3"]);
        assert_eq!(index.page("b/", Some("b/2"), 9, |_, _| true).to_vec(), ["b/3"]);
        assert_eq!(index.page("", None, 9, |name, _| name.contains('2')).to_vec(), ["b/2"]);
    }

    #[test]
    fn beyond_its_limit_it_is_no_longer_whole() {
        let index = index(&["a", "b", "c"], 2);
        assert!(!index.is_whole());
        assert_eq!(index.len(), 0);
    }

    #[test]
    fn an_index_that_changed_meanwhile_is_not_replaced() {
        let mut present = index(&["a"], 10);
        let before = present.changes();
        present.insert("b", Arc::new(Head::new(ObjectId([1; 16]), false)), 10);
        assert!(!present.replace(index(&["a"], 10), before));
        assert!(present.get("b").is_some());
        let before = present.changes();
        assert!(present.replace(index(&["a"], 10), before));
        assert!(present.get("b").is_none());
        let before = present.changes();
        present.wipe();
        assert!(!present.replace(index(&["a"], 10), before), "a lock in between stays a lock");
        assert!(present.get("a").is_none());
    }

    #[test]
    fn a_change_of_lives_reaches_the_head_that_is_here_and_none_is_missed() {
        let mut present = index(&["a"], 10);
        let before = present.changes();
        let stale = index(&["a"], 10);
        assert!(!present.page("", None, 9, |_, _| true).is_gone(0));
        present.relive("a", ObjectId([1; 16]), true);
        assert!(present.page("", None, 9, |_, _| true).is_gone(0));
        assert!(present.get("a").unwrap().is_gone());
        assert!(!present.replace(stale, before), "read before it was deleted");
        present.relive("a", ObjectId([2; 16]), false);
        assert!(present.get("a").unwrap().is_gone(), "of another object");
    }

    #[test]
    fn a_late_removal_does_not_take_a_new_object_away() {
        let mut index = index(&["a"], 2);
        index.remove("a", ObjectId([2; 16]));
        assert!(index.get("a").is_some());
        index.remove("a", ObjectId([1; 16]));
        assert!(index.get("a").is_none());
    }
}
