//! The keys that a member fetches: only those that its folder lacks.

use crate::error::MemberError;
use crate::manifest::Trusted;
use crate::session::Session;
use data_encoding::BASE64;
use std::collections::BTreeSet;
use strongroom_abe::{AttributeSet, MemberKey, PublicKey, Right, RightKeys, RightSecrets};
use strongroom_blindindex::CollectorEpochKey;
use strongroom_envelope::{
    IndexBundle, KeyBundle, PolicyAndSuite, PolicySet, Purpose, Reader, Recipient, Suite, attributes_at,
    unwrap,
};
use strongroom_secret::{SecretArray, SecretBytes};
use strongroom_sharing::authority::{RightOf, WrappedKeys};

const PUBLIC_FILE: &str = "cpabe-pk.binary";
const RIGHTS_FILE: &str = "rights.binary";
const SPOOL_FILE: &str = "spool.key";
/// Epochs that are asked for at once.
const MAX_ASKED: usize = 64;

fn member_file(epoch: u64) -> String {
    format!("cpabe-sk-{epoch}.binary")
}

fn index_file(epoch: u64) -> String {
    format!("index-{epoch}.key")
}

fn unusable(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> MemberError {
    move |why| MemberError::Unusable { what, why: why.to_string() }
}

impl Session {
    /// The authority's FAME public key, which must be the one of its manifest.
    pub async fn public_key(&self) -> Result<PublicKey, MemberError> {
        let manifest = match self.manifest()? {
            Some(manifest) => manifest,
            None => self.refresh().await?,
        };
        if let Some(file) = self.folder.read(PUBLIC_FILE)? {
            let key = file.expose(PublicKey::from_bytes);
            let key = key.map_err(|_| self.folder.damaged(PUBLIC_FILE, "it is no public key"))?;
            return if *key.digest() == manifest.authority {
                Ok(key)
            } else {
                Err(MemberError::OtherAuthority)
            };
        }
        let told = self.with_token(|token| async move { self.authority.public_key(&token).await }).await?;
        let bad = unusable("its public key");
        let bytes = BASE64.decode(told.cpabe_pk.as_bytes()).map_err(|error| bad(&error))?;
        let key = PublicKey::from_bytes(&bytes).map_err(|error| bad(&error))?;
        if *key.digest() != manifest.authority {
            return Err(MemberError::OtherAuthority);
        }
        self.folder.write(PUBLIC_FILE, &SecretBytes::new(bytes))?;
        Ok(key)
    }

    /// What opens records of these epochs, as far as the member may read them, and of those in the folder. Without the
    /// authority it is what the folder has.
    pub async fn reader(&self, epochs: &BTreeSet<u64>) -> Result<Reader, MemberError> {
        let public = self.public_key().await?;
        match self.fetch_member_keys(epochs).await {
            Err(error) if !error.may_pass() => return Err(error),
            Err(error) => tracing::warn!("going on with the keys at hand: {error}"),
            Ok(()) => {}
        }
        let mut reader = Reader::new(public);
        for epoch in self.folder.names("cpabe-sk-", ".binary")?.iter().filter_map(|name| name.parse().ok()) {
            if let Some(key) = self.member_key(epoch)? {
                reader.add_key(epoch, key);
            }
        }
        reader.set_rights(self.right_secrets()?);
        Ok(reader)
    }

    fn member_key(&self, epoch: u64) -> Result<Option<MemberKey>, MemberError> {
        let name = member_file(epoch);
        let Some(file) = self.folder.read(&name)? else { return Ok(None) };
        let key = MemberKey::from_bytes(&file);
        Ok(Some(key.map_err(|_| self.folder.damaged(&name, "it is no member's key"))?))
    }

    fn right_secrets(&self) -> Result<RightSecrets, MemberError> {
        let Some(file) = self.folder.read(RIGHTS_FILE)? else { return Ok(RightSecrets::none()) };
        let secrets = RightSecrets::from_bytes(&file);
        Ok(secrets.map_err(|_| self.folder.damaged(RIGHTS_FILE, "it is no list of secrets"))?)
    }

    /// Fetches the keys that the folder lacks, and the present epoch's where the member's attributes have changed.
    async fn fetch_member_keys(&self, epochs: &BTreeSet<u64>) -> Result<(), MemberError> {
        let mut wanted: Vec<u64> =
            epochs.iter().copied().filter(|epoch| !self.folder.has(&member_file(*epoch))).collect();
        if let Some(changed) = self.changed_epoch(epochs).await? {
            wanted.push(changed);
            wanted.sort_unstable();
        }
        for asked in wanted.chunks(MAX_ASKED) {
            self.fetch_these(asked).await?;
        }
        Ok(())
    }

    /// The present epoch, if it is wanted and the key at hand is for other attributes than the member has now.
    async fn changed_epoch(&self, epochs: &BTreeSet<u64>) -> Result<Option<u64>, MemberError> {
        let Some(epoch) = self.manifest()?.map(|manifest| manifest.epoch()) else { return Ok(None) };
        let Some(key) = self.member_key(epoch)?.filter(|_| epochs.contains(&epoch)) else { return Ok(None) };
        let me = self.with_token(|token| async move { self.authority.me(&token).await }).await?;
        let now = AttributeSet::parse(me.attributes.iter().map(String::as_str)).ok();
        let now = now.and_then(|now| attributes_at(&now, epoch).ok()).unwrap_or_default();
        let same = key.attributes().count() == now.len() && key.attributes().all(|has| now.contains(has));
        Ok((!same).then_some(epoch))
    }

    async fn fetch_these(&self, epochs: &[u64]) -> Result<(), MemberError> {
        let list = epochs.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let list = list.as_str();
        let wrapped =
            self.with_token(|token| async move { self.authority.member_keys(&token, list).await }).await?;
        let bundle = self.unwrapped(&wrapped, Purpose::MemberKeys).await?;
        let bad = unusable("member keys");
        let bundle = KeyBundle::from_bytes(&bundle).map_err(|error| bad(&error))?;
        if !bundle.rights.is_empty() {
            let mut rights = self.right_secrets()?;
            rights.extend(RightSecrets::from_bytes(&bundle.rights).map_err(|error| bad(&error))?);
            self.folder.write(RIGHTS_FILE, &rights.to_bytes())?;
        }
        // rights before keys: a key says that its epoch has been fetched
        for (epoch, key) in bundle.epochs.iter().filter(|(epoch, _)| epochs.contains(epoch)) {
            let read = MemberKey::from_bytes(key).map_err(|error| bad(&error))?;
            if Some(*read.authority()) != self.manifest()?.map(|manifest| manifest.authority) {
                return Err(MemberError::OtherAuthority);
            }
            self.folder.write(&member_file(*epoch), key)?;
        }
        Ok(())
    }

    async fn unwrapped(&self, wrapped: &WrappedKeys, purpose: Purpose) -> Result<SecretBytes, MemberError> {
        let authority = *self.public_key().await?.digest();
        let recipient = Recipient { purpose, member: self.member(), authority };
        let bad = unusable("wrapped keys");
        let sealed = BASE64.decode(wrapped.sealed.as_bytes()).map_err(|error| bad(&error))?;
        unwrap(self.identity().wrap(), &recipient, &sealed).map_err(|error| bad(&error))
    }

    /// What a collector makes tokens and labels with in an epoch.
    pub async fn index_key(&self, epoch: u64) -> Result<CollectorEpochKey, MemberError> {
        if let Some(key) = self.kept_index_key(epoch)? {
            return Ok(key);
        }
        let wrapped = self.with_token(|token| async move { self.authority.index_keys(&token).await }).await?;
        let bundle = self.unwrapped(&wrapped, Purpose::IndexKeys).await?;
        let bundle = IndexBundle::from_bytes(&bundle).map_err(|error| unusable("index keys")(&error))?;
        for (epoch, key) in &bundle.epochs {
            let name = index_file(*epoch);
            if !self.folder.has(&name) {
                self.folder.write(&name, &key.expose(|key| SecretBytes::new(key.to_vec())))?;
            }
        }
        self.kept_index_key(epoch)?.ok_or(MemberError::NoKey { what: "index key", epoch })
    }

    fn kept_index_key(&self, epoch: u64) -> Result<Option<CollectorEpochKey>, MemberError> {
        let name = index_file(epoch);
        let Some(file) = self.folder.read(&name)? else { return Ok(None) };
        let key = file.expose(CollectorEpochKey::copied);
        Ok(Some(key.ok_or_else(|| self.folder.damaged(&name, "it is no key"))?))
    }

    /// Policies made ready for the epoch of a manifest.
    pub async fn prepare(
        &self,
        manifest: &Trusted,
        policies: &[PolicyAndSuite],
    ) -> Result<PolicySet, MemberError> {
        let public = self.public_key().await?;
        let rights = if policies.iter().any(|policy| policy.suite == Suite::PairingAndRights) {
            let told = self.with_token(|token| async move { self.authority.rights(&token).await }).await?;
            right_keys(&told.rights, manifest.epoch())?
        } else {
            RightKeys::default()
        };
        Ok(PolicySet::prepare(&public, manifest.epoch(), policies, &rights)?)
    }

    /// What seals records that wait in clear for a fresh manifest; made at first use.
    pub fn spool_key(&self) -> Result<SecretArray<32>, MemberError> {
        if let Some(file) = self.folder.read(SPOOL_FILE)? {
            let key = file.expose(SecretArray::copied);
            return Ok(key.ok_or_else(|| self.folder.damaged(SPOOL_FILE, "it is no key"))?);
        }
        let key = SecretArray::<32>::filled(|bytes| self.ambient.entropy.fill(bytes));
        self.folder.write(SPOOL_FILE, &key.expose(|key| SecretBytes::new(key.to_vec())))?;
        Ok(key)
    }
}

/// The keys of rights in an epoch, whether or not the authority wrote the epoch to their attributes.
fn right_keys(told: &[RightOf], epoch: u64) -> Result<RightKeys, MemberError> {
    let bad = unusable("the keys of rights");
    let mut keys = RightKeys::default();
    for right in told {
        let set =
            AttributeSet::parse(right.attributes.iter().map(String::as_str)).map_err(|error| bad(&error))?;
        let in_epoch = set.iter().any(|attribute| attribute.as_str().contains('@'));
        let set = if in_epoch { set } else { attributes_at(&set, epoch).map_err(|error| bad(&error))? };
        let key = BASE64.decode(right.key.as_bytes()).map_err(|error| bad(&error))?;
        keys.insert(Right::new(set), &key).map_err(|error| bad(&error))?;
    }
    Ok(keys)
}
