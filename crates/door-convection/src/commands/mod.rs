//! The commands, by what they are about. Each decodes, asks the gate, calls one engine function and encodes.

pub(crate) mod acls;
pub(crate) mod auth;
pub(crate) mod groups;
pub(crate) mod keysets;
mod page;
mod parts;
pub(crate) mod secrets;
mod settings;
mod shapes;
pub(crate) mod stores;
pub(crate) mod system;
pub(crate) mod users;

#[cfg(test)]
mod tests;
