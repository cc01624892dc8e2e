use super::*;
use crate::store_type::TypeRef;
use strongroom_ambient::Ambient;
use strongroom_model::JsonLimits;
use strongroom_secret::SecretBytes;
use strongroom_x509::{Authority, SERVER_VALIDITY};

fn json(text: &str) -> JsonText {
    JsonText::new(text.as_bytes(), JsonLimits::VALUE).unwrap()
}

fn generated(wanted: &str) -> Result<Accepted, TypeError> {
    let (wanted, settings, ambient) = (json(wanted), json("{}"), Ambient::system());
    X509.generate(&Order { wanted: &wanted, settings: &settings, beneath: None, ambient: &ambient })
}

fn text(value: &Value) -> serde_json::Value {
    value.bytes.expose(|json| serde_json::from_slice(json).unwrap())
}

fn of(value: &serde_json::Value) -> Value {
    Value::json(&json(&value.to_string()))
}

fn bytes(text: &str) -> Value {
    Value::bytes(SecretBytes::new(text.as_bytes().to_vec()))
}

#[test]
fn a_certificate_joins_the_key_of_its_request() {
    let csr = generated(r#"{"common_name":"a.example.org","csr":true,"key":"rsa-2048"}"#).unwrap();
    assert_eq!(csr.facts.expires, None);
    let csr = csr.value.unwrap();
    let other = generated(r#"{"common_name":"a.example.org"}"#).unwrap().value.unwrap();
    // an authority would sign the request; a self-signed one for the same key does as well here
    let key = Parts::read(&csr, None).unwrap().key;
    let wanted = Wanted { common_name: "a", organization: None, sans: &[] };
    let pem = self_signed(&Ambient::system(), &key, &wanted, Duration::from_hours(24)).unwrap();
    for put in [bytes(&pem), of(&serde_json::json!({ "certificate": pem }))] {
        assert!(X509.builds_upon(&put));
        let joined = X509.accept(&put, Some(&csr)).unwrap();
        assert!(joined.facts.expires.is_some());
        let joined = text(&joined.value.unwrap());
        assert_eq!(joined["private_key"], text(&csr)["private_key"]);
        assert_eq!(joined["csr"], text(&csr)["csr"]);
        let mismatch = TypeError::Certificate(X509Error::KeyMismatch);
        assert_eq!(X509.accept(&put, Some(&other)).unwrap_err(), mismatch);
        assert_eq!(X509.accept(&put, None).unwrap_err(), TypeError::NothingBeneath);
    }
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let one = text(&generated(r#"{"common_name":"a"}"#).unwrap().value.unwrap());
    let two = text(&generated(r#"{"common_name":"a"}"#).unwrap().value.unwrap());
    let mut wrong_key = one.clone();
    wrong_key["private_key"] = two["private_key"].clone();
    let fault = X509.accept(&of(&wrong_key), None).unwrap_err();
    assert_eq!(fault, TypeError::Certificate(X509Error::KeyMismatch));
    let mut chain = one.clone();
    chain["chain"] = serde_json::json!([two["certificate"]]);
    let fault = X509.accept(&of(&chain), None).unwrap_err();
    assert_eq!(fault, TypeError::Certificate(X509Error::ChainOrder { at: 1 }));
    let bare = serde_json::json!({ "private_key": one["private_key"] });
    assert!(matches!(X509.accept(&of(&bare), None), Err(TypeError::Field { field: "certificate", .. })));
}

#[test]
fn a_bundle_with_chain_and_key_is_taken_apart() {
    let ambient = Ambient::system();
    let authority = Authority::generate(&ambient, "one").unwrap();
    let issued = authority.issue_server(&ambient, &["a.example.org"], SERVER_VALIDITY).unwrap();
    let key = issued.private_key_pem.expose(|pem| String::from_utf8(pem.to_vec()).unwrap());
    for bundle in [issued.chain_pem.clone() + &key, key.clone() + &issued.chain_pem] {
        let kept = text(&X509.accept(&bytes(&bundle), None).unwrap().value.unwrap());
        assert_eq!(kept["chain"].as_array().unwrap().len(), 1);
        let public = X509.public(&of(&kept)).unwrap();
        assert!(!public.as_str().contains("PRIVATE") && public.as_str().contains("CERTIFICATE"));
    }
}

#[test]
fn orders_that_make_no_sense_are_refused() {
    let orders = [
        "{}",
        r#"{"common_name":""}"#,
        r#"{"common_name":"a","key":"dsa"}"#,
        r#"{"common_name":"a","key":"rsa-1024"}"#,
        r#"{"common_name":"a","days":0}"#,
        r#"{"common_name":"a","days":3653}"#,
        r#"{"common_name":"a","days":18446744073709551615}"#,
        r#"{"common_name":"a","sans":["not a name"]}"#,
        r#"{"common_name":"a","serial":1}"#,
    ];
    for order in orders {
        assert!(generated(order).is_err(), "{order}");
    }
    assert_eq!(TypeRef::from_name("X509_Secret").map(|found| found.number()), Some(4));
}
