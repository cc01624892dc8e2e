//! Enrolment: a member makes its keys and registers them with the authority, once.
//!
//! The keys lie in the folder before the authority is told of them. If it is interrupted in between, the next enrolment goes
//! on with the same keys; if only the answer was lost, the manifest says whether they are registered.

use crate::authority::Authority;
use crate::config::Config;
use crate::error::MemberError;
use crate::exchange::Exchange;
use crate::folder::SecretsFolder;
use crate::identity::{Identity, KEY_FILE, PENDING_FILE};
use crate::manifest;
use data_encoding::{BASE64, HEXLOWER};
use strongroom_ambient::Ambient;
use strongroom_crypto::PublicKey;
use strongroom_envelope::SealedRecord;
use strongroom_secret::SecretBytes;
use strongroom_sharing::authority::{Login, RegisterKeys};
use strongroom_sharing::exchange::Found;
use strongroom_sharing::{MemberId, Password};

/// Who enrols, and how.
pub struct Enrolment {
    /// The password.
    pub password: SecretBytes,
    /// The name to log in with; absent: the token of the configuration is used.
    pub username: Option<String>,
    /// The last record that the present keys signed, where it is known here; else the exchange is asked.
    pub last: Option<u64>,
    /// New keys in place of those that are registered.
    pub replace: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The registered name.
    pub name: String,
    /// Its id.
    pub member: MemberId,
    /// SHA-256 of its signing key, hexadecimal: for comparing.
    pub fingerprint: String,
    /// The same of the authority's signing key, which is trusted from now on.
    pub authority: String,
    /// What the member has.
    pub attributes: Vec<String>,
}

/// Whether the member of a configuration has its keys.
pub fn is_enrolled(config: &Config) -> Result<bool, MemberError> {
    let folder = SecretsFolder::open_shared(&config.secrets)?;
    Ok(Identity::read(&folder, KEY_FILE)?.is_some())
}

/// Enrols.
pub async fn enroll(config: &Config, ambient: &Ambient, how: Enrolment) -> Result<Enrolled, MemberError> {
    let folder = SecretsFolder::open(&config.secrets)?;
    folder.sweep()?;
    let present = Identity::read(&folder, KEY_FILE)?;
    if present.is_some() && !how.replace {
        return Err(MemberError::Enrolled);
    }
    let authority = Authority::of(config)?;
    let token = token(config, &authority, &how).await?;
    let me = authority.me(&token).await?;
    if me.admin {
        return Err(MemberError::Administrator { name: me.logged_in_as });
    }
    let key = authority_key(config, &authority, &folder, &token).await?;
    let pending = pending(&folder, ambient, me.id)?;
    let last = match how.last {
        None if how.replace => last_at_exchange(config, &token, &authority, &key, me.id, ambient).await,
        known => known,
    };
    if let Err(error) = register(&authority, &token, &pending, &how, last).await {
        // the answer may have been lost, now or the last time
        if !is_registered(&authority, &key, &pending, ambient).await {
            return Err(error);
        }
    }
    if present.is_some_and(|present| present.member() != me.id) {
        forget(&folder)?;
    }
    folder.rename(PENDING_FILE, KEY_FILE)?;
    Ok(Enrolled {
        name: me.logged_in_as,
        member: me.id,
        fingerprint: HEXLOWER.encode(&pending.public().fingerprint()),
        authority: HEXLOWER.encode(&key.fingerprint()),
        attributes: me.attributes,
    })
}

async fn token(config: &Config, authority: &Authority, how: &Enrolment) -> Result<SecretBytes, MemberError> {
    let Some(username) = how.username.clone() else {
        let token = config.access_key.as_ref().ok_or(MemberError::NoToken)?;
        return Ok(token.expose(|token| SecretBytes::new(token.to_vec())));
    };
    let login = Login { username, password: password(how)? };
    Ok(SecretBytes::new(authority.login(&login).await?.access_token.into_bytes()))
}

fn password(how: &Enrolment) -> Result<Password, MemberError> {
    Password::copied(&how.password).map_err(|_| MemberError::Password)
}

/// The authority's signing key; seen for the first time, it is kept.
async fn authority_key(
    config: &Config,
    authority: &Authority,
    folder: &SecretsFolder,
    token: &SecretBytes,
) -> Result<PublicKey, MemberError> {
    if let Some(key) = manifest::trusted_key(folder, config.public_key.as_ref())? {
        return Ok(key);
    }
    let told = authority.public_key(token).await?;
    let key = manifest::spki(&told.signing_key).ok_or_else(|| MemberError::Unusable {
        what: "its signing key",
        why: "it is no public key".to_owned(),
    })?;
    manifest::keep_key(folder, &key)?;
    Ok(key)
}

/// Keys that the authority does not know yet: those of an interrupted enrolment, or new ones.
fn pending(folder: &SecretsFolder, ambient: &Ambient, member: MemberId) -> Result<Identity, MemberError> {
    let left = Identity::read(folder, PENDING_FILE).ok().flatten();
    if let Some(left) = left.filter(|left| left.member() == member) {
        return Ok(left);
    }
    let identity = Identity::generate(ambient, member)?;
    folder.write(PENDING_FILE, &identity.to_bytes())?;
    Ok(identity)
}

async fn register(
    authority: &Authority,
    token: &SecretBytes,
    keys: &Identity,
    how: &Enrolment,
    last: Option<u64>,
) -> Result<(), MemberError> {
    let asked = RegisterKeys {
        password: password(how)?,
        wrap_key: BASE64.encode(&keys.wrap().public_key().to_bytes()),
        signing_key: BASE64.encode(keys.public().spki()),
        replace: how.replace,
        last: last.filter(|_| how.replace),
    };
    Ok(authority.register_keys(token, &asked).await?)
}

/// The last record that the exchange has of a member, if the member signed it. Without an answer the authority goes by what
/// it was told last.
async fn last_at_exchange(
    config: &Config,
    token: &SecretBytes,
    authority: &Authority,
    key: &PublicKey,
    member: MemberId,
    ambient: &Ambient,
) -> Option<u64> {
    let trusted = manifest::check(authority.manifest().await.ok()?, key, None, ambient).ok()?;
    let exchange = Exchange::of(config).ok()?;
    let heads = exchange.heads(token).await.ok()?;
    let Some(head) = heads.iter().find(|head| head.collector == member) else { return Some(0) };
    let mut lines = exchange.sync(token, member, head.sequence).await.ok()?;
    let found: Found = serde_json::from_slice(&lines.next().await.ok()??).ok()?;
    let bytes = BASE64.decode(found.record.as_bytes()).ok()?;
    let record = SealedRecord::parse(&bytes).ok()?;
    let is_own = record.id().collector == member && trusted.keys_of(member).signed(&record);
    is_own.then_some(record.id().sequence)
}

async fn is_registered(authority: &Authority, key: &PublicKey, keys: &Identity, ambient: &Ambient) -> bool {
    let Ok(text) = authority.manifest().await else { return false };
    manifest::check(text, key, None, ambient).is_ok_and(|trusted| trusted.knows(keys.member(), keys.public()))
}

/// Removes what was fetched for another member.
fn forget(folder: &SecretsFolder) -> Result<(), MemberError> {
    for (begin, end) in [("cpabe-sk-", ".binary"), ("index-", ".key"), ("rights", ".binary")] {
        for between in folder.names(begin, end)? {
            folder.remove(&format!("{begin}{between}{end}"))?;
        }
    }
    Ok(())
}
