//! Keys as people and files bring them, and the record that wraps the root key.

use strongroom_crypto::{PrivateKey, PublicKey, public_key_pem as to_pem};
use strongroom_secret::SecretBytes;
use strongroom_unlock::{KeyFile, RootRecord, UnlockKey};

/// An accepted unlock key prints as a text that is accepted and prints the same.
pub(crate) fn unlock_key(data: &[u8]) -> bool {
    let Ok(key) = UnlockKey::parse(data) else { return false };
    let again = key.to_text().expose(UnlockKey::parse).expect("what a key prints is a key");
    assert!(same(&key.to_text(), &again.to_text()));
    true
}

/// As [`unlock_key`].
pub(crate) fn key_file(data: &[u8]) -> bool {
    let Ok(key) = KeyFile::parse(data) else { return false };
    let again = key.to_text().expose(KeyFile::parse).expect("what a key file prints is a key file");
    assert!(same(&key.to_text(), &again.to_text()));
    true
}

/// A record has one encoding: what was read is written the same.
pub(crate) fn root_record(data: &[u8]) -> bool {
    let Ok(record) = RootRecord::decode(data) else { return false };
    assert_eq!(record.encode(), data, "two encodings of one record");
    true
}

/// An accepted public key reads back from what it is written as.
pub(crate) fn public_key_pem(data: &[u8]) -> bool {
    let Ok(key) = PublicKey::from_pem(data) else { return false };
    let again = PublicKey::from_pem(to_pem(&key).as_bytes()).expect("what a key is written as is a key");
    assert_eq!(key.spki(), again.spki());
    // a verdict, whichever: it must not panic
    let _verdict = key.verify(b"message", data);
    true
}

/// A private key is read or refused.
pub(crate) fn access_key(data: &[u8]) -> bool {
    PrivateKey::from_pem(&SecretBytes::new(data.to_vec())).is_ok()
}

fn same(left: &SecretBytes, right: &SecretBytes) -> bool {
    left.expose(|left| right.expose(|right| left == right))
}

/// A private key under a password is the one that was sealed, whatever the file says about how.
pub(crate) fn sealed_pem(data: &[u8]) -> bool {
    let (text, password) = (SecretBytes::new(data.to_vec()), SecretBytes::new(b"password".to_vec()));
    let Ok(key) = PrivateKey::from_sealed_pem(&text, &password) else { return false };
    assert!(key.public_key().is_ok(), "a key without a public half");
    assert!(PrivateKey::from_pem(&text).is_err(), "it opens without its password");
    true
}
