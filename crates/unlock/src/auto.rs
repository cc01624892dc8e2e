//! Unlocking without a person: what wraps the root key beside the unlock keys.

use crate::layout::fixed;
use crate::text::{self, KeyTextError};
use crate::wrapping::{self, Label, WRAPPING_BYTES, Wrapping};
use strongroom_ambient::Ambient;
use strongroom_crypto::sha256_parts;
use strongroom_keyring::RootKey;
use strongroom_secret::{SecretArray, SecretBytes, bytes_eq};

/// Why auto-unlock did not wrap or open the root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AutoError {
    /// The wrapping is not one of this provider's.
    #[error("the wrapping is malformed")]
    Malformed,
    /// The wrapping is of a version that this program does not know.
    #[error("the wrapping is of an unknown version")]
    UnknownVersion,
    /// The wrapping does not open: it was made with another key, for another root key, or it was altered.
    #[error("the wrapping was rejected by authentication")]
    Rejected,
    /// The device behind the provider cannot be reached.
    #[error("the provider is not available")]
    Unavailable,
}

/// Something that keeps the root key open to this machine: a key file, a TPM, a PKCS#11 token.
pub trait AutoUnlock: Send + Sync {
    /// The provider's name, as `status` shows it and the root record keeps it.
    fn name(&self) -> &str;

    /// Wraps the root key, bound to a context ([`RootRecord::auto_context`](crate::RootRecord::auto_context)).
    fn wrap(&self, ambient: &Ambient, root: &RootKey, context: &[u8]) -> Result<Vec<u8>, AutoError>;

    /// Opens what [`wrap`](Self::wrap) made with the same context.
    fn unwrap(&self, blob: &[u8], context: &[u8]) -> Result<RootKey, AutoError>;
}

const PREFIX: &str = "srauto";
const CHECKSUM_DOMAIN: Label = b"sr-auto-file-sum";
const WRAP: Label = b"sr-auto-keyfile1";
const FORMAT: u8 = 1;
/// `secret | checksum`
const TEXT_BYTES: usize = 32 + 8;

/// The content of a key file. Where the file lies, and that nobody else can read it, is the server's to see to.
///
/// ```
/// use strongroom_unlock::{AutoUnlock, KeyFile};
/// # let ambient = strongroom_ambient::Ambient::system();
/// # let root = strongroom_keyring::RootKey::filled(|bytes| ambient.entropy.fill(bytes));
/// let text = KeyFile::generate(&ambient).to_text(); // to be written to a file, mode 0600
/// let file = text.expose(KeyFile::parse)?;
/// let blob = file.wrap(&ambient, &root, b"this root")?;
/// assert!(file.unwrap(&blob, b"this root")?.same_as(&root));
/// assert!(file.unwrap(&blob, b"that root").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KeyFile(SecretArray<32>);

impl KeyFile {
    /// The provider's name.
    pub const NAME: &'static str = "key-file";

    /// A new key.
    pub fn generate(ambient: &Ambient) -> Self {
        Self(SecretArray::filled(|bytes| ambient.entropy.fill(bytes)))
    }

    /// Reads a file's content.
    pub fn parse(text: &[u8]) -> Result<Self, KeyTextError> {
        text::read(PREFIX, TEXT_BYTES, text)?.expose(|bytes| {
            let (secret, found) = bytes.split_first_chunk::<32>().ok_or(KeyTextError::Malformed)?;
            let right = bytes_eq(&checksum(secret), found);
            right.then(|| Self(SecretArray::filled(|bytes| *bytes = *secret))).ok_or(KeyTextError::Checksum)
        })
    }

    /// The file's content: `srauto1-` and eight groups of eight symbols, without a line end.
    pub fn to_text(&self) -> SecretBytes {
        self.0.expose(|secret| {
            let mut bytes = Vec::with_capacity(TEXT_BYTES);
            bytes.extend_from_slice(secret);
            bytes.extend_from_slice(&checksum(secret));
            SecretBytes::new(bytes).expose(|bytes| text::write(PREFIX, bytes))
        })
    }
}

impl AutoUnlock for KeyFile {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn wrap(&self, ambient: &Ambient, root: &RootKey, context: &[u8]) -> Result<Vec<u8>, AutoError> {
        let wrapping = self.0.expose(|secret| wrapping::wrap(ambient, secret, WRAP, context, root));
        Ok([[FORMAT].as_slice(), &wrapping].concat())
    }

    fn unwrap(&self, blob: &[u8], context: &[u8]) -> Result<RootKey, AutoError> {
        let (format, rest) = blob.split_first().ok_or(AutoError::Malformed)?;
        if *format != FORMAT {
            return Err(AutoError::UnknownVersion);
        }
        let wrapping: &Wrapping =
            rest.first_chunk().filter(|_| rest.len() == WRAPPING_BYTES).ok_or(AutoError::Malformed)?;
        self.0
            .expose(|secret| wrapping::unwrap(secret, WRAP, context, wrapping))
            .map_err(|_| AutoError::Rejected)
    }
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyFile")
    }
}

fn checksum(secret: &[u8; 32]) -> [u8; 8] {
    fixed(sha256_parts(&[CHECKSUM_DOMAIN, secret]))
}

#[cfg(test)]
mod tests;
