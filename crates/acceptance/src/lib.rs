//! The sharing system as a whole, against an oracle in plain text.
//!
//! **What it is for.** Three organisations with different policies, three readers with different attributes, records as a
//! honeypot makes them and published threat data; what readers see of them through the real programs must be what the
//! policies say, field by field, and what the exchange has seen must tell nothing. `cargo xtask acceptance` runs all of
//! it, a test of the command line a small part.
//!
//! **What it promises.** It knows of the programs what their documents say and uses no code of theirs: what they get wrong
//! it does not get wrong with them. The same seed makes the same records and the same questions.
//!
//! **What it does not know.** How anything is sealed.
//!
//! **Where to start.** [`world`] (who decides what), [`honeypot`] (what there is), [`oracle`] (what follows).

pub mod fault;
pub mod honeypot;
pub mod needles;
pub mod oracle;
pub mod program;
pub mod questions;
pub mod random;
pub mod run;
pub mod threat;
pub mod world;

mod collecting;
mod http;
mod reading;
mod remains;
mod stage;
mod wire;

pub use fault::{Fault, Outcome};
pub use run::{Plan, run};
