//! The tree of keys, and the tokens at its leaves.

use strongroom_ambient::Ambient;
use strongroom_crypto::{MacKey, derive_key, sha256};
use strongroom_secret::SecretArray;

use crate::forms::{Canonical, Form, FormError};
use crate::term::{EXACT, head};

/// The root of all index keys: the authority's, sealed.
pub struct IndexRoot(SecretArray<32>);

/// What a collector holds for one epoch.
pub struct CollectorEpochKey(SecretArray<32>);

/// The key of one field of one collector in one epoch, made ready.
pub struct FieldKey(MacKey);

/// 128 bits that are the same for the same value of the same field, collector and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub [u8; 16]);

impl IndexRoot {
    /// A new root.
    pub fn generate(ambient: &Ambient) -> Self {
        Self(SecretArray::filled(|bytes| ambient.entropy.fill(bytes)))
    }

    /// Takes over what was sealed.
    pub fn copied(bytes: &[u8]) -> Option<Self> {
        SecretArray::copied(bytes).map(Self)
    }

    /// For the seal.
    pub fn expose<R>(&self, use_bytes: impl FnOnce(&[u8; 32]) -> R) -> R {
        self.0.expose(use_bytes)
    }

    /// The key that a collector is given for an epoch. It tells neither other epochs nor other collectors.
    pub fn collector_epoch(&self, collector: &str, epoch: u64) -> CollectorEpochKey {
        let name = sha256(collector.as_bytes());
        let own = self.0.expose(|root| derive_key(root, &[b"strongroom-blindindex v1 collector", &name]));
        let epoch = epoch.to_be_bytes();
        let key = own.expose(|own| derive_key(own, &[b"strongroom-blindindex v1 epoch", &epoch]));
        CollectorEpochKey(key)
    }
}

impl CollectorEpochKey {
    /// Takes over what was delivered.
    pub fn copied(bytes: &[u8]) -> Option<Self> {
        SecretArray::copied(bytes).map(Self)
    }

    /// For wrapping it to its collector.
    pub fn expose<R>(&self, use_bytes: impl FnOnce(&[u8; 32]) -> R) -> R {
        self.0.expose(use_bytes)
    }

    /// The key of a field.
    pub fn field(&self, field: &str) -> FieldKey {
        let name = sha256(field.as_bytes());
        let key = self.0.expose(|own| derive_key(own, &[b"strongroom-blindindex v1 field", &name]));
        FieldKey(key.expose(MacKey::new))
    }

    /// What stands for a field's name where the name must not.
    pub fn field_label(&self, field: &str) -> Token {
        let key = self.0.expose(|own| derive_key(own, &[b"strongroom-blindindex v1 labels"]));
        cut(&key.expose(MacKey::new).sign(&[field.as_bytes()]))
    }
}

impl FieldKey {
    /// The token of a value in the form of its field. `scratch` is room to work in: one buffer does for many values.
    ///
    /// ```
    /// use strongroom_blindindex::{Form, IndexRoot};
    /// let root = IndexRoot::copied(&[7; 32]).unwrap();
    /// let field = root.collector_epoch("north", 1).field("src_ip");
    /// let mut scratch = Vec::new();
    /// let token = field.token(Form::Ip, "10.0.0.1", &mut scratch)?;
    /// assert_eq!(token, field.token(Form::Ip, "::ffff:10.0.0.1", &mut scratch)?);
    /// # Ok::<(), strongroom_blindindex::FormError>(())
    /// ```
    pub fn token(&self, form: Form, value: &str, scratch: &mut Vec<u8>) -> Result<Token, FormError> {
        scratch.clear();
        scratch.extend_from_slice(&head(EXACT, 0));
        form.write(value, scratch)?;
        Ok(self.of_message(scratch))
    }

    /// The token of a value that is canonical already.
    pub fn token_of(&self, value: &Canonical) -> Token {
        let mut message = head(EXACT, 0).to_vec();
        message.extend_from_slice(value.tagged());
        self.of_message(&message)
    }

    pub(crate) fn of_message(&self, message: &[u8]) -> Token {
        cut(&self.0.sign(&[message]))
    }
}

fn cut(mac: &[u8; 32]) -> Token {
    let mut token = [0; 16];
    token.iter_mut().zip(mac).for_each(|(to, from)| *to = *from);
    Token(token)
}

impl std::fmt::Debug for IndexRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IndexRoot")
    }
}

impl std::fmt::Debug for CollectorEpochKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CollectorEpochKey")
    }
}

impl std::fmt::Debug for FieldKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FieldKey")
    }
}
