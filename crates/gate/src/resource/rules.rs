//! The rules themselves as a resource: why somebody may do something, and who may.

use super::{Resource, open};
use crate::admit::Gate;
use crate::seer::Seer;
use std::sync::Arc;
use strongroom_authz::{Able, Ask, Explanation, Target};
use strongroom_barrier::{BarrierError, Opened};
use strongroom_model::{Access, Name, UserId};

/// A question about who may do what.
#[derive(Debug, Clone)]
pub struct Rules {
    /// About whom; nobody: about oneself, or about everybody.
    pub user: Option<Name>,
    /// What is asked.
    pub ask: Ask,
}

impl Resource for Rules {
    type Resolved = RulesView;

    fn describe(&self) -> String {
        match &self.user {
            Some(user) => format!("{user}: {}", self.ask),
            None => self.ask.to_string(),
        }
    }

    fn target(&self) -> Target<'_> {
        self.user.as_ref().map_or(Target::Server, |user| Target::User(user.as_str()))
    }

    async fn resolve(
        self,
        gate: &Arc<Gate>,
        opened: Option<Arc<Opened>>,
    ) -> Result<Option<RulesView>, BarrierError> {
        let opened = open(opened)?;
        let user = match self.user {
            Some(name) => match opened.users.find(name.as_str()).await? {
                Some(head) => Some((UserId(head.object.0), name)),
                None => return Ok(None),
            },
            None => None,
        };
        Ok(Some(RulesView { gate: Arc::clone(gate), user, ask: self.ask, seer: None }))
    }

    fn shown_to(view: &mut RulesView, seer: impl FnOnce() -> Seer) {
        view.seer = Some(seer());
    }
}

/// A view of the rules about one question.
#[derive(Debug)]
pub struct RulesView {
    gate: Arc<Gate>,
    user: Option<(UserId, Name)>,
    ask: Ask,
    seer: Option<Seer>,
}

impl RulesView {
    /// What is asked.
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// Why, for each kind of access that is asked for: about the user who was named, else about whoever asks.
    pub fn explain(&self) -> Vec<(Access, Explanation)> {
        let in_force = self.gate.policy.load_full();
        let explain = |access: Access| {
            let (action, target) = (self.ask.action, self.ask.target());
            let explanation = match (&self.user, &self.seer) {
                (Some((user, name)), _) => {
                    in_force.policy.explain_user(*user, name.clone(), action, access, target)
                }
                (None, seer) => seer.as_ref()?.explain(&in_force, action, access, target),
            };
            Some((access, explanation))
        };
        self.ask.access.iter().copied().filter_map(explain).collect()
    }

    /// Who may, for each kind of access that is asked for.
    pub fn who_can(&self) -> Vec<(Access, Vec<Able>)> {
        let in_force = self.gate.policy.load_full();
        let able = |access| (access, in_force.policy.who_can(self.ask.action, access, self.ask.target()));
        self.ask.access.iter().copied().map(able).collect()
    }
}
