//! What collector and query share: configuration, secrets folder, enrolment, clients of authority and exchange.
//!
//! **What it is for.** A member of the sharing system works with two servers and a folder of keys: this crate is that member.
//!
//! **What it promises.** Only what the folder lacks is fetched; each file in it is there as a whole or not at all. A manifest is
//! believed only under the authority's key that was pinned or seen first, and never goes back. A token is renewed by the
//! member's signing key. Answers are bounded in size and time.
//!
//! **What it does not know.** Records, policies, queries.
//!
//! **Where to start.** [`Config`] reads the file, [`SecretsFolder`] keeps the keys, [`enroll`] makes and
//! registers them, [`Session`] is the member at work with [`Authority`] and [`Exchange`].

mod administrator;
mod authority;
pub mod config;
mod enroll;
mod error;
mod exchange;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
mod folder;
pub mod http;
mod identity;
mod keys;
mod manifest;
mod session;
mod yaml;

pub use administrator::{Administrator, Measure};
pub use authority::Authority;
pub use config::{Config, ConfigError, Fault, Section};
pub use enroll::{Enrolled, Enrolment, enroll, is_enrolled};
pub use error::{ManifestError, MemberError};
pub use exchange::Exchange;
pub use folder::{FolderError, SecretsFolder};
pub use http::{HttpError, Lines, Patience, Server, Url};
pub use identity::Identity;
pub use manifest::Trusted;
pub use session::{Program, Session, Token};
pub use yaml::{Node, Value, read_yaml};
