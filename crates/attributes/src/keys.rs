//! Keys: public ones for everybody, a member's own for epochs that it may read, wrapped.

use crate::actions::{CreateRight, IndexKeys, ListAttributes, MemberKeys, ReadPublicKey, ReadRights};
use crate::error::fail;
use crate::secrets::Secrets;
use crate::spans::{self, readable_epochs, set_of};
use crate::upkeep::off_the_workers;
use crate::{Attributes, AuthorityError};
use data_encoding::BASE64;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_abe::{Right, RightKeys};
use strongroom_crypto::KemPublicKey;
use strongroom_envelope::{IndexBundle, KeyBundle, Purpose, Recipient, attributes_at, right_at, wrap};
use strongroom_gate::{
    AuthorityRecord, Entry, MAX_REGISTERED_RIGHTS, MemberRecord, Permit, RightRecord, SharingView, Standing,
};
use strongroom_secret::SecretBytes;
use strongroom_sharing::authority::{
    Attributes as AttributesOf, PublicKeyOf, RightOf, RightsOf, WrappedKeys,
};

/// Most epochs whose keys one request is given.
pub const MAX_EPOCHS: usize = 64;
/// Most attributes of a right.
const MAX_RIGHT_ATTRIBUTES: usize = 64;

impl Attributes {
    /// The public key, and the key that manifests are checked with.
    pub async fn public_key(&self, permit: Permit<ReadPublicKey>) -> Result<PublicKeyOf, AuthorityError> {
        let (view, entry) = permit.open();
        match self.ready(&view).await {
            Ok(authority) => {
                let told = PublicKeyOf {
                    cpabe_pk: BASE64.encode(&authority.public_key),
                    signing_key: BASE64.encode(&authority.signing_key),
                };
                self.release(entry, told).await
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// The caller's own keys of those epochs among `epochs` (`1-4,7`; absent: the present one) that it may read, the first
    /// [`MAX_EPOCHS`] of them, wrapped to the key that it registered.
    pub async fn member_keys(
        &self,
        permit: Permit<MemberKeys>,
        epochs: Option<&str>,
    ) -> Result<WrappedKeys, AuthorityError> {
        let (view, mut entry) = permit.open();
        match self.make_member_keys(&view, epochs).await {
            Ok(keys) => {
                entry.note(format!("key of {}", told_epochs(&keys.epochs)));
                self.release_to_member(&view, entry, keys).await
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    async fn make_member_keys(
        &self,
        view: &SharingView,
        epochs: Option<&str>,
    ) -> Result<WrappedKeys, AuthorityError> {
        let authority = self.ready(view).await?;
        let me = member(view)?;
        let recipient = recipient(&authority, &me, Purpose::MemberKeys);
        let to = wrap_key(&me)?;
        let readable = wanted_epochs(&me, &authority, epochs)?;
        let told = readable.keys().copied().collect();
        let registered = rights_of(view)?;
        let (secrets, ambient) = (Secrets::open(view).await?, self.gate.ambient().clone());
        off_the_workers(move || {
            let master = secrets.master()?;
            let mut bundle = KeyBundle::default();
            let (mut rights, mut all) = (Vec::new(), strongroom_abe::RightSecrets::none());
            for (epoch, attributes) in &readable {
                let attributes = attributes_at(&set_of(attributes)?, *epoch)?;
                bundle.epochs.insert(*epoch, master.member_key(&ambient, &attributes).to_bytes());
                for right in &registered {
                    rights.push(right_at(right, *epoch)?);
                }
                all.extend(master.rights_for(&attributes, &rights));
                rights.clear();
            }
            bundle.rights = all.to_bytes();
            Ok(wrapped(&ambient, &to, &recipient, &bundle.to_bytes(), told))
        })
        .await
    }

    /// The caller's own index keys, as a collector: of the present epoch and the next, wrapped.
    pub async fn index_keys(&self, permit: Permit<IndexKeys>) -> Result<WrappedKeys, AuthorityError> {
        let (view, mut entry) = permit.open();
        match self.make_index_keys(&view).await {
            Ok(keys) => {
                entry.note(format!("index key of {}", told_epochs(&keys.epochs)));
                self.release_to_member(&view, entry, keys).await
            }
            Err(fault) => fail(entry, fault).await,
        }
    }

    async fn make_index_keys(&self, view: &SharingView) -> Result<WrappedKeys, AuthorityError> {
        let authority = self.ready(view).await?;
        let me = member(view)?;
        let (recipient, to) = (recipient(&authority, &me, Purpose::IndexKeys), wrap_key(&me)?);
        let secrets = Secrets::open(view).await?;
        let epochs = vec![authority.epoch, authority.epoch.saturating_add(1)];
        let collector = me.id.to_string();
        let of_epoch = |epoch: &u64| (*epoch, secrets.index.collector_epoch(&collector, *epoch));
        let bundle = IndexBundle { epochs: epochs.iter().map(of_epoch).collect() };
        Ok(wrapped(self.gate.ambient(), &to, &recipient, &bundle.to_bytes(), epochs))
    }

    /// Gives keys up, if whoever asked is still a member: it may have been suspended while they were made.
    async fn release_to_member(
        &self,
        view: &SharingView,
        entry: Entry,
        keys: WrappedKeys,
    ) -> Result<WrappedKeys, AuthorityError> {
        if !view.still_holds() {
            return fail(entry, AuthorityError::Unauthenticated).await;
        }
        let keys = self.release(entry, keys).await?;
        if view.still_holds() { Ok(keys) } else { Err(AuthorityError::Unauthenticated) }
    }

    /// Public keys of the registered rights in the present epoch and the next.
    pub async fn rights(&self, permit: Permit<ReadRights>) -> Result<RightsOf, AuthorityError> {
        let (view, entry) = permit.open();
        let told = async {
            let authority = self.ready(&view).await?;
            let mut rights = Vec::new();
            for right in rights_of(&view)? {
                for epoch in [authority.epoch, authority.epoch.saturating_add(1)] {
                    rights.push(right_at(&right, epoch)?);
                }
            }
            let secrets = Secrets::open(&view).await?;
            off_the_workers(move || {
                let keys = RightKeys::of(&secrets.master()?, &rights);
                let told = keys.iter().map(|(right, key)| RightOf {
                    attributes: right.attributes().iter().map(ToString::to_string).collect(),
                    key: BASE64.encode(&key),
                });
                Ok(RightsOf { rights: told.collect() })
            })
            .await
        };
        match told.await {
            Ok(told) => self.release(entry, told).await,
            Err(fault) => fail(entry, fault).await,
        }
    }

    /// Registers a right: from now on records can be sealed for it in the post-quantum suite. The permit is about its
    /// attributes as text.
    pub async fn create_right(
        &self,
        permit: Permit<CreateRight>,
        attributes: &[String],
    ) -> Result<Vec<String>, AuthorityError> {
        let (view, mut entry) = permit.open();
        let registered = async {
            self.ready(&view).await?;
            let attributes = spans::attributes(attributes.iter().map(String::as_str))?;
            if !(1..=MAX_RIGHT_ATTRIBUTES).contains(&attributes.len()) {
                let expected = "a list of 1 to 64 attributes";
                return Err(AuthorityError::Malformed { what: "attributes", expected });
            }
            let right = RightRecord { attributes };
            let change = view.changing().await?;
            let known = view.rights();
            if known.contains(&right) {
                return Err(AuthorityError::AlreadyExists);
            }
            if known.len() >= MAX_REGISTERED_RIGHTS {
                return Err(AuthorityError::Limit { what: "rights", limit: MAX_REGISTERED_RIGHTS });
            }
            Ok((change, right))
        };
        let (mut change, right) = match registered.await {
            Ok(registered) => registered,
            Err(fault) => return fail(entry, fault).await,
        };
        let attributes = right.attributes.clone();
        change.put_right(right);
        entry.note(attributes.join(" and "));
        entry.commit(change.take()).await?;
        Ok(attributes)
    }

    /// All that any active member has: what policies can name.
    pub async fn attributes(&self, permit: Permit<ListAttributes>) -> Result<AttributesOf, AuthorityError> {
        let (view, entry) = permit.open();
        let members = view.members();
        let active = members.iter().filter(|member| member.standing == Standing::Active);
        let all: BTreeSet<&String> = active.flat_map(|member| &member.attributes).collect();
        let told = AttributesOf { attributes: all.into_iter().cloned().collect() };
        self.release(entry, told).await
    }
}

/// The caller, if it is a member who may have keys.
fn member(view: &SharingView) -> Result<Arc<MemberRecord>, AuthorityError> {
    let me = view.me().filter(|me| me.standing == Standing::Active && !me.admin);
    me.ok_or(AuthorityError::Unauthenticated)
}

fn wrap_key(member: &MemberRecord) -> Result<KemPublicKey, AuthorityError> {
    let key = member.wrap_key.as_ref().ok_or(AuthorityError::NotEnrolled)?;
    Ok(KemPublicKey::from_bytes(key)?)
}

fn recipient(authority: &AuthorityRecord, member: &MemberRecord, purpose: Purpose) -> Recipient {
    Recipient { purpose, member: member.id, authority: digest(authority) }
}

/// What keys and headers name the authority by.
pub(crate) fn digest(authority: &AuthorityRecord) -> strongroom_crypto::Digest {
    strongroom_crypto::sha256(&authority.public_key)
}

fn rights_of(view: &SharingView) -> Result<Vec<Right>, AuthorityError> {
    view.rights().iter().map(|right| Ok(Right::new(set_of(&right.attributes)?))).collect()
}

/// Those of the asked-for epochs that the member may read.
fn wanted_epochs(
    me: &MemberRecord,
    authority: &AuthorityRecord,
    epochs: Option<&str>,
) -> Result<BTreeMap<u64, BTreeSet<String>>, AuthorityError> {
    let asked = match epochs {
        Some(text) => spans::ranges(text)?,
        None => vec![(authority.epoch, authority.epoch)],
    };
    let mut readable = BTreeMap::new();
    for (from, to) in asked {
        let left = MAX_EPOCHS.saturating_sub(readable.len());
        let (found, _) = readable_epochs(me, authority, Some(from), Some(to), left);
        readable.extend(found);
    }
    Ok(readable)
}

fn wrapped(
    ambient: &strongroom_ambient::Ambient,
    to: &KemPublicKey,
    recipient: &Recipient,
    bundle: &SecretBytes,
    epochs: Vec<u64>,
) -> WrappedKeys {
    WrappedKeys { epochs, sealed: BASE64.encode(&wrap(ambient, to, recipient, bundle)) }
}

/// For the trail: `epochs 3-5, 9`.
fn told_epochs(epochs: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for epoch in epochs {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*epoch) => *last = *epoch,
            _ => ranges.push((*epoch, *epoch)),
        }
    }
    let text =
        ranges.iter().map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") });
    match epochs.len() {
        0 => "no epoch".to_owned(),
        _ => format!("epochs {}", text.collect::<Vec<_>>().join(", ")),
    }
}
