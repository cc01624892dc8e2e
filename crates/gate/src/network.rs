//! The network's rules, which are asked before all others.

use crate::admit::Gate;
use crate::policy::InForce;
use std::sync::Arc;
use strongroom_authz::{Decision, Nacls, Question, Target};
use strongroom_model::{Access, Action, Caller, Origin};

impl Gate {
    /// Puts the network ACLs of the listeners in force, from the next request on.
    pub fn set_nacls(&self, nacls: Nacls) {
        self.nacls.store(Arc::new(nacls));
    }

    /// What the network's rules say of an action from somewhere, with the rule that decides; `None` where no network ACL
    /// stands in between.
    pub fn network_decision(&self, origin: Origin, action: Action) -> Option<Decision> {
        self.nacls.load().decide(origin, action)
    }

    /// The network's rules, and then the others.
    pub(crate) fn decide(
        &self,
        in_force: &InForce,
        caller: &Caller,
        action: Action,
        target: &Target<'_>,
    ) -> Decision {
        if let Some(refusal) = self.network_refusal(caller.origin, action) {
            return refusal;
        }
        let ask = |access| in_force.policy.decide(&Question { caller, action, access, target: *target });
        match action.access() {
            // by what is there one of the two is needed: which, the change itself tells when it is committed
            Access::PUT => Some(ask(Access::WRITE))
                .filter(|decision| decision.allowed)
                .unwrap_or_else(|| ask(Access::MODIFY)),
            access => ask(access),
        }
    }

    /// The decision of a network ACL that refuses.
    pub(crate) fn network_refusal(&self, origin: Origin, action: Action) -> Option<Decision> {
        self.network_decision(origin, action).filter(|decision| !decision.allowed)
    }
}
