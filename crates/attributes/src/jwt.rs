//! Bearer tokens: JSON Web Tokens (RFC 7519) of one shape, signed with Ed25519 (`EdDSA`, RFC 8037).

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use strongroom_crypto::{PrivateKey, PublicKey};
use strongroom_model::TokenId;
use strongroom_secret::SecretBytes;
use strongroom_sharing::MemberId;

/// Longest token that is looked at.
pub(crate) const MAX_TOKEN_BYTES: usize = 4 * 1024;
/// How far another clock may be ahead.
const SKEW_SECS: i64 = 60;
const ISSUER: &str = "strongroom";

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) member: MemberId,
    pub(crate) admin: bool,
    pub(crate) issued: i64,
    pub(crate) expires: i64,
    pub(crate) id: TokenId,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderText {
    alg: String,
    kid: String,
    typ: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimsText {
    iss: String,
    sub: MemberId,
    adm: bool,
    iat: i64,
    exp: i64,
    jti: MemberId,
}

/// A token that says this. `None`: the key does not sign.
pub(crate) fn encode(claims: &Claims, key: &PrivateKey, kid: &str) -> Option<SecretBytes> {
    let header = HeaderText { alg: "EdDSA".into(), kid: kid.into(), typ: "JWT".into() };
    let text = ClaimsText {
        iss: ISSUER.into(),
        sub: claims.member,
        adm: claims.admin,
        iat: claims.issued,
        exp: claims.expires,
        jti: MemberId(claims.id.0),
    };
    let part = |json: Vec<u8>| BASE64URL_NOPAD.encode(&json);
    let (header, text) = (serde_json::to_vec(&header).ok()?, serde_json::to_vec(&text).ok()?);
    // the whole length at once: a vector that grows leaves copies behind
    let mut token = Vec::with_capacity(1_024);
    token.extend_from_slice(part(header).as_bytes());
    token.push(b'.');
    token.extend_from_slice(part(text).as_bytes());
    let signature = key.sign(&token).ok()?;
    token.push(b'.');
    token.extend_from_slice(BASE64URL_NOPAD.encode(&signature).as_bytes());
    Some(SecretBytes::new(token))
}

/// What a token says, if this key signed it and it holds now (seconds since 1970).
pub(crate) fn decode(token: &str, key: &PublicKey, kid: &str, now: i64) -> Option<Claims> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let header: HeaderText = serde_json::from_slice(&part(header)?).ok()?;
    // who wrote the token chooses nothing: one algorithm, one key
    let ours = header.alg == "EdDSA" && header.typ == "JWT";
    if !ours || !strongroom_secret::bytes_eq(header.kid.as_bytes(), kid.as_bytes()) {
        return None;
    }
    key.verify(signed.as_bytes(), &part(signature)?).ok()?;
    let text: ClaimsText = serde_json::from_slice(&part(claims)?).ok()?;
    let holds = text.iss == ISSUER && text.iat <= now.saturating_add(SKEW_SECS) && now < text.exp;
    holds.then_some(Claims {
        member: text.sub,
        admin: text.adm,
        issued: text.iat,
        expires: text.exp,
        id: TokenId(text.jti.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIMS: Claims = Claims {
        member: MemberId([1; 16]),
        admin: false,
        issued: 1_000,
        expires: 2_000,
        id: TokenId([2; 16]),
    };

    fn key(seed: u8) -> (PrivateKey, PublicKey) {
        let key = PrivateKey::ed25519_from_seed(&[seed; 32]).unwrap();
        let public = key.public_key().unwrap();
        (key, public)
    }

    fn text(claims: &Claims, key: &PrivateKey) -> String {
        encode(claims, key, "0123").unwrap().expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn a_token_says_what_it_was_made_with_and_holds_for_its_time() {
        let (key, public) = key(1);
        let token = text(&CLAIMS, &key);
        let at = |now| decode(&token, &public, "0123", now);
        for now in [940, 1_000, 1_999] {
            assert_eq!(at(now), Some(CLAIMS), "{now}");
        }
        for now in [939, 2_000, i64::MAX] {
            assert_eq!(at(now), None, "{now}");
        }
    }

    #[test]
    fn what_another_key_signed_or_anybody_altered_is_no_token() {
        let ((own, public), (other, _)) = (key(1), key(2));
        let token = text(&CLAIMS, &own);
        assert_eq!(decode(&text(&CLAIMS, &other), &public, "0123", 1_500), None);
        assert_eq!(decode(&token, &public, "0124", 1_500), None, "another kid");
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(decode(&altered, &public, "0123", 1_500), None, "{at}");
        }
        for cut in 0..token.len() {
            assert_eq!(decode(&token[..cut], &public, "0123", 1_500), None, "{cut}");
        }
    }

    #[test]
    fn other_algorithms_and_shapes_are_refused_even_when_they_are_signed() {
        let (own, public) = key(1);
        let sign = |header: &str, claims: &str| {
            let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
            let signed = format!("{}.{}", part(header), part(claims));
            let signature = BASE64URL_NOPAD.encode(&own.sign(signed.as_bytes()).unwrap());
            format!("{signed}.{signature}")
        };
        let id = "01010101010101010101010101010101";
        let claims =
            format!(r#"{{"iss":"strongroom","sub":"{id}","adm":false,"iat":1000,"exp":2000,"jti":"{id}"}}"#);
        let header = r#"{"alg":"EdDSA","kid":"0123","typ":"JWT"}"#;
        let holds =
            |header: &str, claims: &str| decode(&sign(header, claims), &public, "0123", 1_500).is_some();
        assert!(holds(header, &claims));
        for bad in [
            r#"{"alg":"none","kid":"0123","typ":"JWT"}"#,
            r#"{"alg":"HS256","kid":"0123","typ":"JWT"}"#,
            r#"{"alg":"EdDSA","kid":"0123","typ":"JWT","crit":["x"]}"#,
            r#"{"alg":"EdDSA","typ":"JWT"}"#,
            "[]",
        ] {
            assert!(!holds(bad, &claims), "{bad}");
        }
        for (from, to) in
            [("strongroom", "other"), ("1000", "\"1000\""), ("\"adm\":false,", ""), ("}", ",\"x\":1}")]
        {
            assert!(!holds(header, &claims.replace(from, to)), "{to}");
        }
        assert!(!holds(header, &claims.replace("false", &" ".repeat(5_000))));
    }
}
