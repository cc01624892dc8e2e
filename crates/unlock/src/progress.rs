//! Presenting unlock keys, one after another.

use crate::shamir::Share;
use crate::{SetId, UnlockKey, UnlockSet};
use strongroom_keyring::RootKey;
use strongroom_secret::SecretBytes;

/// What a presented key was.
#[derive(Debug)]
pub enum Judgement {
    /// A right key; more are needed.
    Accepted {
        /// Keys accepted so far, this one included.
        have: u8,
        /// Keys needed.
        need: u8,
    },
    /// The last key that was needed: the root key. The progress is empty again.
    Complete(RootKey),
    /// Of this set by its id, but none of its keys: revoked, or never made.
    Wrong,
    /// A right key that was presented before.
    Repeated {
        /// Keys accepted so far.
        have: u8,
        /// Keys needed.
        need: u8,
    },
    /// A key of another set: an older one, or of another server.
    OtherSet,
    /// Every key was right, yet the root key did not open: what the server keeps was altered. The progress is empty.
    Damaged,
}

/// The keys that one caller has presented so far; wiped on drop. Its owner lets it expire.
#[derive(Debug)]
pub struct Progress {
    set: SetId,
    need: u8,
    shares: Vec<Share>,
}

impl Progress {
    /// No key yet.
    pub fn new(set: &UnlockSet) -> Self {
        Self { set: set.id(), need: set.threshold(), shares: Vec::new() }
    }

    /// Keys accepted so far.
    pub fn have(&self) -> u8 {
        u8::try_from(self.shares.len()).unwrap_or(u8::MAX)
    }

    /// Keys needed.
    pub fn need(&self) -> u8 {
        self.need
    }

    /// Judges a key at once. A bad one leaves the progress as it was. If the set is no longer the one that the
    /// progress began with, what was presented for that one is dropped first: it opens nothing any more.
    pub fn present(&mut self, set: &UnlockSet, key: &UnlockKey) -> Judgement {
        if self.set != set.id() {
            *self = Self::new(set);
        }
        if key.set_id() != set.id() {
            return Judgement::OtherSet;
        }
        if !set.knows(key) {
            return Judgement::Wrong;
        }
        if set.threshold() == 1 {
            return set.open_single(key).map_or(Judgement::Damaged, Judgement::Complete);
        }
        self.present_share(set, key)
    }

    fn present_share(&mut self, set: &UnlockSet, key: &UnlockKey) -> Judgement {
        if self.shares.iter().any(|share| share.x == key.index()) {
            return Judgement::Repeated { have: self.have(), need: self.need };
        }
        let y = key.secret().expose(|secret| SecretBytes::new(secret.to_vec()));
        self.shares.push(Share { x: key.index(), y });
        if self.have() < self.need {
            return Judgement::Accepted { have: self.have(), need: self.need };
        }
        let shares = std::mem::take(&mut self.shares);
        set.open_shared(&shares).map_or(Judgement::Damaged, Judgement::Complete)
    }
}
