use super::*;
use crate::{CheckpointKey, link};
use strongroom_store::TrailEntry;

fn entries(first: u64, count: u64, mut previous: [u8; 32]) -> Vec<TrailEntry> {
    let entry = |seq: u64| {
        let body = format!("entry {seq}").into_bytes();
        previous = link(&previous, seq, 1, &body);
        TrailEntry { seq, verdict: 1, body, hash: previous }
    };
    (first..first + count).map(entry).collect()
}

fn written(dir: &SegmentDir, entries: &[TrailEntry]) -> Segment {
    let mut writer = dir.begin([5; 16], 11, [7; 32]).unwrap();
    for entry in entries {
        writer.entry(entry).unwrap();
    }
    let key = CheckpointKey::from_seed(&[1; 32]).unwrap();
    let checkpoint = key.sign([5; 16], writer.head(), UnixMillis(9)).unwrap();
    writer.finish(&checkpoint).unwrap()
}

#[test]
fn what_is_written_is_read_back_and_lies_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = SegmentDir::at(folder.path().join("out"));
    let entries = entries(11, 40, [7; 32]);
    let segment = written(&dir, &entries);
    assert_eq!(Segment::decode(&segment.encode()), Some(segment.clone()));
    assert_eq!((segment.first, segment.last.seq), (11, 50));
    let mut reader = dir.open(&segment).unwrap();
    assert_eq!(reader.page(15).unwrap(), entries[..15]);
    assert_eq!(reader.page(100).unwrap(), entries[15..]);
    assert!(reader.page(1).unwrap().is_empty());
    assert_eq!(reader.finish().unwrap().head, segment.last);
    let names: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, [std::ffi::OsString::from(segment.name())], "nothing is left beside it");
    assert_eq!(segment.name(), "trail-05050505-00000000000000000011-00000000000000000050.segment");
}

#[test]
fn every_flipped_bit_and_every_cut_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let dir = SegmentDir::at(folder.path());
    let segment = written(&dir, &entries(11, 3, [7; 32]));
    let path = folder.path().join(segment.name());
    let whole = std::fs::read(&path).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &flipped).unwrap();
        assert!(dir.check(&segment).is_err(), "bit {bit}");
    }
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(dir.check(&segment).is_err(), "cut to {length}");
    }
    std::fs::write(&path, [whole.as_slice(), b"x"].concat()).unwrap();
    assert!(dir.check(&segment).is_err(), "something behind the end");
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(dir.check(&segment), Err(SegmentError::Missing { name }) if name == segment.name()));
}

#[test]
fn an_entry_that_does_not_follow_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let dir = SegmentDir::at(folder.path());
    let entries = entries(11, 3, [7; 32]);
    let mut writer = dir.begin([5; 16], 11, [7; 32]).unwrap();
    assert!(writer.entry(&entries[1]).is_err());
    let edited = TrailEntry { body: b"another".to_vec(), ..entries[0].clone() };
    assert!(writer.entry(&edited).is_err());
    writer.entry(&entries[0]).unwrap();
}

/// `vectors/audit/segment-v1.hex`: computed independently with Python (hashlib, cryptography).
#[test]
fn golden_segment_opens() {
    let golden = include_str!("../../../vectors/audit/segment-v1.hex").trim();
    let bytes = data_encoding::HEXLOWER.decode(golden.as_bytes()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dir = SegmentDir::at(folder.path());
    let segment = written(&dir, &entries(11, 3, [7; 32]));
    let path = folder.path().join(segment.name());
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the same entries make the same bytes");
    std::fs::write(&path, &bytes).unwrap();
    dir.check(&segment).unwrap();
}

#[test]
fn one_that_was_never_finished_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let dir = SegmentDir::at(folder.path());
    let mut writer = dir.begin([5; 16], 11, [7; 32]).unwrap();
    for entry in entries(11, 40, [7; 32]) {
        writer.entry(&entry).unwrap();
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    drop(writer);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn pages_hold_little_however_large_their_entries_are() {
    let folder = tempfile::tempdir().unwrap();
    let dir = SegmentDir::at(folder.path().join("out"));
    let mut previous = [7; 32];
    let large = |seq: u64| {
        let body = vec![b'x'; 400 << 10];
        previous = link(&previous, seq, 1, &body);
        TrailEntry { seq, verdict: 1, body, hash: previous }
    };
    let segment = written(&dir, &(11..21).map(large).collect::<Vec<_>>());
    let mut reader = dir.open(&segment).unwrap();
    let mut pages = Vec::new();
    while let Some(page) = Some(reader.page(1_000).unwrap()).filter(|page| !page.is_empty()) {
        pages.push(page.len());
    }
    assert_eq!(pages, [3, 3, 3, 1]);
    reader.finish().unwrap();
}

#[test]
fn no_more_is_read_than_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let dir = SegmentDir::at(folder.path().join("out"));
    let segment = written(&dir, &entries(11, 40, [7; 32]));
    let short = Segment { bytes: segment.bytes - 1, ..segment.clone() };
    assert!(matches!(dir.check(&short), Err(SegmentError::Damaged { .. })));
    dir.check(&segment).unwrap();
}
