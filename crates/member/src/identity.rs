//! A member's own keys: one that signs, one that things are wrapped for.

use crate::error::MemberError;
use crate::folder::{FolderError, SecretsFolder};
use strongroom_ambient::Ambient;
use strongroom_crypto::{KemSecretKey, PrivateKey, PublicKey};
use strongroom_secret::{SecretArray, SecretBytes};
use strongroom_sharing::MemberId;

/// The keys of an enrolled member.
pub(crate) const KEY_FILE: &str = "member.key";
/// The same before the authority knows them.
pub(crate) const PENDING_FILE: &str = "member.key.pending";

/// Version, member, two seeds.
const FILE_BYTES: usize = 1 + 16 + 32 + 32;

/// A member and its keys.
pub struct Identity {
    member: MemberId,
    signer: PrivateKey,
    public: PublicKey,
    wrap: KemSecretKey,
    /// For the file.
    signing_seed: SecretArray<32>,
}

impl Identity {
    /// New keys.
    pub fn generate(ambient: &Ambient, member: MemberId) -> Result<Self, MemberError> {
        let signing_seed = SecretArray::filled(|seed| ambient.entropy.fill(seed));
        Self::of(member, signing_seed, KemSecretKey::generate(ambient)).ok_or(MemberError::Signing)
    }

    fn of(member: MemberId, signing_seed: SecretArray<32>, wrap: KemSecretKey) -> Option<Self> {
        let signer = signing_seed.expose(PrivateKey::ed25519_from_seed).ok()?;
        let public = signer.public_key().ok()?;
        Some(Self { member, signer, public, wrap, signing_seed })
    }

    /// Who.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// What signs.
    pub fn signer(&self) -> &PrivateKey {
        &self.signer
    }

    /// What its signatures are checked with.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// What opens what is wrapped for it.
    pub fn wrap(&self) -> &KemSecretKey {
        &self.wrap
    }

    /// Reads a file of the folder; none if there is none.
    pub(crate) fn read(folder: &SecretsFolder, name: &str) -> Result<Option<Self>, FolderError> {
        // its loss is worse than that of the others: the message says so
        let worse = |error| match error {
            FolderError::Damaged { path, what } => FolderError::DamagedKey { path, what },
            other => other,
        };
        let Some(file) = folder.read(name).map_err(worse)? else { return Ok(None) };
        let read = file.expose(Self::from_bytes);
        read.map(Some).ok_or_else(|| worse(folder.damaged(name, "its form is unknown")))
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; FILE_BYTES] = bytes.try_into().ok()?;
        let (version, rest) = bytes.split_first()?;
        let (member, rest) = rest.split_first_chunk::<16>()?;
        let (signing, wrap) = rest.split_at_checked(32)?;
        if *version != 1 {
            return None;
        }
        let wrap = KemSecretKey::from_seed(SecretArray::copied(wrap)?);
        Self::of(MemberId(*member), SecretArray::copied(signing)?, wrap)
    }

    pub(crate) fn to_bytes(&self) -> SecretBytes {
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        bytes.push(1);
        bytes.extend_from_slice(&self.member.0);
        self.signing_seed.expose(|seed| bytes.extend_from_slice(seed));
        self.wrap.expose(|seed| bytes.extend_from_slice(seed));
        SecretBytes::new(bytes)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.member)
    }
}
