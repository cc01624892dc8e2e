//! Bundles on their way to members, batches under other epochs, records that are disclosed, signed documents.

use proptest::prelude::*;
use strongroom_crypto::KemSecretKey;
use strongroom_secret::{SecretArray, SecretBytes};
use strongroom_sharing::authority::Head;

use super::*;

fn recipient(purpose: Purpose, member: MemberId) -> Recipient {
    Recipient { purpose, member, authority: [5; 32] }
}

#[test]
fn a_bundle_comes_through_and_opens_records() {
    let world = World::new(31);
    let own = KemSecretKey::generate(&world.ambient);
    let to = recipient(Purpose::MemberKeys, SOUTH);
    let sent =
        wrap(&world.ambient, &own.public_key(), &to, &world.bundle(&["CERT"], &[36, EPOCH]).to_bytes());
    let bundle = KeyBundle::from_bytes(&unwrap(&own, &to, &sent).unwrap()).unwrap();
    assert_eq!(bundle.epochs.keys().copied().collect::<Vec<_>>(), [36, EPOCH]);
    let reader = Reader::with_bundle(world.master.public().clone(), &bundle).unwrap();
    let (header, records) = world.batch(1);
    let opened = reader.open_batch(&header).open(&SealedRecord::parse(&records[0]).unwrap()).unwrap();
    assert_eq!(names(&opened), ["user"], "of the post-quantum suite, by its right");
}

