//! The one way in which the root key is wrapped.

use crate::layout::fixed;
use strongroom_ambient::Ambient;
use strongroom_crypto::{NONCE_BYTES, Nonce, Rejected, SealingKey, TAG_BYTES, derive_key};
use strongroom_keyring::RootKey;

/// Length of a wrapping in bytes: `nonce | sealed root key | tag`.
pub(crate) const WRAPPING_BYTES: usize = NONCE_BYTES + 32 + TAG_BYTES;

/// A wrapped root key.
pub(crate) type Wrapping = [u8; WRAPPING_BYTES];

/// What a derived key is for. All labels have one width, so that joined contexts cannot be confused.
pub(crate) type Label = &'static [u8; 16];

/// Wraps the root key under a key derived for this label and context; both are bound as associated data too.
pub(crate) fn wrap(
    ambient: &Ambient,
    secret: &[u8; 32],
    label: Label,
    context: &[u8],
    root: &RootKey,
) -> Wrapping {
    let nonce: Nonce = ambient.random();
    let mut sealed = Vec::with_capacity(WRAPPING_BYTES);
    sealed.extend_from_slice(&nonce);
    let key = derive_key(secret, &[label, context]).expose(SealingKey::new);
    root.expose(|bytes| key.seal_into(&nonce, &associated(label, context), bytes, &mut sealed));
    fixed(sealed)
}

/// Opens what [`wrap`] made.
pub(crate) fn unwrap(
    secret: &[u8; 32],
    label: Label,
    context: &[u8],
    wrapping: &Wrapping,
) -> Result<RootKey, Rejected> {
    let (nonce, sealed) = wrapping.split_first_chunk::<NONCE_BYTES>().ok_or(Rejected)?;
    let key = derive_key(secret, &[label, context]).expose(SealingKey::new);
    key.open(nonce, &associated(label, context), sealed)?.expose(RootKey::copied).ok_or(Rejected)
}

fn associated(label: Label, context: &[u8]) -> Vec<u8> {
    [label.as_slice(), context].concat()
}
