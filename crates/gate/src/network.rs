//! The network's rules, which are asked before all others.

use crate::admit::Gate;
use crate::denied::Denied;
use crate::policy::InForce;
use std::sync::Arc;
use strongroom_authz::{Decision, Nacls, NetworkAsk, Question, Target};
use strongroom_model::{Access, Action, Caller, Command, Origin};

impl Gate {
    /// Puts the network ACLs of the listeners in force, from the next request on.
    pub fn set_nacls(&self, nacls: Nacls) {
        self.nacls.store(Arc::new(nacls));
    }

    /// What the network's rules say of an action or a command from somewhere, with the rule that decides; `None` where no
    /// network ACL stands in between.
    pub fn network_decision<'a>(&self, origin: Origin, ask: impl Into<NetworkAsk<'a>>) -> Option<Decision> {
        self.nacls.load().decide(origin, ask)
    }

    /// Asks the network's rules about a command before anything else of its request is looked at. A refusal leaves an entry,
    /// as those without a credential do: counted if there are many.
    pub async fn admit_command(&self, caller: &Caller, word: &str) -> Result<(), Denied> {
        let refused = |decision: &Decision| !decision.allowed;
        let decision = self.network_decision(caller.origin, NetworkAsk::Command(word));
        let Some(decision) = decision.filter(refused) else { return Ok(()) };
        let known = Command::from_name(word);
        let action = known.and_then(|command| command.actions().first().copied());
        let action = action.unwrap_or(Action::Challenge);
        let word = known.map_or("", Command::name);
        self.refuse_at_network(caller, action, word, decision).await
    }

    /// The network's rules, and then the others.
    pub(crate) fn decide(
        &self,
        in_force: &InForce,
        caller: &Caller,
        action: Action,
        target: &Target<'_>,
    ) -> Decision {
        if let Some(refusal) = self.network_refusal(caller, action) {
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

    /// The decision of a network ACL that refuses. Where a command is asked for and the action is what it stands for, the
    /// command decides.
    pub(crate) fn network_refusal(&self, caller: &Caller, action: Action) -> Option<Decision> {
        let command = caller.command.filter(|command| command.actions().contains(&action));
        let ask = command.map_or(NetworkAsk::Action(action), |command| NetworkAsk::Command(command.name()));
        self.network_decision(caller.origin, ask).filter(|decision| !decision.allowed)
    }
}
