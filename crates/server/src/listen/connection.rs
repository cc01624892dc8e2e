//! One connection of HTTP from its handshake to its end.

use super::arrival::Arrival;
use super::caps::Slot;
use super::leash::{Leash, Speak};
use super::paced::{Paced, Pulse, Version};
use super::protocol;
use super::request::{Refuse, Requests};
use super::visitor::{ClientCertificate, Way};
use super::{Phase, Serve};
use crate::tls::Served;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use strongroom_model::Origin;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// How long a client that still sends is listened to after its last answer: closed with bytes unread, the system
/// would reset the connection, and the answer be lost on its way.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 << 10;
/// To tell a silent client that this is the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// HTTP on the connections of one listener.
pub(super) struct Connections<S> {
    leash: Leash,
    shared: Arc<Shared<S>>,
}

impl<S> Clone for Connections<S> {
    fn clone(&self) -> Self {
        Self { leash: self.leash.clone(), shared: Arc::clone(&self.shared) }
    }
}

struct Shared<S> {
    service: S,
    refuse: Refuse,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl<S: Serve> Speak for Connections<S> {
    fn leash(&self) -> &Leash {
        &self.leash
    }

    async fn serve_tcp(
        self,
        mut stream: TcpStream,
        tls: Option<Arc<Served>>,
        mut slot: Slot,
        arrival: Arrival,
    ) {
        let open = self.leash.count_open();
        let way = Box::pin(self.leash.way(&mut stream, tls.as_deref(), &mut slot, arrival)).await;
        let Some(mut way) = way else { return };
        let Some(tls) = tls else {
            self.serve_http1(stream, &way).await;
            return drop((open, slot));
        };
        // both in boxes of their own: the task that waits for years holds neither the other's state
        if let Some(stream) = Box::pin(self.leash.handshake(stream, Arc::clone(&tls.config))).await {
            drop(tls);
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            if let (Some(shown), Some(way)) = (shown, Arc::get_mut(&mut way)) {
                way.client = Some(ClientCertificate(Arc::from(shown.as_ref())));
            }
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                Box::pin(self.serve_http2(stream, &way)).await;
            } else {
                self.serve_http1(stream, &way).await;
            }
        }
        drop((open, slot));
    }

    async fn serve_unix(self, stream: UnixStream, _: Option<Arc<Served>>, slot: Slot) {
        let open = self.leash.count_open();
        let way = self.leash.local_way(&slot);
        self.serve_http1(stream, &way).await;
        drop((open, slot));
    }
}

impl<S: Serve> Connections<S> {
    pub(super) fn new(leash: Leash, service: S, refuse: Refuse) -> Self {
        let (http1, http2) = (protocol::http1(leash.limits()), protocol::http2(leash.limits()));
        Self { leash, shared: Arc::new(Shared { service, refuse, http1, http2 }) }
    }

    async fn serve_http2<IO: Stream>(&self, stream: IO, way: &Arc<Way>) {
        let pulse = Arc::new(Pulse::start());
        let io = Paced::new(stream, Version::Http2, Arc::clone(&pulse), self.leash.limits());
        let connection = self.shared.http2.serve_connection(TokioIo::new(io), self.requests(way, pulse));
        self.finish(connection).await.unwrap_or_else(|error| ended_early(way.origin, &error));
    }

    /// Serves in bursts: between them, silent for a while, the connection is a stream and nothing else.
    async fn serve_http1<IO: Stream>(&self, stream: IO, way: &Arc<Way>) {
        let pulse = Arc::new(Pulse::start());
        let mut io = Paced::new(stream, Version::Http1, Arc::clone(&pulse), self.leash.limits());
        let mut phase = self.leash.phase();
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
        let mut phase = self.leash.phase();
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
        let mut phase = self.leash.phase();
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
        let (service, limits) = (self.shared.service.clone(), Arc::clone(self.leash.limits()));
        Requests { service, refuse: self.shared.refuse, way: Arc::clone(way), pulse, limits }
    }

    /// Serves to the end; told to stop it finishes what is in flight, told to close it ends.
    async fn finish<C: Graceful>(&self, connection: C) -> hyper::Result<()> {
        let mut phase = self.leash.phase();
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

impl Stream for TcpStream {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        Self::readable(self)
    }
}

impl Stream for Box<TlsStream<TcpStream>> {
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        self.get_ref().0.readable()
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
