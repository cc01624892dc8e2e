//! Files of Convection Secrets Manager.

use std::path::Path;

use strongroom_convection::fernet::{FernetKey, FernetKeys};
use strongroom_convection::server_config::{Base, ServerConfig};
use strongroom_convection::storage::{read_key_map, read_people, read_store};
use strongroom_import::{Writing, read_tree};
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

/// The first byte says how the rest is written: a server's file, which is written again as it was understood, and as one of
/// ours.
pub(crate) fn server_config(data: &[u8]) -> bool {
    let Some((writing, text)) = crate::import::written(data) else { return false };
    let Ok(config) = ServerConfig::read(writing, text) else { return false };
    let ours = config.to_toml(Base { folder: Path::new("/srv"), home: Some(Path::new("/root")) }, "info");
    assert!(read_tree(Writing::Toml, ours.as_bytes()).is_ok(), "what it becomes is no TOML: {ours}");
    let again = ServerConfig::read(Writing::Toml, config.original_toml().as_bytes());
    let mut config = config;
    if config.network.is_none() {
        // rules of what does not listen are not written
        config.acl.clear();
    }
    assert_eq!(again.expect("what it is written as is read"), config);
    true
}
