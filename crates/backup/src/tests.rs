//! A small backup, and everything that can be done to it.

use crate::{BackupError, DATA_FORMAT, FORMAT, Framer, Header, KeysError, Report, restore, verify};
use std::sync::Arc;
use strongroom_ambient::{Ambient, FakeClock, SeededEntropy, UnixMillis};
use strongroom_audit::{Life, Record, link};
use strongroom_barrier::keys as rows;
use strongroom_crypto::sha256_parts;
use strongroom_keyring::{Partition, RootKey};
use strongroom_model::{Action, PartitionId, RequestId};
use strongroom_secret::SecretBytes;
use strongroom_store::{Item, Revision, Row, RowKey, TrailEntry, TrailHead};
use strongroom_unlock::{RootRecord, UnlockKey, UnlockSet};

/// Chunks small enough that this backup has several.
const CHUNK: usize = 300;

const MADE: UnixMillis = UnixMillis(1_795_305_600_000);

fn ambient(seed: u64, now: UnixMillis) -> Ambient {
    Ambient { clock: Arc::new(FakeClock::at(now)), entropy: Arc::new(SeededEntropy::new(seed)) }
}

/// A store of a few rows, its unlock keys (2 of 3), and its partition.
struct Sample {
    header: Header,
    items: Vec<Item>,
    keys: Vec<SecretBytes>,
    partition: Partition,
}

fn sample(seed: u64) -> Sample {
    let ambient = ambient(seed, MADE);
    let root = RootKey::filled(|bytes| ambient.entropy.fill(bytes));
    let (set, keys) = UnlockSet::generate(&ambient, &root, 1, 3, 2).unwrap();
    let partition = Partition::generate(&ambient, PartitionId(ambient.random()));
    let record = RootRecord::new([9; 16], set);
    let row = |key: RowKey, value: Vec<u8>| Item::Row(Row { key, revision: Revision(3), value });
    let mut items = vec![
        row(rows::root(), record.encode()),
        row(rows::partition(partition.id), partition.wrap(&ambient, &root, 1)),
        row(RowKey::new([0x05, 1]).unwrap(), vec![5; 700]),
        row(RowKey::new([0x0b, 1]).unwrap(), b"a token".to_vec()),
        row(RowKey::new([0x0c, 1]).unwrap(), b"an outcome".to_vec()),
    ];
    let mut trail = TrailHead::default();
    for seq in 1..=4 {
        let body = vec![u8::try_from(seq).unwrap(); 40];
        let hash = link(&trail.hash, seq, 1, &body);
        trail = TrailHead { seq, hash };
        items.push(Item::Entry(TrailEntry { seq, verdict: 1, body, hash }));
    }
    let header = Header {
        version: "0.2.0".to_owned(),
        data_format: DATA_FORMAT,
        backup: ambient.random(),
        incarnation: record.incarnation,
        made: MADE,
        revision: Revision(7),
        trail,
        about_bytes: 2_000,
    };
    Sample { header, items, keys: keys.iter().map(UnlockKey::to_text).collect(), partition }
}

impl Sample {
    fn bytes(&self) -> Vec<u8> {
        self.written(&self.header, &self.items)
    }

    fn written(&self, header: &Header, items: &[Item]) -> Vec<u8> {
        let (mut framer, mut out) = Framer::with_chunks(header, CHUNK);
        for item in items {
            framer.push(item, &mut out);
        }
        framer.finish(&self.partition.backup_mac(), &mut out);
        out
    }

    fn threshold(&self) -> &[SecretBytes] {
        &self.keys[..2]
    }
}

fn judge(bytes: &[u8], keys: Option<&[SecretBytes]>) -> Result<Report, BackupError> {
    verify(bytes, keys, &mut |_| {})
}

/// The chunks of a backup: where each begins, and where the last ends.
fn chunk_starts(sample: &Sample, bytes: &[u8]) -> Vec<usize> {
    let manifest = bytes.len() - (crate::frame::START_BYTES + crate::frame::MANIFEST_REST);
    let mut at = sample.header.encode().0.len();
    let mut starts = vec![at];
    while at < manifest {
        let length = u32::from_be_bytes(bytes[at + 25..at + 29].try_into().unwrap());
        at += 29 + usize::try_from(length).unwrap() + 32;
        starts.push(at);
    }
    starts
}

