//! What is no operation and leaves no entry: health, metrics, the description.

use crate::{Door, answer};
use axum::body::Body;
use bytes::Bytes;
use http::header::HeaderValue;
use http::{Response, StatusCode};
use strongroom_api::{Health, LockState, openapi_json};
use strongroom_gate::{ClockState, Space};

const HEALTH: &str = "/health";
const METRICS: &str = "/metrics";

/// Whether a path is answered here.
pub(crate) fn is_path(path: &str) -> bool {
    path == HEALTH || path == METRICS
}

/// Answers [`is_path`].
pub(crate) async fn serve(door: &Door, method: &str, path: &str) -> Response<Body> {
    match (method, path) {
        ("GET" | "HEAD", HEALTH) => health(door).await,
        (_, HEALTH) => answer::other_method("GET, HEAD"),
        ("GET", _) => {
            let text = (door.render_metrics)();
            answer::raw(StatusCode::OK, HeaderValue::from_static("text/plain; version=0.0.4"), text)
        }
        _ => answer::other_method("GET"),
    }
}

async fn health(door: &Door) -> Response<Body> {
    let state = lock_state(door).await;
    let clock_ok = door.gate.clock_state() == ClockState::Believed;
    let space = door.gate.space();
    let resolving = door.gate.is_resolving();
    let whole = door.operator.damaged_jobs().is_empty();
    let status = match (state, space) {
        (LockState::Unlocked, Space::Ample) if clock_ok && whole && !resolving => "ok",
        (LockState::Unlocked, Space::Ample | Space::Reserved) if !resolving => "degraded",
        _ => "unavailable",
    };
    let report = Health {
        status: status.to_owned(),
        state,
        space: space_name(space).to_owned(),
        clock_ok,
        jobs_ok: whole,
        version: door.version.to_owned(),
    };
    let code = if status == "unavailable" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    answer::json_with(code, &report).unwrap_or_else(|fault| answer::problem(&fault, None))
}

async fn lock_state(door: &Door) -> LockState {
    if door.gate.is_unlocked() {
        return LockState::Unlocked;
    }
    match door.gate.root_row().await {
        Ok(None) => LockState::Uninitialised,
        _ => LockState::Locked,
    }
}

pub(crate) fn space_name(space: Space) -> &'static str {
    match space {
        Space::Ample => "ample",
        Space::Reserved => "reserved",
        Space::Exhausted => "exhausted",
    }
}

/// The OpenAPI document.
pub(crate) fn openapi(door: &Door) -> Response<Body> {
    let text = door.openapi.get_or_init(|| Bytes::from(openapi_json()));
    answer::raw(StatusCode::OK, HeaderValue::from_static("application/json"), text.clone())
}
