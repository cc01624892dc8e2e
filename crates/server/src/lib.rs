//! Configuration, listeners, wiring.
//!
//! **What it is for.** Everything between the operating system and the doors: what the operator writes, what the
//! network sends, what signals ask, and the process that stands around it.
//!
//! **What it promises.** A configuration is refused with every fault and its line, or runs. No client can stop a
//! listener or hold more than its bounded share. Reloading drops no connection; stopping finishes what was begun.
//!
//! **What it does not know.** What a request means: that is the doors' part.
//!
//! **Where to start.** [`run()`] and [`dev()`], then [`config::Config`] and [`listen::Listeners`].

pub mod backup;
mod borders;
mod chores;
pub mod config;
mod dev;
pub mod doctor;
mod error;
mod gauges;
pub mod harden;
mod install_token;
mod key_file;
mod kms;
pub mod listen;
pub mod logging;
pub mod metrics;
pub mod names;
mod newcomer;
pub mod notify;
pub mod pid_file;
pub mod quiet;
pub mod rate;
mod run;
mod sharing;
pub mod signals;
mod syslog;
pub mod tls;
mod wire;

pub use dev::{DevOptions, DevReady, FIRST_SECRET, FIRST_STORE, dev};
pub use error::ServerError;
pub use install_token::INSTALL_TOKEN_FILE;
pub use kms::{KMS_ROOT_KEY, KMS_STORE, KMS_UNLOCK_KEY, KmsError, KmsOptions, KmsReady, kms, private_folder};
pub use newcomer::FirstTime;
pub use run::{check, run, run_from};
pub use strongroom_operator::WARNINGS;
pub use syslog::SyslogError;
