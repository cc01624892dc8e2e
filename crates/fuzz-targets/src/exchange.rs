//! What members send to an exchange: tokens, insertions, questions, proofs.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use strongroom_crypto::{PrivateKey, PublicKey};
use strongroom_envelope::{MemberKeys, ProofTree, Signed, kid};
use strongroom_exchange::find::Ask;
use strongroom_exchange::submission::Submission;
use strongroom_exchange::token::{Caller, check};
use strongroom_sharing::MemberId;
use strongroom_sharing::exchange::{
    AskProofs, EpochProof, Insert, MAX_INSERT_RECORDS, MAX_PAGE, PostProof, Query,
};

/// When the token of the corpus holds.
const NOW: u64 = 1_700_000_100;
/// Who bears it.
const BEARER: Caller = Caller { member: MemberId([1; 16]), admin: false };

/// Only the text that the authority signed is a token.
pub(crate) fn token(data: &[u8]) -> bool {
    static KEYS: OnceLock<BTreeMap<String, PublicKey>> = OnceLock::new();
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let keys = KEYS.get_or_init(|| {
        let key = PrivateKey::ed25519_from_seed(&[7; 32]).expect("a seed is a key");
        let public = key.public_key().expect("it has a public half");
        BTreeMap::from([(kid(&public), public)])
    });
    let Ok(held) = check(text, keys, NOW) else { return false };
    let honest = include_str!("../../../fuzz/corpus/exchange_token/honest");
    assert!(text == honest, "a token holds that nobody signed");
    assert_eq!(held.bearer, BEARER);
    assert!(check(text, keys, NOW + 900).is_err(), "it holds for ever");
    true
}

/// Records that are taken are honest ones, of their sender, and no more than may come at once.
pub(crate) fn insert(data: &[u8]) -> bool {
    let Ok(insert) = serde_json::from_slice::<Insert>(data) else { return false };
    let known = crate::envelope::known();
    let sender = known.header.collector();
    let keys = MemberKeys::present(known.signing.clone());
    let Ok(submission) = Submission::read(&insert, sender, &keys) else { return false };
    assert!((1..=MAX_INSERT_RECORDS).contains(&submission.records.len()));
    let mut taken = submission.records.iter().flatten().peekable();
    let is_any = taken.peek().is_some();
    for record in taken {
        assert_eq!(record.id.collector, sender, "another's record");
        assert!(known.records.contains(&record.bytes), "a record is taken that nobody signed");
    }
    is_any
}

/// A question that is asked is within its bounds.
pub(crate) fn question(data: &[u8]) -> bool {
    let Ok(query) = serde_json::from_slice::<Query>(data) else { return false };
    let Ok(ask) = Ask::of(&query) else { return false };
    assert!((1..=MAX_PAGE).contains(&u32::try_from(ask.limit).expect("a page is small")));
    true
}

/// A proof is a word, which nobody but its collector signed, and leaves of one encoding; or it is asked for.
pub(crate) fn proof(data: &[u8]) -> bool {
    if serde_json::from_slice::<AskProofs>(data).is_ok() {
        return true;
    }
    let Ok(proof) = serde_json::from_slice::<PostProof>(data) else { return false };
    let signed: Signed<EpochProof> = Signed::from(proof.signed);
    let known = crate::envelope::known();
    assert!(signed.verify(&known.signing, "strongroom sharing epoch v1").is_err(), "nobody signed a proof");
    let Ok(leaves) = data_encoding::BASE64.decode(proof.leaves.as_bytes()) else { return false };
    let Ok(tree) = ProofTree::parse(&leaves) else { return false };
    assert_eq!(tree.to_bytes(), leaves, "two encodings of one tree");
    true
}
