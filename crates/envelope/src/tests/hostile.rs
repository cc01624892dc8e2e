//! Exchanges that change, swap, invent and replay; headers that open to other keys; poisoned indexes.

use strongroom_blindindex::{Canonical, Form, Poisoned, Term};

use super::*;

#[test]
fn every_changed_byte_of_a_record_is_found() {
    let world = World::new(11);
    let (header, records) = world.batch(2);
    let open = world.reader(&["ANALYST", "CERT", "UNR"], &[EPOCH]).open_batch(&header);
    let honest = SealedRecord::parse(&records[1]).unwrap().digest();
    for at in 0..records[1].len() {
        let mut changed = records[1].clone();
        changed[at] ^= 1 << (at % 8);
        // who checks the signature finds all of them
        assert!(verify_record(&changed, &world.verifier()).is_err(), "byte {at}");
        let Ok(record) = SealedRecord::parse(&changed) else { continue };
        let is_signature = at >= changed.len() - 64;
        assert_eq!(record.digest() == honest, is_signature, "byte {at}: the next record's link shows it");
    }
    // a field that was changed is broken even without the signature
    let fields = SealedRecord::parse(&records[1]).unwrap();
    let sealed = fields.fields().next().unwrap().sealed;
    let at = sealed.as_ptr() as usize - records[1].as_ptr() as usize;
    for at in at..at + sealed.len() {
        let mut changed = records[1].clone();
        changed[at] ^= 0x80;
        let opened = open.open(&SealedRecord::parse(&changed).unwrap()).unwrap();
        assert!(matches!(opened.fields[0], OpenedField::Broken { why: Broken::Rejected, .. }));
    }
}

#[test]
fn every_changed_byte_of_a_header_is_found() {
    let world = World::new(12);
    let (header, records) = world.batch(1);
    let bytes = header.to_bytes();
    let record = SealedRecord::parse(&records[0]).unwrap();
    let reader = world.reader(&["ANALYST", "CERT", "UNR"], &[EPOCH]);
    // whose batch it is needs no keys to be told, and opening with them takes long
    let without_keys = world.reader(&["UNR"], &[]);
    // curve points cost milliseconds a try: those are tried sparsely, all else byte by byte
    let fixed = 1 + 32 + 16 + 16 + 2 + POLICIES.iter().map(|(text, _)| 35 + text.len()).sum::<usize>();
    for at in (0..fixed + 8).chain((fixed + 8..bytes.len()).step_by(41)) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let Ok(changed) = BatchHeader::parse(&changed) else { continue };
        let is_same_batch = changed.digest() == header.digest();
        if !is_same_batch {
            let by = if at % 16 == 0 { &reader } else { &without_keys };
            let open = by.open_batch(&changed);
            assert_eq!(open.open(&record), Err(OpenError::OtherBatch { id: record.id() }), "byte {at}");
            continue;
        }
        let open = reader.open_batch(&changed);
        let rejected = open.locked().filter(|why| *why == Some(Locked::Rejected)).count();
        assert_eq!(rejected, 1, "byte {at}: {:?}", open.locked().collect::<Vec<_>>());
    }
}

#[test]
fn truncated_and_lengthened_bytes_are_refused() {
    let world = World::new(13);
    let (header, records) = world.batch(1);
    let (header, record) = (header.to_bytes(), &records[0]);
    for cut in 0..record.len() {
        assert!(SealedRecord::parse(&record[..cut]).is_err(), "{cut}");
    }
    for cut in (0..header.len()).step_by(7) {
        assert!(BatchHeader::parse(&header[..cut]).is_err(), "{cut}");
    }
    assert!(SealedRecord::parse(&[record.as_slice(), &[0]].concat()).is_err());
    assert!(BatchHeader::parse(&[header.as_slice(), &[0]].concat()).is_err());
    let huge = vec![1; MAX_RECORD_BYTES + 1];
    let expected = FormatError::TooMany {
        what: "record",
        of: "bytes",
        found: MAX_RECORD_BYTES + 1,
        limit: MAX_RECORD_BYTES,
    };
    assert_eq!(SealedRecord::parse(&huge).unwrap_err(), expected);
    assert!(matches!(BatchHeader::parse(&vec![1; MAX_HEADER_BYTES + 1]), Err(FormatError::TooMany { .. })));
    assert_eq!(SealedRecord::parse(&[2]).unwrap_err(), FormatError::Version { what: "record", found: 2 });
}

/// Puts the sealed bytes of one field in the place of another's: same length, in the record as it is parsed.
fn transplant(into: &[u8], at: usize, from: &[u8], from_at: usize) -> Vec<u8> {
    let place = |bytes: &[u8], at: usize| {
        let record = SealedRecord::parse(bytes).unwrap();
        let sealed = record.fields().nth(at).unwrap().sealed;
        let start = sealed.as_ptr() as usize - bytes.as_ptr() as usize;
        start..start + sealed.len()
    };
    let mut changed = into.to_vec();
    let piece = from[place(from, from_at)].to_vec();
    changed[place(into, at)].copy_from_slice(&piece);
    changed
}

/// Which of the fields in the record has a name of the world.
fn place_of(world: &World, record: &[u8], name: &str) -> usize {
    let label = world.label(name);
    SealedRecord::parse(record).unwrap().fields().position(|field| *field.label == label).unwrap()
}

