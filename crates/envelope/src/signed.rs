//! Documents with a signature: manifests, heads, the ends of epochs. What was signed is the exact JSON that travels.

use std::marker::PhantomData;

use data_encoding::{BASE64, HEXLOWER};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use strongroom_crypto::{PrivateKey, PublicKey};
use strongroom_sharing::SignedText;

/// Longest document in bytes.
pub const MAX_SIGNED_BYTES: usize = 16 << 20;

/// A document of one kind with its signature. Nothing of it can be read before the signature was checked.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signed<T> {
    text: SignedText,
    #[serde(skip)]
    kind: PhantomData<fn() -> T>,
}

/// Why a signed document is not accepted, or nothing can be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// Longer than [`MAX_SIGNED_BYTES`].
    #[error("signed document is longer than {MAX_SIGNED_BYTES} bytes")]
    TooLong,
    /// Payload or signature is not base64 in its one form.
    #[error("signed document is not base64")]
    Base64,
    /// It names another key than the one that it is checked with.
    #[error("signed document is of another key")]
    OtherKey,
    /// It is not what the key's holder signed, or was signed as something else.
    #[error("signed document is rejected: changed, or signed as something else")]
    Rejected,
    /// It speaks of what came after its key was replaced.
    #[error("signed document is of a key that was replaced before")]
    Replaced,
    /// What was signed is no such document.
    #[error("signed document is not of the expected form")]
    Form,
    /// The key cannot sign, or the document cannot be written.
    #[error("document cannot be signed")]
    Sign,
}

/// The name of a key: the first 16 hexadecimal digits of SHA-256 of its SubjectPublicKeyInfo.
pub fn kid(key: &PublicKey) -> String {
    let mut text = HEXLOWER.encode(&key.fingerprint());
    text.truncate(16);
    text
}

impl<T> Signed<T> {
    /// The signed text as it travels.
    pub fn text(&self) -> &SignedText {
        &self.text
    }

    /// The same, given away.
    pub fn into_text(self) -> SignedText {
        self.text
    }

    /// Which key it says it is signed by; the check decides.
    pub fn kid(&self) -> &str {
        &self.text.kid
    }
}

impl<T: Serialize> Signed<T> {
    /// Signs a document as one of a kind: a signature of one context is none of another.
    pub fn sign(document: &T, key: &PrivateKey, context: &str) -> Result<Self, SignedError> {
        let payload = serde_json::to_vec(document).map_err(|_| SignedError::Sign)?;
        if payload.len() > MAX_SIGNED_BYTES {
            return Err(SignedError::TooLong);
        }
        let public = key.public_key().map_err(|_| SignedError::Sign)?;
        let signature = key.sign(&message(context, &payload)).map_err(|_| SignedError::Sign)?;
        let text = SignedText {
            payload: BASE64.encode(&payload),
            kid: kid(&public),
            signature: BASE64.encode(&signature),
        };
        Ok(Self::from(text))
    }
}

impl<T: DeserializeOwned> Signed<T> {
    /// The document, if the key's holder signed it in this context.
    pub fn verify(&self, key: &PublicKey, context: &str) -> Result<T, SignedError> {
        let SignedText { payload, kid: own, signature } = &self.text;
        if payload.len() > MAX_SIGNED_BYTES / 3 * 4 + 4 {
            return Err(SignedError::TooLong);
        }
        if *own != kid(key) {
            return Err(SignedError::OtherKey);
        }
        let payload = BASE64.decode(payload.as_bytes()).map_err(|_| SignedError::Base64)?;
        let signature = BASE64.decode(signature.as_bytes()).map_err(|_| SignedError::Base64)?;
        key.verify(&message(context, &payload), &signature).map_err(|_| SignedError::Rejected)?;
        serde_json::from_slice(&payload).map_err(|_| SignedError::Form)
    }
}

/// What is signed: the context, a zero, the document.
fn message(context: &str, payload: &[u8]) -> Vec<u8> {
    [context.as_bytes(), &[0], payload].concat()
}

impl<T> From<SignedText> for Signed<T> {
    fn from(text: SignedText) -> Self {
        Self { text, kind: PhantomData }
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self::from(self.text.clone())
    }
}

impl<T> std::fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signed({})", self.text.kid)
    }
}
