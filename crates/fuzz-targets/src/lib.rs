//! Every decoder of untrusted bytes as a function, for libFuzzer and for the smoke on stable.
//!
//! **What it is for.** `fuzz/fuzz_targets/NAME.rs` hands libFuzzer's bytes to the function of that name; the program
//! `fuzz-smoke` hands every function its corpus and mutations of it, without nightly.
//!
//! **What it promises.** A function panics only if the decoder broke a promise: it panicked itself, or what it accepted
//! does not hold (it reads differently a second time, another implementation refuses it, its bounds are broken).
//!
//! **What it does not know.** Where bytes come from.
//!
//! **Where to start.** [`TARGETS`]: a new decoder is a function, a row, a file in `fuzz/fuzz_targets` and a folder in
//! `fuzz/corpus` with at least one input that it accepts.

#![expect(clippy::expect_used, reason = "a broken promise is told by panicking: that is what fuzzing sees")]

mod api;
mod backup;
mod config;
mod convection;
mod envelope;
mod exchange;
mod import;
mod keys;
pub mod mutate;
mod network;
mod original;
mod query;
mod sharing;
mod trail;
mod types;
mod words;

/// Hands bytes to a decoder; whether it accepted them.
pub type Target = fn(&[u8]) -> bool;

/// Every target by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("abe_header", sharing::abe_header),
    ("abe_member_key", sharing::abe_member_key),
    ("abe_policy", sharing::abe_policy),
    ("abe_public_key", sharing::abe_public_key),
    ("abe_rights", sharing::abe_rights),
    ("access_key", keys::access_key),
    ("backup", backup::backup),
    ("chain", types::chain),
    ("config", config::config),
    ("convection_request", convection::convection_request),
    ("convection_fernet", original::fernet),
    ("convection_server_config", original::server_config),
    ("convection_storage", original::storage),
    ("envelope_bundle", envelope::bundle),
    ("envelope_header", envelope::header),
    ("envelope_path", envelope::path),
    ("envelope_record", envelope::record),
    ("envelope_signed", envelope::signed),
    ("envelope_wrapped", envelope::wrapped),
    ("exchange_insert", exchange::insert),
    ("exchange_proof", exchange::proof),
    ("exchange_query", exchange::question),
    ("exchange_token", exchange::token),
    ("import_env", import::env),
    ("import_json", import::json),
    ("import_pem", import::pem),
    ("import_tree", import::tree),
    ("import_yaml", import::yaml),
    ("forwarded", network::forwarded),
    ("host", network::host),
    ("index_question", sharing::index_question),
    ("index_value", sharing::index_value),
    ("json_scan", words::json_scan),
    ("key_file", keys::key_file),
    ("key_material", types::key_material),
    ("nacl", network::nacl),
    ("name", words::name),
    ("proxy_v2", network::proxy_v2),
    ("public_key_pem", keys::public_key_pem),
    ("put_secret", api::put_secret),
    ("requests", api::requests),
    ("query", query::question),
    ("root_record", keys::root_record),
    ("sealed_pem", keys::sealed_pem),
    ("secret_path", words::secret_path),
    ("trail_checkpoint", trail::checkpoint),
    ("trail_record", trail::record),
    ("trail_segment", trail::segment),
    ("typed_secret", types::typed_secret),
    ("unlock_key", keys::unlock_key),
];

/// The target of that name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|row| row.0 == name).map(|row| row.1)
}

/// What libFuzzer's files call.
///
/// # Panics
/// On a broken promise, and on a name that is not in the table.
pub fn run(name: &str, data: &[u8]) {
    let target = target(name).expect("a file in fuzz_targets is named after a row of the table");
    target(data);
}
