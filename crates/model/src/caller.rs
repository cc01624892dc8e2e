//! Who asks, and from where.

use crate::Command;
use crate::id::{CredentialId, PartitionId, RequestId, TokenId, UserId};
use std::net::IpAddr;
use std::sync::Arc;

/// The listener that a request came by, numbered in the order in which the server opened them: what network rules
/// are looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Entrance(pub u16);

/// A client on the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client {
    /// Its address, never an IPv4-mapped one.
    pub address: IpAddr,
    /// The proxy that spoke for it, if one did: the address that the kernel knows.
    pub via: Option<IpAddr>,
    /// Which way it came in.
    pub entrance: Entrance,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A client on the network.
    Network(Client),
    /// The local socket, with the peer's user id.
    Local {
        /// The uid that the kernel vouches for.
        uid: u32,
    },
    /// The server itself.
    Internal,
}

impl Origin {
    /// A TCP peer that speaks for itself, at the first listener.
    pub fn network(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self::Network(Client { address, via: None, entrance: Entrance::default() })
    }

    /// Who is asking, however they came: what attempts and limits are kept by.
    #[must_use]
    pub fn source(self) -> Self {
        match self {
            Self::Network(client) => Self::network(client.address),
            other => other,
        }
    }

    /// The client's address, if it has one.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Network(client) => Some(client.address),
            Self::Local { .. } | Self::Internal => None,
        }
    }
}

/// As the trail keeps it: `203.0.113.7`, `203.0.113.7 via 10.0.0.2`, `local:1000`, `server`.
impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network(Client { address, via: None, .. }) => write!(f, "{address}"),
            Self::Network(Client { address, via: Some(proxy), .. }) => write!(f, "{address} via {proxy}"),
            Self::Local { uid } => write!(f, "local:{uid}"),
            Self::Internal => f.write_str("server"),
        }
    }
}

/// How a caller proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// A token, named by its accessor, got with an access key.
    Token {
        /// The token's accessor.
        token: TokenId,
        /// The access key it was got with.
        key: CredentialId,
    },
    /// A token of the sharing system, whose members are no users: the principal's id and name are the member's.
    Member {
        /// Names the token.
        token: TokenId,
        /// Whether the member administers the sharing system.
        admin: bool,
        /// When the token was made, milliseconds since 1970.
        issued_ms: i64,
    },
    /// The one-time token of an installation, which the server wrote to a file.
    Installation,
    /// Nothing: only what is open to anyone.
    None,
}

/// Who: a user of a partition.
#[derive(Debug, PartialEq, Eq)]
pub struct Principal {
    /// The user's partition.
    pub partition: PartitionId,
    /// The user.
    pub user: UserId,
    /// The user's name.
    pub name: crate::Name,
}

/// A request's author, as identity established it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user, if a credential proved one.
    pub principal: Option<Arc<Principal>>,
    /// The proof.
    pub credential: Credential,
    /// Where it came from.
    pub origin: Origin,
    /// The request.
    pub request: RequestId,
    /// Of a write: what makes its repetition one.
    pub repeat: Option<Repeat>,
    /// The command that is asked for, where a protocol has commands: network ACLs of its listeners speak of those.
    pub command: Option<Command>,
}

/// What makes a request the repetition of another: the same id and the same digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// SHA-256 over method, path and body.
    pub digest: [u8; 32],
    /// Whether the client named the request; only then is its outcome kept for a repetition.
    pub named: bool,
}

impl Caller {
    /// Whether it is a member of the sharing system, and no user.
    pub fn is_member(&self) -> bool {
        matches!(self.credential, Credential::Member { .. })
    }

    /// A caller that proved nothing.
    pub fn anonymous(origin: Origin, request: RequestId) -> Self {
        Self { principal: None, credential: Credential::None, origin, request, repeat: None, command: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_tells_both_addresses_and_a_source_only_the_clients() {
        let client = Client {
            address: [203, 0, 113, 7].into(),
            via: Some([10, 0, 0, 2].into()),
            entrance: Entrance(3),
        };
        let origin = Origin::Network(client);
        assert_eq!(origin.to_string(), "203.0.113.7 via 10.0.0.2");
        assert_eq!(origin.source(), Origin::network([203, 0, 113, 7].into()));
        assert_eq!(origin.source().to_string(), "203.0.113.7");
        assert_eq!(Origin::Local { uid: 7 }.source().address(), None);
    }

    #[test]
    fn an_ipv4_mapped_peer_is_an_ipv4_client() {
        let mapped = Origin::network("::ffff:127.0.0.1".parse().unwrap());
        assert_eq!(mapped, Origin::network([127, 0, 0, 1].into()));
    }
}
