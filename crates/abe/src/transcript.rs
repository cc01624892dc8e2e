//! What is derived from what: every hash and key of the two modes, in one place.
//!
//! All inputs have fixed widths, and every derivation has a label and the digest of what it is bound to.

use strongroom_crypto::{Digest, derive_key, sha256, sha256_parts};
use strongroom_secret::{SecretArray, bytes_eq, wipe};

use crate::curve::{Scalar, Target};
use crate::header::Suite;
use crate::master::scalar;
use crate::public::PublicKey;
use crate::rights::Right;

strongroom_secret::purpose! {
    /// The key that a header carries to whoever may open it.
    pub struct SharedKey([u8; 32]);
}

/// Everything that a ciphertext is bound to before its randomness is drawn: format, suite, authority, canonical policy,
/// and the caller's context.
pub(crate) struct Bound(Digest);

impl Bound {
    pub(crate) fn new(suite: Suite, public: &PublicKey, policy: &str, context: &[u8]) -> Self {
        Self(sha256_parts(&[
            b"strongroom-abe bound",
            &[1, suite.number()],
            public.digest(),
            &sha256(policy.as_bytes()),
            &sha256(context),
        ]))
    }

    fn derive(&self, key: &SecretArray<32>, label: [u8; 4], digest: &Digest) -> SecretArray<32> {
        key.expose(|key| derive_key(key, &[b"strongroom-abe", &label, &self.0, digest]))
    }

    /// The randomness of an encryption, from its seed: Fujisaki and Okamoto (2013), so that who opens can encrypt again.
    pub(crate) fn exponents(&self, seed: &SecretArray<32>) -> [Scalar; 2] {
        let drawn = self.derive(seed, *b"coin", &[0; 32]);
        [scalar(&drawn, &[b"s1"]), scalar(&drawn, &[b"s2"])]
    }

    /// The seed under the mask of a target element, or the mask taken off again.
    pub(crate) fn mask(
        &self,
        target: &mut Target,
        points: &Digest,
        seed: &SecretArray<32>,
    ) -> SecretArray<32> {
        let mut bytes = target.bytes();
        let mut mask = sha256_parts(&[b"strongroom-abe mask", &self.0, points, &bytes]);
        wipe(&mut bytes);
        target.wipe();
        let masked = xor(seed, &mask);
        wipe(&mut mask);
        masked
    }

    /// The mask of one right on the second secret.
    pub(crate) fn right_mask(
        &self,
        shared: &SecretArray<32>,
        right: &Right,
        secret: &SecretArray<32>,
    ) -> SecretArray<32> {
        let mask = self.derive(shared, *b"rght", &right.digest());
        mask.expose(|mask| xor(secret, mask))
    }

    /// The shared key and the commitment to it: of both secrets and both ciphertexts.
    pub(crate) fn finish(
        &self,
        seed: &SecretArray<32>,
        pairing_part: &Digest,
        second: Option<(&SecretArray<32>, &Digest)>,
    ) -> (SharedKey, Digest) {
        let first = self.derive(seed, *b"pair", pairing_part);
        let root = match second {
            None => self.derive(&first, *b"root", pairing_part),
            Some((second, rights_part)) => SecretArray::filled(|root| {
                first.expose(|first| {
                    second.expose(|second| {
                        let parts: [&[u8]; 6] =
                            [b"strongroom-abe both", &self.0, first, second, pairing_part, rights_part];
                        *root = sha256_parts(&parts);
                    });
                });
            }),
        };
        let key = self.derive(&root, *b"key ", &[0; 32]);
        let commitment = self.derive(&root, *b"cmit", &[0; 32]).expose(|bytes| *bytes);
        (SharedKey::filled(|out| key.expose(|key| out.copy_from_slice(key))), commitment)
    }
}

fn xor(secret: &SecretArray<32>, mask: &[u8; 32]) -> SecretArray<32> {
    SecretArray::filled(|out| {
        secret.expose(|secret| {
            out.iter_mut().zip(secret.iter().zip(mask)).for_each(|(out, (one, other))| *out = one ^ other);
        });
    })
}

/// Whether all pairs are the same, with every pair looked at.
pub(crate) fn all_same(pairs: &[(&[u8], &[u8])]) -> bool {
    pairs.iter().fold(true, |same, (left, right)| same & bytes_eq(left, right))
}
