//! What was sealed opens for whom it was meant, and limits hold.

use proptest::prelude::*;

use super::*;

#[test]
fn each_reader_opens_its_fields_and_sees_the_others_sealed() {
    let world = World::new(1);
    let (header, records) = world.batch(2);
    let header = BatchHeader::parse(&header.to_bytes()).unwrap();
    for (attributes, expected) in [
        (&["ANALYST", "UNR"][..], &["password", "port", "src_ip"][..]),
        (&["ANALYST", "CERT"], &["password", "src_ip", "user"]),
        (&["UNR"], &["port"]),
        (&["PARTNER"], &[]),
        (&["ANALYST", "CERT", "UNR"], &["password", "port", "src_ip", "user"]),
    ] {
        let open = world.reader(attributes, &[EPOCH]).open_batch(&header);
        for record in &records {
            let record = verify_record(record, &world.verifier()).unwrap();
            let opened = open.open(&record).unwrap();
            assert_eq!(names(&opened), expected, "{attributes:?}");
            assert_eq!(opened.fields.len(), 4, "no field is dropped");
            assert!(opened.is_whole());
        }
    }
    let opened = world.reader(&["UNR"], &[EPOCH]).open_batch(&header);
    let record = SealedRecord::parse(&records[0]).unwrap();
    assert_eq!(opened.open(&record).unwrap().value("port"), Some("22"));
    assert_eq!(
        opened.locked().collect::<Vec<_>>(),
        [Some(Locked::NotSatisfied), None, Some(Locked::NotSatisfied)]
    );
}

#[test]
fn a_key_of_another_epoch_opens_nothing() {
    let world = World::new(2);
    let (header, _) = world.batch(1);
    let open = world.reader(&["ANALYST", "CERT", "UNR"], &[EPOCH - 1, EPOCH + 1]).open_batch(&header);
    assert!(open.locked().all(|why| why == Some(Locked::NoKey { epoch: EPOCH })));
    assert!(!open.opens_any());
}

#[test]
fn two_members_who_only_together_satisfy_a_policy_open_nothing() {
    let world = World::new(3);
    let (header, _) = world.batch(1);
    for attributes in [&["ANALYST"][..], &["CERT"]] {
        let open = world.reader(attributes, &[EPOCH]).open_batch(&header);
        assert_eq!(open.locked().next(), Some(Some(Locked::NotSatisfied)));
    }
}

#[test]
fn records_follow_each_other_and_a_gap_shows() {
    let world = World::new(4);
    let (_, records) = world.batch(4);
    let records: Vec<_> = records.iter().map(|bytes| SealedRecord::parse(bytes).unwrap()).collect();
    let mut chain = Chain::new(NORTH);
    chain.follow(&records[0]).unwrap();
    let expected = Err(ChainBreak::Sequence { found: 3, expected: 2 });
    assert_eq!(chain.clone().follow(&records[2]), expected, "one is withheld");
    assert_eq!(
        chain.clone().follow(&records[0]),
        Err(ChainBreak::Sequence { found: 1, expected: 2 }),
        "one is replayed"
    );
    let mut chain = Chain::from_bytes(&chain.to_bytes()).unwrap();
    records[1..].iter().for_each(|record| chain.follow(record).unwrap());
    assert_eq!(chain, Chain::after(&records[3]));
    assert_eq!(chain.next_sequence(), 5);
    // another history of the same collector
    let (_, others) = world.batch(2);
    let other = SealedRecord::parse(&others[1]).unwrap();
    let mut chain = Chain::after(&records[0]);
    assert_eq!(chain.follow(&other), Err(ChainBreak::Previous { sequence: 2 }));
    assert_eq!(Chain::new(SOUTH).follow(&records[0]), Err(ChainBreak::Collector));
}

#[test]
fn a_chain_has_one_encoding() {
    let chain = Chain::new(NORTH);
    assert_eq!(Chain::from_bytes(&chain.to_bytes()).unwrap(), chain);
    let mut zero = chain.to_bytes();
    zero[24] = 0;
    assert!(Chain::from_bytes(&zero).is_err(), "records begin at 1");
    let mut first = chain.to_bytes();
    first[30] = 1;
    assert!(Chain::from_bytes(&first).is_err(), "nothing is before the first");
    assert!(Chain::from_bytes(&chain.to_bytes()[..56]).is_err());
}

#[test]
fn the_order_of_fields_and_tokens_tells_nothing() {
    let world = World::new(5);
    let (_, records) = world.batch(1);
    let record = SealedRecord::parse(&records[0]).unwrap();
    let labels: Vec<_> = record.fields().map(|field| *field.label).collect();
    assert!(labels.is_sorted());
    assert_eq!(record.tokens().collect::<Vec<_>>(), [Token([3; 16]), Token([9; 16])]);
    assert!(record.has_token(&Token([9; 16])) && !record.has_token(&Token([4; 16])));
}

