//! Rights that are used for long: what is given out piece by piece ends with the right to it.

use crate::admit::Gate;
use crate::policy::InForce;
use crate::seer::{Seer, Shown};
use std::sync::Arc;
use strongroom_authz::{OwnedTarget, Target};
use strongroom_model::{Action, Caller, Origin};

/// The right to something was lost while it was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the right to this was lost while it was read")]
pub struct RightLost;

/// A right that was had when something began, and is asked for before each piece of it.
pub(crate) struct Standing {
    seer: Seer,
    action: Action,
    target: OwnedTarget,
    /// The policy that said so last; that of the admission may have been replaced since.
    by: Option<Arc<InForce>>,
}

impl Standing {
    pub(crate) fn new(seer: Seer, action: Action, target: &Target<'_>) -> Self {
        Self { seer, action, target: OwnedTarget::from(target), by: None }
    }

    /// Whether it still stands, by the policy of this moment; says whether that is another than the last time.
    pub(crate) fn renew(&mut self) -> Result<bool, RightLost> {
        let (gate, caller) = (&self.seer.gate, &self.seer.caller);
        // a token that ends changes no policy, nor does a network ACL
        let lost = !gate.is_unlocked()
            || !gate.holds(caller.credential)
            || gate.network_refusal(caller, self.action).is_some();
        if lost {
            return Err(RightLost);
        }
        let in_force = gate.policy.load_full();
        let same = self.by.as_ref().is_some_and(|by| Arc::ptr_eq(by, &in_force));
        if same && !gate.policy_is_old() {
            return Ok(false);
        }
        let known = caller.principal.as_ref().is_some_and(|who| in_force.policy.knows(who.user));
        let stands =
            caller.origin == Origin::Internal || known && self.seer.sees(self.action, self.target.target());
        if !stands {
            return Err(RightLost);
        }
        self.by = Some(in_force);
        Ok(true)
    }

    /// The same, after what is in force has been brought up to what is stored.
    pub(crate) async fn renew_fresh(&mut self) -> Result<(), RightLost> {
        let opened = self.seer.gate.opened().map_err(|_| RightLost)?;
        self.seer.gate.fresh_policy(&opened).await.map_err(|_| RightLost)?;
        self.renew().map(drop)
    }
}

/// A listing that is given out piece by piece, long after it was made: what has been lost since is not given out any more.
pub struct LongListing {
    right: Standing,
    store: String,
    shown: Shown,
}

impl Gate {
    /// A listing of a store's secrets that is given out piece by piece.
    pub fn long_listing(self: &Arc<Self>, caller: &Caller, store: &str) -> LongListing {
        let seer = Seer::new(self, caller);
        let shown = seer.secrets(store);
        let right = Standing::new(seer, Action::ListSecrets, &Target::Store(store));
        LongListing { right, store: store.to_owned(), shown }
    }
}

impl LongListing {
    /// To be asked before each piece: whether there is still a right to any, by the policy of this moment.
    pub fn goes_on(&mut self) -> Result<(), RightLost> {
        if self.right.renew()? {
            self.shown = self.right.seer.secrets(&self.store);
        }
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
