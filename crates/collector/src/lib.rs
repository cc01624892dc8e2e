//! The collector: takes records in, decides by policy who may read and search which field, encrypts, spools and posts.
//!
//! **What it is for.** It stands with its organisation's own machines, where records are still in clear, and is the last
//! place where they are: what leaves it is sealed field by field.
//!
//! **What it promises.** A record is acknowledged when it is durable. A field that cannot be encrypted stops its record, with
//! an error that names the field; no record is lost without a word. Whatever comes in is bounded: sizes, depth, fields,
//! connections, time. Where the way out is blocked, senders wait; nothing piles up in memory.
//!
//! **What it does not know.** Who the readers are: it knows attributes, and keys of its own.
//!
//! **Where to start.** [`policy::Rules`] and [`plan::Keyed`] for what becomes of a record, `inputs` for where records come
//! from.

pub mod explain;
pub mod inputs;
pub mod intake;
pub mod keeper;
pub mod pipeline;
pub mod plan;
pub mod policy;
pub mod poster;
pub mod program;
pub mod record;
pub mod rejected;
pub mod sample;
pub mod send;
pub mod settings;
pub mod spool;

mod members;
#[cfg(test)]
mod testing;

pub use inputs::Inputs;
pub use intake::{Intake, Sink, SinkError, Stop, Stopper};
pub use pipeline::{Pipeline, PipelineError};
pub use plan::{Keyed, Plan};
pub use policy::Rules;
pub use program::last_sealed;
pub use record::{Incoming, Mark, RecordError};
pub use settings::{Settings, SettingsError};
