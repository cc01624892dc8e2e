//! The attribute authority's records, and the views of them.

mod change;
mod notes;
mod records;
mod state;

pub use change::SharingChange;
pub use notes::{HeadRecord, MarkRecord, ReplacedRecord};
pub use records::{AuthorityRecord, CollectorsRecord, MemberRecord, RightRecord, RuleRecord, Span, Standing};
pub(crate) use state::SharingState;
pub use state::{MAX_COLLECTOR_GROUPS, MAX_MARKS, MAX_MEMBERS, MAX_REGISTERED_RIGHTS};

use crate::admit::Gate;
use records::What;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_barrier::{BarrierError, Opened, keys};
use strongroom_keyring::Kind;
use strongroom_model::{Caller, Credential, TokenId, UserId};
use strongroom_secret::SecretBytes;
use strongroom_sharing::MemberId;

/// A view of the sharing system.
pub struct SharingView {
    gate: Arc<Gate>,
    opened: Arc<Opened>,
    state: Arc<SharingState>,
    about: String,
    caller: Option<(MemberId, Credential)>,
}

impl SharingView {
    pub(crate) fn new(
        gate: &Arc<Gate>,
        opened: Arc<Opened>,
        state: Arc<SharingState>,
        about: String,
        caller: Option<(MemberId, Credential)>,
    ) -> Self {
        Self { gate: Arc::clone(gate), opened, state, about, caller }
    }

    /// What the permit is about: a member's name, a group's, or nothing.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The member who asks, if it is one.
    pub fn me(&self) -> Option<Arc<MemberRecord>> {
        self.caller.and_then(|(id, _)| self.member(id))
    }

    /// The token of the member who asks.
    pub fn my_token(&self) -> Option<TokenId> {
        match self.caller? {
            (_, Credential::Member { token, .. }) => Some(token),
            _ => None,
        }
    }

    /// Whether the member who asks is still who it was: to be asked again before a key is given up.
    pub fn still_holds(&self) -> bool {
        self.caller.is_some_and(|(id, credential)| self.gate.member_holds(id, credential))
    }

    /// Grows with each change: what was prepared from what was known before is old.
    pub fn version(&self) -> u64 {
        self.state.known.read().version
    }

    /// The authority; `None`: there is none yet.
    pub fn authority(&self) -> Option<Arc<AuthorityRecord>> {
        self.state.known.read().authority.clone()
    }

    /// The authority's secrets, opened for as long as they are held.
    pub async fn secrets(&self) -> Result<SecretBytes, BarrierError> {
        let hash = self.opened.sharing_hash(What::Secrets as u8, &[]);
        let row = keys::sharing(self.opened.partition(), &hash);
        let gone = || BarrierError::corrupt("the attribute authority's keys are gone");
        let plain = self.opened.read_single(Kind::Sharing, hash, &row).await?.ok_or_else(gone)?;
        let secrets = plain.expose(|bytes| {
            let (what, secrets) = bytes.split_first()?;
            (*what == What::Secrets as u8).then(|| SecretBytes::new(secrets.to_vec()))
        });
        secrets.ok_or_else(|| BarrierError::corrupt("the attribute authority's keys"))
    }

    /// A member by its id, a removed one too.
    pub fn member(&self, id: MemberId) -> Option<Arc<MemberRecord>> {
        self.state.known.read().members.get(&id).cloned()
    }

    /// A member by its registered name.
    pub fn named(&self, name: &str) -> Option<Arc<MemberRecord>> {
        let known = self.state.known.read();
        known.names.get(name).and_then(|id| known.members.get(id)).cloned()
    }

    /// Every member, removed ones too, in the order of their ids.
    pub fn members(&self) -> Vec<Arc<MemberRecord>> {
        self.state.known.read().members.values().cloned().collect()
    }

    /// How many members there are, removed ones too.
    pub fn member_count(&self) -> usize {
        self.state.known.read().members.len()
    }

    /// A group of collectors.
    pub fn group(&self, name: &str) -> Option<Arc<CollectorsRecord>> {
        self.state.known.read().groups.get(name).cloned()
    }

    /// Every group of collectors, in the order of their names.
    pub fn groups(&self) -> Vec<Arc<CollectorsRecord>> {
        self.state.known.read().groups.values().cloned().collect()
    }

    /// Every registered right.
    pub fn rights(&self) -> Vec<RightRecord> {
        self.state.known.read().rights.iter().cloned().collect()
    }

    /// What collectors left word of.
    pub fn heads(&self) -> Vec<Arc<HeadRecord>> {
        self.state.known.read().heads.values().cloned().collect()
    }

    /// What one collector left word of.
    pub fn head(&self, collector: MemberId) -> Option<Arc<HeadRecord>> {
        self.state.known.read().heads.get(&collector).cloned()
    }

    /// Whether something that counts once was used before.
    pub fn is_marked(&self, id: &[u8; 16]) -> bool {
        self.state.known.read().marks.contains_key(id)
    }