#[test]
fn a_field_moved_to_another_record_batch_or_label_is_broken() {
    let world = World::new(14);
    let (header, records) = world.batch(2);
    let (_, foreign) = world.batch(1);
    let open = world.reader(&["ANALYST", "CERT", "UNR"], &[EPOCH]).open_batch(&header);
    let at = |record: &[u8], name: &str| place_of(&world, record, name);
    let (one, two, other) = (&records[0], &records[1], &foreign[0]);
    for (what, changed, broken) in [
        ("another record", transplant(one, at(one, "src_ip"), two, at(two, "src_ip")), "src_ip"),
        ("another batch", transplant(one, at(one, "port"), other, at(other, "port")), "port"),
        ("another label", transplant(one, at(one, "src_ip"), one, at(one, "password")), "src_ip"),
    ] {
        let opened = open.open(&SealedRecord::parse(&changed).unwrap()).unwrap();
        let field = opened.fields.iter().find(|field| *field.label() == world.label(broken)).unwrap();
        assert!(matches!(field, OpenedField::Broken { why: Broken::Rejected, .. }), "{what}");
        assert!(!opened.is_whole());
        assert_eq!(names(&opened).len(), 3, "the others open");
    }
}

#[test]
fn a_field_under_another_policy_of_its_batch_is_broken() {
    let world = World::new(15);
    let (header, records) = world.batch(1);
    let open = world.reader(&["ANALYST", "CERT", "UNR"], &[EPOCH]).open_batch(&header);
    let record = SealedRecord::parse(&records[0]).unwrap();
    let label = record.fields().next().unwrap().label;
    let at = label.as_ptr() as usize - records[0].as_ptr() as usize + 16;
    let mut changed = records[0].clone();
    changed[at] = (changed[at] + 1) % 3;
    let opened = open.open(&SealedRecord::parse(&changed).unwrap()).unwrap();
    assert!(matches!(opened.fields[0], OpenedField::Broken { why: Broken::Rejected, .. }));
    changed[at] = 63;
    let opened = open.open(&SealedRecord::parse(&changed).unwrap()).unwrap();
    assert!(matches!(opened.fields[0], OpenedField::Broken { why: Broken::Policy, .. }));
    changed[at] = 64;
    assert!(SealedRecord::parse(&changed).is_err());
}

#[test]
fn a_record_does_not_open_with_another_batchs_header() {
    let world = World::new(16);
    let (_, records) = world.batch(1);
    let (other, _) = world.batch(1);
    let record = SealedRecord::parse(&records[0]).unwrap();
    let open = world.reader(&["UNR"], &[EPOCH]).open_batch(&other);
    assert_eq!(open.open(&record), Err(OpenError::OtherBatch { id: record.id() }));
}

#[test]
fn a_wrap_of_another_batch_or_policy_does_not_open() {
    let world = World::new(17);
    let ((mut header, _), (other, _)) = (world.batch(1), world.batch(1));
    header.wraps = other.wraps;
    let header = BatchHeader::parse(&header.to_bytes()).unwrap();
    let open = world.reader(&["ANALYST", "CERT", "UNR"], &[EPOCH]).open_batch(&header);
    assert!(open.locked().all(|why| why == Some(Locked::Rejected)));
}

#[test]
fn a_wrap_that_opens_to_another_key_is_found_by_the_commitment() {
    let world = World::new(18);
    let (mut header, _) = world.batch(1);
    let set = world.policies(EPOCH);
    // who wraps anew could put any key there: this one is well wrapped, and not the batch's
    let foreign = crate::keys::PolicyKey::generate(&world.ambient);
    let entry = &set.entries()[1];
    header.wraps[1] = header.wrap(&world.ambient, 1, &set, entry, &foreign).unwrap();
    let open = world.reader(&["UNR"], &[EPOCH]).open_batch(&header);
    assert_eq!(open.locked().nth(1), Some(Some(Locked::Rejected)));
}

#[test]
fn a_wrap_of_another_policy_is_no_header() {
    let world = World::new(19);
    let (mut header, _) = world.batch(1);
    header.wraps.swap(0, 1);
    let expected = FormatError::Field { what: "batch header", field: "wrap: it is of another policy" };
    assert_eq!(BatchHeader::parse(&header.to_bytes()), Err(expected));
}

#[test]
fn a_header_of_another_authority_says_so() {
    let (world, other) = (World::new(20), World::new(21));
    let (header, _) = world.batch(1);
    let open = other.reader(&["UNR"], &[EPOCH]).open_batch(&header);
    assert!(open.locked().all(|why| why == Some(Locked::OtherAuthority)));
}

#[test]
fn another_collectors_signature_is_refused() {
    let (world, other) = (World::new(22), World::new(23));
    let (_, records) = world.batch(1);
    let record = SealedRecord::parse(&records[0]).unwrap();
    assert_eq!(record.verify(&other.verifier()), Err(VerifyError { id: record.id() }));
    assert_eq!(record.verify(&world.verifier()), Ok(()));
}

#[test]
fn a_token_that_its_field_does_not_bear_out_is_poison() {
    let world = World::new(24);
    let term = Term::Exact(Canonical::new(Form::Ip, "203.0.113.7").unwrap());
    let token = term.token(&world.index.field("src_ip"));
    let (mut batch, header) = Batch::begin(&world.ambient, NORTH, &world.policies(EPOCH)).unwrap();
    let (mut chain, mut out) = (Chain::new(NORTH), Vec::new());
    let open = world.reader(&["UNR"], &[EPOCH]).open_batch(&header);
    for (value, expected) in [("203.0.113.7", Ok(())), ("198.51.100.1", Err(Poisoned))] {
        out.clear();
        let json = format!("\"{value}\"");
        let field = world.field("src_ip", &json, 1);
        batch.seal(&mut chain, &world.signer, &[field], &[token], &mut out).unwrap();
        let record = SealedRecord::parse(&out).unwrap();
        assert!(record.has_token(&token), "the exchange finds it");
        let opened = open.open(&record).unwrap();
        let text: String = serde_json::from_str(opened.value("src_ip").unwrap()).unwrap();
        assert_eq!(term.check(Form::Ip, &text, None), expected);
    }
}
