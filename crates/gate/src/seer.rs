//! Who sees which names: listings show what the caller may see, name by name, by the policy of the moment.

use crate::admit::Gate;
use crate::policy::InForce;
use std::sync::Arc;
use strongroom_authz::{Bearing, Candidate, Explanation, Mode, NameFilter, Question, Target};
use strongroom_model::{Access, Action, Caller, Origin};

/// Whose eyes a listing is for.
#[derive(Clone)]
pub struct Seer {
    gate: Arc<Gate>,
    caller: Caller,
}

impl Seer {
    pub(crate) fn new(gate: &Arc<Gate>, caller: &Caller) -> Self {
        Self { gate: Arc::clone(gate), caller: caller.clone() }
    }

    /// Which secrets of a store are shown, by the policy of this moment.
    pub(crate) fn secrets(&self, store: &str) -> Shown {
        let in_force = self.gate.policy.load_full();
        // the server's own work sees everything
        let filter = (self.caller.origin != Origin::Internal)
            .then(|| in_force.policy.names(&self.caller, Action::ListSecrets, store));
        Shown { filter, in_force }
    }

    /// Whether a store is shown, by the policy of this moment.
    pub(crate) fn store(&self, name: &str) -> bool {
        self.sees(Action::ListStores, Target::Store(name))
    }

    /// What whoever asks may do, and why; from a place that the network's rules close, that.
    pub(crate) fn explain(
        &self,
        in_force: &InForce,
        action: Action,
        access: Access,
        target: Target<'_>,
    ) -> Explanation {
        match self.gate.network_refusal(&self.caller, action) {
            Some(decision) => {
                let (rule, mode) = (Arc::clone(&decision.rule), Mode::Deny);
                let candidates = vec![Candidate { rule, mode, bearing: Bearing::Decides }];
                Explanation { decision, candidates }
            }
            None => in_force.policy.explain(&Question { caller: &self.caller, action, access, target }),
        }
    }

    /// Whether something is shown in a listing, by the policy of this moment.
    pub(crate) fn sees(&self, action: Action, target: Target<'_>) -> bool {
        let question = Question { caller: &self.caller, action, access: Access::READ, target };
        self.caller.origin == Origin::Internal || self.gate.policy.load().policy.decide(&question).allowed
    }
}

impl std::fmt::Debug for Seer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seer")
    }
}

/// Which names are shown, by the policy of one moment.
pub(crate) struct Shown {
    filter: Option<NameFilter>,
    in_force: Arc<InForce>,
}

impl Shown {
    pub(crate) fn shows(&self, path: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.shows(path))
    }
}

/// A listing that is given out piece by piece, long after it was made: what has been lost since is not given out any more.
pub struct LongListing {
    seer: Seer,
    store: String,
    shown: Shown,
}

/// The right to a listing was lost while it was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the right to this listing was lost while it was read")]
pub struct ListingEnded;

impl Gate {
    /// A listing of a store's secrets that is given out piece by piece.
    pub fn long_listing(self: &Arc<Self>, caller: &Caller, store: &str) -> LongListing {
        let seer = Seer::new(self, caller);
        LongListing { shown: seer.secrets(store), seer, store: store.to_owned() }
    }
}

impl LongListing {
    /// To be asked before each piece: whether there is still a right to any, by the policy of this moment.
    pub fn goes_on(&mut self) -> Result<(), ListingEnded> {
        // a token that ends changes no policy
        if !self.seer.gate.holds(self.seer.caller.credential) {
            return Err(ListingEnded);
        }
        if Arc::ptr_eq(&self.shown.in_force, &self.seer.gate.policy.load()) && !self.seer.gate.policy_is_old()
        {
            return Ok(());
        }
        let known = self.seer.caller.principal.as_ref();
        let goes_on = self.seer.gate.is_unlocked()
            && known.is_some_and(|who| self.seer.gate.policy.load().policy.knows(who.user))
            && self.seer.sees(Action::ListSecrets, Target::Store(&self.store));
        if !goes_on {
            return Err(ListingEnded);
        }
        self.shown = self.seer.secrets(&self.store);
        Ok(())
    }

    /// Whether a name of the present piece is still given out.
    pub fn shows(&self, path: &str) -> bool {
        self.shown.shows(path)
    }
}

impl std::fmt::Debug for LongListing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LongListing")
    }
}
