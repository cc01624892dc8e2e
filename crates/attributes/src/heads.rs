//! Heads: how far each collector's records go, in its own signed words; what a full copy is checked against.

use crate::actions::{PostHead, ReadHeads};
use crate::error::fail;
use crate::{Attributes, AuthorityError};
use strongroom_crypto::PublicKey;
use strongroom_envelope::Signed;
use strongroom_gate::{HeadRecord, MemberRecord, Permit};
use strongroom_sharing::SignedText;
use strongroom_sharing::authority::Head;

/// What heads are signed as.
const CONTEXT: &str = "strongroom sharing head v1";
/// Longest payload of a head, in base64.
const MAX_HEAD_BYTES: usize = 4 * 1024;

impl Attributes {
    /// Keeps the caller's word of how far its records go. It never goes back.
    pub async fn post_head(&self, permit: Permit<PostHead>, text: SignedText) -> Result<(), AuthorityError> {
        let (view, mut entry) = permit.open();
        let checked = async {
            let change = view.changing().await?;
            let me = view.me().ok_or(AuthorityError::Unauthenticated)?;
            let head = check(&me, &text)?;
            if view.head(me.id).is_some_and(|before| before.sequence > head.sequence) {
                let expected = "at or behind the one that was left before";
                return Err(AuthorityError::Malformed { what: "sequence", expected });
            }
            Ok((change, head))
        };
        let (mut change, head) = match checked.await {
            Ok(checked) => checked,
            Err(fault) => return fail(entry, fault).await,
        };
        entry.note(format!("up to record {}", head.sequence));
        let signed = [text.payload, text.kid, text.signature];
        change.put_head(HeadRecord { collector: head.collector, sequence: head.sequence, signed });
        entry.commit(change.take()).await?;
        Ok(())
    }

    /// What collectors left word of.
    pub async fn heads(&self, permit: Permit<ReadHeads>) -> Result<Vec<SignedText>, AuthorityError> {
        let (view, entry) = permit.open();
        let told = |head: &std::sync::Arc<HeadRecord>| {
            let [payload, kid, signature] = head.signed.clone();
            SignedText { payload, kid, signature }
        };
        let heads = view.heads().iter().map(told).collect();
        self.release(entry, heads).await
    }
}

fn check(me: &MemberRecord, text: &SignedText) -> Result<Head, AuthorityError> {
    let expected = "a head, signed by the caller's own key";
    let wrong = || AuthorityError::Malformed { what: "head", expected };
    if text.payload.len() > MAX_HEAD_BYTES {
        return Err(wrong());
    }
    let key = me.signing_keys.first().ok_or(AuthorityError::NotEnrolled)?;
    let key = PublicKey::from_spki(key)?;
    let head = Signed::<Head>::from(text.clone()).verify(&key, CONTEXT).map_err(|_| wrong())?;
    if head.collector == me.id { Ok(head) } else { Err(wrong()) }
}
