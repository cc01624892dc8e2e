//! What the attribute authority is configured with.

use crate::ServerError;
use crate::config::Sharing;
use std::path::Path;
use strongroom_attributes::{Settings, check_token_secret};
use strongroom_secret::SecretBytes;

/// What the secret of tokens is called where people write it down.
const JWT_SECRET: &str = "FLASK_JWT_SECRET_KEY";
/// No secret is longer.
const MAX_SECRET_BYTES: u64 = 4_096;

/// The authority's settings; the secret of tokens is the one that is given, or else that of the configured file.
pub(crate) fn settings(config: &Sharing, given: Option<&SecretBytes>) -> Result<Settings, ServerError> {
    let secret = match (given, &config.jwt_secret_file) {
        (Some(given), _) => Some((JWT_SECRET.to_owned(), trimmed(given))),
        (None, Some(path)) => Some((path.display().to_string(), read(path)?)),
        (None, None) => None,
    };
    if let Some((place, secret)) = &secret {
        check_token_secret(secret)
            .map_err(|source| ServerError::WeakJwtSecret { place: place.clone(), source })?;
    }
    Ok(Settings {
        token_secret: secret.map(|(_, secret)| secret),
        token_ttl: config.token_ttl,
        epoch_every: config.epoch_every,
        max_age_secs: config.manifest_max_age.as_secs(),
        values_per_minute: config.token_rate,
        ..Settings::default()
    })
}

fn read(path: &Path) -> Result<SecretBytes, ServerError> {
    use std::io::Read as _;
    let failed = |source| ServerError::io("read", path, source);
    let mut text = Vec::with_capacity(usize::try_from(MAX_SECRET_BYTES).unwrap_or(0));
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_SECRET_BYTES).read_to_end(&mut text).map_err(failed)?;
    Ok(trimmed(&SecretBytes::new(text)))
}

/// Without the end of its line.
fn trimmed(secret: &SecretBytes) -> SecretBytes {
    secret.expose(|text| SecretBytes::new(text.trim_ascii().to_vec()))
}
