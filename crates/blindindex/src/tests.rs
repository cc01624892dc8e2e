//! The crate as a whole: tokens, their vectors, questions and answers.

use proptest::prelude::*;
use serde_json::Value;

use crate::*;

fn root() -> IndexRoot {
    IndexRoot::copied(&std::array::from_fn::<u8, 32, _>(|at| u8::try_from(at).unwrap())).unwrap()
}

fn key() -> FieldKey {
    root().collector_epoch("north", 7).field("src_ip")
}

fn token(form: Form, value: &str) -> Token {
    key().token(form, value, &mut Vec::new()).unwrap()
}

fn hex(token: Token) -> String {
    data_encoding::HEXLOWER.encode(&token.0)
}

/// Computed with Python's hashlib, hmac and ipaddress from the crate's documents: `vectors/blindindex/make.py`.
#[test]
fn tokens_are_those_of_the_vectors() {
    let text = include_str!("../../../vectors/blindindex/tokens-v1.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let tokens = file["tokens"].as_array().unwrap();
    assert!(tokens.len() >= 16);
    for vector in tokens {
        let string = |name: &str| vector[name].as_str().unwrap();
        let epoch = root().collector_epoch(string("collector"), vector["epoch"].as_u64().unwrap());
        let field = epoch.field(string("field"));
        let (form, value) = (Form::named(string("form")).unwrap(), string("value"));
        let canonical = Canonical::new(form, value);
        let term = match string("kind") {
            "exact" => Term::Exact(canonical.unwrap()),
            "network" => Term::Network(canonical.unwrap()),
            "suffix" => Term::suffix(value).unwrap(),
            "day" => {
                let day = i32::try_from(vector["day"].as_i64().unwrap()).unwrap();
                Term::Day { value: canonical.unwrap(), day }
            }
            other => panic!("unknown kind {other}"),
        };
        assert_eq!(hex(term.token(&field)), string("token"), "{vector}");
        assert_eq!(hex(epoch.field_label(string("field"))), string("label"), "{vector}");
    }
}

#[test]
fn the_short_way_and_the_long_way_make_the_same_token() {
    let value = Canonical::new(Form::Ip, "10.0.0.1").unwrap();
    assert_eq!(token(Form::Ip, "10.0.0.1"), key().token_of(&value));
    assert_eq!(token(Form::Ip, "10.0.0.1"), Term::Exact(value).token(&key()));
    let mut scratch = b"left over".to_vec();
    assert_eq!(key().token(Form::Ip, "10.0.0.1", &mut scratch), Ok(token(Form::Ip, "10.0.0.1")));
    assert!(key().token(Form::Ip, "x", &mut scratch).is_err());
}

#[test]
fn collectors_epochs_fields_and_kinds_have_tokens_of_their_own() {
    let root = root();
    let mut tokens = Vec::new();
    for collector in ["north", "south"] {
        for epoch in [7, 8] {
            for field in ["src_ip", "dst_ip"] {
                let key = root.collector_epoch(collector, epoch).field(field);
                let spec = Spec { days: true, ..networks(&[32], &[]) };
                tokens.extend(spec.tokens(&key, "10.0.0.1", Some(3)).unwrap());
                tokens.push(key.token(Form::Text, "10.0.0.1", &mut Vec::new()).unwrap());
                tokens.push(root.collector_epoch(collector, epoch).field_label(field));
            }
        }
    }
    let count = tokens.len();
    assert_eq!(count, 8 * 5);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), count);
}

#[test]
fn delivered_keys_make_the_same_tokens() {
    let own = root().collector_epoch("north", 7);
    let delivered = own.expose(|bytes| CollectorEpochKey::copied(bytes)).unwrap();
    assert_eq!(
        delivered.field("src_ip").token(Form::Port, "22", &mut Vec::new()).unwrap(),
        token(Form::Port, "22")
    );
    assert!(CollectorEpochKey::copied(&[0; 31]).is_none() && IndexRoot::copied(&[0; 33]).is_none());
    assert_eq!(format!("{:?} {:?} {:?}", root(), own, key()), "IndexRoot CollectorEpochKey FieldKey");
}

fn networks(v4: &[u8], v6: &[u8]) -> Spec {
    Spec { networks: Some(Networks::new(v4, v6).unwrap()), ..Spec::equality(Form::Ip) }
}

