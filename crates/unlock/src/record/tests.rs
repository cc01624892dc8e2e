use super::*;
use crate::{AutoUnlock, KeyFile};
use proptest::prelude::*;
use std::sync::Arc;
use strongroom_ambient::{Ambient, FakeClock, SeededEntropy, UnixMillis};
use strongroom_keyring::RootKey;

fn seeded(seed: u64) -> Ambient {
    Ambient { clock: Arc::new(FakeClock::at(UnixMillis(0))), entropy: Arc::new(SeededEntropy::new(seed)) }
}

fn set(seed: u64, keys: u8, threshold: u8) -> UnlockSet {
    let root = RootKey::filled(|bytes| seeded(seed).entropy.fill(bytes));
    UnlockSet::generate(&seeded(seed), &root, seed, keys, threshold).unwrap().0
}

fn full() -> RootRecord {
    let mut record = RootRecord::new([9; 16], set(1, 3, 1));
    record.confirmed = true;
    record.auto_held = true;
    record.pending = Some(Pending { purpose: PendingPurpose::Rotation, set: set(2, 5, 3) });
    record.put_auto(AutoWrapping::new("key-file", vec![1; 61], 1_700_000_000_000).unwrap()).unwrap();
    record.put_auto(AutoWrapping::new("tpm", vec![], -1).unwrap()).unwrap();
    record
}

/// A record whose checksum is right whatever is in it.
fn resealed(mut body: Vec<u8>) -> Vec<u8> {
    let checksum = sha256(&body);
    body.extend_from_slice(&checksum);
    body
}

fn body() -> Vec<u8> {
    let mut bytes = full().encode();
    bytes.truncate(bytes.len() - CHECKSUM_BYTES);
    bytes
}

#[test]
fn every_flipped_bit_is_corrupt() {
    let bytes = full().encode();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let judged = RootRecord::decode(&flipped);
        assert!(matches!(judged, Err(RecordError::Corrupt { .. })), "bit {bit}: {judged:?}");
    }
}

