//! One connection of the convection door: TLS 1.3, whatever carries it, and then the door's own.

use super::Phase;
use super::arrival::Arrival;
use super::caps::Slot;
use super::leash::{Leash, Speak};
use super::visitor::Way;
use crate::config::Transport;
use crate::tls::Served;
use std::sync::Arc;
use strongroom_door_convection::{ConvectionDoor, Terms, Visit};
use strongroom_model::Origin;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// The convection door on the connections of one listener.
#[derive(Clone)]
pub(super) struct Conversations {
    leash: Leash,
    door: ConvectionDoor,
    transport: Transport,
}

impl Speak for Conversations {
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
        // never bound without a certificate
        let Some(tls) = tls else { return };
        let way = Box::pin(self.leash.way(&mut stream, Some(&tls), &mut slot, arrival)).await;
        let Some(way) = way else { return };
        self.converse(stream, &tls, &way).await;
        drop((open, slot));
    }

    async fn serve_unix(self, stream: UnixStream, tls: Option<Arc<Served>>, slot: Slot) {
        let open = self.leash.count_open();
        let way = self.leash.local_way(&slot);
        // bound with a certificate: see `config::Listener::has_tls`
        if let Some(tls) = tls {
            self.converse(stream, &tls, &way).await;
        }
        drop((open, slot));
    }
}

impl Conversations {
    pub(super) fn new(leash: Leash, door: ConvectionDoor, transport: Transport) -> Self {
        Self { leash, door, transport }
    }

    async fn converse<IO>(&self, stream: IO, tls: &Served, way: &Way)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let Some(stream) = Box::pin(self.leash.handshake(stream, Arc::clone(&tls.strict))).await else {
            return;
        };
        let (mut phase, mut closing) = (self.leash.phase(), self.leash.phase());
        let stop = async move {
            let _ = phase.wait_for(|phase| *phase != Phase::Open).await;
        };
        let served = async {
            match self.transport {
                Transport::Stream => self.door.serve(stream, &self.visit(way.origin), stop).await,
                Transport::WebSocket => {
                    let admit = |request: &http::Request<()>| {
                        way.page_visitor(request)
                            .map(|origin| self.visit(origin))
                            .map_err(|turned| turned.code.status())
                    };
                    self.door.serve_web(stream, self.terms(), admit, stop).await;
                }
            }
        };
        tokio::select! {
            () = served => {}
            _ = closing.wait_for(|phase| *phase == Phase::Closing) => {}
        }
    }

    fn terms(&self) -> Terms {
        let limits = self.leash.limits();
        Terms {
            idle: limits.idle_timeout,
            arrival: limits.body_timeout,
            unread: limits.body_timeout,
            answer: limits.request_timeout,
        }
    }

    fn visit(&self, origin: Origin) -> Visit {
        let leash = self.leash.clone();
        Visit { origin, terms: self.terms(), may_ask: Box::new(move || leash.may_ask(origin)) }
    }
}
