//! Members' tokens: JWT (RFC 7519) of the one form that the authority makes, signed with Ed25519 (RFC 8037).

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use std::collections::BTreeMap;
use strongroom_crypto::PublicKey;
use strongroom_sharing::MemberId;

/// No token is longer.
const MAX_BYTES: usize = 4_096;
/// How far the clocks of two hosts may differ, seconds.
const SKEW_SECS: u64 = 60;
/// No token lives longer, whatever it says.
const MAX_LIFE_SECS: u64 = 7 * 86_400;
const ISSUER: &str = "strongroom";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The member.
    pub member: MemberId,
    /// Whether it administers.
    pub admin: bool,
}

/// A token that holds, unless it was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Who bears it.
    pub bearer: Caller,
    /// When it was made, seconds since 1970.
    pub issued: u64,
    /// Its id.
    pub id: MemberId,
}

/// Why a token is not taken. Its bearer hears none of it but that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not of the form.
    #[error("not a token of the authority")]
    Form,
    /// Of a key that is not known.
    #[error("signed by a key that is not known")]
    Key {
        /// Its name.
        kid: String,
    },
    /// Not signed by its key.
    #[error("the signature does not hold")]
    Signature,
    /// Too late, or too early.
    #[error("expired, or not valid yet")]
    Time,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    alg: String,
    kid: String,
    #[serde(default)]
    typ: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    sub: MemberId,
    adm: bool,
    iat: u64,
    exp: u64,
    jti: MemberId,
}

/// Checks a token. `now` in seconds since 1970.
///
/// # Errors
/// If it is not one that holds now.
pub fn check(text: &str, keys: &BTreeMap<String, PublicKey>, now: u64) -> Result<Held, TokenError> {
    if text.len() > MAX_BYTES {
        return Err(TokenError::Form);
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Form)?;
    let (head, claims) = signed.split_once('.').ok_or(TokenError::Form)?;
    let head: Head = part(head)?;
    let typed = head.typ.as_deref().is_none_or(|typ| typ == "JWT");
    if head.alg != "EdDSA" || !typed || head.kid.len() > 64 {
        return Err(TokenError::Form);
    }
    let key = keys.get(&head.kid).ok_or(TokenError::Key { kid: head.kid })?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| TokenError::Form)?;
    key.verify(signed.as_bytes(), &signature).map_err(|_| TokenError::Signature)?;
    let claims: Claims = part(claims)?;
    let lives = claims.exp.saturating_sub(claims.iat);
    if claims.iss != ISSUER || lives > MAX_LIFE_SECS {
        return Err(TokenError::Form);
    }
    if claims.exp <= now || claims.iat > now.saturating_add(SKEW_SECS) {
        return Err(TokenError::Time);
    }
    let bearer = Caller { member: claims.sub, admin: claims.adm };
    Ok(Held { bearer, issued: claims.iat, id: claims.jti })
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, TokenError> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| TokenError::Form)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Form)
}
