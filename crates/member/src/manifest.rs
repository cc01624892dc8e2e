//! The authority's manifest as far as it is believed: signed by the key that was pinned or seen first, never going back.

use crate::error::{ManifestError, MemberError};
use crate::folder::SecretsFolder;
use data_encoding::{BASE64, HEXLOWER};
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_crypto::{Digest, PublicKey, public_key_pem};
use strongroom_envelope::{MemberKeys, Signed};
use strongroom_secret::SecretBytes;
use strongroom_sharing::authority::Manifest;
use strongroom_sharing::{MemberId, SignedText};

/// The authority's signing key, PEM.
const KEY_FILE: &str = "authority.pub";
/// The last manifest that was believed.
const MANIFEST_FILE: &str = "manifest.json";
/// What the authority signs manifests as.
const CONTEXT: &str = "strongroom sharing manifest v1";
/// How far clocks may be apart; seconds.
const MAX_AHEAD_SECS: u64 = 120;
/// No authority may ask for less care than this; seconds.
const MAX_AGE_SECS: u64 = 3600;

/// A manifest that is believed, and until when it may be encrypted by.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// What it says.
    pub manifest: Manifest,
    /// The authority, by the digest of its FAME public key.
    pub authority: Digest,
    /// On the monotonic clock.
    fresh_until: Duration,
}

impl Trusted {
    /// The present epoch.
    pub fn epoch(&self) -> u64 {
        self.manifest.epoch
    }

    /// Whether a collector may still encrypt by it.
    pub fn is_fresh(&self, ambient: &Ambient) -> bool {
        ambient.clock.monotonic() < self.fresh_until
            && age_secs(&self.manifest, ambient).is_ok_and(|age| age < max_age_secs(&self.manifest))
    }

    /// Until when it is fresh, on the monotonic clock.
    pub fn fresh_until(&self) -> Duration {
        self.fresh_until
    }

    /// How long to wait before the next is fetched: a third of its age.
    pub fn refresh_after(&self) -> Duration {
        Duration::from_secs((max_age_secs(&self.manifest) / 3).max(1))
    }

    /// The keys that a member's signatures are checked with, also of one that may send no more.
    pub fn keys_of(&self, member: MemberId) -> MemberKeys {
        let found = self.manifest.members.iter().find(|other| other.id == member);
        found.map(MemberKeys::of).unwrap_or_default()
    }

    /// Whether a signing key is registered for a member.
    pub fn knows(&self, member: MemberId, key: &PublicKey) -> bool {
        let of = |other: &&strongroom_sharing::authority::MemberOf| other.id == member;
        let keys = self.manifest.members.iter().find(of).map(|member| member.signing_keys.as_slice());
        keys.unwrap_or_default().iter().filter_map(|text| spki(text)).any(|known| known == *key)
    }
}

pub(crate) fn spki(text: &str) -> Option<PublicKey> {
    PublicKey::from_spki(&BASE64.decode(text.as_bytes()).ok()?).ok()
}

fn max_age_secs(manifest: &Manifest) -> u64 {
    manifest.max_age_secs.min(MAX_AGE_SECS)
}

fn now_secs(ambient: &Ambient) -> u64 {
    u64::try_from(ambient.now().0 / 1000).unwrap_or(0)
}

fn age_secs(manifest: &Manifest, ambient: &Ambient) -> Result<u64, ManifestError> {
    let now = now_secs(ambient);
    let ahead_secs = manifest.issued_at.saturating_sub(now);
    if ahead_secs > MAX_AHEAD_SECS {
        return Err(ManifestError::Future { ahead_secs });
    }
    Ok(now.saturating_sub(manifest.issued_at))
}

/// The key that manifests are checked with: pinned in the configuration, else the one in the folder.
pub(crate) fn trusted_key(
    folder: &SecretsFolder,
    pinned: Option<&PublicKey>,
) -> Result<Option<PublicKey>, MemberError> {
    let kept = folder.read_plain(KEY_FILE)?.map(|pem| pem.expose(PublicKey::from_pem)).transpose();
    let kept = kept.map_err(|_| folder.damaged(KEY_FILE, "it is no public key in PEM"))?;
    match (pinned, kept) {
        (Some(pinned), Some(kept)) if *pinned != kept => Err(ManifestError::TwoKeys.into()),
        (pinned, kept) => Ok(pinned.cloned().or(kept)),
    }
}

/// Keeps the key that was seen first.
pub(crate) fn keep_key(folder: &SecretsFolder, key: &PublicKey) -> Result<(), MemberError> {
    Ok(folder.write_plain(KEY_FILE, &SecretBytes::new(public_key_pem(key).into_bytes()))?)
}

/// Believes a manifest, or not.
pub(crate) fn check(
    text: SignedText,
    key: &PublicKey,
    last: Option<&Manifest>,
    ambient: &Ambient,
) -> Result<Trusted, ManifestError> {
    let manifest = Signed::<Manifest>::from(text).verify(key, CONTEXT)?;
    if let Some(last) = last {
        let forward = |what, had, got| {
            if got < had { Err(ManifestError::Rollback { what, had, got }) } else { Ok(()) }
        };
        forward("epoch", last.epoch, manifest.epoch)?;
        forward("time", last.issued_at, manifest.issued_at)?;
    }
    let age = age_secs(&manifest, ambient)?;
    let digest = HEXLOWER.decode(manifest.authority.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    let authority = digest.ok_or(ManifestError::Field { field: "authority" })?;
    let left = Duration::from_secs(max_age_secs(&manifest).saturating_sub(age));
    Ok(Trusted { manifest, authority, fresh_until: ambient.clock.monotonic() + left })
}

/// The last one that was believed, if it still is by the same key.
pub(crate) fn kept(
    folder: &SecretsFolder,
    key: &PublicKey,
    ambient: &Ambient,
) -> Result<Option<Trusted>, MemberError> {
    let Some(file) = folder.read_plain(MANIFEST_FILE)? else { return Ok(None) };
    let text = file.expose(|bytes| serde_json::from_slice(bytes));
    let text = text.map_err(|_| folder.damaged(MANIFEST_FILE, "it is no signed document"))?;
    match check(text, key, None, ambient) {
        // of an authority that was replaced, and its key with it
        Err(ManifestError::Signature(_)) => Ok(None),
        other => Ok(Some(other?)),
    }
}

/// Keeps one that is believed.
pub(crate) fn keep(folder: &SecretsFolder, text: &SignedText) -> Result<(), MemberError> {
    // texts alone: writing them into memory cannot fail
    let json = serde_json::to_vec(text).unwrap_or_default();
    Ok(folder.write_plain(MANIFEST_FILE, &SecretBytes::new(json))?)
}