#[test]
fn what_cannot_be_sealed_is_refused_and_leaves_nothing_behind() {
    let world = World::new(6);
    let (mut batch, _) = Batch::begin(&world.ambient, NORTH, &world.policies(EPOCH)).unwrap();
    let (mut chain, mut out) = (Chain::new(NORTH), b"before".to_vec());
    let good = world.field("a", "1", 0);
    let many: Vec<_> =
        (0..257_u16).map(|at| PlainField { label: u128::from(at).to_be_bytes(), ..good }).collect();
    let tokens: Vec<_> = (0..1025_u16).map(|at| Token(u128::from(at).to_be_bytes())).collect();
    let long = "x".repeat(MAX_RECORD_BYTES);
    let nearly = "x".repeat(MAX_RECORD_BYTES - 200);
    let mut refused = |fields: &[PlainField<'_>], tokens: &[Token]| {
        let error = batch.seal(&mut chain, &world.signer, fields, tokens, &mut out).unwrap_err();
        assert_eq!((out.as_slice(), chain.next_sequence()), (&b"before"[..], 1));
        error
    };
    assert!(matches!(
        refused(&[PlainField { policy: 3, ..good }], &[]),
        SealError::Policy { at: 0, policy: 3, has: 3 }
    ));
    assert!(matches!(refused(&many, &[]), SealError::TooManyFields { found: 257 }));
    assert!(matches!(refused(&[good], &tokens), SealError::TooManyTokens { found: 1025 }));
    assert!(matches!(refused(&[good, good], &[]), SealError::RepeatedLabel));
    assert!(matches!(refused(&[PlainField { value: &[0xff], ..good }], &[]), SealError::NotText { at: 0 }));
    assert!(matches!(refused(&[PlainField { value: long.as_bytes(), ..good }], &[]), SealError::TooLong));
    assert!(matches!(refused(&[PlainField { value: nearly.as_bytes(), ..good }], &[]), SealError::TooLong));
    let error = batch.seal(&mut Chain::new(SOUTH), &world.signer, &[good], &[], &mut out);
    assert!(matches!(error, Err(SealError::OtherCollector)));
    // and the batch goes on
    batch.seal(&mut chain, &world.signer, &many[..256], &tokens[..1024], &mut out).unwrap();
    assert!(SealedRecord::parse(&out[6..]).is_ok());
}

#[test]
fn policies_that_cannot_be_prepared_are_named() {
    let world = World::new(7);
    let prepare = |all: &[PolicyAndSuite]| {
        PolicySet::prepare(world.master.public(), EPOCH, all, &RightKeys::default()).unwrap_err()
    };
    let (a, b) = (given("A", Suite::Pairing), given("B", Suite::PairingAndRights));
    assert!(matches!(prepare(&[]), PolicyError::Number { found: 0 }));
    assert!(matches!(prepare(&vec![a.clone(); 65]), PolicyError::Number { found: 65 }));
    assert!(matches!(prepare(&[a.clone(), a]), PolicyError::Twice { .. }));
    let error = prepare(&[b]).to_string();
    assert_eq!(error, "policy B: right B@37 is not registered with the authority");
    let error = prepare(&[given("A@3", Suite::Pairing)]).to_string();
    assert_eq!(error, "policy A@3: attribute A@3 has `@`, which is kept for epochs");
}

#[test]
fn policies_that_nobody_or_everybody_satisfies_are_remarked_on() {
    let known = set(&["ANALYST", "CERT", "UNR"]);
    let of = |text: &str| {
        let remarks = remark(&Policy::parse(text).unwrap(), &known);
        remarks.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(of("ANALYST and UNR"), [""; 0]);
    assert_eq!(
        of("ANALYST and CRET"),
        ["policy ANALYST and CRET: no member has CRET", "policy ANALYST and CRET: nobody satisfies it"]
    );
    assert_eq!(
        of("ANALYST or CERT or UNR"),
        ["policy ANALYST or CERT or UNR: whoever has any attribute at all satisfies it"]
    );
    assert_eq!(of("ANALYST or XYZ"), ["policy ANALYST or XYZ: no member has XYZ"]);
}

/// One world for all cases: making one costs more than a case.
fn shared() -> &'static (World, PolicySet) {
    static WORLD: std::sync::OnceLock<(World, PolicySet)> = std::sync::OnceLock::new();
    WORLD.get_or_init(|| {
        let world = World::new(8);
        let set = world.policies(EPOCH);
        (world, set)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_sealed_comes_back(
        values in prop::collection::btree_map("[a-z/é]{0,40}", ("\\PC{0,100}", 0_u16..3), 0..20),
        tokens in prop::collection::btree_set(any::<[u8; 16]>(), 0..20),
    ) {
        let (world, set) = shared();
        let (mut batch, header) = Batch::begin(&world.ambient, NORTH, set).unwrap();
        let fields: Vec<_> = values.iter().map(|(name, (value, policy))| world.field(name, value, *policy)).collect();
        let given: Vec<_> = tokens.iter().rev().map(|token| Token(*token)).collect();
        let mut out = Vec::new();
        batch.seal(&mut Chain::new(NORTH), &world.signer, &fields, &given, &mut out).unwrap();
        let record = verify_record(&out, &world.verifier()).unwrap();
        prop_assert_eq!(record.tokens().map(|token| token.0).collect::<Vec<_>>(), tokens.into_iter().collect::<Vec<_>>());
        let opened = world.reader(&["ANALYST", "CERT", "UNR"], &[EPOCH]).open_batch(&header).open(&record).unwrap();
        prop_assert_eq!(opened.fields.len(), values.len());
        for (name, (value, _)) in &values {
            prop_assert_eq!(opened.value(name), Some(value.as_str()));
        }
    }
}
