//! Texts: JSON, names, paths.

use strongroom_model::{
    JsonLimits, JsonText, MAX_COMPONENT_BYTES, MAX_PATH_BYTES, Name, SecretPath, scan_json,
};

/// What the scan accepts `serde_json` accepts too, and the kept text is the text.
pub(crate) fn json_scan(data: &[u8]) -> bool {
    let Ok(text) = scan_json(data, JsonLimits::VALUE) else { return false };
    assert_eq!(text.as_bytes(), data, "the scan changed the text");
    // the scan bounds depth itself, below serde_json's own bound
    if let Err(error) = serde_json::from_slice::<serde_json::Value>(data) {
        assert!(error.to_string().contains("out of range"), "accepted, but {error}");
    }
    let kept = JsonText::new(data, JsonLimits::VALUE).expect("the same scan accepts the same text");
    assert_eq!(kept.as_str(), text.trim_matches([' ', '\t', '\n', '\r']));
    true
}

/// A path that exists is bounded, clean, and the same when read again.
pub(crate) fn secret_path(data: &[u8]) -> bool {
    let Some(path) = std::str::from_utf8(data).ok().and_then(|text| SecretPath::new(text).ok()) else {
        return false;
    };
    assert_eq!(path.as_str().as_bytes(), data);
    assert!(data.len() <= MAX_PATH_BYTES);
    path.as_str().split('/').for_each(clean);
    true
}

/// A name that exists is one clean component.
pub(crate) fn name(data: &[u8]) -> bool {
    let Some(name) = std::str::from_utf8(data).ok().and_then(|text| Name::new(text).ok()) else {
        return false;
    };
    assert_eq!(name.as_str().as_bytes(), data);
    assert!(!name.as_str().contains('/'));
    clean(name.as_str());
    true
}

fn clean(component: &str) {
    assert!(!component.is_empty() && component.len() <= MAX_COMPONENT_BYTES);
    assert!(component != "." && component != "..", "a component that climbs");
    assert!(!component.chars().any(char::is_control), "a control character");
}
