//! Listeners and certificates, over real sockets on loopback.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail them")]

mod borders;
mod certificates;
mod http2;
mod listening;
mod misbehaviour;
mod support;
