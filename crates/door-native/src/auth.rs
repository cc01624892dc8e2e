//! Challenge, authorize, log in; one's own token: look up, renew, deauth.

use crate::answer;
use crate::body;
use crate::fault::Fault;
use crate::request::Context;
use crate::{Door, ShownCertificate};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use std::time::Duration;
use strongroom_api::{
    AuthorizeRequest, ChallengeRequest, ChallengeResponse, Code, LoginRequest, MeantServer, NewToken,
    RenewTokenRequest, TokenInfo, TokenWay, signed_transcript,
};
use strongroom_gate::{Denied, People, Token, Way};
use strongroom_identity::{
    Authorize, Challenge, Deauth, Granted, Login, LookupToken, Proof, RenewToken, TokenSummary,
};
use strongroom_model::{Credential, MAX_COMPONENT_BYTES, Origin, TokenId};
use strongroom_secret::SecretBytes;

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
    let server = meant(context, wanted.certificate.as_deref())?;
    let signed = signed_transcript(&wanted.access_key_id, &wanted.challenge, &server);
    let proof = Proof {
        key_text: &wanted.access_key_id,
        challenge: &wanted.challenge,
        signature: &signature,
        signed: &signed,
    };
    let ttl = wanted.ttl_secs.map(|secs| Duration::from_secs(u64::from(secs)));
    let granted = door.identity.authorize(permit, &proof, ttl).await?;
    new_token(&granted)
}

/// The server that a proof has to be signed for, as far as this connection tells; behind a proxy that ends TLS the client
/// says which certificate it was shown.
fn meant(context: &Context, said: Option<&str>) -> Result<MeantServer, Fault> {
    if let Origin::Local { uid } = context.caller.origin {
        return Ok(MeantServer::local(uid));
    }
    let said = || {
        let digest = said.and_then(answer::unhex).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        digest.ok_or_else(|| {
            Fault::new(
                Code::InvalidRequest,
                "certificate is not a SHA-256 digest, and your proxy's is unknown here",
            )
        })
    };
    let shown = match context.parts.extensions.get::<ShownCertificate>() {
        Some(ShownCertificate(digest)) => *digest,
        None => said()?,
    };
    Ok(MeantServer::tls(context.host(), &shown))
}

pub(crate) async fn login(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: LoginRequest = body::json(context, body)?;
    if wanted.user.len() > MAX_COMPONENT_BYTES {
        return Err(Fault::new(Code::InvalidRequest, "user has more than 255 bytes"));
    }
    let permit = door.gate.admit::<Login>(&context.caller, people(wanted.user.as_str())).await?;
    let password = SecretBytes::new(wanted.password.into_bytes());
    let ttl = wanted.ttl_secs.map(|secs| Duration::from_secs(u64::from(secs)));
    let origin = context.caller.origin;
    let granted = door.identity.login(permit, origin, &wanted.user, password, ttl).await?;
    new_token(&granted)
}

fn new_token(granted: &Granted) -> Answered {
    answer::json(&NewToken {
        token: granted.token.expose(|bytes| String::from_utf8_lossy(bytes).into_owned()),
        accessor: granted.accessor.to_string(),
        expires: answer::time(granted.expires),
        ttl_secs: u32::try_from(granted.ttl.as_secs()).unwrap_or(u32::MAX),
    })
}

fn own_token(context: &Context) -> Token {
    let accessor = match context.caller.credential {
        Credential::Token { token, .. } => token,
        Credential::Member { .. } | Credential::Installation | Credential::None => TokenId::default(),
    };
    Token::own(&context.caller, accessor)
}

/// A token as told.
pub(crate) fn info(door: &Door, token: TokenSummary) -> TokenInfo {
    let left = token.expires.since(door.gate.now()).as_secs();
    TokenInfo {
        accessor: token.accessor.to_string(),
        user: token.user,
        access_key_id: token.key.to_string(),
        way: match token.way {
            Way::AccessKey => TokenWay::AccessKey,
            Way::Password => TokenWay::Password,
        },
        created: answer::time(token.created),
        expires: answer::time(token.expires),
        ttl_secs: u32::try_from(left).unwrap_or(u32::MAX),
    }
}

pub(crate) async fn look_up(door: &Door, context: &Context) -> Answered {
    let permit = door.gate.admit::<LookupToken>(&context.caller, own_token(context)).await?;
    let token = door.gate.release(door.identity.look_up(permit)).await?;
    answer::json(&info(door, token))
}

pub(crate) async fn renew(door: &Door, context: &Context, body: &Bytes) -> Answered {
    let wanted: RenewTokenRequest = body::json(context, body)?;
    let permit = door.gate.admit::<RenewToken>(&context.caller, own_token(context)).await?;
    let ttl = wanted.ttl_secs.map(|secs| Duration::from_secs(u64::from(secs)));
    let token = door.identity.renew(permit, ttl).await?;
    answer::json(&info(door, token))
}

pub(crate) async fn deauth(door: &Door, context: &Context) -> Answered {
    match door.gate.admit::<Deauth>(&context.caller, own_token(context)).await {
        Ok(permit) => door.identity.deauth(permit, context.user()).await?,
        Err(Denied::Repeated(_)) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(answer::nothing())
}
