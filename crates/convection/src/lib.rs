//! Files of Convection Secrets Manager, the system that Strongroom's core grew out of.
//!
//! **What it is for.** Whoever ran that server has a storage directory, configurations and answer files of it. They are
//! read here, so that nobody begins again.
//!
//! **What it promises.** Readers only: no file, no socket, no clock. Everything that is read is bounded in size,
//! depth and number, and what is wrong is told with its place and never with a value.
//!
//! **What it does not know.** Folders, servers, what is stored already. It is written from the formats as observed, and
//! shares no line with the original.
//!
//! **Where to start.** [`storage::Folder`] for a storage directory, [`fernet`] for what its files are sealed with.

mod document;
pub mod fernet;
pub mod storage;

pub use document::DocumentError;
