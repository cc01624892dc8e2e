//! Users, groups, ACLs, credentials and tokens as records (`docs/formats/secrets.md`).

use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_authz::{Acl, Covers, List, Mode, Pattern};
use strongroom_barrier::{Reader, Writer};
use strongroom_model::{Access, AclId, CredentialId, GroupId, Name, TokenId, UserId};

const FIRST: u8 = 1;
const SECOND: u8 = 2;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The user's name.
    pub name: Name,
    /// Made when.
    pub created: UnixMillis,
    /// Whether the user's credentials and tokens hold.
    pub enabled: bool,
    /// Tokens made then or earlier have ended.
    pub tokens_ended: UnixMillis,
    /// The groups that the user is in. One that is gone counts for nothing.
    pub groups: Vec<GroupId>,
    /// The ACLs attached to the user. One that is gone counts for nothing.
    pub acls: Vec<AclId>,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRecord {
    /// The group's name.
    pub name: Name,
    /// Made when.
    pub created: UnixMillis,
    /// The ACLs attached to it. One that is gone counts for nothing.
    pub acls: Vec<AclId>,
}

/// An ACL.
#[derive(Debug, Clone)]
pub struct AclRecord {
    /// The rule, compiled, with its name.
    pub acl: Arc<Acl>,
    /// Made when.
    pub created: UnixMillis,
    /// Last changed when.
    pub updated: UnixMillis,
    /// From 1, one more with each change.
    pub revision: u64,
}

/// A credential: an access key's public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRecord {
    /// Whose.
    pub user: UserId,
    /// DER `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
    /// Made when.
    pub created: UnixMillis,
}

/// A password. Setting it anew makes another one, with another id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRecord {
    /// Names it without being it: what tokens got with it say.
    pub id: CredentialId,
    /// Made when.
    pub created: UnixMillis,
    /// Its hash, a PHC string.
    pub hash: String,
}

/// How a token was got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// By proof of possession of an access key.
    AccessKey,
    /// With a password.
    Password,
}

/// A token, stored as a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// Whose.
    pub user: UserId,
    /// The access key it was got with, or the password's id.
    pub key: CredentialId,
    /// Names the token without being it.
    pub accessor: TokenId,
    /// Made when.
    pub created: UnixMillis,
    /// Until when.
    pub expires: UnixMillis,
    /// How it was got.
    pub way: Way,
}

impl UserRecord {
    /// A new user: enabled, in no group.
    pub fn new(name: Name, created: UnixMillis) -> Self {
        Self {
            name,
            created,
            enabled: true,
            tokens_ended: UnixMillis(0),
            groups: Vec::new(),
            acls: Vec::new(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let writer = Writer::new()
            .u8(SECOND)
            .i64(self.created.0)
            .bytes(self.name.as_str().as_bytes())
            .u8(u8::from(self.enabled))
            .i64(self.tokens_ended.0);
        let writer = ids(writer, self.groups.iter().map(|id| id.0));
        ids(writer, self.acls.iter().map(|id| id.0)).finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let format = reader.u8()?;
        let created = UnixMillis(reader.i64()?);
        let user = Self::new(Name::new(reader.text()?).ok()?, created);
        match format {
            FIRST => Some(user),
            SECOND => Some(Self {
                enabled: flag(&mut reader)?,
                tokens_ended: UnixMillis(reader.i64()?),
                groups: read_ids(&mut reader)?.map(GroupId).collect(),
                acls: read_ids(&mut reader)?.map(AclId).collect(),
                ..user
            }),
            _ => None,
        }
    }
}

impl GroupRecord {
    pub(super) fn encode(&self) -> Vec<u8> {
        let writer = Writer::new().u8(FIRST).i64(self.created.0).bytes(self.name.as_str().as_bytes());
        ids(writer, self.acls.iter().map(|id| id.0)).finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FIRST).then_some(())?;
        Some(Self {
            created: UnixMillis(reader.i64()?),
            name: Name::new(reader.text()?).ok()?,
            acls: read_ids(&mut reader)?.map(AclId).collect(),
        })
    }
}

impl AclRecord {
    pub(super) fn encode(&self) -> Vec<u8> {
        let acl = &self.acl;
        let writer = Writer::new()
            .u8(FIRST)
            .i64(self.created.0)
            .i64(self.updated.0)
            .u64(self.revision)
            .bytes(acl.name().as_str().as_bytes())
            .u8(match acl.mode() {
                Mode::Allow => 1,
                Mode::Deny => 2,
            })
            .u8(acl.access().bits());
        match acl.covers() {
            Covers::Everything => writer.u8(1),
            Covers::Commands(commands) => texts(writer.u8(2), commands),
            Covers::Stores { stores, secrets } => texts(texts(writer.u8(3), stores), secrets),
        }
        .finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FIRST).then_some(())?;
        let (created, updated) = (UnixMillis(reader.i64()?), UnixMillis(reader.i64()?));
        let revision = reader.u64()?;
        let name = Name::new(reader.text()?).ok()?;
        let mode = match reader.u8()? {
            1 => Mode::Allow,
            2 => Mode::Deny,
            _ => return None,
        };
        let access = Access::from_bits(reader.u8()?)?;
        let covers = match reader.u8()? {
            1 => Covers::Everything,
            2 => Covers::Commands(patterns(List::Commands, &mut reader)?),
            3 => Covers::Stores {
                stores: patterns(List::Stores, &mut reader)?,
                secrets: patterns(List::Secrets, &mut reader)?,
            },
            _ => return None,
        };
        let acl = Arc::new(Acl::new(name, mode, access, covers).ok()?);
        Some(Self { acl, created, updated, revision })
    }
}

