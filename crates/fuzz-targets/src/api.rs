//! Bodies of requests.

use strongroom_api::{
    AuthorizeRequest, CreateStoreRequest, InitRequest, PutSecretRequest, UnlockRequest, VerifyRequest,
};
use strongroom_model::{JsonLimits, scan_json};

/// The value that is kept is a piece of the body, to the byte.
pub(crate) fn put_secret(data: &[u8]) -> bool {
    if scan_json(data, JsonLimits::VALUE).is_err() {
        return false;
    }
    let Ok(request) = serde_json::from_slice::<PutSecretRequest<'_>>(data) else { return false };
    if let Some(value) = request.value {
        let value = value.get().as_bytes();
        assert!(data.windows(value.len()).any(|window| window == value), "the value is not what was sent");
        assert!(scan_json(value, JsonLimits::VALUE).is_ok(), "a piece of a good text is no good text");
    }
    true
}

/// Each kind of body is read or refused.
pub(crate) fn requests(data: &[u8]) -> bool {
    let accepted = [
        serde_json::from_slice::<AuthorizeRequest>(data).is_ok(),
        serde_json::from_slice::<CreateStoreRequest>(data).is_ok(),
        serde_json::from_slice::<InitRequest>(data).is_ok(),
        serde_json::from_slice::<UnlockRequest>(data).is_ok(),
        serde_json::from_slice::<VerifyRequest>(data).is_ok(),
    ];
    accepted.contains(&true)
}
