//! Users, credentials and tokens as records.

use crate::admit::Gate;
use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_barrier::{BarrierError, Batch, Opened, Reader, Writer, keys};
use strongroom_keyring::Kind;
use strongroom_model::{CredentialId, Name, ObjectId, TokenId, UserId};
use strongroom_store::{Precondition, Revision, RowKey};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The user's name.
    pub name: Name,
    /// Made when.
    pub created: UnixMillis,
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

/// A token, stored as a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// Whose.
    pub user: UserId,
    /// The access key it was got with.
    pub key: CredentialId,
    /// Names the token without being it.
    pub accessor: TokenId,
    /// Made when.
    pub created: UnixMillis,
    /// Until when.
    pub expires: UnixMillis,
}

const FORMAT: u8 = 1;

impl UserRecord {
    fn encode(&self) -> Vec<u8> {
        Writer::new().u8(FORMAT).i64(self.created.0).bytes(self.name.as_str().as_bytes()).finish()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FORMAT).then_some(())?;
        Some(Self { created: UnixMillis(reader.i64()?), name: Name::new(reader.text()?).ok()? })
    }
}

impl CredentialRecord {
    fn encode(&self) -> Vec<u8> {
        Writer::new().u8(FORMAT).raw(&self.user.0).i64(self.created.0).bytes(&self.spki).finish()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FORMAT).then_some(())?;
        Some(Self {
            user: UserId(reader.array()?),
            created: UnixMillis(reader.i64()?),
            spki: reader.bytes()?.to_vec(),
        })
    }
}

impl TokenRecord {
    fn encode(&self) -> Vec<u8> {
        Writer::new()
            .u8(FORMAT)
            .raw(&self.digest)
            .raw(&self.user.0)
            .raw(&self.key.0)
            .raw(&self.accessor.0)
            .i64(self.created.0)
            .i64(self.expires.0)
            .finish()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FORMAT).then_some(())?;
        Some(Self {
            digest: reader.array()?,
            user: UserId(reader.array()?),
            key: CredentialId(reader.array()?),
            accessor: TokenId(reader.array()?),
            created: UnixMillis(reader.i64()?),
            expires: UnixMillis(reader.i64()?),
        })
    }
}

fn half(digest: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(digest) {
        *to = *from;
    }
    half
}

/// The time between two locks: each lock writes the root record anew.
#[derive(Debug, Clone, Copy)]
pub struct Session(Revision);

/// A view of users, credentials and tokens.
#[derive(Debug)]
pub struct PeopleView {
    pub(crate) opened: Arc<Opened>,
}

impl PeopleView {
    /// A credential.
    pub async fn credential(&self, id: CredentialId) -> Result<Option<CredentialRecord>, BarrierError> {
        let key = keys::credential(self.opened.partition(), id);
        read(&self.opened, Kind::Credential, id.0, key, CredentialRecord::decode).await
    }

    /// A user.
    pub async fn user(&self, id: UserId) -> Result<Option<UserRecord>, BarrierError> {
        user(&self.opened, id).await
    }

    /// What a token's making is bound to: a lock that comes in between ends it before it begins.
    pub async fn session(&self) -> Result<Session, BarrierError> {
        let row = self.opened.store().get(&keys::root()).await?;
        let row = row.ok_or_else(|| BarrierError::corrupt("the root record is gone"))?;
        Ok(Session(row.revision))
    }

    /// Adds a token; its credential must still be there, and no lock may have come since `session`.
    pub fn add_token(&self, session: Session, token: &TokenRecord) -> Batch {
        let mut batch = self.opened.batch();
        batch.require(Precondition::Revision(keys::root(), session.0));
        let object = half(&token.digest);
        batch.require(Precondition::Present(keys::credential(self.opened.partition(), token.key)));
        batch.put(
            keys::token(self.opened.partition(), &object),
            self.opened.seal(Kind::Token, object, &token.encode()),
        );
        batch
    }