fn texts(writer: Writer, patterns: &[Pattern]) -> Writer {
    let writer = writer.u32(u32::try_from(patterns.len()).unwrap_or(u32::MAX));
    patterns.iter().fold(writer, |writer, pattern| writer.bytes(pattern.as_str().as_bytes()))
}

fn patterns(list: List, reader: &mut Reader<'_>) -> Option<Vec<Pattern>> {
    let count = reader.u32()?;
    let texts = (0..count).map(|_| reader.text()).collect::<Option<Vec<_>>>()?;
    Acl::patterns(list, texts).ok()
}

impl CredentialRecord {
    pub(super) fn encode(&self) -> Vec<u8> {
        Writer::new().u8(FIRST).raw(&self.user.0).i64(self.created.0).bytes(&self.spki).finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FIRST).then_some(())?;
        Some(Self {
            user: UserId(reader.array()?),
            created: UnixMillis(reader.i64()?),
            spki: reader.bytes()?.to_vec(),
        })
    }
}

impl PasswordRecord {
    pub(super) fn encode(&self) -> Vec<u8> {
        Writer::new().u8(FIRST).raw(&self.id.0).i64(self.created.0).bytes(self.hash.as_bytes()).finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FIRST).then_some(())?;
        Some(Self {
            id: CredentialId(reader.array()?),
            created: UnixMillis(reader.i64()?),
            hash: reader.text()?.to_owned(),
        })
    }
}

impl TokenRecord {
    pub(super) fn encode(&self) -> Vec<u8> {
        Writer::new()
            .u8(SECOND)
            .raw(&self.digest)
            .raw(&self.user.0)
            .raw(&self.key.0)
            .raw(&self.accessor.0)
            .i64(self.created.0)
            .i64(self.expires.0)
            .u8(match self.way {
                Way::AccessKey => 1,
                Way::Password => 2,
            })
            .finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let format = reader.u8()?;
        let token = Self {
            digest: reader.array()?,
            user: UserId(reader.array()?),
            key: CredentialId(reader.array()?),
            accessor: TokenId(reader.array()?),
            created: UnixMillis(reader.i64()?),
            expires: UnixMillis(reader.i64()?),
            way: Way::AccessKey,
        };
        let way = match format {
            FIRST => Way::AccessKey,
            SECOND => match reader.u8()? {
                1 => Way::AccessKey,
                2 => Way::Password,
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { way, ..token })
    }
}

fn flag(reader: &mut Reader<'_>) -> Option<bool> {
    match reader.u8()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn ids(writer: Writer, ids: impl ExactSizeIterator<Item = [u8; 16]>) -> Writer {
    let writer = writer.u32(u32::try_from(ids.len()).unwrap_or(u32::MAX));
    ids.fold(writer, |writer, id| writer.raw(&id))
}

fn read_ids(reader: &mut Reader<'_>) -> Option<std::vec::IntoIter<[u8; 16]>> {
    let count = reader.u32()?;
    (0..count).map(|_| reader.array()).collect::<Option<Vec<_>>>().map(Vec::into_iter)
}

#[cfg(test)]
mod tests;