#[test]
fn networks_are_found_by_their_length_or_the_next_longer() {
    let spec = networks(&[8, 16, 24], &[48]);
    let beside: Vec<Token> = spec.tokens(&key(), "10.1.2.3", None).unwrap();
    assert_eq!(beside.len(), 4);
    let finds = |question: &str| {
        let terms = spec.networks.as_ref().unwrap().query(question).unwrap();
        (terms.len(), terms.iter().any(|term| beside.contains(&term.token(&key()))))
    };
    assert_eq!(finds("10.0.0.0/8"), (1, true));
    assert_eq!(finds("10.1.0.0/20"), (16, true));
    assert_eq!(finds("10.1.16.0/20"), (16, false));
    assert_eq!(finds("0.0.0.0/0"), (256, true));
    let query = |question: &str| spec.networks.as_ref().unwrap().query(question);
    assert_eq!(query("10.0.0.0/25"), Err(NetworksError::NotIndexed { length: 25 }));
    assert_eq!(query("2001:db8::/32"), Err(NetworksError::NotIndexed { length: 32 }));
    assert_eq!(query("2001:db8::/40").unwrap().len(), 256);
    assert_eq!(query("x"), Err(NetworksError::Form(FormError::Not { form: Form::Cidr })));
    assert_eq!(Networks::new(&[33], &[]), Err(NetworksError::Length { length: 33, most: 32 }));
    assert_eq!(Networks::new(&[], &[0]), Err(NetworksError::Length { length: 0, most: 128 }));
    assert_eq!(Networks::new(&[], &[128]).unwrap().query("::/128").unwrap().len(), 1);
}

#[test]
fn domains_are_found_below_a_suffix_of_two_labels_or_more() {
    let spec = Spec { suffixes: true, ..Spec::equality(Form::Domain) };
    let terms = spec.terms("a.b.Example.ORG", None).unwrap();
    let shown: Vec<String> = terms
        .iter()
        .map(|term| match term {
            Term::Exact(value) => format!("={value}"),
            Term::Suffix(value) => format!("*.{value}"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(shown, ["=a.b.example.org", "*.example.org", "*.b.example.org", "*.a.b.example.org"]);
    assert!(terms.contains(&Term::suffix("*.Example.org").unwrap()));
    assert_eq!(spec.terms(&format!("{}org", "a.".repeat(40)), None).unwrap().len(), 1 + 8);
    assert_eq!(spec.terms("localhost", None).unwrap().len(), 1);
}

#[test]
fn a_stray_value_is_indexed_as_text() {
    let spec = networks(&[24], &[]);
    let terms = spec.terms("unknown", None).unwrap();
    assert_eq!(terms, [Term::Exact(Canonical::new(Form::Text, "unknown").unwrap())]);
    assert!(spec.terms(&"x".repeat(MAX_VALUE_BYTES + 1), None).is_err());
}

#[test]
fn a_poisoned_index_is_told() {
    let exact = Term::Exact(Canonical::new(Form::Ip, "10.0.0.1").unwrap());
    assert_eq!(exact.check(Form::Ip, "::ffff:10.0.0.1", None), Ok(()));
    assert_eq!(exact.check(Form::Ip, "10.0.0.2", None), Err(Poisoned));
    assert_eq!(exact.check(Form::Ip, "garbage", None), Err(Poisoned));
    let [network] =
        <[Term; 1]>::try_from(Networks::new(&[8], &[]).unwrap().query("10.0.0.0/8").unwrap()).unwrap();
    assert_eq!(network.check(Form::Ip, "10.255.0.1", None), Ok(()));
    assert_eq!(network.check(Form::Ip, "11.0.0.1", None), Err(Poisoned));
    assert_eq!(network.check(Form::Text, "10.255.0.1", None), Err(Poisoned));
    let suffix = Term::suffix("example.org").unwrap();
    assert_eq!(suffix.check(Form::Domain, "a.Example.org", None), Ok(()));
    assert_eq!(suffix.check(Form::Domain, "example.org", None), Ok(()));
    assert_eq!(suffix.check(Form::Domain, "badexample.org", None), Err(Poisoned));
    let day = Term::Day { value: Canonical::new(Form::Port, "22").unwrap(), day: -3 };
    assert_eq!(day.check(Form::Port, "22", Some(-3)), Ok(()));
    assert_eq!(day.check(Form::Port, "22", Some(3)), Err(Poisoned));
    assert_eq!(day.check(Form::Port, "22", None), Err(Poisoned));
}

#[test]
fn each_choice_says_what_it_shows() {
    let count = |spec: &Spec| leaks(spec).len();
    let plain = Spec::equality(Form::Ip);
    assert_eq!(count(&plain), 3);
    let all = Spec { suffixes: true, days: true, ..networks(&[8], &[]) };
    assert_eq!(count(&all), 6);
    assert!(leaks(&all).iter().all(|leak| !leak.to.is_empty() && leak.what.len() > 40));
}

proptest! {
    #[test]
    fn every_term_of_a_value_is_borne_out_by_it(value in "\\PC{0,30}|[0-9.]{7,15}|[a-z.]{1,20}", day in any::<i32>()) {
        for form in Form::ALL {
            let lengths = Networks::new(&[8, 24], &[64]).unwrap();
            let spec = Spec { form, networks: Some(lengths), suffixes: true, days: true };
            for term in spec.terms(&value, Some(day)).unwrap() {
                prop_assert_eq!(term.check(form, &value, Some(day)), Ok(()));
            }
        }
    }
}
