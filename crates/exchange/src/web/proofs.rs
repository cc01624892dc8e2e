//! Collectors' words on their epochs: kept, and proven from.

use super::answer::{self, Asked, Refused, json};
use super::shares::Kind;
use super::{Exchange, Member};
use crate::storage::ProofRow;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use data_encoding::{BASE64, HEXLOWER};
use http::StatusCode;
use std::sync::Arc;
use strongroom_blindindex::Token;
use strongroom_envelope::{ProofTree, Signed};
use strongroom_sharing::exchange::{AskProofs, EpochProof, MAX_QUERY_TOKENS, PostProof, Proofs};

/// What epoch proofs are signed as.
const CONTEXT: &str = "strongroom sharing epoch v1";

/// `POST /proofs`.
pub(super) async fn put(
    State(exchange): State<Exchange>,
    Member(member): Member,
    request: Request,
) -> Result<Response, Refused> {
    let _share = exchange.shares.take(member, Kind::Body)?;
    let proof: PostProof = answer::read(&answer::body(request, &exchange).await?)?;
    let keys = exchange.members.signing_keys(member)?.unwrap_or_default();
    let signed: Signed<EpochProof> = Signed::from(proof.signed.clone());
    let word = keys.iter().find_map(|key| signed.verify(key, CONTEXT).ok());
    let word = word.ok_or(Refused::forbidden("the proof is not signed by this collector"))?;
    if word.collector != member {
        return Err(Refused::forbidden("the proof is another collector's"));
    }
    let standing = exchange.keeper.standing();
    let head = standing.heads.iter().find(|head| head.collector == member && word.last <= head.sequence);
    let number = head.map(|head| head.number);
    let number = number.ok_or(Refused::conflict("records of this epoch have not come yet"))?;
    let storage = Arc::clone(&exchange.storage);
    let kept = tokio::task::spawn_blocking(move || {
        let leaves = BASE64.decode(proof.leaves.as_bytes());
        let leaves = leaves.map_err(|_| Refused::invalid("the leaves are no base64"))?;
        let tree = ProofTree::parse(&leaves);
        let tree = tree.map_err(|error| Refused::invalid(format!("the leaves: {error}")))?;
        let count = u64::try_from(tree.leaves().len()).ok();
        if HEXLOWER.encode(&tree.root()) != word.root || count != Some(word.leaves) {
            return Err(Refused::invalid("the leaves are not those of the signed root"));
        }
        let signed = serde_json::to_vec(&proof.signed).unwrap_or_default();
        let row = ProofRow { collector: number, epoch: word.epoch, signed, leaves };
        Ok(storage.put_proof(&row)?)
    });
    if kept.await.map_err(|_| Refused::BUSY)?? {
        Ok(StatusCode::CREATED.into_response())
    } else {
        Err(Refused::conflict("this epoch has another proof"))
    }
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
    let storage = Arc::clone(&exchange.storage);
    let found = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let row = number.map(|number| storage.proof(number, asked.epoch)).transpose()?.flatten();
        let Some(row) = row else { return Ok::<_, Refused>(Proofs { signed: None, paths: Vec::new() }) };
        let damaged = || Refused::missing("the proof that is kept cannot be read");
        let tree = ProofTree::parse(&row.leaves).map_err(|_| damaged())?;
        let signed = serde_json::from_slice(&row.signed).map_err(|_| damaged())?;
        let paths = asked.tokens.iter().map(|token| BASE64.encode(&tree.path(&Token(token.0)).to_bytes()));
        Ok(Proofs { signed: Some(signed), paths: paths.collect() })
    });
    Ok(json(StatusCode::OK, &found.await.map_err(|_| Refused::BUSY)??))
}
