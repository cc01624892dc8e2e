//! Engine: the attribute authority of the sharing system.
//!
//! **What it is for.** It knows the members, what attributes each has in which epoch, and holds the one master key from
//! which their keys are made. A door turns a bearer token into a caller by [`Attributes::caller_of`], asks the gate for a
//! permit about [`strongroom_gate::Sharing`] (`named`, `claimed`, `Sharing::own`, `Sharing::whole`), and spends it in one
//! function here.
//!
//! **What it promises.** The master key never leaves the seal: it is opened for an operation and wiped. It is made once,
//! where there is none, and never in the place of another. Keys are made on demand, for epochs that the member may read,
//! and only ever wrapped to the key that the member registered with its password: a bearer token alone opens nothing.
//! Losing an attribute, being suspended or removed begins a new epoch at once; a request of a suspended member that was
//! under way is refused when it is to be committed, and a key that was made meanwhile is not given up. Each key, each
//! question for tokens is an entry of the trail, which never has a value. What is remembered has bounds.
//!
//! **What it does not know.** HTTP, records, the exchange.
//!
//! **Where to start.** [`Attributes`], [`Settings`], [`Attributes::create_user`], [`Attributes::member_keys`].

mod actions;
mod callers;
mod ended;
mod enrolment;
mod error;
mod groups;
mod heads;
mod jwt;
mod keys;
mod limits;
mod manifest;
mod members;
mod names;
mod passwords;
mod search;
mod secrets;
mod settings;
mod spans;
mod upkeep;

pub use actions::*;
pub use callers::Granted;
pub use enrolment::{Enrolment, Replace};
pub use error::AuthorityError;
pub use keys::MAX_EPOCHS;
pub use members::{CreatedMember, MemberSummary, NewMember};
pub use names::{MAX_NAME_BYTES, claimed, named, registered_name};
pub use search::{MAX_TOKENS, MAX_VALUES};
pub use settings::{
    MANIFEST_AGE_SECS, MAX_TOKEN_TTL, MIN_TOKEN_SECRET_BYTES, Settings, WeakSecretError, check_token_secret,
};

pub use strongroom_gate::{Sharing, Standing};

use crate::limits::Limits;
use crate::manifest::Prepared;
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::Arc;
use strongroom_gate::{Backoff, Entry, Gate, Verdict};

/// The attribute authority.
pub struct Attributes {
    gate: Arc<Gate>,
    settings: ArcSwap<Settings>,
    backoff: Backoff,
    limits: Limits,
    prepared: ArcSwapOption<Prepared>,
}

impl Attributes {
    /// An engine over a gate.
    pub fn new(gate: Arc<Gate>, settings: Settings) -> Self {
        Self {
            gate,
            settings: ArcSwap::from_pointee(settings),
            backoff: Backoff::default(),
            limits: Limits::default(),
            prepared: ArcSwapOption::empty(),
        }
    }

    /// What it is configured with from here on.
    pub fn set(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// Gives up a result once its entry is durable.
    async fn release<T>(&self, entry: Entry, value: T) -> Result<T, AuthorityError> {
        Ok(self.gate.release(entry.hold(Verdict::Released, value)).await?)
    }
}

impl std::fmt::Debug for Attributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attributes")
    }
}
