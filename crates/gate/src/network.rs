//! The network's rules, which are asked before all others.

use crate::admit::Gate;
use std::sync::Arc;
use strongroom_authz::{Decision, Nacls, Question};
use strongroom_model::{Action, Origin};

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
    pub(crate) fn decide(&self, question: &Question<'_>) -> Decision {
        self.network_refusal(question.caller.origin, question.action)
            .unwrap_or_else(|| self.rules.load().decide(question))
    }

    /// The decision of a network ACL that refuses.
    pub(crate) fn network_refusal(&self, origin: Origin, action: Action) -> Option<Decision> {
        self.network_decision(origin, action).filter(|decision| !decision.allowed)
    }
}
