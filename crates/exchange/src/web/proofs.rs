//! Collectors' words on their epochs: kept, and proven from.

use super::answer::{self, Asked, Refused, json};
use super::shares::Kind;
use super::{Exchange, Member, PROOF_BODY_BYTES};
use crate::storage::{HeadRow, ProofRow, Storage};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use data_encoding::{BASE64, HEXLOWER};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use strongroom_blindindex::Token;
use strongroom_envelope::{ProofBuilder, ProofTree, SealedRecord, Signed};
use strongroom_sharing::SignedText;
use strongroom_sharing::exchange::{AskProofs, EpochProof, MAX_QUERY_TOKENS, PostProof, Proofs};

/// What epoch proofs are signed as.
const CONTEXT: &str = "strongroom sharing epoch v1";
/// How long a proof waits for its turn.
const TURN: Duration = Duration::from_secs(20);
/// Records that are read at a time to make a tree of them.
const STEP: usize = 64;
/// Trees that are kept in memory.
const KEPT_TREES: usize = 2;

/// Which proof: collector's number and epoch.
type Which = (u32, u64);

/// A proof, ready to be asked.
struct Ready {
    signed: SignedText,
    tree: ProofTree,
}

/// The proofs that were asked for last: reading one again takes longer than the answer.
#[derive(Default)]
pub(crate) struct Trees(Mutex<Vec<(Which, Arc<Ready>)>>);

impl Trees {
    fn get(&self, which: Which) -> Option<Arc<Ready>> {
        self.0.lock().iter().find(|(of, _)| *of == which).map(|(_, ready)| Arc::clone(ready))
    }

    fn put(&self, which: Which, ready: &Arc<Ready>) {
        let mut kept = self.0.lock();
        if kept.len() >= KEPT_TREES {
            kept.remove(0);
        }
        kept.push((which, Arc::clone(ready)));
    }
}

/// `POST /proofs`. Without leaves the tree is made from the records that are kept.
pub(super) async fn put(
    State(exchange): State<Exchange>,
    Member(member): Member,
    request: Request,
) -> Result<Response, Refused> {
    let keys = exchange.members.signing_keys(member).await?.unwrap_or_default();
    let _share = exchange.shares.take(member, Kind::Body)?;
    let room = Arc::clone(&exchange.proofs).acquire_many_owned(mib(request.headers()));
    let turn = tokio::time::timeout(TURN, room).await;
    let _turn = turn.ok().and_then(Result::ok).ok_or(Refused::BUSY)?;
    let proof: PostProof = answer::read(&answer::body(request, &exchange).await?)?;
    let signed: Signed<EpochProof> = Signed::from(proof.signed.clone());
    let word = keys.document(&signed, CONTEXT, |word| word.last);
    let word = word.map_err(|_| Refused::forbidden("the proof is not signed by this collector"))?;
    if word.collector != member {
        return Err(Refused::forbidden("the proof is another collector's"));
    }
    let standing = exchange.keeper.standing();
    let head = standing.heads.iter().find(|head| head.collector == member && word.last <= head.sequence);
    let head = head.cloned().ok_or(Refused::conflict("records of this epoch have not come yet"))?;
    let storage = Arc::clone(&exchange.storage);
    let kept = tokio::task::spawn_blocking(move || keep(&*storage, &head, &word, &proof));
    if kept.await.map_err(|_| Refused::BUSY)?? {
        Ok(StatusCode::CREATED.into_response())
    } else {
        Err(Refused::conflict("this epoch has another proof"))
    }
}

/// How much of the room for proofs one takes: what it says of its length, or all that one may have.
fn mib(headers: &HeaderMap) -> u32 {
    let said = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let bytes = said.unwrap_or(PROOF_BODY_BYTES).clamp(1, PROOF_BODY_BYTES);
    u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX)
}

fn keep(
    storage: &dyn Storage,
    head: &HeadRow,
    word: &EpochProof,
    proof: &PostProof,
) -> Result<bool, Refused> {
    let tree = if proof.leaves.is_empty() {
        made(storage, head, word)?
    } else {
        let leaves = BASE64.decode(proof.leaves.as_bytes());
        let leaves = leaves.map_err(|_| Refused::invalid("the leaves are no base64"))?;
        let tree = ProofTree::parse(&leaves);
        tree.map_err(|error| Refused::invalid(format!("the leaves: {error}")))?
    };
    let count = u64::try_from(tree.leaves().len()).ok();
    if HEXLOWER.encode(&tree.root()) != word.root || count != Some(word.leaves) {
        return Err(Refused::invalid("the leaves are not those of the signed root"));
    }
    let signed = serde_json::to_vec(&proof.signed).unwrap_or_default();
    let row = ProofRow { collector: head.number, epoch: word.epoch, signed, leaves: tree.to_bytes() };
    Ok(storage.put_proof(&row)?)
}

/// The tree of the records that are kept.
fn made(storage: &dyn Storage, head: &HeadRow, word: &EpochProof) -> Result<ProofTree, Refused> {
    if word.first < head.first {
        return Err(Refused::conflict("records of this epoch are kept no longer: send the leaves"));
    }
    let (mut builder, mut from) = (ProofBuilder::new(), word.first);
    while from <= word.last {
        let rows = storage.of_collector(head.number, from, STEP)?;
        let Some(last) = rows.last().map(|row| row.sequence) else { break };
        for row in rows.iter().filter(|row| row.sequence <= word.last) {
            let record = SealedRecord::parse(&row.bytes);
            let record = record.map_err(|_| Refused::missing("a record that is kept cannot be read"))?;
            builder.add(row.sequence, &row.digest, record.tokens());
        }
        from = last.saturating_add(1);
    }
    Ok(builder.finish())
}

/// `POST /get/proofs`.
pub(super) async fn get(
    State(exchange): State<Exchange>,
    Member(_): Member,
    Asked(asked): Asked<AskProofs>,
) -> Result<Response, Refused> {
    if asked.tokens.len() > MAX_QUERY_TOKENS {
        return Err(Refused::invalid("too many tokens"));
    }
    let turn = super::look::turn(&exchange).await?;
    let standing = exchange.keeper.standing();
    let head = standing.heads.iter().find(|head| head.collector == asked.collector);
    let number = head.map(|head| head.number);
    let asking = exchange.clone();
    let found = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let ready = number.map(|number| ready(&asking, (number, asked.epoch))).transpose()?.flatten();
        let Some(ready) = ready else { return Ok::<_, Refused>(Proofs { signed: None, paths: Vec::new() }) };
        let path = |token: &[u8; 16]| BASE64.encode(&ready.tree.path(&Token(*token)).to_bytes());
        let paths = asked.tokens.iter().map(|token| path(&token.0)).collect();
        Ok(Proofs { signed: Some(ready.signed.clone()), paths })
    });
    Ok(json(StatusCode::OK, &found.await.map_err(|_| Refused::BUSY)??))
}

fn ready(exchange: &Exchange, which: Which) -> Result<Option<Arc<Ready>>, Refused> {
    if let Some(ready) = exchange.trees.get(which) {
        return Ok(Some(ready));
    }
    let Some(row) = exchange.storage.proof(which.0, which.1)? else { return Ok(None) };
    let damaged = || Refused::missing("the proof that is kept cannot be read");
    let tree = ProofTree::parse(&row.leaves).map_err(|_| damaged())?;
    let signed = serde_json::from_slice(&row.signed).map_err(|_| damaged())?;
    let ready = Arc::new(Ready { signed, tree });
    exchange.trees.put(which, &ready);
    Ok(Some(ready))
}
