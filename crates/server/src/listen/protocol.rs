//! HTTP/1.1 and HTTP/2 with their limits, as hyper is told them.
//!
//! What hyper and h2 bound by themselves is in `docs/adr/0030-names-pages-rates-and-floods.md`: frames of a header block, answers to
//! pings and settings. `tests/network/http2.rs` floods them.

use crate::config::Limits;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::time::Duration;

/// Bodies are read and written through at most this much buffer.
const BUFFER_BYTES: usize = 64 << 10;
/// More header fields than this and the parser leaves the stack for the heap.
const STACK_HEADERS: usize = 100;
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
const H2_WINDOW: u32 = 256 << 10;
const H2_RESETS: usize = 32;

pub(super) fn http1(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // the stream keeps this time itself: hyper would take idleness for a slow head
    builder.timer(TokioTimer::new()).header_read_timeout(None);
    builder.max_header_size(limits.header_bytes).max_buf_size(BUFFER_BYTES.max(limits.header_bytes));
    if limits.headers >= STACK_HEADERS {
        builder.max_headers(limits.headers + 1);
    }
    builder
}

pub(super) fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.http2_streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(H2_RESETS)
        .max_local_error_reset_streams(H2_RESETS)
        .initial_stream_window_size(H2_WINDOW)
        .initial_connection_window_size(H2_WINDOW * 4)
        .max_send_buf_size(BUFFER_BYTES)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}