#[test]
fn a_backup_is_verified_with_keys_and_without() {
    let sample = sample(1);
    let bytes = sample.bytes();
    let plain = judge(&bytes, None).unwrap();
    assert_eq!((plain.rows, plain.entries, plain.genuine), (5, 4, false));
    assert!(plain.chunks >= 5, "{} chunks", plain.chunks);
    assert_eq!((plain.header, plain.bytes), (sample.header.clone(), bytes.len() as u64));
    assert!(judge(&bytes, Some(sample.threshold())).unwrap().genuine);
}

#[test]
fn every_flipped_bit_is_found_without_keys() {
    let bytes = sample(1).bytes();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(judge(&damaged, None).is_err(), "bit {bit}");
    }
}

#[test]
fn cut_at_any_length_it_is_said_to_be_cut() {
    let bytes = sample(1).bytes();
    for length in 0..bytes.len() {
        match judge(&bytes[..length], None).unwrap_err() {
            BackupError::Cut { offset } => assert_eq!(offset, length as u64),
            BackupError::NotABackup => assert_eq!(length, 0),
            other => panic!("{length}: {other}"),
        }
    }
}

#[test]
fn what_follows_the_manifest_is_refused() {
    let mut bytes = sample(1).bytes();
    let end = bytes.len() as u64;
    bytes.push(0);
    assert!(matches!(judge(&bytes, None), Err(BackupError::Trailing { offset }) if offset == end));
}

#[test]
fn chunks_of_another_backup_or_in_another_place_are_named() {
    let (one, two) = (sample(1), sample(2));
    let (mut bytes, other) = (one.bytes(), two.bytes());
    let starts = chunk_starts(&one, &bytes);
    assert_eq!(starts, chunk_starts(&two, &other), "samples have the same shape");
    let (second, third) = (starts[1]..starts[2], starts[2]..starts[3]);
    bytes[third.clone()].copy_from_slice(&other[third.clone()]);
    let mixed = judge(&bytes, None).unwrap_err();
    assert!(
        matches!(mixed, BackupError::Foreign { index: 2, offset } if offset == third.start as u64),
        "{mixed}"
    );
    let mut bytes = one.bytes();
    let (a, b) = (bytes[second.clone()].to_vec(), bytes[third.clone()].to_vec());
    bytes[second].copy_from_slice(&b);
    bytes[third].copy_from_slice(&a);
    let swapped = judge(&bytes, None).unwrap_err();
    assert!(matches!(swapped, BackupError::Misplaced { found: 2, expected: 1, .. }), "{swapped}");
    let mut bytes = one.bytes();
    bytes.drain(starts[1]..starts[2]);
    let missing = judge(&bytes, None).unwrap_err();
    assert!(matches!(missing, BackupError::Misplaced { found: 2, expected: 1, .. }), "{missing}");
    // the end of another backup of the same shape
    let mut bytes = one.bytes();
    let manifest = *starts.last().unwrap();
    bytes[manifest..].copy_from_slice(&other[manifest..]);
    assert!(matches!(judge(&bytes, None), Err(BackupError::Foreign { .. })));
}

#[test]
fn a_newer_backup_is_refused_by_name_and_a_damaged_one_is_not_newer() {
    let sample = sample(1);
    let (mut bytes, _) = sample.header.encode();
    let fields = bytes.len() - 32;
    bytes[8..10].copy_from_slice(&(FORMAT + 1).to_be_bytes());
    assert!(matches!(judge(&bytes, None), Err(BackupError::Damaged { .. })), "without its digest");
    let digest = sha256_parts(&[b"strongroom backup header v1\0", &bytes[..fields]]);
    bytes[fields..].copy_from_slice(&digest);
    let newer = judge(&bytes, None).unwrap_err();
    assert_eq!(
        newer.to_string(),
        "backup has format 2 and was made by version 0.2.0; this version reads up to format 1"
    );
    let header =
        Header { data_format: DATA_FORMAT + 1, version: "9.9.9".to_owned(), ..sample.header.clone() };
    let newer = judge(&sample.written(&header, &sample.items), None).unwrap_err();
    assert_eq!(
        newer.to_string(),
        "backup holds data of format 3 and was made by version 9.9.9; this version knows up to 2"
    );
    assert!(matches!(judge(b"#!/bin/sh\nsomething else entirely", None), Err(BackupError::NotABackup)));
}

