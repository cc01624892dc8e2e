//! What the authority keeps sealed, opened for one operation.

use crate::AuthorityError;
use strongroom_abe::MasterKey;
use strongroom_ambient::Ambient;
use strongroom_blindindex::IndexRoot;
use strongroom_crypto::{PrivateKey, PublicKey, derive_key, sha256, sha256_parts};
use strongroom_gate::{BarrierError, SharingView};
use strongroom_secret::{SecretArray, SecretBytes};

const FORMAT: u8 = 1;
/// In how many places of one policy an attribute may stand.
const USES: u8 = 4;

/// The authority's secrets: wiped when the operation ends.
pub(crate) struct Secrets {
    pub(crate) index: IndexRoot,
    signing: SecretArray<32>,
    token: SecretArray<32>,
    master: SecretBytes,
}

impl Secrets {
    /// Of a new authority.
    pub(crate) fn generate(ambient: &Ambient) -> Result<Self, AuthorityError> {
        let fresh = || SecretArray::filled(|bytes| ambient.entropy.fill(bytes));
        Ok(Self {
            index: IndexRoot::generate(ambient),
            signing: fresh(),
            token: fresh(),
            master: MasterKey::generate(ambient, USES)?.to_bytes(),
        })
    }

    /// Opens those of the authority that there is.
    pub(crate) async fn open(view: &SharingView) -> Result<Self, AuthorityError> {
        let sealed = view.secrets().await?;
        Self::read(&sealed).ok_or_else(|| damaged().into())
    }

    fn read(bytes: &SecretBytes) -> Option<Self> {
        bytes.expose(|bytes| {
            let (format, rest) = bytes.split_first()?;
            (*format == FORMAT).then_some(())?;
            let (index, rest) = rest.split_at_checked(32)?;
            let (signing, rest) = rest.split_at_checked(32)?;
            let (token, master) = rest.split_at_checked(32)?;
            Some(Self {
                index: IndexRoot::copied(index)?,
                signing: SecretArray::copied(signing)?,
                token: SecretArray::copied(token)?,
                master: SecretBytes::new(master.to_vec()),
            })
        })
    }

    /// For the seal.
    pub(crate) fn to_bytes(&self) -> SecretBytes {
        let mut out = Vec::with_capacity(1 + 3 * 32 + self.master.len());
        out.push(FORMAT);
        self.index.expose(|bytes| out.extend_from_slice(bytes));
        self.signing.expose(|bytes| out.extend_from_slice(bytes));
        self.token.expose(|bytes| out.extend_from_slice(bytes));
        self.master.expose(|bytes| out.extend_from_slice(bytes));
        SecretBytes::new(out)
    }

    /// The master key. Takes milliseconds: not on the threads that serve requests.
    pub(crate) fn master(&self) -> Result<MasterKey, AuthorityError> {
        MasterKey::from_bytes(&self.master).map_err(|_| damaged().into())
    }

    /// The key that signs manifests.
    pub(crate) fn signer(&self) -> Result<PrivateKey, AuthorityError> {
        self.signing.expose(PrivateKey::ed25519_from_seed).map_err(|_| damaged().into())
    }

    /// The key that signs tokens: another one for another value of the configuration, and for another life of the store.
    pub(crate) fn token_signer(&self, of: &[u8; 32]) -> Result<PrivateKey, AuthorityError> {
        let seed = self.token.expose(|secret| derive_key(secret, &[b"strongroom sharing token key v1", of]));
        seed.expose(PrivateKey::ed25519_from_seed).map_err(|_| damaged().into())
    }
}

/// What a key of tokens is derived from besides the sealed secret.
pub(crate) fn token_key_of(configured: Option<&SecretBytes>, incarnation: &[u8; 16]) -> [u8; 32] {
    let label = b"strongroom sharing token secret v1";
    match configured {
        Some(secret) => secret.expose(|bytes| sha256_parts(&[label, &[1], incarnation, &sha256(bytes)])),
        None => sha256_parts(&[label, &[0], incarnation]),
    }
}

/// The public half, as it is published.
pub(crate) fn public_of(key: &PrivateKey) -> Result<PublicKey, AuthorityError> {
    key.public_key().map_err(|_| damaged().into())
}

pub(crate) fn damaged() -> BarrierError {
    BarrierError::corrupt("the attribute authority's keys")
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}
