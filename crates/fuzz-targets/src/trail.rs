//! The trail's entries and checkpoints, which an outside file may bring back.

use strongroom_audit::{Checkpoint, Record};

/// An entry without a key is read, or told apart.
pub(crate) fn record(data: &[u8]) -> bool {
    Record::decode(data, None).is_ok()
}

/// A checkpoint has one encoding, and its signature is judged without a panic.
pub(crate) fn checkpoint(data: &[u8]) -> bool {
    let Ok(checkpoint) = Checkpoint::decode(data) else { return false };
    assert_eq!(checkpoint.encode(), data, "two encodings of one checkpoint");
    let _verdict = checkpoint.check();
    true
}
