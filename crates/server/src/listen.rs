//! The accept loop: TCP with TLS and local sockets, each connection on a leash.
//!
//! A [`Listener`] is bound first, so that a fault is known at start, and then handed to [`Listeners`], which serves a
//! tower service on it until told to stop. Every request carries a [`strongroom_model::Origin`] in its extensions.
//! A client may be slow, silent, gone or one of very many: it costs a bounded amount of memory for a bounded time.

mod arrival;
mod bind;
mod caps;
mod connection;
mod conversation;
pub mod forwarded;
mod leash;
mod paced;
mod protocol;
pub mod proxy;
mod request;
mod visitor;

pub use bind::{ListenError, Listener, group_id, user_id};
pub use caps::{Caps, Refusal};
pub use visitor::ClientCertificate;

use crate::config::{Address, Limits, Transport};
use crate::rate::Pace;
use axum::body::Body;
use bind::Socket;
use connection::Connections;
use conversation::Conversations;
use http::{Request, Response};
use leash::{Common, Leash, Speak};
use metrics::counter;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use strongroom_door_convection::ConvectionDoor;
use strongroom_model::{Entrance, Origin};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::Service;

/// How long connections have to end after they were told to close at once.
const CLOSING_GRACE: Duration = Duration::from_secs(1);
const FIRST_BACKOFF: Duration = Duration::from_millis(20);
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);

/// What a listener serves: an `axum::Router` is one.
pub trait Serve:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Serve for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Where all listeners and their connections are on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Accepting.
    Open,
    /// Requests in flight end, nothing new begins.
    Stopping,
    /// Everything ends now.
    Closing,
}

/// All listeners of a server, and the limits that they share.
pub struct Listeners {
    limits: Arc<Limits>,
    caps: Arc<Caps>,
    pace: Pace<IpAddr>,
    phase: watch::Sender<Phase>,
    loops: JoinSet<()>,
    addresses: Vec<(String, Address)>,
}

impl Listeners {
    /// None yet.
    pub fn new(limits: Limits) -> Self {
        let caps = Caps::new(limits.connections, limits.connections_per_address);
        Self {
            pace: Pace::new(limits.requests_per_second_per_address),
            limits: Arc::new(limits),
            caps: Arc::new(caps),
            phase: watch::Sender::new(Phase::Open),
            loops: JoinSet::new(),
            addresses: Vec::new(),
        }
    }

    /// Serves on a bound listener from now on. Must be called within a runtime.
    pub fn serve(&mut self, mut listener: Listener, service: impl Serve) {
        let leash = self.leash(&mut listener);
        self.loops.spawn(accept(listener, Connections::new(leash, service, request::problem)));
    }

    /// The same, where what is refused before the door sees it is said in the words of the sharing system.
    pub fn serve_sharing(&mut self, mut listener: Listener, service: impl Serve) {
        let leash = self.leash(&mut listener);
        self.loops.spawn(accept(listener, Connections::new(leash, service, request::refusal)));
    }

    /// The same for the convection door.
    pub fn serve_convection(&mut self, mut listener: Listener, door: ConvectionDoor, transport: Transport) {
        let leash = self.leash(&mut listener);
        self.loops.spawn(accept(listener, Conversations::new(leash, door, transport)));
    }

    fn leash(&mut self, listener: &mut Listener) -> Leash {
        listener.number(Entrance(u16::try_from(self.addresses.len()).unwrap_or(u16::MAX)));
        let name = listener.name();
        tracing::info!(listener = name, address = %listener.address(), "listening");
        self.addresses.push((name.to_owned(), listener.address().clone()));
        let common = Common {
            limits: Arc::clone(&self.limits),
            caps: Arc::clone(&self.caps),
            pace: self.pace.clone(),
            phase: self.phase.subscribe(),
        };
        Leash::new(name, listener.border(), common)
    }

    /// The names and addresses that are served, with the ports that the system chose.
    pub fn addresses(&self) -> &[(String, Address)] {
        &self.addresses
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.caps.open()
    }

    /// Stops accepting, gives requests in flight `deadline` to end, then closes what is left. Says whether
    /// everything ended by itself.
    pub async fn stop(mut self, deadline: Duration) -> bool {
        self.phase.send_replace(Phase::Stopping);
        while self.loops.join_next().await.is_some() {}
        let ended = tokio::time::timeout(deadline, self.phase.closed()).await.is_ok();
        if !ended {
            tracing::warn!(connections = self.caps.open(), "closing connections that did not end in time");
            self.phase.send_replace(Phase::Closing);
            let _ = tokio::time::timeout(CLOSING_GRACE, self.phase.closed()).await;
        }
        ended
    }
}

/// Accepts until told to stop; nothing that a client or the system does ends it.
async fn accept(listener: Listener, speaker: impl Speak) {
    let mut stopping = speaker.leash().phase();
    let mut backoff = FIRST_BACKOFF;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopping.wait_for(|phase| *phase != Phase::Open) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, origin)) => {
                backoff = FIRST_BACKOFF;
                admit(socket, origin, &listener, &speaker);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // most likely no descriptor is left: others close in time
                tracing::error!(listener = listener.name(), %error, "cannot accept");
                counter!("strongroom_accept_errors_total", "listener" => listener.name().to_owned())
                    .increment(1);
                tokio::time::sleep(backoff).await;
                backoff = LONGEST_BACKOFF.min(backoff * 2);
            }
        }
    }
}

fn admit(socket: Socket, origin: Origin, listener: &Listener, speaker: &impl Speak) {
    let leash = speaker.leash();
    let arrival = match leash.judge(origin) {
        Ok(arrival) => arrival,
        Err(why) => return tracing::debug!(listener = listener.name(), %origin, %why, "connection dropped"),
    };
    match (leash.claim(origin, arrival), socket) {
        (Ok(slot), Socket::Tcp(stream, tls)) => {
            tokio::spawn(speaker.clone().serve_tcp(stream, tls, slot, arrival));
        }
        (Ok(slot), Socket::Unix(stream, tls)) => {
            tokio::spawn(speaker.clone().serve_unix(stream, tls, slot));
        }
        // dropped, and so closed: an answer would cost what the cap is there to save
        (Err(refusal), _) => {
            tracing::debug!(listener = listener.name(), %origin, %refusal, "connection refused");
        }
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
            | ErrorKind::PermissionDenied
    )
}
