use super::*;

const MADE: Made = Made { by: UserId([1; 16]), at: UnixMillis(7) };
const LATER: Made = Made { by: UserId([2; 16]), at: UnixMillis(9) };

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn facts() -> Facts {
    Facts { expires: Some(UnixMillis(11)), json: "{\"bits\":2048}".to_owned() }
}

fn value(kind: ValueKind) -> Value {
    Value { kind, bytes: SecretBytes::new(b"42".to_vec()) }
}

fn meta() -> StoreMeta {
    let store_type = TypeRef::from_name("user").unwrap();
    StoreMeta { made: MADE, store_type, type_version: 1, settings: Settings::default(), configured: None }
}

fn configured() -> StoreMeta {
    let of_type = JsonText::new(b"{\"length\":40}", JsonLimits::VALUE).unwrap();
    let settings = Settings { keep: NonZeroU64::new(10), cas_required: true, of_type };
    StoreMeta { settings, configured: Some(LATER), ..meta() }
}

#[test]
fn a_version_round_trips() {
    for kind in [ValueKind::Json, ValueKind::Bytes] {
        for facts in [Facts::default(), facts(), Facts { expires: None, ..facts() }] {
            let plain = encode_version(MADE, &facts, &value(kind));
            let Some(Kept::Value { made, facts: known, value }) = decode_version(&plain) else {
                panic!("not a value")
            };
            assert_eq!((made, known, value.kind), (MADE, facts, kind));
            value.bytes.expose(|bytes| assert_eq!(bytes, b"42"));
        }
    }
    let left = encode_destroyed(MADE, ValueKind::Bytes, 2, LATER);
    let Some(Kept::Destroyed { made, kind, size, destroyed }) = decode_version(&left) else {
        panic!("not destroyed")
    };
    assert_eq!((made, kind, size, destroyed), (MADE, ValueKind::Bytes, 2, LATER));
}

#[test]
fn a_store_round_trips_and_an_unconfigured_one_is_as_ever() {
    for meta in [meta(), configured(), StoreMeta { configured: None, ..configured() }] {
        assert_eq!(StoreMeta::decode(&meta.encode()).unwrap(), meta);
        for cut in 0..meta.encode().len() {
            assert!(StoreMeta::decode(&meta.encode()[..cut]).is_err(), "cut at {cut}");
        }
        assert!(StoreMeta::decode(&[meta.encode(), vec![0]].concat()).is_err());
    }
    assert_eq!(meta().encode().len(), 30);
}

#[test]
fn short_and_strange_payloads_are_refused() {
    assert!(decode_version(&SecretBytes::new(vec![1; 25])).is_none());
    assert!(decode_version(&SecretBytes::new(vec![4; 80])).is_none());
    let mut strange = meta().encode();
    strange[25] = 200;
    assert!(StoreMeta::decode(&strange).is_err(), "a type that nobody knows");
}

/// Lines of `name hex`; the file is added to and never edited.
#[test]
fn golden_payloads_are_written_as_ever() {
    let plain = |plain: SecretBytes| plain.expose(hex);
    let made = [
        ("entry", hex(&MADE.encode())),
        ("version-json", plain(encode_version(MADE, &Facts::default(), &value(ValueKind::Json)))),
        ("version-bytes", plain(encode_version(MADE, &Facts::default(), &value(ValueKind::Bytes)))),
        ("version-facts", plain(encode_version(MADE, &facts(), &value(ValueKind::Json)))),
        ("version-destroyed", plain(encode_destroyed(MADE, ValueKind::Json, 2, LATER))),
        (
            "store-generic",
            hex(&StoreMeta { store_type: TypeRef::from_number(1).unwrap(), ..meta() }.encode()),
        ),
        ("store-user-configured", hex(&configured().encode())),
    ];
    let golden = include_str!("../../../../vectors/secrets/payloads-v2.txt");
    let golden: Vec<(&str, &str)> = golden
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    assert_eq!(golden, made.each_ref().map(|(name, hex)| (*name, hex.as_str())));
}
