//! Who asks, and from where.

use crate::id::{CredentialId, PartitionId, RequestId, TokenId, UserId};
use std::net::IpAddr;
use std::sync::Arc;

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A TCP peer.
    Network(IpAddr),
    /// The local socket, with the peer's user id.
    Local {
        /// The uid that the kernel vouches for.
        uid: u32,
    },
    /// The server itself.
    Internal,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network(address) => write!(f, "{address}"),
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
    /// A caller that proved nothing.
    pub fn anonymous(origin: Origin, request: RequestId) -> Self {
        Self { principal: None, credential: Credential::None, origin, request, repeat: None }
    }
}
