//! Challenge, authorize, look up, deauth.

use crate::Door;
use crate::answer;
use crate::body;
use crate::fault::Fault;
use crate::request::Context;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use std::time::Duration;
use strongroom_api::{
    AuthorizeRequest, ChallengeRequest, ChallengeResponse, Code, NewToken, TokenInfo, signed_transcript,
};
use strongroom_gate::People;
use strongroom_identity::{Authorize, Challenge, Deauth, LookupToken, Proof};
use strongroom_model::Credential;

type Answered = Result<Response<Body>, Fault>;

fn people(what: impl Into<String>) -> People {
    People { what: what.into() }
}

pub(crate) async fn challenge(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: ChallengeRequest = body::json(context, body)?;
    let what = people(bounded(&wanted.access_key_id)?);
    let permit = door.gate.admit::<Challenge>(&context.caller, what).await?;
    let held = door.identity.challenge(permit, &wanted.access_key_id);
    let (challenge, expires) = door.gate.release(held).await?;
    answer::json(&ChallengeResponse { challenge, expires: answer::time(expires) })
}

/// An access key id as the trail keeps it: whatever a caller sent, but not any length of it.
fn bounded(text: &str) -> Result<&str, Fault> {
    if text.len() > 64 {
        return Err(Fault::new(Code::InvalidRequest, "access_key_id has more than 64 bytes"));
    }
    Ok(text)
}

pub(crate) async fn authorize(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: AuthorizeRequest = body::json(context, body)?;
    let signature = STANDARD
        .decode(&wanted.signature)
        .map_err(|_| Fault::new(Code::InvalidRequest, "signature is not standard base64"))?;
    let what = people(bounded(&wanted.access_key_id)?);
    let permit = door.gate.admit::<Authorize>(&context.caller, what).await?;
    let proof = Proof {
        key_text: &wanted.access_key_id,
        challenge: &wanted.challenge,
        signature: &signature,
        transcript: signed_transcript,
    };
    let ttl = wanted.ttl_secs.map(|secs| Duration::from_secs(u64::from(secs)));
    let granted = door.identity.authorize(permit, &proof, ttl).await?;
    answer::json(&NewToken {
        token: granted.token.expose(|bytes| String::from_utf8_lossy(bytes).into_owned()),
        accessor: granted.accessor.to_string(),
        expires: answer::time(granted.expires),
        ttl_secs: u32::try_from(granted.ttl.as_secs()).unwrap_or(u32::MAX),
    })
}

fn own_token(context: &Context) -> People {
    match context.caller.credential {
        Credential::Token { token, .. } => people(token.to_string()),
        Credential::Installation | Credential::None => people(""),
    }
}

pub(crate) async fn look_up(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<LookupToken>(&context.caller, own_token(context)).await?;
    let held = door.identity.look_up(permit, context.token().unwrap_or_default())?;
    let token = door.gate.release(held).await?;
    let left = token.expires.since(door.gate.now()).as_secs();
    answer::json(&TokenInfo {
        accessor: token.accessor.to_string(),
        user: token.user,
        access_key_id: token.key.to_string(),
        created: answer::time(token.created),
        expires: answer::time(token.expires),
        ttl_secs: u32::try_from(left).unwrap_or(u32::MAX),
    })
}

pub(crate) async fn deauth(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<Deauth>(&context.caller, own_token(context)).await?;
    door.identity.deauth(permit, context.token().unwrap_or_default()).await?;
    Ok(answer::nothing())
}