#[test]
fn every_cut_and_every_longer_record_is_corrupt() {
    let bytes = full().encode();
    for length in 0..bytes.len() {
        assert!(matches!(RootRecord::decode(&bytes[..length]), Err(RecordError::Corrupt { .. })), "{length}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(matches!(RootRecord::decode(&longer), Err(RecordError::Corrupt { .. })));
}

#[test]
fn the_place_of_a_disagreement_is_named() {
    let place = |at: usize, value: u8| {
        let mut bytes = body();
        bytes[at] = value;
        match RootRecord::decode(&resealed(bytes)) {
            Err(RecordError::Corrupt { offset, what }) => (offset, what),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(place(0, b'X'), (0, "magic"));
    assert_eq!(place(24, 4), (24, "flags"));
    assert_eq!(place(41, 0), (41, "threshold"));
    assert_eq!(place(42, 0), (42, "number of keys"));
    assert_eq!(place(43, 0), (43, "index of a key"));
    assert_eq!(place(43 + 93, 1), (136, "index of a key"));
    assert_eq!(place(43 + 3 * 93, 3), (322, "pending set"));
    let trailing = resealed([body(), vec![0]].concat());
    assert_eq!(
        RootRecord::decode(&trailing),
        Err(RecordError::Corrupt { offset: body().len(), what: "end" })
    );
}

#[test]
fn a_value_that_only_the_checksum_covers_is_found_there() {
    let mut bytes = full().encode();
    bytes[10] ^= 1;
    let offset = bytes.len() - CHECKSUM_BYTES;
    assert_eq!(RootRecord::decode(&bytes), Err(RecordError::Corrupt { offset, what: "checksum" }));
}

#[test]
fn a_newer_format_is_told_apart_from_damage() {
    let mut bytes = body();
    bytes[7] = 2;
    assert_eq!(
        RootRecord::decode(&resealed(bytes.clone())),
        Err(RecordError::NewerFormat { found: 2, known: 1 })
    );
    bytes.extend_from_slice(&[0; CHECKSUM_BYTES]);
    assert_eq!(RootRecord::decode(&bytes), Err(RecordError::Corrupt { offset: 6, what: "format" }));
    let mut none = body();
    none[7] = 0;
    assert_eq!(RootRecord::decode(&resealed(none)), Err(RecordError::Corrupt { offset: 6, what: "format" }));
}

#[test]
fn limits_are_kept_and_the_largest_record_is_read() {
    assert_eq!(AutoWrapping::new("", vec![], 0), Err(LimitError::AutoName));
    assert_eq!(AutoWrapping::new(&"n".repeat(65), vec![], 0), Err(LimitError::AutoName));
    assert_eq!(AutoWrapping::new("n", vec![0; MAX_AUTO_BLOB_BYTES + 1], 0), Err(LimitError::AutoBlob));
    let mut record = RootRecord::new([0; 16], set(1, 255, 1));
    record.pending = Some(Pending { purpose: PendingPurpose::Init, set: set(2, 255, 1) });
    let auto = |number: usize| {
        AutoWrapping::new(&format!("{number:0>64}"), vec![7; MAX_AUTO_BLOB_BYTES], i64::MIN).unwrap()
    };
    (0..MAX_AUTO_WRAPPINGS).for_each(|number| record.put_auto(auto(number)).unwrap());
    assert_eq!(record.put_auto(auto(99)), Err(LimitError::AutoWrappings));
    let bytes = record.encode();
    assert!(bytes.len() <= MAX_RECORD_BYTES, "{}", bytes.len());
    assert_eq!(RootRecord::decode(&bytes).unwrap(), record);
    let overlong = RootRecord::decode(&vec![0; MAX_RECORD_BYTES + 1]);
    assert_eq!(overlong, Err(RecordError::Corrupt { offset: MAX_RECORD_BYTES, what: "length" }));
}

#[test]
fn a_provider_has_one_wrapping() {
    let mut record = full();
    record.put_auto(AutoWrapping::new("tpm", vec![5], 5).unwrap()).unwrap();
    assert_eq!(record.autos().len(), 2);
    assert_eq!((record.autos()[1].blob(), record.autos()[1].created_ms()), ([5].as_slice(), 5));
    assert!(record.remove_auto("tpm") && !record.remove_auto("tpm"));
    assert_eq!(record.autos().len(), 1);
}

#[test]
fn promoting_leaves_nothing_of_the_old_root_key() {
    let mut record = full();
    let (old, new) = (record.current.clone(), set(2, 5, 3));
    assert!(record.promote_pending());
    assert_eq!((&record.current, record.root_generation()), (&new, 2));
    assert!(record.pending.is_none() && record.autos().is_empty());
    assert!(record.auto_held && record.confirmed, "promoting unlocks nothing");
    assert_ne!(old.id(), new.id());
    assert!(!record.promote_pending());
}

#[test]
fn an_auto_wrapping_belongs_to_one_root_key() {
    let mut record = full();
    let (file, root) = (KeyFile::generate(&seeded(5)), RootKey::filled(|bytes| *bytes = [8; 32]));
    let blob = file.wrap(&seeded(6), &root, &record.auto_context()).unwrap();
    assert!(file.unwrap(&blob, &record.auto_context()).unwrap().same_as(&root));
    record.promote_pending();
    assert!(file.unwrap(&blob, &record.auto_context()).is_err());
}

fn any_record() -> impl Strategy<Value = RootRecord> {
    let sizes = || (1..=9_u8).prop_flat_map(|keys| (any::<u64>(), Just(keys), 1..=keys));
    let pending = proptest::option::of((any::<bool>(), sizes()));
    let autos = proptest::collection::vec(
        ("[a-z]{1,9}", proptest::collection::vec(any::<u8>(), 0..90), any::<i64>()),
        0..5,
    );
    (any::<[u8; 16]>(), any::<(bool, bool)>(), sizes(), pending, autos).prop_map(
        |(id, flags, size, pending, autos)| {
            let mut record = RootRecord::new(id, set(size.0, size.1, size.2));
            (record.confirmed, record.auto_held) = flags;
            record.pending = pending.map(|(rotation, size)| Pending {
                purpose: if rotation { PendingPurpose::Rotation } else { PendingPurpose::Init },
                set: set(size.0, size.1, size.2),
            });
            for (name, blob, created_ms) in autos {
                record.put_auto(AutoWrapping::new(&name, blob, created_ms).unwrap()).unwrap();
            }
            record
        },
    )
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(record in any_record()) {
        prop_assert_eq!(RootRecord::decode(&record.encode()), Ok(record));
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(RootRecord::decode(&bytes).is_err());
    }

    /// With a right checksum the layout alone must hold: what is read at all is written back byte for byte.
    #[test]
    fn mutated_records_with_a_right_checksum_are_read_or_refused(
        record in any_record(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = record.encode();
        bytes.truncate(bytes.len() - CHECKSUM_BYTES);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let bytes = resealed(bytes);
        if let Ok(read) = RootRecord::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }
}
