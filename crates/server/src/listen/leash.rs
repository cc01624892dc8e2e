//! What holds every connection, whatever is spoken on it: the listener's border, the limits, the handshake.

use super::Phase;
use super::arrival::{Arrival, Dropped, announce, judge};
use super::caps::{Caps, Refusal, Slot};
use super::visitor::Way;
use crate::config::{Border, Limits};
use crate::names::Names;
use crate::rate::Pace;
use crate::tls::Served;
use arc_swap::ArcSwap;
use metrics::{Counter, Gauge, counter, gauge};
use rustls::ServerConfig;
use std::net::IpAddr;
use std::sync::Arc;
use strongroom_door_native::ShownCertificate;
use strongroom_model::{Origin, subscriber};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What is spoken on the connections of a listener.
pub(super) trait Speak: Clone + Send + Sync + 'static {
    /// What holds its connections.
    fn leash(&self) -> &Leash;

    /// Serves one from the network to its end.
    fn serve_tcp(
        self,
        stream: TcpStream,
        tls: Option<Arc<Served>>,
        slot: Slot,
        arrival: Arrival,
    ) -> impl Future<Output = ()> + Send;

    /// Serves one from this host to its end.
    fn serve_unix(
        self,
        stream: UnixStream,
        tls: Option<Arc<Served>>,
        slot: Slot,
    ) -> impl Future<Output = ()> + Send;
}

/// What the connections of all listeners share.
pub(super) struct Common {
    pub(super) limits: Arc<Limits>,
    pub(super) caps: Arc<Caps>,
    pub(super) pace: Pace<IpAddr>,
    pub(super) phase: watch::Receiver<Phase>,
}

/// What the connections of one listener share. Clones are of the same.
#[derive(Clone)]
pub(super) struct Leash {
    held: Arc<Held>,
    phase: watch::Receiver<Phase>,
}

struct Held {
    listener: String,
    border: Arc<ArcSwap<Border>>,
    limits: Arc<Limits>,
    caps: Arc<Caps>,
    pace: Pace<IpAddr>,
    meters: Meters,
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

impl Leash {
    pub(super) fn new(listener: &str, border: Arc<ArcSwap<Border>>, common: Common) -> Self {
        let Common { limits, caps, pace, phase } = common;
        let (listener, meters) = (listener.to_owned(), Meters::of(listener));
        Self { held: Arc::new(Held { listener, border, limits, caps, pace, meters }), phase }
    }

    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.clone()
    }

    pub(super) fn limits(&self) -> &Arc<Limits> {
        &self.held.limits
    }

    /// What a peer is taken to be; one that is dropped is counted.
    pub(super) fn judge(&self, origin: Origin) -> Result<Arrival, Dropped> {
        judge(&self.held.border.load(), origin).inspect_err(|why| self.count_dropped(*why))
    }

    fn count_dropped(&self, why: Dropped) {
        let listener = self.held.listener.clone();
        counter!("strongroom_connections_dropped_total", "listener" => listener, "reason" => why.reason())
            .increment(1);
    }

    pub(super) fn claim(&self, origin: Origin, arrival: Arrival) -> Result<Slot, Refusal> {
        let claim = match arrival {
            Arrival::Client => self.held.caps.claim(origin),
            Arrival::Forwarding | Arrival::Announcing => self.held.caps.claim_for_many(origin),
        };
        let meters = &self.held.meters;
        if claim.is_ok() { &meters.accepted } else { &meters.refused }.increment(1);
        claim
    }

    /// Counts a connection as open for as long as what is given lives.
    pub(super) fn count_open(&self) -> Open {
        Open::count(&self.held.meters.open)
    }

    /// Whether a client may ask now, and if not, why.
    pub(super) fn may_ask(&self, origin: Origin) -> Result<(), &'static str> {
        let Some(client) = origin.address() else { return Ok(()) };
        if !self.held.border.load().admits(client) {
            return Err("requests from this address are not taken");
        }
        if !self.held.pace.allows(&subscriber(client)) {
            return Err("too many requests; wait a second");
        }
        Ok(())
    }

    /// What is known of a connection of this host.
    pub(super) fn local_way(&self, slot: &Slot) -> Arc<Way> {
        let (border, pace) = (Arc::clone(&self.held.border), self.held.pace.clone());
        let (origin, names) = (slot.origin(), Arc::default());
        Arc::new(Way {
            origin,
            may_forward: false,
            border,
            pace,
            names,
            local: None,
            certificate: None,
            client: None,
        })
    }

    /// What is known of a connection once its proxy, if it has one, has said whom it is for.
    pub(super) async fn way(
        &self,
        stream: &mut TcpStream,
        tls: Option<&Served>,
        slot: &mut Slot,
        arrival: Arrival,
    ) -> Option<Arc<Way>> {
        let local = stream.local_addr().ok()?;
        let mut phase = self.phase.clone();
        if arrival == Arrival::Announcing {
            let border = self.held.border.load_full();
            let announced = tokio::select! {
                announced = announce(stream, slot, &border, self.held.limits.handshake_timeout) => announced,
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
            border: Arc::clone(&self.held.border),
            pace: self.held.pace.clone(),
            // without a certificate nobody knows by what name a proxy asks
            names: tls.map_or_else(|| Arc::new(Names::every()), |tls| Arc::clone(&tls.names)),
            local: Some(local.ip().to_canonical()),
            certificate: tls.map(|tls| ShownCertificate(tls.certificate)),
            client: None,
        }))
    }

    pub(super) async fn handshake<IO: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: IO,
        config: Arc<ServerConfig>,
    ) -> Option<Box<TlsStream<IO>>> {
        let mut phase = self.phase.clone();
        let acceptor = TlsAcceptor::from(config);
        let accept = tokio::time::timeout(self.held.limits.handshake_timeout, acceptor.accept(stream));
        let accepted = tokio::select! {
            accepted = accept => accepted,
            _ = phase.wait_for(|phase| *phase != Phase::Open) => return None,
        };
        if let Ok(Ok(stream)) = accepted {
            return Some(Box::new(stream));
        }
        self.held.meters.handshakes_failed.increment(1);
        if let Ok(Err(error)) = accepted {
            tracing::debug!(%error, "TLS handshake failed");
        }
        None
    }
}

/// Counts an open connection in the gauge for as long as it lives.
pub(super) struct Open(Gauge);

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
