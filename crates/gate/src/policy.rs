//! The policy in force: who may do what, as a snapshot that is replaced whole.

use crate::admit::Gate;
use crate::sharing::member_of;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use strongroom_authz::{Decision, OwnedTarget, Policy, PolicyBuilder, Question};
use strongroom_barrier::{BarrierError, Batch, Opened, Reader, Writer, keys};
use strongroom_model::{Access, Action, Caller, Credential};
use strongroom_store::{Precondition, Revision, StoreError};
use tokio::sync::{RwLockReadGuard, RwLockWriteGuard};

/// The format of the authorisation revision's row: `format | number of the change (8)`.
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
pub(crate) fn authz_change(opened: &Opened, batch: &mut Batch, number: u64) {
    let value = Writer::new().u8(FORMAT).u64(number).finish();
    batch.put(keys::authz_revision(opened.partition()), value);
}

/// The number of the last change of people, 0 if there was none.
pub(crate) async fn changes_of_people(opened: &Opened) -> Result<u64, BarrierError> {
    Ok(authz_row(opened).await?.map_or(0, |(_, number)| number))
}

/// What a user asked for and was admitted to: to be decided anew when it is committed.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) target: OwnedTarget,
    pub(crate) in_force: Arc<InForce>,
}

/// Commits of users' writes go together; a change of who may do what goes alone. So whoever commits finds a policy that
/// stays in force until the commit is done, and the precondition on the authorisation revision proves it to the
/// store.
pub(crate) enum Turn<'g> {
    /// The server's own work, which no change of rights stops.
    Free,
    /// A user's write.
    Write(#[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'g, ()>),
    /// A change of who may do what.
    Change(#[expect(dead_code, reason = "held, not read")] RwLockWriteGuard<'g, ()>),
}

/// Whether a batch changes who may do what.
pub(crate) fn changes_rights(opened: Option<&Opened>, batch: &Batch) -> bool {
    opened.is_some_and(|opened| batch.puts(&keys::authz_revision(opened.partition())))
}

/// Whether a precondition is what binds a commit to the policy.
pub(crate) fn is_authz_fence(opened: &Opened, precondition: Option<&Precondition>) -> bool {
    let key = keys::authz_revision(opened.partition());
    matches!(precondition, Some(Precondition::Fence(fenced, _)) if *fenced == key)
}

impl Gate {
    /// Waits for the turn of a commit.
    pub(crate) async fn turn(&self, changes_rights: bool, asked: bool) -> Turn<'_> {
        if changes_rights {
            Turn::Change(self.commits.write().await)
        } else if asked {
            Turn::Write(self.commits.read().await)
        } else {
            Turn::Free
        }
    }

    /// Decides once more what is about to be committed, if the policy changed since it was admitted or if only now it is
    /// known which access it needs; and binds it to the policy. The decision is one that refuses.
    pub(crate) fn decide_again(
        &self,
        asked: &Asked,
        action: Action,
        opened: &Opened,
        batch: &mut Batch,
    ) -> Result<(), Decision> {
        // a lock lets what was admitted before it come to its end, by what held then
        let unlocked = self.is_unlocked();
        let in_force = if unlocked { self.policy.load_full() } else { Arc::clone(&asked.in_force) };
        let access = match (action.access(), batch.needs()) {
            (Access::PUT, needs) if needs != Access::NONE => needs,
            (access, _) => access,
        };
        let caller = &asked.caller;
        let refused = |rule: &str| Decision { allowed: false, rule: rule.into() };
        let again = !Arc::ptr_eq(&in_force, &asked.in_force) || action.access() == Access::PUT;
        if let Some((member, credential)) = member_of(caller) {
            if !unlocked || !self.member_holds(member, credential) {
                return Err(refused("the member is suspended or gone, or its token has ended"));
            }
        } else if again && caller.principal.as_ref().is_none_or(|who| !in_force.policy.knows(who.user)) {
            return Err(refused("the user is gone"));
        }
        // a token that ends changes no policy
        if unlocked && !self.holds(caller.credential) {
            return Err(refused("the token has ended"));
        }
        if again {
            let target = asked.target.target();
            let decision = in_force.policy.decide(&Question { caller, action, access, target });
            if !decision.allowed {
                return Err(decision);
            }
        }
        let key = keys::authz_revision(opened.partition());
        batch.require(match in_force.revision {
            Some(revision) => Precondition::Fence(key, revision),
            None => Precondition::Absent(key),
        });
        Ok(())
    }

    /// Whether a credential still holds.
    pub(crate) fn holds(&self, credential: Credential) -> bool {
        let Credential::Token { token, .. } = credential else { return true };
        let people = self.people.load();
        let backed = people.as_ref().and_then(|people| people.token(token).map(|token| people.backs(&token)));
        backed.unwrap_or(false)
    }

    /// After a change of who may do what, or when the policy may be older than what is stored: callers that were
    /// prepared are void, and nobody is admitted before the policy is loaded anew.
    pub(crate) fn policy_is_stale(&self) {
        self.stale.store(true, Ordering::Release);
        self.next_epoch();
    }

    /// Whether the policy may be older than what is stored.
    pub(crate) fn policy_is_old(&self) -> bool {
        self.stale.load(Ordering::Acquire)
    }

    /// Loads the policy if it is stale.
    pub(crate) async fn fresh_policy(&self, opened: &Opened) -> Result<(), BarrierError> {
        if self.policy_is_old() { self.refresh_policy(opened).await } else { Ok(()) }
    }

    /// Loads the policy if what is in force is older than what is stored.
    pub(crate) async fn refresh_policy(&self, opened: &Opened) -> Result<(), BarrierError> {
        let _turn = self.policy_turn.lock().await;
        loop {
            self.stale.store(false, Ordering::Release);
            match self.load_policy(opened).await {
                Ok(Some(in_force)) => {
                    self.policy.store(Arc::new(in_force));
                    break;
                }
                // a change came in between
                Ok(None) => tokio::task::yield_now().await,
                Err(fault) => {
                    self.stale.store(true, Ordering::Release);
                    return Err(fault);
                }
            }
        }
        if !self.is_unlocked() {
            self.forget_policy();
        }
        Ok(())
    }

    /// Makes a policy of who is known; `None` if they changed meanwhile, or their last change is not known here yet.
    async fn load_policy(&self, opened: &Opened) -> Result<Option<InForce>, BarrierError> {
        let row = authz_row(opened).await?;
        let people = crate::people::known(self.people.load_full())?;
        let (revision, number) = row.map_or((None, 0), |(revision, number)| (Some(revision), number));
        if people.number() != number {
            // after a commit of unknown outcome people are read anew before anybody is admitted
            return if self.is_resolving() { Err(BarrierError::Store(StoreError::Busy)) } else { Ok(None) };
        }
        let builder = PolicyBuilder::new(self.base_rules.clone(), people.protected());
        let policy = people.policy(builder)?;
        Ok((authz_row(opened).await? == row).then_some(InForce { policy, revision }))
    }

    /// Back to base rules: nobody is known while locked.
    pub(crate) fn forget_policy(&self) {
        self.policy
            .store(Arc::new(InForce::of_base(PolicyBuilder::new(self.base_rules.clone(), Vec::new()))));
    }
}

async fn authz_row(opened: &Opened) -> Result<Option<(Revision, u64)>, BarrierError> {
    let Some(row) = opened.store().get(&keys::authz_revision(opened.partition())).await? else {
        return Ok(None);
    };
    let mut reader = Reader::new(&row.value);
    let number = reader.u8().filter(|format| *format == FORMAT).and_then(|_| reader.u64());
    let number = number.ok_or_else(|| BarrierError::corrupt("the authorisation revision"))?;
    Ok(Some((row.revision, number)))
}
