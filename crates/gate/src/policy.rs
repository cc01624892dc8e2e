//! The policy in force: who may do what, as a snapshot that is replaced whole.

use crate::admit::Gate;
use std::sync::Arc;
use strongroom_authz::{Policy, PolicyBuilder};
use strongroom_barrier::{BarrierError, Batch, Opened, keys};
use strongroom_model::UserId;
use strongroom_store::Revision;

/// What the row of the authorisation revision holds; its revision is what counts.
const FORMAT: u8 = 1;

/// A policy, and the authorisation revision that it was loaded at.
pub(crate) struct InForce {
    pub(crate) policy: Policy,
    /// `None` while the store has none: then nobody but root has any right.
    pub(crate) revision: Option<Revision>,
}

impl InForce {
    /// Base rules alone.
    pub(crate) fn of_base(builder: PolicyBuilder) -> Self {
        let policy =
            builder.build().unwrap_or_else(|_| unreachable!("nobody is in it who could lack an ACL"));
        Self { policy, revision: None }
    }
}

/// To be added to every change of a user, a group, an ACL or a credential: commits that were admitted by what held
/// before it are decided anew, and the policy is loaded anew before the change is answered.
pub(crate) fn authz_change(opened: &Opened, batch: &mut Batch) {
    batch.put(keys::authz_revision(opened.partition()), vec![FORMAT]);
}

impl Gate {
    /// Loads the policy if what is in force is older than what is stored.
    pub(crate) async fn refresh_policy(&self, opened: &Opened) -> Result<(), BarrierError> {
        let _turn = self.policy_turn.lock().await;
        loop {
            let before = authz_revision(opened).await?;
            let policy = load(self, opened).await?;
            // a change that came in between makes it a mixture
            if authz_revision(opened).await? == before {
                self.policy.store(Arc::new(InForce { policy, revision: before }));
                break;
            }
        }
        if !self.is_unlocked() {
            self.forget_policy();
        }
        Ok(())
    }

    /// Back to base rules: nobody is known while locked.
    pub(crate) fn forget_policy(&self) {
        self.policy.store(Arc::new(InForce::of_base(PolicyBuilder::new(self.base_rules.clone(), None))));
    }
}

async fn authz_revision(opened: &Opened) -> Result<Option<Revision>, BarrierError> {
    let row = opened.store().get(&keys::authz_revision(opened.partition())).await?;
    Ok(row.map(|row| row.revision))
}

/// Reads everything that a policy is made of.
async fn load(gate: &Gate, opened: &Opened) -> Result<Policy, BarrierError> {
    let root = opened.users.find("root").await?.map(|head| UserId(head.object.0));
    if let Some(id) = root
        && crate::people::user(opened, id).await?.is_none()
    {
        return Err(BarrierError::corrupt(format!("user {id} has an entry and no record")));
    }
    let builder = PolicyBuilder::new(gate.base_rules.clone(), root);
    builder.build().map_err(|fault| BarrierError::corrupt(fault.to_string()))
}
