//! The manifest: who signs, who is revoked, which epoch it is; signed, for everybody.

use crate::actions::{ListCollectors, ReadManifest};
use crate::ended::{Ended, MAX_ENDED};
use crate::error::fail;
use crate::keys::digest;
use crate::secrets::Secrets;
use crate::{Attributes, AuthorityError, MANIFEST_AGE_SECS};
use data_encoding::{BASE64, HEXLOWER};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use strongroom_crypto::PublicKey;
use strongroom_envelope::{Signed, kid};
use strongroom_gate::{AuthorityRecord, MemberRecord, Permit, SharingView, Standing};
use strongroom_sharing::SignedText;
use strongroom_sharing::authority::{Collectors, Manifest, MemberOf, Replaced};

/// What manifests are signed as.
const CONTEXT: &str = "strongroom sharing manifest v1";
/// How long one is given out again.
const FRESH: Duration = Duration::from_secs(2);

/// A manifest that was just signed.
pub(crate) struct Prepared {
    gate_epoch: u64,
    version: u64,
    signed_at: Duration,
    text: SignedText,
}

impl Attributes {
    /// The manifest as it is now. The permit is about `Sharing::whole()`.
    pub async fn manifest(&self, permit: Permit<ReadManifest>) -> Result<SignedText, AuthorityError> {
        let (view, entry) = permit.open();
        match self.signed_manifest(&view).await {
            Ok(text) => self.release(entry, text).await,
            Err(fault) => fail(entry, fault).await,
        }
    }

    async fn signed_manifest(&self, view: &SharingView) -> Result<SignedText, AuthorityError> {
        let authority = self.ready(view).await?;
        let (gate_epoch, version) = (self.gate.epoch(), view.version());
        let now = self.gate.ambient().clock.monotonic();
        let holds = |prepared: &Arc<Prepared>| {
            (prepared.gate_epoch, prepared.version) == (gate_epoch, version)
                && now < prepared.signed_at + FRESH
        };
        if let Some(prepared) = self.prepared.load_full().filter(holds) {
            return Ok(prepared.text.clone());
        }
        let manifest = self.manifest_of(view, &authority)?;
        let key = Secrets::open(view).await?.signer()?;
        let signed = Signed::sign(&manifest, &key, CONTEXT).map_err(|_| crate::secrets::damaged())?;
        let text = signed.into_text();
        let prepared = Prepared { gate_epoch, version, signed_at: now, text: text.clone() };
        self.prepared.store(Some(Arc::new(prepared)));
        Ok(text)
    }

    fn manifest_of(
        &self,
        view: &SharingView,
        authority: &AuthorityRecord,
    ) -> Result<Manifest, AuthorityError> {
        let token_key = PublicKey::from_spki(&authority.token_key)?;
        let members = view.members();
        let Ended { before, tokens } = Ended::of(view, &members, self.gate.now(), MAX_ENDED);
        let signing = members.iter().filter(|member| !member.signing_keys.is_empty());
        let age = self.settings.load().max_age_secs;
        Ok(Manifest {
            authority: HEXLOWER.encode(&digest(authority)),
            signing_key: BASE64.encode(&authority.signing_key),
            epoch: authority.epoch,
            epoch_since: seconds(authority.epoch_since),
            issued_at: seconds(self.gate.now()),
            max_age_secs: age.clamp(*MANIFEST_AGE_SECS.start(), *MANIFEST_AGE_SECS.end()),
            token_keys: BTreeMap::from([(kid(&token_key), BASE64.encode(&authority.token_key))]),
            members: signing
                .map(|member| MemberOf {
                    id: member.id,
                    signing_keys: member.signing_keys.iter().map(|key| BASE64.encode(key)).collect(),
                    active: member.standing == Standing::Active,
                    replaced: replaced(view, member),
                })
                .collect(),
            revoked: members
                .iter()
                .filter(|member| member.standing != Standing::Active)
                .map(|member| member.id)
                .collect(),
            ended_before: before,
            ended: tokens,
        })
    }

    /// Names of those who sign records, by id.
    pub async fn collectors(&self, permit: Permit<ListCollectors>) -> Result<Collectors, AuthorityError> {
        let (view, entry) = permit.open();
        let members = view.members();
        let signing = members.iter().filter(|member| !member.signing_keys.is_empty());
        let collectors = signing.map(|member| (member.id, member.name.to_string())).collect();
        self.release(entry, Collectors { collectors }).await
    }
}

fn seconds(time: strongroom_ambient::UnixMillis) -> u64 {
    u64::try_from(time.0.div_euclid(1_000)).unwrap_or_default()
}

/// Keys of a member that others took the place of.
fn replaced(view: &SharingView, member: &MemberRecord) -> Vec<Replaced> {
    let replaced = view.replaced_of(member.id).into_iter();
    replaced.map(|(key, last)| Replaced { key: BASE64.encode(&key), last }).collect()
}
