//! Wire types and the endpoint table of the native API; no logic.
//!
//! **What it is for.** One table, [`Endpoint::ALL`], says what exists: method, path, action, who may ask while
//! locked. The door binds each row to a function by an exhaustive match, and the OpenAPI document, the
//! who-may-call-what matrix and the client's paths come from the same rows.
//!
//! **What it does not know.** How anything is done.

mod endpoint;
mod openapi;
mod problem;
mod types;

pub use endpoint::{Access, Endpoint, Method};
pub use openapi::openapi_json;
pub use problem::{Code, Problem};
pub use types::*;

/// Prefix of every path in the table.
pub const PREFIX: &str = "/api/v1";
/// Header with a token: `Authorization: Bearer …`.
pub const TOKEN_PREFIX: &str = "sr.t1.";
/// Header that names a request; of a write, its idempotency key (a UUID).
pub const REQUEST_ID_HEADER: &str = "x-request-id";
/// Header with the one-time initialisation token that the server wrote to a file.
pub const INIT_TOKEN_HEADER: &str = "x-init-token";
/// Media type of a stream of JSON lines.
pub const NDJSON: &str = "application/x-ndjson";
