//! What is made of a peer before it has said a word of TLS.

use super::caps::Slot;
use super::proxy::{self, Announced};
use crate::config::Border;
use std::io;
use std::time::Duration;
use strongroom_model::{Client, Origin};
use tokio::net::TcpStream;

/// What a peer is taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// A client.
    Client,
    /// A listed proxy that may name the client of each request.
    Forwarding,
    /// A listed proxy that names the client of the whole connection first.
    Announcing,
}

/// Why a connection is dropped without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Dropped {
    /// The client is outside the listener's floor.
    #[error("address outside the floor")]
    Address,
    /// Only listed proxies come here.
    #[error("not a listed proxy")]
    UntrustedProxy,
    /// A listed proxy that does not say whom it speaks for, or not in time.
    #[error("no good header of the PROXY protocol")]
    ProxyHeader,
    /// The client has as many connections as it may.
    #[error("too many connections of the client")]
    Full,
}

impl Dropped {
    /// As metrics show it.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::UntrustedProxy => "untrusted_proxy",
            Self::ProxyHeader => "proxy_header",
            Self::Full => "full",
        }
    }
}

/// Judges a peer by its address alone.
pub(super) fn judge(border: &Border, origin: Origin) -> Result<Arrival, Dropped> {
    let Some(peer) = origin.address() else { return Ok(Arrival::Client) };
    match (border.proxy_protocol, border.trusts(peer)) {
        (true, true) => Ok(Arrival::Announcing),
        (true, false) => Err(Dropped::UntrustedProxy),
        (false, true) => Ok(Arrival::Forwarding),
        (false, false) if border.admits(peer) => Ok(Arrival::Client),
        (false, false) => Err(Dropped::Address),
    }
}

/// Hears from a proxy whom the connection is for; the floor and the caps are the client's from then on.
pub(super) async fn announce(
    stream: &mut TcpStream,
    slot: &mut Slot,
    border: &Border,
    patience: Duration,
) -> Result<(), Dropped> {
    let heard = tokio::time::timeout(patience, proxy::read(stream)).await;
    let heard = heard.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let announced = heard.map_err(|error| {
        tracing::debug!(%error, origin = %slot.origin(), "no PROXY header");
        Dropped::ProxyHeader
    })?;
    let origin = match (announced, slot.origin()) {
        (Announced::Client(address), Origin::Network(proxy)) => {
            Origin::Network(Client { address, via: Some(proxy.address), entrance: proxy.entrance })
        }
        (_, itself) => itself,
    };
    if origin.address().is_some_and(|client| !border.admits(client)) {
        return Err(Dropped::Address);
    }
    slot.become_of(origin).map_err(|_| Dropped::Full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(border: &Border, peer: &str) -> Result<Arrival, Dropped> {
        judge(border, Origin::network(peer.parse().unwrap()))
    }

    #[test]
    fn a_peer_is_judged_by_its_address() {
        let open = Border::default();
        assert_eq!(judged(&open, "203.0.113.7"), Ok(Arrival::Client));
        let floor = Border { addresses: vec!["10.0.0.0/8".parse().unwrap()], ..Border::default() };
        assert_eq!(judged(&floor, "10.1.1.1"), Ok(Arrival::Client));
        assert_eq!(judged(&floor, "::ffff:10.1.1.1"), Ok(Arrival::Client));
        assert_eq!(judged(&floor, "203.0.113.7"), Err(Dropped::Address));
        let forwarded = Border { trusted_proxies: vec!["192.0.2.2".parse().unwrap()], ..floor };
        assert_eq!(judged(&forwarded, "192.0.2.2"), Ok(Arrival::Forwarding));
        assert_eq!(judged(&forwarded, "192.0.2.3"), Err(Dropped::Address));
        let announced = Border { proxy_protocol: true, ..forwarded };
        assert_eq!(judged(&announced, "192.0.2.2"), Ok(Arrival::Announcing));
        assert_eq!(judged(&announced, "10.1.1.1"), Err(Dropped::UntrustedProxy));
        assert_eq!(judge(&announced, Origin::Local { uid: 7 }), Ok(Arrival::Client));
    }
}
