//! Prepared callers: a token's digest finds who it is. Bounded; void with each lock and unlock.

use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_model::{Credential, Principal, UserId};

const MAX_CALLERS: usize = 100_000;

/// A caller without its request.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) principal: Arc<Principal>,
    pub(crate) credential: Credential,
    pub(crate) created: UnixMillis,
    pub(crate) expires: UnixMillis,
}

#[derive(Default)]
struct Held {
    epoch: u64,
    callers: HashMap<[u8; 32], Arc<Prepared>>,
    names: HashMap<UserId, Arc<str>>,
}

#[derive(Default)]
pub(crate) struct Cache(RwLock<Held>);

impl Cache {
    pub(crate) fn get(&self, digest: &[u8; 32], epoch: u64) -> Option<Arc<Prepared>> {
        let held = self.0.read();
        (held.epoch == epoch).then(|| held.callers.get(digest).cloned()).flatten()
    }

    pub(crate) fn name(&self, id: UserId, epoch: u64) -> Option<Arc<str>> {
        let held = self.0.read();
        (held.epoch == epoch).then(|| held.names.get(&id).cloned()).flatten()
    }

    pub(crate) fn put(&self, digest: [u8; 32], epoch: u64, prepared: Arc<Prepared>) {
        self.fill(epoch, |held| bounded(&mut held.callers).insert(digest, prepared).is_some());
    }

    pub(crate) fn put_name(&self, id: UserId, epoch: u64, name: &Arc<str>) {
        self.fill(epoch, |held| bounded(&mut held.names).insert(id, Arc::clone(name)).is_some());
    }

    fn fill(&self, epoch: u64, put: impl FnOnce(&mut Held) -> bool) {
        let mut held = self.0.write();
        if held.epoch < epoch {
            *held = Held { epoch, ..Held::default() };
        }
        if held.epoch == epoch {
            put(&mut held);
        }
    }

    pub(crate) fn remove(&self, digest: &[u8; 32]) {
        self.0.write().callers.remove(digest);
    }
}

/// A full map is emptied: whoever comes again is looked up again.
fn bounded<K, V>(map: &mut HashMap<K, V>) -> &mut HashMap<K, V> {
    if map.len() >= MAX_CALLERS {
        map.clear();
    }
    map
}
