//! What an authority is configured with.

use std::time::Duration;
use strongroom_crypto::PasswordCost;
use strongroom_secret::SecretBytes;

/// Shortest secret for tokens, in bytes.
pub const MIN_TOKEN_SECRET_BYTES: usize = 16;
/// The longest life of a token.
pub const MAX_TOKEN_TTL: Duration = Duration::from_hours(7 * 24);
/// Bounds of how old a collector's manifest may be.
pub const MANIFEST_AGE_SECS: std::ops::RangeInclusive<u64> = 10..=3_600;

/// What an authority is configured with.
pub struct Settings {
    /// `FLASK_JWT_SECRET_KEY`: another value ends every token. Absent: a sealed random one alone is used.
    pub token_secret: Option<SecretBytes>,
    /// How long a token got with a password lives; at most [`MAX_TOKEN_TTL`].
    pub token_ttl: Duration,
    /// How long a token got with a signing key lives.
    pub proof_ttl: Duration,
    /// How long an epoch lasts at most.
    pub epoch_every: Duration,
    /// How old a collector's manifest may be, within [`MANIFEST_AGE_SECS`].
    pub max_age_secs: u64,
    /// Values that one member may ask tokens for in a minute.
    pub values_per_minute: u32,
    /// What hashing a password costs.
    pub password_cost: PasswordCost,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_secret: None,
            token_ttl: Duration::from_hours(24),
            proof_ttl: Duration::from_mins(15),
            epoch_every: Duration::from_hours(7 * 24),
            max_age_secs: strongroom_sharing::authority::MAX_MANIFEST_AGE_SECS,
            values_per_minute: 600,
            password_cost: PasswordCost::RECOMMENDED,
        }
    }
}

/// Why a secret for tokens is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecretError {
    /// Too short.
    #[error(
        "it has {bytes} bytes, needed are {MIN_TOKEN_SECRET_BYTES}: make one with `openssl rand -hex 16`"
    )]
    Short {
        /// Its length.
        bytes: usize,
    },
    /// A few bytes again and again, or a row of neighbours.
    #[error("it repeats itself: make one with `openssl rand -hex 16`")]
    Repeating,
}

/// Whether a configured secret for tokens is good enough: what a person typed in a hurry is not.
pub fn check_token_secret(secret: &SecretBytes) -> Result<(), WeakSecretError> {
    secret.expose(|bytes| {
        if bytes.len() < MIN_TOKEN_SECRET_BYTES {
            return Err(WeakSecretError::Short { bytes: bytes.len() });
        }
        let repeats = (1..=bytes.len() / 2)
            .any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(byte, later)| byte == later));
        let rows = bytes.windows(2).filter(|pair| matches!(pair, [a, b] if b.wrapping_sub(*a) <= 1));
        let distinct = bytes.iter().collect::<std::collections::BTreeSet<_>>().len();
        let is_row = rows.count() * 4 >= bytes.len() * 3;
        if repeats || is_row || distinct < 6 { Err(WeakSecretError::Repeating) } else { Ok(()) }
    })
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settings")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), WeakSecretError> {
        check_token_secret(&SecretBytes::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn weak_secrets_are_refused_with_a_reason() {
        assert_eq!(check("fifteen bytes !"), Err(WeakSecretError::Short { bytes: 15 }));
        for weak in ["aaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabca", "0123456789abcdef", "secretsecretsecret"]
        {
            assert_eq!(check(weak), Err(WeakSecretError::Repeating), "{weak}");
        }
        assert_eq!(check("c7fdd06a3ef475b03987e305570d192c"), Ok(()));
        assert_eq!(check("correct horse battery"), Ok(()));
    }
}
