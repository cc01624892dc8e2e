//! A stream with a leash: it fails once its client is silent, dawdling or deaf for too long.
//!
//! One timer a connection, armed only while the connection waits, serves all cases. It is moved ahead of time only
//! when it would otherwise be late, so that a busy connection never touches it.

use crate::config::Limits;
use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Silence after which a connection gives its buffers back.
const PARK_AFTER: Duration = Duration::from_secs(1);
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What the requests of a connection tell its stream.
#[derive(Debug)]
pub(super) struct Pulse {
    start: Instant,
    in_flight: AtomicU32,
    begun: AtomicU32,
    /// Milliseconds after the start at which the last request ended.
    ended: AtomicU64,
    /// Nothing was asked for so long that buffers are better given back.
    may_park: AtomicBool,
}

impl Pulse {
    pub(super) fn start() -> Self {
        let (in_flight, begun, ended, may_park) = Default::default();
        Self { start: Instant::now(), in_flight, begun, ended, may_park }
    }

    /// A request has begun; it ends when the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Beat {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        Beat(Arc::clone(self))
    }

    /// Whether the stream asks to be parked; asked once.
    pub(super) fn take_park(&self) -> bool {
        self.may_park.swap(false, Ordering::Relaxed)
    }

    fn busy(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) > 0
    }

    fn quiet_since(&self) -> Instant {
        self.start + Duration::from_millis(self.ended.load(Ordering::Relaxed))
    }
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct Beat(Arc<Pulse>);

impl Drop for Beat {
    fn drop(&mut self) {
        let ended = u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.ended.store(ended, Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Release);
    }
}

/// Which protocol the stream carries: in HTTP/1.1 bytes without a request in flight are a request's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// The times that a stream keeps.
#[derive(Debug, Clone, Copy)]
struct Patience {
    head: Duration,
    idle: Duration,
    unread: Duration,
}

/// The stream.
pub(super) struct Paced<IO> {
    io: IO,
    pulse: Arc<Pulse>,
    version: Version,
    patience: Patience,
    /// Requests that had begun when it was last asked.
    seen: u32,
    /// When the first byte of a head that is not yet whole came.
    head_since: Option<Instant>,
    /// Since when an answer cannot be written.
    blocked_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// Written, not yet flushed.
    unflushed: bool,
    /// Read before, to be read again.
    prefix: Bytes,
}

impl<IO> Paced<IO> {
    pub(super) fn new(io: IO, version: Version, pulse: Arc<Pulse>, limits: &Limits) -> Self {
        let patience =
            Patience { head: limits.header_timeout, idle: limits.idle_timeout, unread: limits.body_timeout };
        Self {
            io,
            pulse,
            version,
            patience,
            seen: 0,
            head_since: None,
            blocked_since: None,
            timer: None,
            unflushed: false,
            prefix: Bytes::new(),
        }
    }

    /// When the present silence will have lasted too long, and whether it is that of a head.
    fn read_deadline(&mut self) -> (Instant, bool) {
        let begun = self.pulse.begun.load(Ordering::Relaxed);
        if begun != self.seen {
            (self.seen, self.head_since) = (begun, None);
        }
        if self.pulse.busy() {
            // never in the past, but armed: the parser does not ask again when the request ends
            return (Instant::now() + self.patience.idle, false);
        }
        match self.head_since {
            Some(since) => (since + self.patience.head, true),
            None => (self.pulse.quiet_since() + self.patience.idle, false),
        }
    }

    /// Whether a moment has passed; if not, the task is woken then or before.
    fn passed(&mut self, cx: &mut Context<'_>, deadline: Instant) -> bool {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if deadline < timer.deadline() {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            timer.as_mut().reset(deadline);
        }
        false
    }

    /// Takes back what a parser had read ahead: the beginning of a head, if anything.
    pub(super) fn park(&mut self, read_ahead: Bytes) {
        self.timer = None;
        self.head_since = (!read_ahead.is_empty()).then(Instant::now);
        // empty it would still hold the parser's buffer
        self.prefix = if read_ahead.is_empty() { Bytes::new() } else { read_ahead };
    }

    /// Whether bytes wait that were read already.
    pub(super) fn has_read_ahead(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// When a silence that goes on will have been too long.
    pub(super) fn idle_deadline(&self) -> Instant {
        self.pulse.quiet_since() + self.patience.idle
    }

    pub(super) fn get_ref(&self) -> &IO {
        &self.io
    }

    /// The stream without its leash.
    pub(super) fn into_inner(self) -> IO {
        self.io
    }

    /// An idle HTTP/1.1 connection with nothing to write can do without a parser and its buffers.
    fn consider_parking(&mut self, cx: &mut Context<'_>) {
        let settled = self.version == Version::Http1 && !self.unflushed && self.blocked_since.is_none();
        if !settled || self.head_since.is_some() || self.pulse.busy() {
            return;
        }
        if self.passed(cx, self.pulse.quiet_since() + PARK_AFTER) {
            self.pulse.may_park.store(true, Ordering::Relaxed);
        }
    }

    fn count_read(&mut self, bytes: usize) {
        let of_a_head = self.version == Version::Http1 && bytes > 0 && self.head_since.is_none();
        if of_a_head && !self.pulse.busy() {
            self.head_since = Some(Instant::now());
        }
    }
}

impl<IO: AsyncWrite + Unpin> Paced<IO> {
    /// A blocked writer waits only so long; a writer that gets on starts afresh.
    fn pace_write<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.blocked_since = None;
            return result;
        }
        let since = *self.blocked_since.get_or_insert_with(Instant::now);
        if self.passed(cx, since + self.patience.unread) { Poll::Ready(Err(slow())) } else { Poll::Pending }
    }

    /// One attempt to say why; nobody waits for it.
    fn say_too_slow(&mut self, cx: &mut Context<'_>) {
        if Pin::new(&mut self.io).poll_write(cx, TOO_SLOW).is_ready() {
            let _ = Pin::new(&mut self.io).poll_shutdown(cx);
        }
    }
}

fn slow() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Paced<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.prefix.is_empty() {
            let bytes = this.prefix.split_to(this.prefix.len().min(buffer.remaining()));
            buffer.put_slice(&bytes);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut this.io).poll_read(cx, buffer) {
            this.count_read(buffer.filled().len() - before);
            return Poll::Ready(result);
        }
        let (deadline, of_a_head) = this.read_deadline();
        if !this.passed(cx, deadline) {
            this.consider_parking(cx);
            return Poll::Pending;
        }
        if of_a_head {
            this.say_too_slow(cx);
        }
        Poll::Ready(Err(slow()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Paced<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.unflushed = true;
        let result = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.pace_write(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.unflushed = true;
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.pace_write(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        self.unflushed &= !matches!(result, Poll::Ready(Ok(())));
        self.pace_write(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.io).poll_shutdown(cx));
        Poll::Ready(result)
    }
}
