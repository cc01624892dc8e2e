//! Admission: a place in the queue, the rules' decision, the resource, a permit.

use crate::clock::{ClockState, TrustedClock};
use crate::denied::Denied;
use crate::entry::{Entry, Permit};
use crate::outcome::{self, Known};
use crate::passwords::Hasher;
use crate::people::Directory;
use crate::policy::{Asked, InForce};
use crate::recover::Recovery;
use crate::refusals::Refusals;
use crate::reserve::is_essential;
use crate::resource::{Action, Resource};
use crate::seer::Seer;
use crate::sharing::SharingState;
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use strongroom_ambient::{Ambient, UnixMillis};
use strongroom_audit::{CheckpointKey, Decision, Record, Verdict, Who};
use strongroom_authz::{Decision as Decided, Nacls, OwnedTarget, PolicyBuilder, Rule};
use strongroom_barrier::{Barrier, BarrierError, Limits, Opened};
use strongroom_model::{Action as ActionCode, Caller, Credential, Effect, Origin, RequestId};
use strongroom_store::{SharedStore, Slot, Space, Txn};

/// What a gate stands on.
pub struct GateOptions {
    /// The store.
    pub store: SharedStore,
    /// Clock and entropy.
    pub ambient: Ambient,
    /// Bounds of the index of names.
    pub limits: Limits,
    /// Rules that hold whoever is known; see [`RuleSet::built_in`].
    pub rules: Vec<Rule>,
}

/// A permit, or why there is none.
pub type Admission<A> = Result<Permit<A>, Denied>;

/// The gate. Holds the barrier, and nobody else does.
pub struct Gate {
    barrier: Barrier,
    pub(crate) base_rules: Vec<Rule>,
    pub(crate) policy: ArcSwap<InForce>,
    pub(crate) policy_turn: tokio::sync::Mutex<()>,
    pub(crate) stale: AtomicBool,
    pub(crate) commits: tokio::sync::RwLock<()>,
    pub(crate) nacls: ArcSwap<Nacls>,
    clock: TrustedClock,
    refusals: Refusals,
    challenges: Refusals,
    epoch: AtomicU64,
    pub(crate) people: ArcSwapOption<Directory>,
    pub(crate) sharing: ArcSwapOption<(Weak<Opened>, Arc<SharingState>)>,
    pub(crate) sharing_turn: tokio::sync::Mutex<()>,
    hasher: Hasher,
    pub(crate) recovery: Recovery,
    pub(crate) signer: ArcSwapOption<([u8; 16], CheckpointKey)>,
}

impl Gate {
    /// A gate over a store, locked.
    pub fn new(options: GateOptions) -> Arc<Self> {
        let GateOptions { store, ambient, limits, rules } = options;
        Arc::new(Self {
            clock: TrustedClock::new(ambient.clone()),
            barrier: Barrier::new(store, ambient.clone(), limits),
            policy: ArcSwap::from_pointee(InForce::of_base(PolicyBuilder::new(rules.clone(), Vec::new()))),
            policy_turn: tokio::sync::Mutex::default(),
            stale: AtomicBool::new(false),
            commits: tokio::sync::RwLock::default(),
            nacls: ArcSwap::from_pointee(Nacls::default()),
            base_rules: rules,
            refusals: Refusals::default(),
            challenges: Refusals::default(),
            epoch: AtomicU64::new(0),
            people: ArcSwapOption::empty(),
            sharing: ArcSwapOption::empty(),
            sharing_turn: tokio::sync::Mutex::default(),
            hasher: Hasher::new(&ambient),
            recovery: Recovery::default(),
            signer: ArcSwapOption::empty(),
        })
    }

    /// Decides, finds the resource, and reserves the entry.
    pub async fn admit<A: Action>(self: &Arc<Self>, caller: &Caller, resource: A::Resource) -> Admission<A> {
        if caller.origin == Origin::Internal {
            // only `system` speaks for the server
            let rule = "no caller is the server".into();
            return Err(Denied::Refused { action: A::CODE.name(), resource: resource.describe(), rule });
        }
        self.admit_any(caller, resource).await
    }

    /// A permit for the server's own work: start, stop, expiry, checkpoints.
    pub async fn system<A: Action>(self: &Arc<Self>, resource: A::Resource) -> Admission<A> {
        let caller = Caller::anonymous(Origin::Internal, RequestId(self.ambient().uuid_v7()));
        self.admit_any(&caller, resource).await
    }

