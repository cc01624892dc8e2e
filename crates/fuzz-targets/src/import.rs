//! Files of secrets.

use strongroom_import::{Entry, Format, Reading, Value, json_file, pem_blocks, read};
use strongroom_model::MAX_VALUE_BYTES;

/// A `.env` file is texts.
pub(crate) fn env(data: &[u8]) -> bool {
    let Some(entries) = accepted(Format::Env, data, false) else { return false };
    assert!(entries.iter().all(|entry| entry.value.as_text().is_some()), "a value that is no text");
    true
}

/// What flattening accepts is accepted without it: it only adds names that may collide.
pub(crate) fn json(data: &[u8]) -> bool {
    accepted(Format::Json, data, true);
    accepted(Format::Json, data, false).is_some()
}

/// The same of YAML.
pub(crate) fn yaml(data: &[u8]) -> bool {
    accepted(Format::Yaml, data, true);
    accepted(Format::Yaml, data, false).is_some()
}

/// A file without a beginning has no block.
pub(crate) fn pem(data: &[u8]) -> bool {
    let Ok(blocks) = pem_blocks(data) else { return false };
    let begins = data.windows(11).filter(|window| window == b"-----BEGIN ").count();
    assert!(blocks <= begins, "{blocks} blocks, {begins} beginnings");
    blocks > 0
}

/// What is accepted is bounded, and the same when it is written and read again.
fn accepted(format: Format, data: &[u8], flatten: bool) -> Option<Vec<Entry>> {
    let reading = Reading { flatten, ..Reading::default() };
    let entries = read(format, data, &reading).ok()?;
    let file = json_file(&entries.iter().map(|entry| (entry.path.as_str(), &entry.value)));
    let again = file.expose(|file| read(Format::Json, file, &Reading::default()));
    let again = again.expect("what was read is written so that it can be read");
    assert_eq!(again.len(), entries.len());
    for entry in &entries {
        assert!(entry.value.size() <= MAX_VALUE_BYTES);
        let same = again.iter().find(|found| found.path.as_str() == entry.path.as_str());
        let same = same.expect("each path is written");
        assert!(same.value.same_as(&entry.value), "a value changed");
        assert!(matches!(
            (&same.value, &entry.value),
            (Value::Json(_), Value::Json(_)) | (Value::Bytes(_), Value::Bytes(_))
        ));
    }
    Some(entries)
}
