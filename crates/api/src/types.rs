//! Request and response bodies. Secrets in them are plain text on purpose: this is the wire.

mod acls;
mod audit;
mod auth;
mod authz;
mod keys;
mod operator;
mod people;
mod secrets;
mod sharing;
mod stores;

pub use acls::*;
pub use audit::*;
pub use auth::*;
pub use authz::*;
pub use keys::*;
pub use operator::*;
pub use people::*;
pub use secrets::*;
pub use sharing::*;
pub use stores::*;
