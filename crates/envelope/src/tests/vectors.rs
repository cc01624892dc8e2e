//! Known answers: what this version makes from fixed entropy, what every later one must open.

use serde_json::{Value, json};
use strongroom_crypto::KemSecretKey;
use strongroom_secret::{SecretArray, SecretBytes};
use strongroom_sharing::authority::Head;

use super::*;

const FILE: &str = include_str!("../../../../vectors/envelope/envelope-v1.json");

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn bytes(value: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

const TO: Recipient = Recipient { purpose: Purpose::MemberKeys, member: SOUTH, authority: [5; 32] };

/// Everything that this version writes, from one seed.
pub(crate) fn written() -> Value {
    let world = World::new(100);
    let wrap_key = KemSecretKey::generate(&world.ambient);
    let bundle = world.bundle(&["ANALYST", "CERT"], &[EPOCH]).to_bytes();
    let (header, records) = world.batch(2);
    let open = world.reader(&["ANALYST", "CERT"], &[EPOCH]).open_batch(&header);
    let parsed: Vec<_> = records.iter().map(|bytes| SealedRecord::parse(bytes).unwrap()).collect();
    let mut builder = ProofBuilder::new();
    for record in &parsed {
        builder.add(record.id().sequence, &record.digest(), record.tokens());
    }
    let tree = builder.finish();
    let head = Head { collector: NORTH, sequence: 2, digest: hex(&parsed[1].digest()), at: 1_790_000_000 };
    json!({
        "seed": 100,
        "authority_public_key": hex(world.master.public().as_bytes()),
        "signing_key": hex(world.verifier().spki()),
        "wrap_seed": wrap_key.expose(|seed| hex(seed)),
        "key_bundle": bundle.expose(hex),
        "wrapped": hex(&wrap(&world.ambient, &wrap_key.public_key(), &TO, &bundle)),
        "header": hex(&header.to_bytes()),
        "header_digest": hex(header.digest()),
        "records": records.iter().map(|record| hex(record)).collect::<Vec<_>>(),
        "digests": parsed.iter().map(|record| hex(&record.digest())).collect::<Vec<_>>(),
        "chain": hex(&Chain::after(&parsed[1]).to_bytes()),
        "disclosure": open.disclose(&parsed[0]).unwrap().to_bytes().expose(hex),
        "signed": Signed::sign(&head, &world.signer, "strongroom sharing head v1").unwrap().into_text(),
        "tree": hex(&tree.to_bytes()),
        "root": hex(&tree.root()),
        "path_present": hex(&tree.path(&Token([9; 16])).to_bytes()),
        "path_absent": hex(&tree.path(&Token([8; 16])).to_bytes()),
    })
}

#[test]
fn fixed_entropy_still_writes_the_same() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    assert_eq!(written(), file);
}

#[test]
fn what_was_written_opens() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let of = |name: &str| bytes(&file[name]);
    let wrap_key = KemSecretKey::from_seed(SecretArray::copied(&of("wrap_seed")).unwrap());
    let bundle = KeyBundle::from_bytes(&unwrap(&wrap_key, &TO, &of("wrapped")).unwrap()).unwrap();
    let public = strongroom_abe::PublicKey::from_bytes(&of("authority_public_key")).unwrap();
    let reader = Reader::with_bundle(public, &bundle).unwrap();
    let header = BatchHeader::parse(&of("header")).unwrap();
    assert_eq!(header.digest().to_vec(), of("header_digest"));
    let signing = PublicKey::from_spki(&of("signing_key")).unwrap();
    let open = reader.open_batch(&header);
    let mut chain = Chain::new(NORTH);
    let all: Vec<Vec<u8>> = file["records"].as_array().unwrap().iter().map(bytes).collect();
    for (record, digest) in all.iter().zip(file["digests"].as_array().unwrap()) {
        let record = verify_record(record, &signing).unwrap();
        assert_eq!(record.digest().to_vec(), bytes(digest));
        chain.follow(&record).unwrap();
        let opened = open.open(&record).unwrap();
        assert_eq!(names(&opened), ["password", "src_ip", "user"]);
        assert_eq!(opened.value("password"), Some("\"hunter2\""));
    }
    assert_eq!(chain.to_bytes(), of("chain"));
    let disclosure = Disclosure::from_bytes(&SecretBytes::new(of("disclosure"))).unwrap();
    let disclosed = disclosure.open(&header, &SealedRecord::parse(&all[0]).unwrap()).unwrap();
    assert_eq!(disclosed.value("user"), Some("\"root\""));
    let signed: Signed<Head> = serde_json::from_value(file["signed"].clone()).unwrap();
    assert_eq!(signed.verify(&signing, "strongroom sharing head v1").unwrap().sequence, 2);
    let tree = ProofTree::parse(&of("tree")).unwrap();
    assert_eq!(tree.root().to_vec(), of("root"));
    let path = |name: &str, token: u8| {
        ProofPath::parse(&of(name)).unwrap().verify(&Token([token; 16]), &tree.root(), 2).unwrap()
    };
    assert!(matches!(path("path_present", 9), Proof::Present(Tally { count: 2, .. })));
    assert_eq!(path("path_absent", 8), Proof::Absent);
}
