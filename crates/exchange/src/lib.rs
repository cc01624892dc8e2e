//! Keeps encrypted records and finds them by token; holds no key.
//!
//! **What it is for.** The place that organisations send their records to and search them in, and that nobody needs to
//! trust: it sees ids, sizes, times and tokens.
//!
//! **What it promises.** What is acknowledged is durable. A record is taken once, signed by its collector, in its order;
//! whatever contradicts what was taken is refused, kept and counted. A page of a question costs what the page costs,
//! however much there is. Nothing that a member sends stops it or holds more than its share.
//!
//! **What it does not know.** Names, values, fields, policies' keys; what a token stands for.
//!
//! **Where to start.** [`run`], then [`keeper`] for what comes in, [`find`] for what goes out, [`storage`] for where it is.

pub mod find;
pub mod keeper;
pub mod members;
pub mod options;
pub mod postgres;
pub mod run;
pub mod sqlite;
pub mod storage;
pub mod submission;
pub mod token;
pub mod web;

pub use options::{Options, OptionsError, Plaintext, Said};
pub use run::{ExchangeError, run};
