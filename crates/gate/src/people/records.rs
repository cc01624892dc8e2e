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
mod tests {
    use super::*;

    const AT: UnixMillis = UnixMillis(1_795_305_600_000);

    fn user() -> UserRecord {
        UserRecord {
            enabled: false,
            tokens_ended: UnixMillis(7),
            groups: vec![GroupId([1; 16])],
            acls: vec![AclId([2; 16]), AclId([3; 16])],
            ..UserRecord::new(Name::new("ключ").unwrap(), AT)
        }
    }

    fn token() -> TokenRecord {
        TokenRecord {
            digest: [1; 32],
            user: UserId([2; 16]),
            key: CredentialId([3; 16]),
            accessor: TokenId([4; 16]),
            created: AT,
            expires: AT.plus(std::time::Duration::from_mins(1)),
            way: Way::Password,
        }
    }

    fn acl(mode: Mode, covers: Covers) -> Vec<u8> {
        let access = Access::READ.with(Access::DELETE);
        let acl = Arc::new(Acl::new(Name::new("web-read").unwrap(), mode, access, covers).unwrap());
        let record = AclRecord { acl, created: AT, updated: AT, revision: 3 };
        let again = AclRecord::decode(&record.encode()).unwrap();
        assert_eq!(again.encode(), record.encode());
        assert_eq!((again.acl.mode(), again.acl.access(), again.revision), (mode, access, 3));
        assert_eq!(again.acl.covers(), record.acl.covers());
        record.encode()
    }

    fn list(list: List, texts: &[&str]) -> Vec<Pattern> {
        Acl::patterns(list, texts.iter().copied()).unwrap()
    }

    /// Each record, by name, as it is written.
    fn written() -> [(&'static str, Vec<u8>); 8] {
        let group = GroupRecord { name: Name::new("devs").unwrap(), created: AT, acls: vec![AclId([4; 16])] };
        let credential = CredentialRecord { user: UserId([2; 16]), spki: vec![0x30, 1, 2], created: AT };
        let hash = "$argon2id$v=19$m=64,t=1,p=1$AAAA$BBBB".to_owned();
        let password = PasswordRecord { id: CredentialId([5; 16]), created: AT, hash };
        assert_eq!(GroupRecord::decode(&group.encode()), Some(group.clone()));
        assert_eq!(CredentialRecord::decode(&credential.encode()), Some(credential.clone()));
        assert_eq!(PasswordRecord::decode(&password.encode()), Some(password.clone()));
        assert_eq!(UserRecord::decode(&user().encode()), Some(user()));
        assert_eq!(TokenRecord::decode(&token().encode()), Some(token()));
        [
            ("user", user().encode()),
            ("group", group.encode()),
            ("credential", credential.encode()),
            ("password", password.encode()),
            ("token", token().encode()),
            ("acl", acl(Mode::Allow, Covers::Everything)),
            ("acl", acl(Mode::Deny, Covers::Commands(list(List::Commands, &["user[.].*", "audit.read"])))),
            (
                "acl",
                acl(
                    Mode::Allow,
                    Covers::Stores {
                        stores: list(List::Stores, &["web"]),
                        secrets: list(List::Secrets, &[".*"]),
                    },
                ),
            ),
        ]
    }

    /// `vectors/people/records-v2.txt`: written by this code on 2026-11-22, read for ever.
    #[test]
    fn golden_records_are_written_and_read() {
        let golden = include_str!("../../../../vectors/people/records-v2.txt");
        let lines: Vec<_> = written().map(|(name, bytes)| format!("{name} {}", hex(&bytes))).into();
        assert_eq!(lines.join("\n"), golden.trim());
    }

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write;
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    #[test]
    fn users_and_tokens_of_the_first_format_are_read() {
        let old = Writer::new().u8(1).i64(AT.0).bytes(b"root").finish();
        assert_eq!(UserRecord::decode(&old), Some(UserRecord::new(Name::new("root").unwrap(), AT)));
        let mut old = token().encode();
        old[0] = 1;
        old.pop();
        assert_eq!(TokenRecord::decode(&old), Some(TokenRecord { way: Way::AccessKey, ..token() }));
    }

    #[test]
    fn what_is_cut_or_of_another_format_is_no_record() {
        for length in 0..user().encode().len() {
            assert_eq!(UserRecord::decode(&user().encode()[..length]), None, "{length}");
        }
        for length in 0..token().encode().len() {
            assert_eq!(TokenRecord::decode(&token().encode()[..length]), None, "{length}");
        }
        let mut newer = user().encode();
        newer[0] = 3;
        assert_eq!(UserRecord::decode(&newer), None);
        let huge = Writer::new().u8(1).i64(0).bytes(b"g").u32(u32::MAX).finish();
        assert_eq!(GroupRecord::decode(&huge), None, "a count beyond the bytes");
    }
}
