//! RSA keys and certificates: every part can be had by a client that reads 1,024 bytes.

use super::{House, kind};
use serde_json::Value;

fn about(command: &str, store: &str, args: &str) -> String {
    format!(r#"{command} {{"store_name": "{store}", "store_args": {{{args}}}}}"#)
}

impl House {
    async fn part(&self, store: &str, name: &str, part: &str) -> Value {
        let args = format!(r#""secret_name": "{name}", "part": "{part}""#);
        self.root(&about("get_secret", store, &args)).await
    }

    /// A part put together from pieces.
    async fn pieces(&self, store: &str, name: &str, part: &str) -> String {
        let mut whole = String::new();
        loop {
            let from = format!(r#""secret_name": "{name}", "part": "{part}", "offset": {}"#, whole.len());
            let sent = self.root(&about("get_secret", store, &from)).await;
            assert!(sent.to_string().len() < 1_000, "{sent}");
            whole.push_str(sent["secret"].as_str().unwrap());
            if whole.len() >= usize::try_from(sent["total"].as_u64().unwrap()).unwrap() {
                return whole;
            }
        }
    }
}

#[tokio::test]
async fn an_rsa_key_is_made_or_taken_in_and_its_public_half_fits() {
    let house = House::new().await;
    house.store("r", "RSA_Secret", r#"{"bits": "2048"}"#).await;
    house.root(&about("create_secret", "r", r#""secret_name": "made""#)).await;
    let sent = house.part("r", "made", "public").await;
    let public = sent["secret"].as_str().unwrap();
    assert!(public.starts_with("-----BEGIN PUBLIC KEY-----") && sent.to_string().len() < 1_000);
    let private = house.pieces("r", "made", "private").await;
    assert!(private.starts_with("-----BEGIN PRIVATE KEY-----") && private.trim_end().ends_with("-----"));

    let pem = serde_json::to_string(&private).unwrap();
    for field in ["secret_value", "private_key"] {
        let args = format!(r#""secret_name": "{field}", "{field}": {pem}"#);
        house.root(&about("create_secret", "r", &args)).await;
        assert_eq!(house.part("r", field, "public").await["secret"], public);
    }
    let rotated = about("update_secret", "r", r#""secret_name": "made", "bits": "2048""#);
    house.root(&rotated).await;
    assert_ne!(house.part("r", "made", "public").await["secret"], public);
    for args in [r#""secret_name": "x", "bits": "1024""#, r#""secret_name": "x", "secret_value": "no key""#] {
        assert_eq!(kind(&house.root_fails(&about("create_secret", "r", args)).await), "ValueError", "{args}");
    }
    let csr = about("get_secret", "r", r#""secret_name": "made", "part": "csr""#);
    assert_eq!(kind(&house.root_fails(&csr).await), "KeyError");
}

#[tokio::test]
async fn a_certificate_is_made_or_taken_in_and_every_part_can_be_had() {
    let house = House::new().await;
    house.store("x", "x509", r#"{"days": "30"}"#).await;
    let order =
        r#""secret_name": "made", "common_name": "a.example.org", "sans": "a.example.org, b.example.org""#;
    house.root(&about("create_secret", "x", order)).await;
    let certificate = house.pieces("x", "made", "certificate").await;
    let private = house.pieces("x", "made", "private").await;
    assert!(certificate.contains("BEGIN CERTIFICATE") && private.contains("PRIVATE KEY"));
    assert!(house.part("x", "made", "public").await["secret"].as_str().unwrap().contains("PUBLIC KEY"));

    let bundle = serde_json::to_string(&format!("{certificate}{private}")).unwrap();
    let args = format!(r#""secret_name": "taken", "secret_value": {bundle}"#);
    house.root(&about("create_secret", "x", &args)).await;
    assert_eq!(house.pieces("x", "taken", "certificate").await, certificate);

    house
        .root(&about("create_secret", "x", r#""secret_name": "asked", "common_name": "c", "csr": "true""#))
        .await;
    assert!(house.pieces("x", "asked", "csr").await.contains("CERTIFICATE REQUEST"));
    let other = about("update_secret", "x", &format!(r#""secret_name": "asked", "secret_value": {bundle}"#));
    house.root(&other).await;
    let alien = serde_json::to_string(&certificate).unwrap();
    house.root(&about("create_secret", "x", r#""secret_name": "third", "common_name": "d""#)).await;
    let wrong = about("update_secret", "x", &format!(r#""secret_name": "third", "certificate": {alien}"#));
    assert_eq!(kind(&house.root_fails(&wrong).await), "ValueError");
}
