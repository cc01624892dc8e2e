//! Files of Convection Secrets Manager, the system that Strongroom's core grew out of.
//!
//! **What it is for.** Whoever ran that server has a storage directory, configurations and answer files of it. They are
//! read here, so that nobody begins again.
//!
//! **What it promises.** Texts in, values and texts out: no file, no socket, no clock. Everything that is read is bounded in
//! size, depth and number, and what is wrong is told with its place and never with a value.
//!
//! **What it does not know.** Folders, servers, what is stored already. It is written from the formats as observed, and
//! shares no line with the original.
//!
//! **Where to start.** [`storage::Folder`] for a storage directory and [`moving::Plan`] for what becomes of it;
//! [`server_config`], [`client_config`] and [`auth_file`] for what people wrote; [`answers`] for the questions of a setup.

pub mod answers;
pub mod auth_file;
pub mod client_config;
mod document;
pub mod fernet;
mod fields;
pub mod moving;
pub mod server_config;
pub mod storage;
pub mod time;

pub use document::DocumentError;
pub use fields::{Fault, FileError, Finding, Findings};

use std::net::{IpAddr, Ipv4Addr};

/// The local socket, if nobody says where it is.
pub const DEFAULT_SOCKET: &str = "/var/run/convection.secrets.sock";
/// The network's port.
pub const DEFAULT_PORT: u16 = 9670;
/// The WebSocket's port.
pub const DEFAULT_WEBSOCKET_PORT: u16 = 9671;
/// The address that is listened on and asked, if nobody says which.
pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A text in quotes as TOML, YAML and JSON all read it: JSON's form.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
