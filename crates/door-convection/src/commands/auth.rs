//! Tokens: made by `authorize` in two steps, ended by `deauth`.

use crate::asked::Asked;
use crate::fault::Fault;
use crate::reply::{Answered, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;
use strongroom_gate::{People, Token};
use strongroom_identity::{Challenge, Deauth};
use strongroom_model::{Credential, TokenId};

/// An access key id has 32 digits, or 36 characters with dashes.
const MAX_KEY_BYTES: usize = 64;

/// The first step: a token is encrypted to the access key. The second is `Session::settle`.
pub(crate) async fn authorize(asked: &Asked<'_>) -> Answered {
    let key_text = asked.optional_text("access_key_id")?;
    let key_text = key_text.ok_or_else(|| Fault::no_credential("access_key_id"))?;
    if key_text.len() > MAX_KEY_BYTES {
        return Err(Fault::value("access_key_id is too long"));
    }
    let ttl = asked.optional_text("expire_time")?.map(|text| lifetime(&text)).transpose()?;
    let what = People { what: key_text.clone() };
    let permit = asked.door.gate.admit::<Challenge>(&asked.caller, what).await?;
    let held = asked.door.identity.offer(permit, &key_text, ttl).await?;
    let (offer, sealed) = asked.door.gate.release(held).await?;
    *asked.offer.lock() = Some(offer);
    Ok(Reply::saying("Auth Initiated").with("response", STANDARD.encode(sealed)))
}

pub(crate) async fn deauth(asked: &Asked<'_>) -> Answered {
    let accessor = match asked.caller.credential {
        Credential::Token { token, .. } => token,
        Credential::Member { .. } | Credential::Installation | Credential::None => TokenId::default(),
    };
    let token = Token::own(&asked.caller, accessor);
    let permit = asked.door.gate.admit::<Deauth>(&asked.caller, token).await?;
    asked.door.identity.deauth(permit, asked.user()).await?;
    Ok(Reply::saying("Deauthenticated"))
}

/// What stands behind a number, the longest first, with its milliseconds; each at most once, in this order.
const UNITS: [(&str, u64); 8] = [
    ("Y", 365 * 86_400_000),
    ("M", 30 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A lifetime such as `1d12h`; a year has 365 days, a month 30.
fn lifetime(text: &str) -> Result<Duration, Fault> {
    let bad = || Fault::value("expire_time is no time such as 1d12h");
    let (mut rest, mut units, mut millis) = (text, UNITS.iter(), 0_u64);
    while !rest.is_empty() {
        let (digits, after) =
            rest.split_at(rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len());
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, after) = after.split_at(letters);
        let (_, scale) = units.by_ref().find(|(name, _)| *name == unit).ok_or_else(bad)?;
        if digits.is_empty() {
            return Err(bad());
        }
        // as long as anybody may ask for: the server's own bound is far below
        let number: u64 = digits.parse().unwrap_or(u64::MAX);
        millis = millis.saturating_add(number.saturating_mul(*scale));
        rest = after;
    }
    if text.is_empty() { Err(bad()) } else { Ok(Duration::from_millis(millis)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_read_as_it_is_written() {
        for (text, millis) in [
            ("30m", 1_800_000),
            ("1h", 3_600_000),
            ("1d12h", 129_600_000),
            ("1Y1M1w1d1h1m1s1ms", 34_822_861_001),
            ("5ms", 5),
            ("90s", 90_000),
            ("0s", 0),
        ] {
            assert_eq!(lifetime(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        let forever = lifetime("99999999999999999999999Y").unwrap();
        assert_eq!(forever, Duration::from_millis(u64::MAX));
        for text in ["", "h", "1", "1x", "1h1d", "1h1h", "1 h", "-1h", "1.5h", "1H", "m1"] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }
}