    async fn admit_any<A: Action>(self: &Arc<Self>, caller: &Caller, resource: A::Resource) -> Admission<A> {
        let opened = self.opened().ok();
        if opened.is_none() && !works_locked(A::CODE) {
            return Err(Denied::Locked);
        }
        let slot = self.place(A::CODE)?;
        if let Some(opened) = &opened {
            self.fresh_policy(opened).await?;
        }
        let in_force = self.policy.load_full();
        let decision = self.decide(&in_force, caller, A::CODE, &resource.target());
        let record = self.record(caller, A::CODE, resource.describe(), &decision);
        if !decision.allowed {
            let resource = record.resource.clone();
            self.write_refusal(caller, record, slot, opened.as_deref()).await?;
            return Err(Denied::Refused { action: A::CODE.name(), resource, rule: decision.rule });
        }
        // what a user writes is decided once more when it is committed
        let asked = (A::CODE.effect() == Effect::Write && caller.principal.is_some()).then(|| {
            let target = OwnedTarget::from(&resource.target());
            Box::new(Asked { caller: caller.clone(), target, in_force: Arc::clone(&in_force) })
        });
        let entry = Entry::new(self, opened.clone(), record, slot, caller).asked(asked);
        if self.store().space() == Space::Reserved && !is_essential(A::CODE) {
            entry.finish(Verdict::Failed).await?;
            return Err(Denied::Full);
        }
        let entry = self.check_repeat::<A>(caller, opened.as_deref(), entry).await?;
        match resource.resolve(self, opened).await {
            Ok(Some(mut resolved)) => {
                A::Resource::shown_to(&mut resolved, || Seer::new(self, caller));
                Ok(Permit::new(resolved.into(), entry))
            }
            Ok(None) => {
                entry.finish(Verdict::NotFound).await?;
                Err(Denied::NotFound)
            }
            Err(fault) => {
                entry.finish(Verdict::Failed).await?;
                Err(fault.into())
            }
        }
    }

    /// A place in the writer's queue, unless nothing can be admitted now.
    fn place(&self, action: ActionCode) -> Result<Slot, Denied> {
        if self.recovery.is_running() {
            return Err(Denied::Busy);
        }
        if self.store().space() == Space::Exhausted && action != ActionCode::Lock {
            return Err(Denied::Full);
        }
        self.store().reserve().map_err(|fault| match fault {
            strongroom_store::StoreError::Busy => Denied::Busy,
            _ => Denied::Trail,
        })
    }

    fn record(
        &self,
        caller: &Caller,
        action: ActionCode,
        resource: String,
        decision: &strongroom_authz::Decision,
    ) -> Record {
        Record {
            request: caller.request,
            time: self.now(),
            action,
            decision: if decision.allowed { Decision::Allowed } else { Decision::Refused },
            who: who(caller),
            origin: caller.origin.to_string(),
            resource,
            rule: decision.rule.to_string(),
            note: String::new(),
        }
    }

    async fn write_refusal(
        &self,
        caller: &Caller,
        mut record: Record,
        slot: Slot,
        opened: Option<&Opened>,
    ) -> Result<(), Denied> {
        if caller.principal.is_none() && !self.note_refusal(caller.origin, &mut record) {
            return Ok(());
        }
        let body = record.encode(self.ambient(), opened.map(Opened::trail).as_deref());
        let txn = Txn::entry_only(body, Verdict::Refused.code());
        self.store().commit(slot, txn).await.map(drop).map_err(|_| Denied::Trail)
    }

    /// Whether a challenge gets an entry of its own; if not, it was counted.
    pub(crate) fn note_challenge(&self, origin: Origin, record: &mut Record) -> bool {
        self.challenges.admits(origin, self.ambient().clock.monotonic(), record)
    }

    /// Whether a refusal without a user gets an entry of its own; if not, it was counted.
    pub(crate) fn note_refusal(&self, origin: Origin, record: &mut Record) -> bool {
        self.refusals.admits(origin, self.ambient().clock.monotonic(), record)
    }

    /// The root record's row: what a status needs, all of it safe to show to the store.
    pub async fn root_row(&self) -> Result<Option<Vec<u8>>, BarrierError> {
        Ok(self.store().get(&strongroom_barrier::keys::root()).await?.map(|row| row.value))
    }

    /// Takes note that a request was turned away before it had a caller: a token that is none, a forged proof.
    pub async fn turn_away(&self, caller: &Caller, action: ActionCode, rule: &str) -> Result<(), Denied> {
        let slot = self.place(action)?;
        // from a place that may not ask at all, a bad token and a good one are told the same
        let network = self.network_refusal(caller, action);
        let stranger = || strongroom_authz::Decision { allowed: false, rule: rule.into() };
        let decision = network.clone().unwrap_or_else(stranger);
        let record = self.record(caller, action, String::new(), &decision);
        let opened = self.opened().ok();
        self.write_refusal(caller, record, slot, opened.as_deref()).await?;
        match network {
            Some(Decided { rule, .. }) => {
                Err(Denied::Refused { action: action.name(), resource: String::new(), rule })
            }
            None => Ok(()),
        }
    }

