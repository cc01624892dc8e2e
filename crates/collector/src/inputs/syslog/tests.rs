use super::*;
use serde_json::{Value, json};

fn read(text: &str) -> Value {
    serde_json::from_slice(&record(text.as_bytes()).unwrap()).unwrap()
}

#[test]
fn the_examples_of_rfc_5424_are_read() {
    let first = read(
        "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed on /dev/pts/8",
    );
    assert_eq!(
        first,
        json!({"facility": 4, "severity": 2, "timestamp": "2003-10-11T22:14:15.003Z", "host": "mymachine.example.com",
               "app": "su", "msgid": "ID47", "message": "'su root' failed on /dev/pts/8"})
    );
    let data = read(
        "<165>1 2003-10-11T22:14:15.003Z host ev - ID47 [a@1 iut=\"3\" q=\"a\\\"b\\]c\\d\"][b@1 x=\"y\"] An event",
    );
    assert_eq!(data["data"], json!({"a@1": {"iut": "3", "q": "a\"b]c\\d"}, "b@1": {"x": "y"}}));
    assert_eq!(data["message"], "An event");
    assert_eq!(read("<165>1 - - - - - -"), json!({"facility": 20, "severity": 5, "message": ""}));
}

#[test]
fn the_examples_of_rfc_3164_are_read() {
    assert_eq!(
        read("<34>Oct 11 22:14:15 mymachine su[12]: 'su root' failed"),
        json!({"facility": 4, "severity": 2, "timestamp": "Oct 11 22:14:15", "host": "mymachine", "app": "su",
               "procid": "12", "message": "'su root' failed"})
    );
    assert_eq!(read("<13>Use the BFG!"), json!({"facility": 1, "severity": 5, "message": "Use the BFG!"}));
    assert_eq!(read("no priority"), json!({"message": "no priority"}));
    assert_eq!(read("<999>x"), json!({"message": "<999>x"}));
}

#[test]
fn a_message_that_is_an_object_stays_one() {
    assert_eq!(read("<13>@cee: {\"a\": 1}")["json"], json!({"a": 1}));
    assert_eq!(read("<13>{\"a\": 1")["message"], "{\"a\": 1");
    let twice = record(b"<13>{\"a\":1,\"a\":2}").unwrap();
    assert!(String::from_utf8(twice).unwrap().contains("\"message\":"));
}

#[test]
fn what_is_no_text_or_too_long_is_refused() {
    assert_eq!(record(b"<13>\xff"), Err(RecordError::Text { at: 4 }));
    assert_eq!(record(&vec![b'x'; MAX_MESSAGE_BYTES + 1]), Err(RecordError::TooLong));
}

#[test]
fn broken_structured_data_stays_in_the_message() {
    let broken = read("<13>1 - h a - - [x y=\"z] rest");
    assert_eq!(broken["message"], "[x y=\"z] rest");
    let again = read("<13>1 - h a - - [x y=\"1\" y=\"2\"][x z=\"3\"] m");
    assert_eq!(again["data"], json!({"x": {"y": "1"}}));
}

#[test]
fn both_framings_are_taken_apart() {
    let one = |buffer: &'static [u8], is_end| frame(buffer, is_end).unwrap();
    assert_eq!(one(b"5 hello6 world!", false), Some((b"hello".as_slice(), 7)));
    assert_eq!(one(b"5 hel", true), None);
    assert_eq!(one(b"12", false), None);
    assert_eq!(one(b"<13>a\n<13>b", false), Some((b"<13>a".as_slice(), 6)));
    assert_eq!(one(b"<13>b", false), None);
    assert_eq!(one(b"<13>b", true), Some((b"<13>b".as_slice(), 5)));
    for bad in [b"123456 x".as_slice(), b"12x hello", b"99999 x"] {
        assert!(frame(bad, false).is_err(), "{bad:?}");
    }
    assert_eq!(frame(&vec![b'<'; MAX_MESSAGE_BYTES + 2], false), Err(RecordError::TooLong));
}

proptest::proptest! {
    #[test]
    fn every_text_becomes_json(text in "<[0-9]{1,4}>1? ?.{0,60}|.{0,40}|<13>1 - - - - - \\[.{0,30}") {
        let record = record(text.as_bytes()).unwrap();
        assert!(strongroom_model::scan_json(&record, crate::record::LIMITS).is_ok(), "{text}");
    }
}
