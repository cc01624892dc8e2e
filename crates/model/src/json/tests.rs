use super::*;
use proptest::prelude::*;

const LIMITS: JsonLimits = JsonLimits { bytes: 1000, depth: 8 };

fn fault(text: &str) -> JsonFault {
    scan(text.as_bytes(), LIMITS).unwrap_err().fault
}

#[test]
fn integers_beyond_double_precision_stay_as_they_are() {
    let text = JsonText::new(b" {\"n\": 9007199254740993, \"m\":1180591620717411303424}\n", LIMITS).unwrap();
    assert_eq!(text.as_str(), "{\"n\": 9007199254740993, \"m\":1180591620717411303424}");
}

#[test]
fn duplicate_keys_are_refused_at_every_level_and_however_spelt() {
    assert_eq!(fault(r#"{"a":1,"a":2}"#), JsonFault::DuplicateKey);
    assert_eq!(fault(r#"[{"x":{"a":1,"\u0061":2}}]"#), JsonFault::DuplicateKey);
    let many = (0..40).map(|n| format!("\"k{n}\":0")).collect::<Vec<_>>().join(",") + ",";
    assert!(scan(format!("{{{many}\"z\":1}}").as_bytes(), LIMITS).is_ok());
    assert_eq!(fault(&format!("{{{many}\"k3\":1}}")), JsonFault::DuplicateKey);
    assert!(scan(br#"{"a":{"a":1},"b":{"a":2}}"#, LIMITS).is_ok());
}

#[test]
fn each_fault_is_named() {
    for (text, expected) in [
        ("", JsonFault::Truncated),
        ("{", JsonFault::Truncated),
        ("[1,", JsonFault::Truncated),
        ("\"ab", JsonFault::Truncated),
        ("tru", JsonFault::Truncated),
        ("[1 2]", JsonFault::Unexpected),
        ("[1}", JsonFault::Unexpected),
        ("{a:1}", JsonFault::Unexpected),
        ("[1,]", JsonFault::Unexpected),
        ("NaN", JsonFault::Unexpected),
        ("1 2", JsonFault::Trailing),
        ("01", JsonFault::Number),
        ("1.x", JsonFault::Number),
        ("\"\\x\"", JsonFault::Escape),
        ("\"\\ud800\"", JsonFault::Escape),
        ("\"\\ud800\\u0041\"", JsonFault::Escape),
        ("\"a\nb\"", JsonFault::Control),
        ("[[[[[[[[[1]]]]]]]]]", JsonFault::TooDeep),
    ] {
        assert_eq!(fault(text), expected, "{text}");
    }
    assert_eq!(scan(b"\"\xff\"", LIMITS), Err(JsonError { at: 1, fault: JsonFault::NotUtf8 }));
    assert_eq!(scan(&[b' '; 1001], LIMITS).unwrap_err().fault, JsonFault::TooLong);
}

#[test]
fn a_hundred_thousand_brackets_do_not_overflow_the_stack() {
    let limits = JsonLimits { bytes: 1_000_000, depth: 64 };
    assert_eq!(scan("[".repeat(100_000).as_bytes(), limits).unwrap_err().fault, JsonFault::TooDeep);
}

fn arbitrary_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        "[a-z\\\\\"\u{e9}]{0,6}".prop_map(|text| format!("{text:?}").replace("\\u{e9}", "\u{e9}")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(" , "))),
            proptest::collection::vec(inner, 0..4).prop_map(|items| {
                let members: Vec<_> =
                    items.iter().enumerate().map(|(n, v)| format!("\"k{n}\":{v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn valid_texts_pass_and_no_prefix_of_a_container_does(text in arbitrary_json()) {
        prop_assert!(scan(text.as_bytes(), LIMITS).is_ok() || text.len() > 1000);
        if text.starts_with(['[', '{']) {
            for end in 0..text.len().min(200) {
                prop_assert!(scan(&text.as_bytes()[..end], LIMITS).is_err());
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = scan(&bytes, LIMITS).is_ok();
    }
}

#[test]
fn a_plain_run_ends_where_it_does_byte_by_byte() {
    for length in 0..20 {
        for at in 0..length {
            for byte in 0..=u8::MAX {
                for before in [b'a', 0x7f, 0x80, 0xff, 0x20] {
                    let mut bytes = vec![before; length];
                    bytes[at] = byte;
                    let ends = byte == b'"' || byte == b'\\' || byte < 0x20;
                    assert_eq!(
                        super::plain_run(&bytes),
                        if ends { at } else { length },
                        "{byte} at {at} of {length}"
                    );
                }
            }
        }
    }
}