#[test]
fn items_that_no_server_writes_are_refused() {
    let sample = sample(1);
    let row = |key: &[u8], revision| {
        Item::Row(Row { key: RowKey::new(key).unwrap(), revision: Revision(revision), value: vec![1] })
    };
    let cases = [
        vec![row(&[2], 1), row(&[1], 1)],
        vec![row(&[2], 1), row(&[2], 1)],
        vec![row(&[0xee], 1)],
        vec![row(&[1], 8)],
        vec![sample.items[5].clone(), row(&[1], 1)],
        vec![sample.items[5].clone(), sample.items[7].clone()],
        vec![sample.items[5].clone()],
        Vec::new(),
    ];
    for items in cases {
        let outcome = judge(&sample.written(&sample.header, &items), None);
        assert!(matches!(outcome, Err(BackupError::Damaged { .. })), "{items:?}: {outcome:?}");
    }
}

#[test]
fn wrong_unlock_keys_are_told_apart() {
    let (one, two) = (sample(1), sample(2));
    let bytes = one.bytes();
    let fault = |keys: &[SecretBytes]| match judge(&bytes, Some(keys)) {
        Err(BackupError::Keys(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let copy = |key: &SecretBytes| key.expose(|bytes| SecretBytes::new(bytes.to_vec()));
    assert!(matches!(fault(&one.keys[..1]), KeysError::TooFew { have: 1, need: 2 }));
    assert!(matches!(fault(two.threshold()), KeysError::OtherSet { index: 1 }));
    let twice = [copy(&one.keys[0]), copy(&one.keys[0])];
    assert!(matches!(fault(&twice), KeysError::Repeated { index: 2 }));
    let nonsense = [SecretBytes::new(b"nonsense".to_vec())];
    assert!(matches!(fault(&nonsense), KeysError::Text { index: 1, .. }));
}

#[test]
fn a_backup_made_by_somebody_else_is_found_with_keys_only() {
    let (one, two) = (sample(1), sample(2));
    // every digest is right; the key of the MAC is not this server's
    let forged = Sample { partition: two.partition, ..sample(1) }.bytes();
    assert!(judge(&forged, None).is_ok());
    assert!(matches!(judge(&forged, Some(one.threshold())), Err(BackupError::Forged)));
}

#[test]
fn a_restore_is_a_new_life_without_tokens_and_outcomes() {
    let sample = sample(1);
    let later = ambient(5, UnixMillis(MADE.0 - 1_000));
    let mut items = Vec::new();
    let bytes = sample.bytes();
    let put = |item: &Item| {
        items.push(item.clone());
        Ok(())
    };
    let restored = restore(bytes.as_slice(), None, &later, &mut |_| {}, put).unwrap();
    assert_eq!((restored.left_out, restored.revision), (2, Revision(8)));
    let value = |key: RowKey| {
        items.iter().find_map(|item| match item {
            Item::Row(row) if row.key == key => Some(row.value.clone()),
            _ => None,
        })
    };
    assert_eq!(value(RowKey::new([0x0b, 1]).unwrap()), None);
    assert_eq!(value(RowKey::new([0x0c, 1]).unwrap()), None);
    assert_eq!(value(RowKey::new([0x05, 1]).unwrap()), Some(vec![5; 700]));
    let record = RootRecord::decode(&value(rows::root()).unwrap()).unwrap();
    let life = Life::decode(&value(rows::life(4)).unwrap()).unwrap();
    assert_eq!((life, life.before, life.incarnation), (restored.life, [9; 16], record.incarnation));
    assert_ne!(life.incarnation, life.before);
    assert_eq!(life.restored, MADE, "time does not run behind the backup's");
    let Some(Item::Entry(last)) = items.last() else { panic!("the entry comes last") };
    assert_eq!((last.seq, last.hash), (5, link(&sample.header.trail.hash, 5, last.verdict, &last.body)));
    assert_eq!(Record::decode(&last.body, None).unwrap().action, Action::Restore);
    assert_ne!(Record::request_of(&last.body), Some(RequestId::default()));
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let sample = sample(1);
    let mut bytes = sample.bytes();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let outcome = restore(bytes.as_slice(), None, &ambient(5, MADE), &mut |_| {}, |_| Ok(()));
    assert!(matches!(outcome, Err(BackupError::Damaged { .. })));
}

/// `vectors/backup/backup-v1.bin`: written by this code on 2026-11-22, verified for ever; its unlock keys lie beside it.
#[test]
fn golden_backup_verifies_and_is_written_so() {
    let golden = include_bytes!("../../../vectors/backup/backup-v1.bin");
    let keys: Vec<SecretBytes> = include_str!("../../../vectors/backup/unlock-keys-v1.txt")
        .lines()
        .map(|line| SecretBytes::new(line.as_bytes().to_vec()))
        .collect();
    assert!(judge(golden, Some(&keys)).unwrap().genuine);
    assert!(sample(42).bytes() == golden, "the form has changed");
}
