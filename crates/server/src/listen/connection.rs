//! One connection from its handshake to its end.

use super::arrival::{Arrival, Dropped, announce, judge};
use super::caps::{Caps, Refusal, Slot};
use super::paced::{Paced, Pulse, Version};
use super::protocol;
use super::request::Requests;
use super::visitor::Way;
use super::{Phase, Serve};
use crate::config::{Border, Limits};
use crate::rate::Pace;
use crate::tls::Served;
use arc_swap::ArcSwap;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use metrics::{Counter, Gauge, counter, gauge};
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use strongroom_model::Origin;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a client that still sends is listened to after its last answer: closed with bytes unread, the system
/// would reset the connection, and the answer be lost on its way.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 << 10;
/// To tell a silent client that this is the end.
const FAREWELL: Duration = Duration::from_secs(1);

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

/// What the connections of all listeners share.
pub(super) struct Common {
    pub(super) limits: Arc<Limits>,
    pub(super) caps: Arc<Caps>,
    pub(super) pace: Pace<IpAddr>,
    pub(super) phase: watch::Receiver<Phase>,
}

struct Shared<S> {
    listener: String,
    border: Arc<ArcSwap<Border>>,
    service: S,
    limits: Arc<Limits>,
    caps: Arc<Caps>,
    pace: Pace<IpAddr>,
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
    pub(super) fn new(listener: &str, border: Arc<ArcSwap<Border>>, service: S, common: Common) -> Self {
        let Common { limits, caps, pace, phase } = common;
        let meters = Meters::of(listener);
        let (http1, http2) = (protocol::http1(&limits), protocol::http2(&limits));
        let listener = listener.to_owned();
        let shared = Shared { listener, border, service, limits, caps, pace, meters, http1, http2 };
        Self { shared: Arc::new(shared), phase }
    }

    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.clone()
    }

    /// What a peer is taken to be; one that is dropped is counted.
    pub(super) fn judge(&self, origin: Origin) -> Result<Arrival, Dropped> {
        judge(&self.shared.border.load(), origin).inspect_err(|why| self.count_dropped(*why))
    }

    fn count_dropped(&self, why: Dropped) {
        let listener = self.shared.listener.clone();
        counter!("strongroom_connections_dropped_total", "listener" => listener, "reason" => why.reason())
            .increment(1);
    }

    pub(super) fn claim(&self, origin: Origin, arrival: Arrival) -> Result<Slot, Refusal> {
        let claim = match arrival {
            Arrival::Client => self.shared.caps.claim(origin),
            Arrival::Forwarding | Arrival::Announcing => self.shared.caps.claim_for_many(origin),
        };
        let meters = &self.shared.meters;
        if claim.is_ok() { &meters.accepted } else { &meters.refused }.increment(1);
        claim
    }

    pub(super) async fn serve_plain(self, stream: UnixStream, slot: Slot) {
        let open = Open::count(&self.shared.meters.open);
        let (border, pace) = (Arc::clone(&self.shared.border), self.shared.pace.clone());
        let (origin, names) = (slot.origin(), Arc::default());
        let way = Way { origin, may_forward: false, border, pace, names, local: None };
        self.serve_http1(stream, &Arc::new(way)).await;
        drop((open, slot));
    }

    pub(super) async fn serve_tls(
        self,
        mut stream: TcpStream,
        tls: Arc<Served>,
        mut slot: Slot,
        arrival: Arrival,
    ) {
        let open = Open::count(&self.shared.meters.open);
        let Some(way) = Box::pin(self.way(&mut stream, &tls, &mut slot, arrival)).await else { return };
        // both in boxes of their own: the task that waits for years holds neither the other's state
        if let Some((stream, version)) = Box::pin(self.handshake(stream, tls)).await {
            match version {
                Version::Http1 => self.serve_http1(stream, &way).await,
                Version::Http2 => Box::pin(self.serve_http2(stream, &way)).await,
            }
        }
        drop((open, slot));
    }

    /// What is known of a connection once its proxy, if it has one, has said whom it is for.
    async fn way(
        &self,
        stream: &mut TcpStream,
        tls: &Served,
        slot: &mut Slot,
        arrival: Arrival,
    ) -> Option<Arc<Way>> {
        let local = stream.local_addr().ok()?;
        let mut phase = self.phase.clone();
        if arrival == Arrival::Announcing {
            let border = self.shared.border.load_full();
            let announced = tokio::select! {
                announced = announce(stream, slot, &border, self.shared.limits.handshake_timeout) => announced,
                _ = phase.wait_for(|phase| *phase != Phase::Open) => return None,
            };
            if let Err(why) = announced {
                self.count_dropped(why);
                tracing::debug!(origin = %slot.origin(), %why, "connection dropped");
                return None;
            }
        }
        Some(Arc::new(Way {
            origin: slot.origin(),
            may_forward: arrival == Arrival::Forwarding,
            border: Arc::clone(&self.shared.border),
            pace: self.shared.pace.clone(),
            names: Arc::clone(&tls.names),
            local: Some(local.ip().to_canonical()),
        }))
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        tls: Arc<Served>,
    ) -> Option<(Box<TlsStream<TcpStream>>, Version)> {
        let mut phase = self.phase.clone();
        let acceptor = TlsAcceptor::from(Arc::clone(&tls.config));
        let accept = tokio::time::timeout(self.shared.limits.handshake_timeout, acceptor.accept(stream));
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

    async fn serve_http2<IO: Stream>(&self, stream: IO, way: &Arc<Way>) {
        let pulse = Arc::new(Pulse::start());
        let io = Paced::new(stream, Version::Http2, Arc::clone(&pulse), &self.shared.limits);
        let connection = self.shared.http2.serve_connection(TokioIo::new(io), self.requests(way, pulse));
        self.finish(connection).await.unwrap_or_else(|error| ended_early(way.origin, &error));
    }

    /// Serves in bursts: between them, silent for a while, the connection is a stream and nothing else.
    async fn serve_http1<IO: Stream>(&self, stream: IO, way: &Arc<Way>) {
        let pulse = Arc::new(Pulse::start());
        let mut io = Paced::new(stream, Version::Http1, Arc::clone(&pulse), &self.shared.limits);
        let mut phase = self.phase.clone();
        loop {
            // in a box of its own, so that a parked connection does not hold its room
            match Box::pin(self.burst(io, way, &pulse)).await {
                Some(parked) => io = parked,
                None => return,
            }
            if io.has_read_ahead() {
                continue;
            }
            let silence = tokio::time::timeout_at(io.idle_deadline(), io.get_ref().readable());
            let awake = tokio::select! {
                awake = silence => matches!(awake, Ok(Ok(()))),
                _ = phase.wait_for(|phase| *phase != Phase::Open) => false,
            };
            if !awake {
                let _ = tokio::time::timeout(FAREWELL, io.shutdown()).await;
                return;
            }
        }
    }

    /// Serves until the connection ends or asks to be parked.
    async fn burst<IO: Stream>(
        &self,
        io: Paced<IO>,
        way: &Arc<Way>,
        pulse: &Arc<Pulse>,
    ) -> Option<Paced<IO>> {
        let requests = self.requests(way, Arc::clone(pulse));
        let mut connection = self.shared.http1.serve_connection(TokioIo::new(io), requests);
        let parked = poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
            Poll::Pending if pulse.take_park() => Poll::Ready(Ok(true)),
            ended => ended.map_ok(|()| false),
        });
        let mut phase = self.phase.clone();
        let parked = tokio::select! {
            parked = parked => Some(parked),
            _ = phase.wait_for(|phase| *phase != Phase::Open) => None,
        };
        let parked = match parked {
            Some(parked) => parked,
            None => self.finish(&mut connection).await.map(|()| false),
        };
        match parked {
            Ok(true) => {
                let parts = connection.into_parts();
                let mut io = parts.io.into_inner();
                io.park(parts.read_buf);
                Some(io)
            }
            Ok(false) => {
                self.linger(connection.into_parts().io.into_inner()).await;
                None
            }
            Err(error) => {
                ended_early(way.origin, &error);
                if error.is_parse() {
                    self.linger(connection.into_parts().io.into_inner()).await;
                }
                None
            }
        }
    }

    /// Drops what a client still sends, for a while or until it has heard that this is the end.
    async fn linger<IO: Stream>(&self, io: Paced<IO>) {
        let mut phase = self.phase.clone();
        let unheard = async {
            let mut io = io.into_inner();
            let mut dropped = vec![0; LINGER_BYTES];
            while matches!(io.read(&mut dropped).await, Ok(length) if length > 0) {}
        };
        tokio::select! {
            _ = tokio::time::timeout(LINGER, unheard) => {}
            _ = phase.wait_for(|phase| *phase != Phase::Open) => {}
        }
    }

    fn requests(&self, way: &Arc<Way>, pulse: Arc<Pulse>) -> Requests<S> {
        let Shared { service, limits, .. } = &*self.shared;
        Requests { service: service.clone(), way: Arc::clone(way), pulse, limits: Arc::clone(limits) }
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

fn ended_early(origin: Origin, error: &hyper::Error) {
    tracing::debug!(%error, %origin, "connection ended early");
}

/// A stream that can be waited for without a buffer.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;
}

impl Stream for UnixStream {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        Self::readable(self)
    }
}

impl Stream for Box<TlsStream<TcpStream>> {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        self.get_ref().0.readable()
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

impl<IO: Stream, S: Serve> Graceful for &mut http1::Connection<TokioIo<Paced<IO>>, Requests<S>> {
    fn shut_down(self: Pin<&mut Self>) {
        Pin::new(&mut **self.get_mut()).graceful_shutdown();
    }
}

impl<IO: Stream, S: Serve> Graceful for http2::Connection<TokioIo<Paced<IO>>, Requests<S>, TokioExecutor> {
    fn shut_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
