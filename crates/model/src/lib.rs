//! Words: ids, names, actions, principals, JSON texts. Plain data, no I/O.
//!
//! **What it is for.** The vocabulary that every other crate speaks; see `GLOSSARY.md`.
//!
//! **What it promises.** A [`Name`] or [`SecretPath`] that exists is valid: in NFC, without control characters,
//! traversal or empty components, within its length. A [`JsonText`] that exists was scanned once: UTF-8, bounded in
//! size and depth, without duplicate keys at any level, kept to the byte.
//!
//! **What it does not know.** Keys, storage, who may do what.

mod access;
mod action;
mod caller;
mod command;
mod id;
mod json;
mod name;
mod network;
mod value;

pub use access::Access;
pub use action::{Action, Effect};
pub use caller::{Caller, Client, Credential, Entrance, Origin, Principal, Repeat};
pub use command::{Command, RESERVED_WORDS, ROTATE_WORD};
pub use id::{
    AclId, CredentialId, FolderId, GroupId, IdError, JobId, KeysetId, ObjectId, PartitionId, RequestId,
    StoreId, TokenId, UserId,
};
pub use json::{JsonError, JsonFault, JsonLimits, JsonText, scan as scan_json};
pub use name::{MAX_COMPONENT_BYTES, MAX_PATH_BYTES, Name, NameError, SecretPath};
pub use network::{Network, NetworkError, subscriber};
pub use value::{MAX_VALUE_BYTES, ValueKind};