    /// Leaves word of a command that the network's rules refuse, before there is a caller.
    pub(crate) async fn refuse_at_network(
        &self,
        caller: &Caller,
        action: ActionCode,
        command: &str,
        decision: Decided,
    ) -> Result<(), Denied> {
        let slot = self.place(action)?;
        let mut record = self.record(caller, action, String::new(), &decision);
        record.note = command.to_owned();
        let opened = self.opened().ok();
        self.write_refusal(caller, record, slot, opened.as_deref()).await?;
        Err(Denied::Refused { action: action.name(), resource: String::new(), rule: decision.rule })
    }

    /// Answers the repetition of a request that its client named.
    async fn check_repeat<A: Action>(
        &self,
        caller: &Caller,
        opened: Option<&Opened>,
        mut entry: Entry,
    ) -> Result<Entry, Denied> {
        let named = caller.repeat.is_some_and(|repeat| repeat.named);
        let Some(opened) = opened.filter(|_| named && A::CODE.effect() == Effect::Write) else {
            return Ok(entry);
        };
        let known = match self.resolved_outcome(caller, A::CODE).await {
            Some(outcome) => Known::Done(outcome),
            None => outcome::look_up(opened, caller, A::CODE).await?,
        };
        match known {
            Known::New => Ok(entry),
            Known::Done(outcome) => {
                entry.note("repeated: answered as before");
                entry.finish(Verdict::Released).await?;
                Err(Denied::Repeated(outcome))
            }
            Known::Other => {
                entry.note("request id was used for something else");
                // nobody may fill the trail with it
                match caller.principal {
                    Some(_) => entry.finish(Verdict::Failed).await?,
                    None => entry.refuse().await?,
                }
                Err(Denied::Reused)
            }
        }
    }

    /// The present: never behind a time that was used, never far ahead of monotonic time.
    pub fn now(&self) -> UnixMillis {
        self.clock.read().0
    }

    /// Whether the wall clock is believed.
    pub fn clock_state(&self) -> ClockState {
        self.clock.read().1
    }

    pub(crate) fn clock(&self) -> &TrustedClock {
        &self.clock
    }

    /// Clock and entropy.
    pub fn ambient(&self) -> &Ambient {
        self.barrier.ambient()
    }

    /// Hashes passwords: a few at a time, whoever asks.
    pub fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// Room on the disk.
    pub fn space(&self) -> Space {
        self.store().space()
    }

    /// Whether the server is unlocked.
    pub fn is_unlocked(&self) -> bool {
        self.barrier.is_open()
    }

    /// Whether the store is being resolved after an unknown outcome.
    pub fn is_resolving(&self) -> bool {
        self.recovery.is_running()
    }

    /// The partition that is open.
    pub fn partition(&self) -> Result<strongroom_model::PartitionId, BarrierError> {
        Ok(self.opened()?.partition())
    }

    /// Grows with each lock and unlock: what was prepared under another epoch is void.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn next_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn barrier(&self) -> &Barrier {
        &self.barrier
    }

    pub(crate) fn opened(&self) -> Result<Arc<Opened>, BarrierError> {
        self.barrier.opened()
    }

    pub(crate) fn store(&self) -> &SharedStore {
        self.barrier.store()
    }
}

/// What is admitted while locked.
fn works_locked(action: ActionCode) -> bool {
    use ActionCode as A;
    matches!(
        action,
        A::Initialise
            | A::ConfirmInitialise
            | A::Unlock
            | A::AutoUnlock
            // the server's own, when a new unlock key is presented: no user is known while locked
            | A::ConfirmRotateRoot
            | A::Start
            | A::Stop
            | A::FollowTrail
            // what a lock could not end; only the server itself is let do it
            | A::Housekeeping
    )
}

fn who(caller: &Caller) -> Option<Who> {
    let principal = caller.principal.as_ref()?;
    let (key, token) = match caller.credential {
        Credential::Token { token, key } => (Some(key), Some(token)),
        // no user's name has a slash
        Credential::Member { token, .. } => {
            let name = format!("sharing/{}", principal.name);
            return Some(Who { user: principal.user, name, key: None, token: Some(token) });
        }
        Credential::Installation | Credential::None => (None, None),
    };
    Some(Who { user: principal.user, name: principal.name.to_string(), key, token })
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate({:?})", self.barrier)
    }
}
