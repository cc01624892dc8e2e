//! Keys, certificates and secrets of every type, as people bring them.

use strongroom_crypto::KeyMaterial;
use strongroom_model::ValueKind;
use strongroom_secret::SecretBytes;
use strongroom_secrets::{TypeRef, Value};
use strongroom_x509::Chain;

/// An accepted key reads back from what it is written as.
pub(crate) fn key_material(data: &[u8]) -> bool {
    let Ok(key) = KeyMaterial::read(data) else { return false };
    let again = key.private_pem().expose(KeyMaterial::read).expect("what a key is written as is a key");
    assert_eq!((key.kind(), key.spki()), (again.kind(), again.spki()));
    true
}

/// An accepted chain reads back from its certificates one by one, and tells the same.
pub(crate) fn chain(data: &[u8]) -> bool {
    let Ok(chain) = Chain::read(data) else { return false };
    let bundle: String = chain.pems().collect();
    let again = Chain::read(bundle.as_bytes()).expect("what a chain is written as is a chain");
    assert_eq!(chain, again);
    // whether a look into the first one succeeds: it must not panic
    let _info = chain.info();
    true
}

/// The first byte is a type's number, the second the kind of the value that follows. What is kept is kept as it is.
pub(crate) fn typed_secret(data: &[u8]) -> bool {
    let Some(([number, kind], value)) = data.split_first_chunk::<2>() else { return false };
    let Some((known, kind)) = TypeRef::from_number(*number).zip(ValueKind::from_code(*kind)) else {
        return false;
    };
    let value = Value { kind, bytes: SecretBytes::new(value.to_vec()) };
    let _asks = known.builds_upon(&value);
    let Ok(accepted) = known.accept(&value, None) else { return false };
    let kept = accepted.value.unwrap_or(value);
    let again = known.accept(&kept, None).expect("what is kept is accepted");
    assert_eq!(accepted.facts, again.facts);
    if let Some(again) = again.value {
        kept.bytes.expose(|kept| again.bytes.expose(|again| assert_eq!(kept, again)));
    }
    let _public = known.public(&kept);
    true
}