    /// How many ended tokens and used proofs are remembered of a member.
    pub fn marks_of(&self, member: MemberId) -> usize {
        self.state.known.read().marks_of.get(&member).copied().unwrap_or_default()
    }

    /// What has to be known beyond a time: tokens that were ended are, used proofs are not.
    pub fn marks_beyond(&self, until: UnixMillis) -> Vec<MarkRecord> {
        self.state.known.read().marks.values().filter(|mark| mark.until > until).copied().collect()
    }

    /// Up to which record those of a member's signing keys count that were replaced.
    pub fn replaced_of(&self, member: MemberId) -> BTreeMap<Vec<u8>, u64> {
        self.state.known.read().replaced.get(&member).cloned().unwrap_or_default()
    }

    /// The first marks that no more need to be known, at most `limit`.
    pub fn old_marks(&self, limit: usize) -> Vec<[u8; 16]> {
        let now = self.gate.now();
        let known = self.state.known.read();
        known.marks.values().filter(|mark| mark.until < now).map(|mark| mark.id).take(limit).collect()
    }

    /// The life of the store that this is.
    pub fn incarnation(&self) -> Option<[u8; 16]> {
        self.gate.incarnation()
    }

    /// Random to everybody else, and the same for the same text as long as the store lives.
    pub fn stand_in(&self, text: &[u8]) -> [u8; 16] {
        self.opened.sharing_hash(0, text)
    }

    /// A fresh random id.
    pub fn random_id(&self) -> [u8; 16] {
        self.opened.random_id()
    }
}

impl std::fmt::Debug for SharingView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharingView")
    }
}

impl Gate {
    /// The sharing system, read when it is first asked for after an unlock.
    pub(crate) async fn sharing_state(
        &self,
        opened: &Arc<Opened>,
    ) -> Result<Arc<SharingState>, BarrierError> {
        if let Some(known) = self.sharing_of(opened) {
            return Ok(known);
        }
        let _turn = self.sharing_turn.lock().await;
        if let Some(known) = self.sharing_of(opened) {
            return Ok(known);
        }
        let state = Arc::new(SharingState::load(opened).await?);
        // a lock that came meanwhile forgets all: its opened hierarchy is another than the next one's
        self.sharing.store(Some(Arc::new((Arc::downgrade(opened), Arc::clone(&state)))));
        Ok(state)
    }

    fn sharing_of(&self, opened: &Arc<Opened>) -> Option<Arc<SharingState>> {
        let known = self.sharing.load();
        let (of, state) = &**known.as_ref()?;
        std::ptr::eq(of.as_ptr(), Arc::as_ptr(opened)).then(|| Arc::clone(state))
    }

    /// What is known is read anew when it is asked for: at a lock, and after a commit of unknown outcome.
    pub(crate) fn forget_sharing(&self) {
        self.sharing.store(None);
    }

    /// Whether a member still is who its token says: not suspended, not removed, its token not ended.
    pub(crate) fn member_holds(&self, id: MemberId, credential: Credential) -> bool {
        let Credential::Member { token, admin, issued_ms } = credential else { return false };
        let Some(state) = self.opened().ok().and_then(|opened| self.sharing_of(&opened)) else {
            return false;
        };
        let known = state.known.read();
        let holds = |member: &Arc<MemberRecord>| {
            let is_active = member.standing == Standing::Active && member.admin == admin;
            is_active && issued_ms > member.tokens_ended.0 && !known.marks.contains_key(&token.0)
        };
        known.members.get(&id).is_some_and(holds)
    }

    /// The authority, for whoever turns tokens into callers before any permit.
    pub async fn sharing_authority(&self) -> Result<Option<Arc<AuthorityRecord>>, BarrierError> {
        let opened = self.opened()?;
        let state = self.sharing_state(&opened).await?;
        let authority = state.known.read().authority.clone();
        Ok(authority)
    }

    /// The life of the store that this is; none while locked.
    pub fn incarnation(&self) -> Option<[u8; 16]> {
        self.signer.load().as_ref().map(|signer| signer.0)
    }

    /// Whether the sharing system remembers anything that no more need be known.
    pub async fn has_old_marks(&self) -> Result<bool, BarrierError> {
        let opened = self.opened()?;
        let state = self.sharing_state(&opened).await?;
        let now = self.now();
        let old = state.known.read().marks.values().any(|mark| mark.until < now);
        Ok(old)
    }

    /// The member of a token that was checked, if both still hold.
    pub async fn look_up_member(
        &self,
        id: MemberId,
        credential: Credential,
    ) -> Result<Option<Arc<MemberRecord>>, BarrierError> {
        let opened = self.opened()?;
        let state = self.sharing_state(&opened).await?;
        let member = state.known.read().members.get(&id).cloned();
        Ok(member.filter(|_| self.member_holds(id, credential)))
    }
}

/// Who a caller is in the sharing system.
pub(crate) fn member_of(caller: &Caller) -> Option<(MemberId, Credential)> {
    let principal = caller.principal.as_ref().filter(|_| caller.is_member())?;
    let UserId(id) = principal.user;
    Some((MemberId(id), caller.credential))
}
