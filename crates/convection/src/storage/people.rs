//! `auth.db`: users, groups, ACLs.

use super::{FileFault, open_with};
use crate::document::{self, DocumentError};
use crate::fernet::FernetKeys;
use strongroom_model::Access;
use strongroom_secret::SecretBytes;
use toml::de::{DeTable, DeValue};

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldKey {
    /// Its id: 32 hexadecimal digits.
    pub id: String,
    /// The public key: the lines of its PEM, without the first and the last.
    pub public_key: String,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldUser {
    /// The user's name.
    pub name: String,
    /// The user's access keys.
    pub keys: Vec<OldKey>,
    /// Names of ACLs.
    pub acls: Vec<String>,
    /// How many tokens there are; they are not taken over.
    pub tokens: usize,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldGroup {
    /// Its name.
    pub name: String,
    /// Names of its users.
    pub users: Vec<String>,
    /// Names of ACLs.
    pub acls: Vec<String>,
}

/// The type of an ACL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AclKind {
    /// `ACLObject`.
    Object,
    /// `ACLCommand`.
    Command {
        /// Patterns of commands.
        commands: Vec<String>,
    },
    /// `ACLStore`.
    Store {
        /// Patterns of stores.
        store_paths: Vec<String>,
        /// Patterns of secrets.
        secret_names: Vec<String>,
    },
}

/// Whether an ACL allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessMode {
    /// It allows.
    Allow,
    /// It denies.
    Deny,
}

/// An ACL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldAcl {
    /// Its name.
    pub name: String,
    /// Whether it allows or denies.
    pub mode: AccessMode,
    /// Which access.
    pub access: Access,
    /// To what.
    pub kind: AclKind,
}

/// Everybody, and what they may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Users, by name.
    pub users: Vec<OldUser>,
    /// Groups, by name.
    pub groups: Vec<OldGroup>,
    /// ACLs.
    pub acls: Vec<OldAcl>,
}

/// Opens `auth.db` with its keyset.
pub(super) fn open(file: &[u8], keyset: &FernetKeys) -> Result<People, FileFault> {
    Ok(read_people(&open_with(file, keyset)?)?)
}

/// Reads what `auth.db` holds when it is open.
pub fn read_people(opened: &SecretBytes) -> Result<People, DocumentError> {
    document::read(opened, |document| {
        Ok(People {
            users: each(document, "users", user)?,
            groups: each(document, "groups", group)?,
            acls: document::list(document, "acls", acl)?,
        })
    })
}

fn each<T>(
    document: &DeTable<'_>,
    name: &str,
    read: fn(&str, &DeTable<'_>) -> Result<T, DocumentError>,
) -> Result<Vec<T>, DocumentError> {
    let Some(table) = document::table(document, name)? else { return Ok(Vec::new()) };
    let one = |(name, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
        read(name.get_ref(), document::as_table(value.get_ref(), name.get_ref())?)
    };
    table.iter().map(one).collect()
}

fn user(name: &str, table: &DeTable<'_>) -> Result<OldUser, DocumentError> {
    let key = |value: &DeValue<'_>| {
        let table = document::as_table(value, "keys")?;
        let id = document::text(table, "access_key_id", name)?;
        Ok(OldKey { id, public_key: document::text(table, "pubkey", name)? })
    };
    Ok(OldUser {
        name: name.to_owned(),
        keys: document::list(table, "keys", key)?,
        acls: document::texts(table, "acls")?,
        tokens: document::list(table, "tokens", |_| Ok(()))?.len(),
    })
}

fn group(name: &str, table: &DeTable<'_>) -> Result<OldGroup, DocumentError> {
    let (users, acls) = (document::texts(table, "users")?, document::texts(table, "acls")?);
    Ok(OldGroup { name: name.to_owned(), users, acls })
}

fn acl(value: &DeValue<'_>) -> Result<OldAcl, DocumentError> {
    let table = document::as_table(value, "acls")?;
    let name = document::text(table, "name", "an ACL")?;
    let wrong = |what: &str, wanted| DocumentError::Shape { what: format!("{what} of ACL {name}"), wanted };
    let mode = document::number_or_text(table, "mode", &name)?;
    let mode = match mode.to_ascii_lowercase().as_str() {
        "1" | "allow" => AccessMode::Allow,
        "0" | "deny" => AccessMode::Deny,
        _ => return Err(wrong("mode", "allow or deny")),
    };
    let access = document::number_or_text(table, "access_mode", &name)?;
    let access = match access.parse::<u8>() {
        Ok(bits) => Access::from_bits(bits),
        Err(_) if access.is_empty() => Some(Access::NONE),
        Err(_) => Access::from_letters(&access),
    };
    let access = access.ok_or_else(|| wrong("access_mode", "a set of r, w, m, d"))?;
    let kind = match document::text(table, "object", &name)?.as_str() {
        "ACLObject" => AclKind::Object,
        "ACLCommand" => AclKind::Command { commands: document::texts(table, "commands")? },
        "ACLStore" => AclKind::Store {
            store_paths: document::texts(table, "store_paths")?,
            secret_names: document::texts(table, "secret_names")?,
        },
        _ => return Err(wrong("object", "ACLObject, ACLCommand or ACLStore")),
    };
    Ok(OldAcl { name, mode, access, kind })
}
