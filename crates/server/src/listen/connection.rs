//! One connection from its handshake to its end.

use super::caps::{Caps, Refusal, Slot};
use super::paced::{Paced, Pulse, Version};
use super::request::Requests;
use super::{Phase, Serve};
use crate::config::Limits;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use metrics::{Counter, Gauge, counter, gauge};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use strongroom_model::Origin;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Bodies are read and written through at most this much buffer.
const BUFFER_BYTES: usize = 64 << 10;
/// More header fields than this and the parser leaves the stack for the heap.
const STACK_HEADERS: usize = 100;
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
const H2_WINDOW: u32 = 256 << 10;
const H2_RESETS: usize = 32;

/// What all connections of one listener share.
pub(super) struct Connections<S> {
    shared: Arc<Shared<S>>,
    phase: watch::Receiver<Phase>,
}

impl<S> Clone for Connections<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), phase: self.phase.clone() }
    }
}

struct Shared<S> {
    service: S,
    limits: Arc<Limits>,
    caps: Arc<Caps>,
    meters: Meters,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

struct Meters {
    accepted: Counter,
    refused: Counter,
    handshakes_failed: Counter,
    open: Gauge,
}

impl Meters {
    fn of(listener: &str) -> Self {
        let label = || listener.to_owned();
        Self {
            accepted: counter!("strongroom_connections_accepted_total", "listener" => label()),
            refused: counter!("strongroom_connections_refused_total", "listener" => label()),
            handshakes_failed: counter!("strongroom_tls_handshakes_failed_total", "listener" => label()),
            open: gauge!("strongroom_connections_open", "listener" => label()),
        }
    }
}

impl<S: Serve> Connections<S> {
    pub(super) fn new(
        listener: &str,
        service: S,
        limits: Arc<Limits>,
        caps: Arc<Caps>,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let meters = Meters::of(listener);
        let (http1, http2) = (http1_of(&limits), http2_of(&limits));
        Self { shared: Arc::new(Shared { service, limits, caps, meters, http1, http2 }), phase }
    }

    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.clone()
    }

    pub(super) fn claim(&self, origin: Origin) -> Result<Slot, Refusal> {
        let claim = self.shared.caps.claim(origin);
        let meters = &self.shared.meters;
        if claim.is_ok() { &meters.accepted } else { &meters.refused }.increment(1);
        claim
    }

    pub(super) async fn serve_plain(self, stream: UnixStream, slot: Slot) {
        let open = Open::count(&self.shared.meters.open);
        Box::pin(self.drive(stream, Version::Http1, slot.origin())).await;
        drop((open, slot));
    }

    pub(super) async fn serve_tls(self, stream: TcpStream, tls: Arc<rustls::ServerConfig>, slot: Slot) {
        let open = Open::count(&self.shared.meters.open);
        // both in boxes of their own: the task that waits for years holds neither the other's state
        if let Some((stream, version)) = Box::pin(self.handshake(stream, tls)).await {
            Box::pin(self.drive(stream, version, slot.origin())).await;
        }
        drop((open, slot));
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        tls: Arc<rustls::ServerConfig>,
    ) -> Option<(Box<tokio_rustls::server::TlsStream<TcpStream>>, Version)> {
        let mut phase = self.phase.clone();
        let accept =
            tokio::time::timeout(self.shared.limits.handshake_timeout, TlsAcceptor::from(tls).accept(stream));
        let accepted = tokio::select! {
            accepted = accept => accepted,
            _ = phase.wait_for(|phase| *phase != Phase::Open) => return None,
        };
        if let Ok(Ok(stream)) = accepted {
            let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            return Some((Box::new(stream), if h2 { Version::Http2 } else { Version::Http1 }));
        }
        self.shared.meters.handshakes_failed.increment(1);
        if let Ok(Err(error)) = accepted {
            tracing::debug!(%error, "TLS handshake failed");
        }
        None
    }

    async fn drive<IO>(&self, stream: IO, version: Version, origin: Origin)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Shared { service, limits, http1, http2, .. } = &*self.shared;
        let pulse = Arc::new(Pulse::start());
        let io = TokioIo::new(Paced::new(stream, version, Arc::clone(&pulse), limits));
        let requests = Requests { service: service.clone(), origin, pulse, limits: Arc::clone(limits) };
        let ended = match version {
            Version::Http1 => self.finish(http1.serve_connection(io, requests)).await,
            Version::Http2 => Box::pin(self.finish(http2.serve_connection(io, requests))).await,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %origin, "connection ended early");
        }
    }

    /// Serves to the end; told to stop it finishes what is in flight, told to close it ends.
    async fn finish<C: Graceful>(&self, connection: C) -> hyper::Result<()> {
        let mut phase = self.phase.clone();
        let mut connection = pin!(connection);
        tokio::select! {
            ended = poll_fn(|cx| connection.as_mut().poll(cx)) => return ended,
            _ = phase.wait_for(|phase| *phase != Phase::Open) => connection.as_mut().shut_down(),
        }
        tokio::select! {
            ended = poll_fn(|cx| connection.as_mut().poll(cx)) => ended,
            _ = phase.wait_for(|phase| *phase == Phase::Closing) => Ok(()),
        }
    }
}

/// Counts an open connection in the gauge for as long as it lives.
struct Open(Gauge);

impl Open {
    fn count(gauge: &Gauge) -> Self {
        gauge.increment(1);
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// A connection that can be asked to end after what is in flight.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn shut_down(self: Pin<&mut Self>);
}

impl<IO, S: Serve> Graceful for http1::Connection<TokioIo<Paced<IO>>, Requests<S>>
where
    IO: AsyncRead + AsyncWrite + Unpin + 'static,
{
    fn shut_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<IO, S: Serve> Graceful for http2::Connection<TokioIo<Paced<IO>>, Requests<S>, TokioExecutor>
where
    IO: AsyncRead + AsyncWrite + Unpin + 'static,
{
    fn shut_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

fn http1_of(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // the stream keeps this time itself: hyper would take idleness for a slow head
    builder.timer(TokioTimer::new()).header_read_timeout(None);
    builder.max_header_size(limits.header_bytes).max_buf_size(BUFFER_BYTES.max(limits.header_bytes));
    if limits.headers >= STACK_HEADERS {
        builder.max_headers(limits.headers + 1);
    }
    builder
}

fn http2_of(limits: &Limits) -> http2::Builder<TokioExecutor> {
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
