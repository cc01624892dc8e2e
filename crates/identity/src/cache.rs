//! Prepared callers: a token's digest finds who it is. Bounded; void with each lock and unlock.

use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_model::{Credential, Principal};

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
pub(crate) struct Cache(RwLock<(u64, HashMap<[u8; 32], Arc<Prepared>>)>);

impl Cache {
    pub(crate) fn get(&self, digest: &[u8; 32], epoch: u64) -> Option<Arc<Prepared>> {
        let cache = self.0.read();
        (cache.0 == epoch).then(|| cache.1.get(digest).cloned()).flatten()
    }

    pub(crate) fn put(&self, digest: [u8; 32], epoch: u64, prepared: Arc<Prepared>) {
        let mut cache = self.0.write();
        if cache.0 < epoch {
            *cache = (epoch, HashMap::new());
        }
        if cache.0 > epoch {
            return;
        }
        if cache.1.len() >= MAX_CALLERS {
            // whoever comes again is looked up again
            cache.1.clear();
        }
        cache.1.insert(digest, prepared);
    }

    pub(crate) fn remove(&self, digest: &[u8; 32]) {
        self.0.write().1.remove(digest);
    }
}