    /// Removes a token.
    pub fn remove_token(&self, digest: &[u8; 32]) -> Batch {
        let mut batch = self.opened.batch();
        batch.delete(keys::token(self.opened.partition(), &half(digest)));
        batch
    }

    /// A fresh random id.
    pub fn random_id(&self) -> [u8; 16] {
        self.opened.random_id()
    }
}

/// Adds a user with one credential to a hierarchy that is being made.
pub(crate) fn add_user(
    opened: &Opened,
    batch: &mut Batch,
    user: &UserRecord,
    spki: &[u8],
) -> (UserId, CredentialId) {
    let (id, key) = (UserId(opened.random_id()), CredentialId(opened.random_id()));
    let credential = CredentialRecord { user: id, spki: spki.to_vec(), created: user.created };
    opened.users.create_entry(batch, user.name.as_str(), ObjectId(id.0), &[]);
    batch.put(keys::user(opened.partition(), id), opened.seal(Kind::User, id.0, &user.encode()));
    batch.put(
        keys::credential(opened.partition(), key),
        opened.seal(Kind::Credential, key.0, &credential.encode()),
    );
    (id, key)
}

/// A user.
pub(crate) async fn user(opened: &Opened, id: UserId) -> Result<Option<UserRecord>, BarrierError> {
    read(opened, Kind::User, id.0, keys::user(opened.partition(), id), UserRecord::decode).await
}

async fn read<T>(
    opened: &Opened,
    kind: Kind,
    object: [u8; 16],
    key: RowKey,
    decode: impl FnOnce(&[u8]) -> Option<T> + Send,
) -> Result<Option<T>, BarrierError> {
    let Some(plain) = opened.read_single(kind, object, &key).await? else { return Ok(None) };
    let decoded = plain.expose(decode);
    decoded.map(Some).ok_or_else(|| BarrierError::corrupt(format!("{kind:?} {}", ObjectId(object))))
}

impl Gate {
    /// The token of a digest and its user: for identity, which turns credentials into callers before any permit.
    pub async fn look_up_token(
        &self,
        digest: &[u8; 32],
    ) -> Result<Option<(TokenRecord, UserRecord)>, BarrierError> {
        let opened = self.opened()?;
        let object = half(digest);
        let key = keys::token(opened.partition(), &object);
        let found = read(&opened, Kind::Token, object, key, TokenRecord::decode).await?;
        let Some(token) = found.filter(|token| strongroom_secret::bytes_eq(&token.digest, digest)) else {
            return Ok(None);
        };
        // a user who is gone has no tokens
        Ok(user(&opened, token.user).await?.map(|user| (token, user)))
    }

    /// A user's name, for listings of who made what.
    pub async fn user_name(&self, id: UserId) -> Result<Option<Name>, BarrierError> {
        Ok(user(&*self.opened()?, id).await?.map(|user| user.name))
    }
}

/// The first tokens that have expired, at most `limit`.
pub(crate) async fn expired_tokens(opened: &Opened, now: i64, limit: usize) -> Result<Batch, BarrierError> {
    let mut batch = opened.batch();
    let mut after = None;
    loop {
        let prefix = keys::tokens(opened.partition());
        let range = strongroom_store::Range { after, ..strongroom_store::Range::prefix(prefix, 1_000) };
        let rows = opened.store().list(range).await?;
        let Some(last) = rows.last().map(|row| row.key.clone()) else { return Ok(batch) };
        for row in rows {
            let object = row.key.as_bytes().get(17..).and_then(|id| id.try_into().ok()).unwrap_or_default();
            match opened.open_single(Kind::Token, object, &row.value) {
                Ok(plain) => {
                    let expires = plain.expose(TokenRecord::decode).map_or(0, |token| token.expires.0);
                    if expires < now {
                        batch.delete(row.key);
                    }
                }
                // one damaged row must not keep all others from expiring
                Err(fault) => tracing::error!(%fault, "a token cannot be read"),
            }
            if batch.len() >= limit {
                return Ok(batch);
            }
        }
        after = Some(last);
    }
}
