//! Challenges: random, with a MAC over what they are for; a minute long, used once.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;
use strongroom_ambient::{Ambient, UnixMillis};
use strongroom_crypto::{MacKey, PublicKey, verify_or_decoy};
use strongroom_secret::SecretArray;

const LIFETIME: Duration = Duration::from_mins(1);
/// Spent challenges that are remembered; beyond that none is accepted until some expire.
const MAX_SPENT: usize = 100_000;
const CHALLENGE_BYTES: usize = 16 + 8 + 32;

/// A proof of possession, as a client sent it.
pub struct Proof<'a> {
    /// The access key id, as text.
    pub key_text: &'a str,
    /// The challenge, as text.
    pub challenge: &'a str,
    /// The signature over the transcript.
    pub signature: &'a [u8],
    /// What was to be signed: key and challenge are in it, and whatever else the door binds them to.
    pub signed: &'a [u8],
}

impl Proof<'_> {
    /// Whether it holds for a key; without one it takes as long and does not.
    pub(crate) fn verify(&self, key: Option<&PublicKey>) -> bool {
        verify_or_decoy(key, self.signed, self.signature)
    }
}

pub(crate) struct Challenges {
    key: MacKey,
    spent: Mutex<HashMap<[u8; 16], UnixMillis>>,
}

impl Challenges {
    /// Challenges of this process: a restart voids those of the one before.
    pub(crate) fn new(ambient: &Ambient) -> Self {
        let key = SecretArray::<32>::filled(|bytes| ambient.entropy.fill(bytes));
        Self { key: key.expose(MacKey::new), spent: Mutex::default() }
    }

    /// `random 16 | expiry 8 | MAC 32`, in hexadecimal.
    pub(crate) fn make(&self, ambient: &Ambient, key_text: &str, now: UnixMillis) -> (String, UnixMillis) {
        let nonce: [u8; 16] = ambient.random();
        let expires = now.plus(LIFETIME);
        let mac = self.mac(&nonce, expires, key_text);
        let bytes = [nonce.as_slice(), &expires.0.to_be_bytes(), &mac].concat();
        let text = bytes.iter().fold(String::with_capacity(2 * CHALLENGE_BYTES), |mut text, byte| {
            use std::fmt::Write;
            let _ = write!(text, "{byte:02x}");
            text
        });
        (text, expires)
    }

    fn mac(&self, nonce: &[u8; 16], expires: UnixMillis, key_text: &str) -> [u8; 32] {
        self.key.sign(&[nonce, &expires.0.to_be_bytes(), key_text.as_bytes()])
    }

    /// Whether the challenge was made here, for this key, and has not expired.
    pub(crate) fn is_fresh(&self, proof: &Proof<'_>, now: UnixMillis) -> bool {
        self.open(proof, now).is_some()
    }

    fn open(&self, proof: &Proof<'_>, now: UnixMillis) -> Option<([u8; 16], UnixMillis)> {
        let (nonce, expires, mac) = parse(proof.challenge)?;
        let ours = strongroom_secret::bytes_eq(&self.mac(&nonce, expires, proof.key_text), &mac);
        (ours && expires > now).then_some((nonce, expires))
    }

    /// Spends a challenge. Whether it is fresh, and was not spent before.
    pub(crate) fn spend(&self, proof: &Proof<'_>, now: UnixMillis) -> bool {
        let Some((nonce, expires)) = self.open(proof, now) else { return false };
        let mut spent = self.spent.lock();
        if spent.len() >= MAX_SPENT {
            spent.retain(|_, until| *until > now);
        }
        spent.len() < MAX_SPENT && spent.insert(nonce, expires).is_none()
    }
}

fn parse(text: &str) -> Option<([u8; 16], UnixMillis, [u8; 32])> {
    if text.len() != 2 * CHALLENGE_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; CHALLENGE_BYTES];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    let (nonce, rest) = bytes.split_first_chunk::<16>()?;
    let (expires, mac) = rest.split_first_chunk::<8>()?;
    Some((*nonce, UnixMillis(i64::from_be_bytes(*expires)), mac.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn proof<'a>(key_text: &'a str, challenge: &'a str) -> Proof<'a> {
        Proof { key_text, challenge, signature: &[], signed: &[] }
    }

    #[test]
    fn a_challenge_is_spent_once() {
        let challenges = Challenges::new(&Ambient::system());
        let (text, _) = challenges.make(&Ambient::system(), "key", NOW);
        assert!(challenges.spend(&proof("key", &text), NOW));
        assert!(!challenges.spend(&proof("key", &text), NOW), "replay");
    }

    #[test]
    fn expired_foreign_and_forged_challenges_are_refused() {
        let challenges = Challenges::new(&Ambient::system());
        let (text, expires) = challenges.make(&Ambient::system(), "key", NOW);
        assert!(!challenges.spend(&proof("key", &text), expires), "expired");
        assert!(!challenges.spend(&proof("other", &text), NOW), "another key's");
        let (foreign, _) = Challenges::new(&Ambient::system()).make(&Ambient::system(), "key", NOW);
        assert!(!challenges.spend(&proof("key", &foreign), NOW), "another process's");
        for at in [0, 40, 100] {
            let mut forged = text.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            assert!(!challenges.spend(&proof("key", std::str::from_utf8(&forged).unwrap()), NOW));
        }
        for malformed in ["", "zz", &text[2..], &format!("{text}00"), &"é".repeat(56)] {
            assert!(!challenges.spend(&proof("key", malformed), NOW));
        }
        assert!(challenges.spend(&proof("key", &text), NOW), "and the good one still holds");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten_in_time() {
        let (challenges, ambient) = (Challenges::new(&Ambient::system()), Ambient::system());
        let until = NOW.plus(LIFETIME);
        let numbers = 0..u128::try_from(MAX_SPENT).unwrap();
        challenges.spent.lock().extend(numbers.map(|number| (number.to_be_bytes(), until)));
        let (text, _) = challenges.make(&ambient, "key", NOW);
        assert!(!challenges.spend(&proof("key", &text), NOW), "what cannot be remembered is not accepted");
        assert_eq!(challenges.spent.lock().len(), MAX_SPENT);
        let (text, _) = challenges.make(&ambient, "key", until);
        assert!(challenges.spend(&proof("key", &text), until));
        assert_eq!(challenges.spent.lock().len(), 1);
        assert!(!challenges.spend(&proof("key", &text), until), "and this one is remembered");
    }
}
