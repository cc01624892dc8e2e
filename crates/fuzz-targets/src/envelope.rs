//! Records, headers, signed documents, paths and bundles of the sharing system, beside the honest ones of the vectors.

use std::sync::OnceLock;

use strongroom_abe::PublicKey;
use strongroom_blindindex::Token;
use strongroom_crypto::{KemSecretKey, PublicKey as SigningKey};
use strongroom_envelope::{
    BatchHeader, Chain, Disclosure, IndexBundle, KeyBundle, OpenBatch, OpenedField, Proof, ProofPath,
    ProofTree, Purpose, Reader, Recipient, SealedRecord, Signed, unwrap,
};
use strongroom_secret::{SecretArray, SecretBytes};
use strongroom_sharing::MemberId;
use strongroom_sharing::authority::Head;

/// A record has one encoding, only its collector's own verify, and what opens is what was sealed.
pub(crate) fn record(data: &[u8]) -> bool {
    let Ok(record) = SealedRecord::parse(data) else { return false };
    let known = known();
    let is_honest = known.records.iter().any(|honest| honest == data);
    assert!(record.verify(&known.signing).is_err() || is_honest, "a record verifies that nobody signed");
    assert!(record.fields().count() <= strongroom_envelope::MAX_FIELDS);
    assert!(record.tokens().len() <= strongroom_envelope::MAX_TOKENS);
    let after = Chain::after(&record);
    assert_eq!(Chain::from_bytes(&after.to_bytes()).expect("a chain reads back"), after);
    if let Ok(opened) = known.open.open(&record) {
        let is_open = |field: &OpenedField| matches!(field, OpenedField::Open { .. });
        for field in opened.fields.iter().filter(|field| is_open(field)) {
            assert!(known.opened.contains(field), "a field opens that nobody sealed");
        }
    }
    true
}

/// A header has one encoding, and none but the honest one opens.
pub(crate) fn header(data: &[u8]) -> bool {
    let Ok(header) = BatchHeader::parse(data) else { return false };
    assert_eq!(header.to_bytes(), data, "two encodings of one header");
    let known = known();
    let is_same_batch = header.digest() == known.header.digest();
    let opens = known.reader.open_batch(&header).opens_any();
    assert!(!opens || is_same_batch, "a header opens that nobody wrote");
    true
}

/// A signed document is its key's.
pub(crate) fn signed(data: &[u8]) -> bool {
    let Ok(signed) = serde_json::from_slice::<Signed<Head>>(data) else { return false };
    let known = known();
    let Ok(head) = signed.verify(&known.signing, "strongroom sharing head v1") else { return false };
    assert_eq!(head, known.head, "a document verifies that nobody signed");
    true
}

/// A path, or a tree: one encoding each, and nothing false is proven of the honest tree.
pub(crate) fn path(data: &[u8]) -> bool {
    let known = known();
    if let Ok(tree) = ProofTree::parse(data) {
        assert_eq!(tree.to_bytes(), data, "two encodings of one tree");
        return true;
    }
    let Ok(path) = ProofPath::parse(data) else { return false };
    assert_eq!(path.to_bytes(), data, "two encodings of one path");
    for number in [3_u8, 8, 9] {
        let token = Token([number; 16]);
        let truth = known.tree.leaves().iter().find(|leaf| leaf.token == token);
        let truth = truth.map_or(Proof::Absent, |leaf| Proof::Present(leaf.tally));
        let proof = path.verify(&token, &known.tree.root(), 2);
        assert!(proof.is_err() || proof == Ok(truth), "a path proves what is not so");
    }
    true
}

/// Bundles, disclosures and chains: one encoding each.
pub(crate) fn bundle(data: &[u8]) -> bool {
    let bytes = SecretBytes::new(data.to_vec());
    let is_same =
        |again: SecretBytes| again.expose(|again| assert!(again == data, "two encodings of one text"));
    let members = KeyBundle::from_bytes(&bytes).map(|bundle| is_same(bundle.to_bytes()));
    let index = IndexBundle::from_bytes(&bytes).map(|bundle| is_same(bundle.to_bytes()));
    let disclosure = Disclosure::from_bytes(&bytes).map(|disclosure| is_same(disclosure.to_bytes()));
    let chain = Chain::from_bytes(data).map(|chain| assert_eq!(chain.to_bytes(), data));
    members.is_ok() || index.is_ok() || disclosure.is_ok() || chain.is_ok()
}

/// Wrapped keys open only as they were wrapped.
pub(crate) fn wrapped(data: &[u8]) -> bool {
    let known = known();
    let to = Recipient { purpose: Purpose::MemberKeys, member: MemberId([0x53; 16]), authority: [5; 32] };
    let opened = unwrap(&known.wrap_key, &to, data).is_ok();
    assert!(!opened || known.wrapped == data, "keys open that nobody wrapped");
    opened
}

/// What the vectors have.
pub(crate) struct Known {
    pub(crate) signing: SigningKey,
    reader: Reader,
    pub(crate) header: BatchHeader,
    open: OpenBatch,
    pub(crate) records: Vec<Vec<u8>>,
    opened: Vec<OpenedField>,
    head: Head,
    tree: ProofTree,
    wrap_key: KemSecretKey,
    wrapped: Vec<u8>,
}

pub(crate) fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let file = include_str!("../../../vectors/envelope/envelope-v1.json");
        let file: serde_json::Value = serde_json::from_str(file).expect("vectors are JSON");
        let bytes = |value: &serde_json::Value| crate::sharing::unhex(value.as_str().expect("a text"));
        let of = |name: &str| bytes(file.get(name).expect("it is in the vectors"));
        let public = PublicKey::from_bytes(&of("authority_public_key")).expect("a public key");
        let bundle = KeyBundle::from_bytes(&SecretBytes::new(of("key_bundle"))).expect("a bundle");
        let reader = Reader::with_bundle(public, &bundle).expect("keys");
        let header = BatchHeader::parse(&of("header")).expect("a header");
        let open = reader.open_batch(&header);
        let records = file.get("records").and_then(|all| all.as_array()).expect("records");
        let records: Vec<Vec<u8>> = records.iter().map(bytes).collect();
        let fields = |record: &Vec<u8>| {
            let record = SealedRecord::parse(record).expect("a record");
            open.open(&record).expect("of this batch").fields
        };
        let opened = records.iter().flat_map(fields).collect();
        let signing = SigningKey::from_spki(&of("signing_key")).expect("a public key");
        let signed: Signed<Head> =
            serde_json::from_value(file.get("signed").expect("it is there").clone()).expect("a document");
        let head = signed.verify(&signing, "strongroom sharing head v1").expect("it is signed");
        let tree = ProofTree::parse(&of("tree")).expect("a tree");
        let seed = SecretArray::copied(&of("wrap_seed")).expect("32 bytes");
        let (wrap_key, wrapped) = (KemSecretKey::from_seed(seed), of("wrapped"));
        Known { signing, reader, header, open, records, opened, head, tree, wrap_key, wrapped }
    })
}
