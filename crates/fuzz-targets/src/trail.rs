//! The trail's entries and checkpoints, which an outside file may bring back.

use strongroom_audit::{Checkpoint, Record, Segment, SegmentReader};

/// The bytes of a segment's row: the file follows.
const ROW_BYTES: usize = 145;

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

/// A segment's row, and what is said to be its file: sound or damaged, the same whether it is read by the entry or by the
/// page, and a page holds no more than is asked for.
pub(crate) fn segment(data: &[u8]) -> bool {
    let (row, file) = data.split_at(data.len().min(ROW_BYTES));
    let Some(segment) = Segment::decode(row) else { return false };
    assert_eq!(segment.encode(), row, "two encodings of one segment");
    let sound = SegmentReader::over(&segment, file).and_then(SegmentReader::check).is_ok();
    let paged = SegmentReader::over(&segment, file).and_then(|mut reader| {
        loop {
            let page = reader.page(2)?;
            assert!(page.len() <= 2, "more than was asked for");
            if page.is_empty() {
                return reader.finish().map(drop);
            }
        }
    });
    assert!(paged.is_ok() || !sound, "sound by the entry, and damaged by the page");
    assert!(
        !sound || segment.bytes == u64::try_from(file.len()).unwrap_or(u64::MAX),
        "bytes that nothing vouches for"
    );
    sound
}
