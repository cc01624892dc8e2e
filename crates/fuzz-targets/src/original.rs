//! Files of Convection Secrets Manager.

use strongroom_convection::fernet::{FernetKey, FernetKeys};
use strongroom_convection::storage::{read_key_map, read_people, read_store};
use strongroom_secret::SecretBytes;

/// The key of the specification's vectors.
const KEY: &[u8] = b"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

/// A token that opens is no shorter than what was in it; read as keys, it does not panic.
pub(crate) fn fernet(data: &[u8]) -> bool {
    let key = FernetKey::parse(KEY).expect("the specification's key is one");
    if let Ok(keys) = FernetKeys::parse(data) {
        assert!(keys.count() > 0 && keys.count() * 44 <= data.len());
    }
    let Ok(opened) = key.open(data) else { return false };
    assert!(opened.len() < data.len());
    true
}

/// What is sealed: as a map, as people, as a store. Values of a store are JSON.
pub(crate) fn storage(data: &[u8]) -> bool {
    let opened = SecretBytes::new(data.to_vec());
    let (map, people) = (read_key_map(&opened).is_ok(), read_people(&opened).is_ok());
    let Ok(store) = read_store(&opened) else { return map && people };
    for secret in &store.secrets {
        let is_json =
            secret.value.expose(|json| serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok());
        assert!(is_json, "a value is JSON");
    }
    true
}
