//! Who sees which names: listings show what the caller may see, name by name, by the policy of the moment.

use crate::admit::Gate;
use crate::policy::InForce;
use std::sync::Arc;
use strongroom_authz::{Bearing, Candidate, Explanation, Mode, NameFilter, Question, Target};
use strongroom_model::{Access, Action, Caller, Origin};

/// Whose eyes a listing is for.
#[derive(Clone)]
pub struct Seer {
    pub(crate) gate: Arc<Gate>,
    pub(crate) caller: Caller,
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
        Shown { filter }
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
}

impl Shown {
    pub(crate) fn shows(&self, path: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.shows(path))
    }
}