#[test]
fn wrapped_keys_open_for_their_member_purpose_and_authority_alone() {
    let ambient = ambient(32);
    let (own, other) = (KemSecretKey::generate(&ambient), KemSecretKey::generate(&ambient));
    let to = recipient(Purpose::MemberKeys, NORTH);
    let sent = wrap(&ambient, &own.public_key(), &to, &SecretBytes::new(b"keys".to_vec()));
    let opens =
        |key: &KemSecretKey, to: Recipient, sent: &[u8]| unwrap(key, &to, sent).map(|opened| opened.len());
    assert_eq!(opens(&own, to, &sent), Ok(4));
    assert_eq!(opens(&other, to, &sent), Err(UnwrapError::Rejected));
    assert_eq!(opens(&own, recipient(Purpose::IndexKeys, NORTH), &sent), Err(UnwrapError::Rejected));
    assert_eq!(opens(&own, recipient(Purpose::MemberKeys, SOUTH), &sent), Err(UnwrapError::Rejected));
    assert_eq!(opens(&own, Recipient { authority: [6; 32], ..to }, &sent), Err(UnwrapError::Rejected));
    // opening the key costs milliseconds a try: its middle is tried sparsely, all else byte by byte
    for at in (0..32).chain((32..1_060).step_by(31)).chain(1_060..sent.len()) {
        let mut changed = sent.clone();
        changed[at] ^= 1;
        assert!(opens(&own, to, &changed).is_err(), "byte {at}");
        assert!(opens(&own, to, &sent[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn the_post_quantum_suite_asks_for_the_right_of_its_epoch_besides_the_attribute() {
    let world = World::new(42);
    let (header, _) = world.batch(1);
    let third = |bundle: &KeyBundle| {
        let reader = Reader::with_bundle(world.master.public().clone(), bundle).unwrap();
        reader.open_batch(&header).locked().nth(2).unwrap()
    };
    let mut bundle = world.bundle(&["CERT"], &[EPOCH]);
    assert_eq!(third(&bundle), None);
    for rights in [strongroom_abe::RightSecrets::none().to_bytes(), world.bundle(&["CERT"], &[36]).rights] {
        bundle.rights = rights;
        assert_eq!(third(&bundle), Some(Locked::NotSatisfied), "the attribute alone does not do");
    }
    let mut other = world.bundle(&["CERT"], &[36]);
    other.rights = world.bundle(&["CERT"], &[EPOCH]).rights;
    assert_eq!(third(&other), Some(Locked::NoKey { epoch: EPOCH }), "nor does the right alone");
}

#[test]
fn bundles_have_one_encoding() {
    let world = World::new(33);
    let bytes = world.bundle(&["UNR"], &[1, 2]).to_bytes();
    let again = KeyBundle::from_bytes(&bytes).unwrap().to_bytes();
    bytes.expose(|one| again.expose(|other| assert!(one == other)));
    bytes.expose(|bytes| {
        let (first, second) = (3..11, 3 + 12 + (bytes.len() - 7 - 3) / 2);
        let mut swapped = bytes.to_vec();
        swapped[first.clone()].copy_from_slice(&9_u64.to_be_bytes());
        assert!(KeyBundle::from_bytes(&SecretBytes::new(swapped)).is_err(), "epochs out of order");
        assert!(second < bytes.len());
        for cut in (0..bytes.len()).step_by(13) {
            assert!(KeyBundle::from_bytes(&SecretBytes::new(bytes[..cut].to_vec())).is_err(), "{cut}");
        }
    });
    let mut bundle = IndexBundle::default();
    for epoch in [7, 8] {
        bundle.epochs.insert(epoch, CollectorEpochKey::copied(&[9; 32]).unwrap());
    }
    let bytes = bundle.to_bytes();
    assert_eq!(IndexBundle::from_bytes(&bytes).unwrap().epochs.len(), 2);
    let cut = bytes.expose(|bytes| SecretBytes::new(bytes[..bytes.len() - 1].to_vec()));
    assert!(IndexBundle::from_bytes(&cut).is_err());
}

#[test]
fn a_batch_wrapped_anew_opens_in_the_new_epoch_and_no_record_changes() {
    let world = World::new(34);
    let (header, records) = world.batch(1);
    let record = SealedRecord::parse(&records[0]).unwrap();
    // an analyst of UNR reaches two of the three policies
    let open = world.reader(&["ANALYST", "UNR"], &[EPOCH]).open_batch(&header);
    let anew = header.rewrap(&world.ambient, &open, &world.policies(EPOCH + 5)).unwrap();
    let anew = BatchHeader::parse(&anew.to_bytes()).unwrap();
    assert_eq!(anew.digest(), header.digest());
    assert_eq!(anew.epochs().collect::<Vec<_>>(), [EPOCH + 5, EPOCH + 5, EPOCH]);
    assert_eq!(anew.epoch(), EPOCH + 5);
    let joined_later = world.reader(&["ANALYST", "CERT", "UNR"], &[EPOCH + 5]);
    let opened = joined_later.open_batch(&anew).open(&record).unwrap();
    assert_eq!(names(&opened), ["password", "port", "src_ip"]);
    let joined_before = world.reader(&["CERT"], &[EPOCH]).open_batch(&anew).open(&record).unwrap();
    assert_eq!(names(&joined_before), ["user"], "what was not wrapped anew stays");
}

#[test]
fn who_cannot_open_cannot_wrap_anew() {
    let world = World::new(35);
    let (header, _) = world.batch(1);
    let (other, _) = world.batch(1);
    let set = world.policies(EPOCH + 1);
    let open = world.reader(&["PARTNER"], &[EPOCH]).open_batch(&header);
    assert!(matches!(header.rewrap(&world.ambient, &open, &set), Err(RewrapError::Nothing)));
    let open = world.reader(&["UNR"], &[EPOCH]).open_batch(&other);
    assert!(matches!(header.rewrap(&world.ambient, &open, &set), Err(RewrapError::OtherBatch)));
    let open = world.reader(&["UNR"], &[EPOCH]).open_batch(&header);
    let foreign = World::new(36).policies(EPOCH);
    assert!(matches!(header.rewrap(&world.ambient, &open, &foreign), Err(RewrapError::OtherAuthority)));
}

#[test]
fn a_disclosed_record_opens_by_itself_and_its_neighbour_does_not() {
    let world = World::new(37);
    let (header, records) = world.batch(2);
    let records: Vec<_> = records.iter().map(|bytes| SealedRecord::parse(bytes).unwrap()).collect();
    let open = world.reader(&["ANALYST", "CERT"], &[EPOCH]).open_batch(&header);
    let disclosure = Disclosure::from_bytes(&open.disclose(&records[0]).unwrap().to_bytes()).unwrap();
    // the header without a single wrap that still opens
    let bare = header.rewrap(&world.ambient, &open, &world.policies(99)).unwrap();
    let opened = disclosure.open(&bare, &records[0]).unwrap();
    assert_eq!(names(&opened), ["password", "src_ip", "user"]);
    assert_eq!(disclosure.open(&header, &records[1]), Err(DiscloseError::OtherRecord));
    // with its id changed to the neighbour's, the keys open nothing there
    let mut forged = disclosure.to_bytes().expose(<[u8]>::to_vec);
    forged[24] = 2;
    let forged = Disclosure::from_bytes(&SecretBytes::new(forged)).unwrap();
    let opened = forged.open(&header, &records[1]).unwrap();
    assert_eq!(names(&opened), [""; 0]);
    assert!(!opened.is_whole());
    let none = world.reader(&["PARTNER"], &[EPOCH]).open_batch(&header);
    assert_eq!(none.disclose(&records[0]).err(), Some(DiscloseError::Nothing));
}

#[test]
fn a_disclosure_has_one_encoding() {
    let world = World::new(38);
    let (header, records) = world.batch(1);
    let open = world.reader(&["ANALYST", "CERT"], &[EPOCH]).open_batch(&header);
    let bytes = open.disclose(&SealedRecord::parse(&records[0]).unwrap()).unwrap().to_bytes();
    let bytes = bytes.expose(<[u8]>::to_vec);
    for cut in 0..bytes.len() {
        assert!(Disclosure::from_bytes(&SecretBytes::new(bytes[..cut].to_vec())).is_err(), "{cut}");
    }
    let mut repeated = bytes;
    let second = 1 + 24 + 16 + 32 + 2 + 33;
    repeated[second] = 0;
    assert!(Disclosure::from_bytes(&SecretBytes::new(repeated)).is_err(), "a policy twice");
}

fn head() -> Head {
    Head { collector: NORTH, sequence: 9, digest: "00".repeat(32), at: 1_790_000_000 }
}

#[test]
fn a_signed_document_is_read_by_its_key_and_context_alone() {
    let (world, other) = (World::new(39), World::new(40));
    let signed = Signed::sign(&head(), &world.signer, "strongroom sharing head v1").unwrap();
    let text = serde_json::to_string(&signed).unwrap();
    let read: Signed<Head> = serde_json::from_str(&text).unwrap();
    assert_eq!(read.kid(), kid(&world.verifier()));
    assert_eq!(read.verify(&world.verifier(), "strongroom sharing head v1"), Ok(head()));
    let other_context = read.verify(&world.verifier(), "strongroom sharing manifest v1");
    assert_eq!(other_context, Err(SignedError::Rejected));
    let other_key = read.verify(&other.verifier(), "strongroom sharing head v1");
    assert_eq!(other_key, Err(SignedError::OtherKey));
    let mut forged = read.text().clone();
    forged.kid = kid(&other.verifier());
    let forged = Signed::<Head>::from(forged).verify(&other.verifier(), "strongroom sharing head v1");
    assert_eq!(forged, Err(SignedError::Rejected));
    let wrong_kind = Signed::<Vec<u8>>::from(read.into_text());
    assert_eq!(wrong_kind.verify(&world.verifier(), "strongroom sharing head v1"), Err(SignedError::Form));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_signed_document_is_refused(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9+/=]", is_payload in any::<bool>()) {
        let world = World { ..shared() };
        let mut text = Signed::sign(&head(), &world.signer, "c").unwrap().into_text();
        let part = if is_payload { &mut text.payload } else { &mut text.signature };
        let at = at.index(part.len());
        prop_assume!(part.get(at..=at) != Some(to.as_str()));
        part.replace_range(at..=at, &to);
        prop_assert!(Signed::<Head>::from(text).verify(&world.verifier(), "c").is_err());
    }
}

fn shared() -> World {
    World::new(41)
}

#[test]
fn a_wrap_key_is_kept_as_its_seed() {
    let seed = SecretArray::<32>::filled(|bytes| bytes.fill(4));
    let key = KemSecretKey::from_seed(seed);
    key.expose(|seed| assert_eq!(seed, &[4; 32]));
}
