//! The convection door: the protocol of the system that Strongroom grew out of, so that its own client works unchanged.
//!
//! **What it is for.** A request is a command and a JSON object, an answer a JSON object: over a stream of TLS
//! ([`ConvectionDoor::serve`]) or over a WebSocket ([`ConvectionDoor::serve_web`]). It finds where a request ends, turns
//! the access key id and the token into a caller, asks the gate, calls one engine function, and encodes the answer.
//!
//! **What it promises.** Whatever comes gets an answer or the end of its connection, within bounded memory and time.
//! `authorize` makes a token only once its bearer has shown that they could decrypt it, on the same connection.
//!
//! **What it does not know.** Any rule, and where its connections come from. Errors become failures in one place,
//! `fault`; secret bytes become wire bytes in one place, `commands/secrets.rs`. Start at `table.rs`.

mod asked;
mod commands;
mod fault;
mod meters;
mod reply;
mod request;
mod scan;
mod session;
mod stream;
mod table;
mod web;
mod wiped;

pub use request::MAX_REQUEST_BYTES;
pub use scan::{Flaw, Progress, Scanner};
pub use session::Session;
pub use stream::{Terms, Visit};

use std::sync::Arc;
use strongroom_gate::Gate;
use strongroom_identity::Identity;
use strongroom_model::{Origin, UserId};
use strongroom_operator::Operator;

/// Whether a text is a request whose fields can be read.
pub fn is_request(text: &[u8]) -> bool {
    request::Request::split(text).and_then(|request| request.fields()).is_ok()
}

/// What the door stands on.
pub struct Parts {
    /// The gate.
    pub gate: Arc<Gate>,
    /// The operator engine.
    pub operator: Arc<Operator>,
    /// The identity engine.
    pub identity: Arc<Identity>,
    /// Whether a text is the one-time token of an installation.
    pub is_install_token: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// Whether a user may ask now, or has asked too often.
    pub is_paced: Box<dyn Fn(UserId) -> bool + Send + Sync>,
}

/// The door. Clones share everything.
#[derive(Clone)]
pub struct ConvectionDoor(Arc<Door>);

pub(crate) struct Door {
    parts: Parts,
    /// Made with the first answer: a server that opens no such door has no series of it.
    meters: std::sync::LazyLock<meters::Meters>,
}

impl std::ops::Deref for Door {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl ConvectionDoor {
    /// A door over its parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Door { parts, meters: std::sync::LazyLock::new(meters::Meters::new) }))
    }

    /// What one connection says and hears.
    pub fn session(&self, origin: Origin) -> Session {
        Session::new(Arc::clone(&self.0), origin)
    }
}

impl std::fmt::Debug for ConvectionDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConvectionDoor")
    }
}
