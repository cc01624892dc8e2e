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
    pub(crate) expires: UnixMillis,
}

#[derive(Default)]
struct Held {
    epoch: u64,
    callers: HashMap<[u8; 32], Arc<Prepared>>,
    names: HashMap<UserId, Arc<str>>,
    /// Tokens ended so far: what was looked up before one ended may be that one.
    ended: u64,
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

    /// To be asked before a token is looked up, and given to [`Cache::put`].
    pub(crate) fn ended(&self) -> u64 {
        self.0.read().ended
    }

    /// Keeps a caller, unless a token ended since `ended` was asked for: it may be this one.
    pub(crate) fn put(&self, digest: [u8; 32], epoch: u64, ended: u64, prepared: Arc<Prepared>) {
        self.fill(epoch, |held| {
            if held.ended == ended {
                bounded(&mut held.callers).insert(digest, prepared);
            }
        });
    }

    pub(crate) fn put_name(&self, id: UserId, epoch: u64, name: &Arc<str>) {
        self.fill(epoch, |held| {
            bounded(&mut held.names).insert(id, Arc::clone(name));
        });
    }

    fn fill(&self, epoch: u64, put: impl FnOnce(&mut Held)) {
        let mut held = self.0.write();
        if held.epoch < epoch {
            *held = Held { epoch, ended: held.ended, ..Held::default() };
        }
        if held.epoch == epoch {
            put(&mut held);
        }
    }

    pub(crate) fn remove(&self, digest: &[u8; 32]) {
        let mut held = self.0.write();
        held.ended += 1;
        held.callers.remove(digest);
    }
}

/// A full map is emptied: whoever comes again is looked up again.
fn bounded<K, V>(map: &mut HashMap<K, V>) -> &mut HashMap<K, V> {
    if map.len() >= MAX_CALLERS {
        map.clear();
    }
    map
}
