//! What is known of a secret without its values: its versions, and what expires.

use crate::SecretsError;
use crate::actions::{ListExpiring, ReadMetadata};
use crate::operations::{fail, open_version};
use crate::payload::{Kept, Made, StoreMeta};
use crate::store_type::TypeRef;
use std::time::Duration;
use strongroom_ambient::UnixMillis;
use strongroom_gate::{
    BarrierError, Folder, Held, Permit, SecretReadView, StoresView, Verdict, VersionRecord,
};
use strongroom_model::{UserId, ValueKind};

/// Names looked at together while what expires is gathered.
const PAGE: usize = 1_000;

/// Whether a version can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can.
    Live,
    /// It cannot, until it is undeleted.
    Deleted {
        /// Deleted when.
        at: UnixMillis,
        /// Deleted by whom.
        by: UserId,
    },
    /// It cannot, ever.
    Destroyed {
        /// Destroyed when.
        at: UnixMillis,
        /// Destroyed by whom.
        by: UserId,
    },
}

/// A version without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionSummary {
    /// Its number.
    pub version: u64,
    /// Made when.
    pub created: UnixMillis,
    /// Made by whom.
    pub creator: UserId,
    /// Size of the value in bytes, also of one that is no longer there.
    pub size: usize,
    /// What the value is.
    pub kind: ValueKind,
    /// Whether it can be read.
    pub state: State,
    /// What its type says of it, a JSON object; empty if nothing.
    pub facts: String,
}

/// A secret's metadata block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The type of its store.
    pub store_type: TypeRef,
    /// Made when.
    pub created: UnixMillis,
    /// Made by whom.
    pub creator: UserId,
    /// The oldest version that is kept.
    pub oldest: u64,
    /// Its versions, newest first.
    pub versions: Vec<VersionSummary>,
}

/// Reads a secret's metadata: its versions, newest first, at most `limit`.
pub async fn metadata(
    permit: Permit<ReadMetadata>,
    limit: usize,
) -> Result<Held<Option<Metadata>>, SecretsError> {
    let (view, entry) = permit.open();
    match summaries(&view, limit).await {
        Ok(Some(metadata)) => Ok(entry.hold(Verdict::Released, Some(metadata))),
        Ok(None) => Ok(entry.hold(Verdict::NotFound, None)),
        Err(fault) => fail(entry, fault).await,
    }
}

async fn summaries(view: &SecretReadView, limit: usize) -> Result<Option<Metadata>, SecretsError> {
    let store_type = StoreMeta::decode(&view.store_payload())?.store_type;
    let Some((entry, versions)) = view.history(limit, |record| summarise(&record)).await? else {
        return Ok(None);
    };
    let made = Made::decode(&entry.payload).ok_or_else(|| BarrierError::corrupt("a secret's entry"))?;
    let versions = versions.into_iter().collect::<Result<_, _>>()?;
    let (created, creator, oldest) = (made.at, made.by, entry.lives.oldest);
    Ok(Some(Metadata { store_type, created, creator, oldest, versions }))
}

fn summarise(record: &VersionRecord) -> Result<VersionSummary, SecretsError> {
    let (made, kind, size, facts, state) = match open_version(record)? {
        Kept::Value { made, facts, value } => {
            let state = record.deleted.map_or(State::Live, |at| State::Deleted { at: at.at, by: at.by });
            (made, value.kind, value.bytes.len(), facts.json, state)
        }
        Kept::Destroyed { made, kind, size, destroyed: Made { at, by } } => {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            (made, kind, size, String::new(), State::Destroyed { at, by })
        }
    };
    let version = record.version;
    Ok(VersionSummary { version, created: made.at, creator: made.by, size, kind, state, facts })
}

/// A secret that expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// Its store.
    pub store: String,
    /// Its path.
    pub path: String,
    /// Its newest version.
    pub version: u64,
    /// When that one expires, or expired.
    pub expires: UnixMillis,
    /// What its type says of it, a JSON object.
    pub facts: String,
}

/// What has expired or will within a time, soonest first, of what the caller may know of. Beyond `limit` the later ones
/// are left out.
pub async fn expiring(
    permit: Permit<ListExpiring>,
    now: UnixMillis,
    within: Duration,
    limit: usize,
) -> Result<Held<Vec<Expiring>>, SecretsError> {
    let (view, mut entry) = permit.open();
    match gather(&view, now.plus(within), limit).await {
        Ok(found) => {
            entry.note(format!("{} secrets", found.len()));
            Ok(entry.hold(Verdict::Released, found))
        }
        Err(fault) => fail(entry, fault).await,
    }
}

async fn gather(view: &StoresView, until: UnixMillis, limit: usize) -> Result<Vec<Expiring>, SecretsError> {
    let mut found = Vec::new();
    for store in view.names().await? {
        let Some((entry, folder)) = view.store(&store).await? else { continue };
        if StoreMeta::decode(&entry.payload)?.store_type.expires() {
            gather_in(view, &store, &folder, until, &mut found).await?;
            found.sort_by(|one, other| (one.expires, &one.path).cmp(&(other.expires, &other.path)));
            found.truncate(limit);
        }
    }
    Ok(found)
}

async fn gather_in(
    view: &StoresView,
    store: &str,
    folder: &Folder,
    until: UnixMillis,
    found: &mut Vec<Expiring>,
) -> Result<(), SecretsError> {
    let mut after: Option<String> = None;
    loop {
        let page = view.secrets(store, folder, after.as_deref(), PAGE).await?;
        for path in page.names.to_vec() {
            let Some(head) = folder.find(&path).await? else { continue };
            let Some(record) = folder.latest(&path, &head).await? else { continue };
            if let (Kept::Value { facts, .. }, None) = (open_version(&record)?, record.deleted)
                && let Some(expires) = facts.expires.filter(|expires| *expires <= until)
                && view.tells(store, &path)
            {
                let (store, version) = (store.to_owned(), record.version);
                found.push(Expiring { store, path, version, expires, facts: facts.json });
            }
        }
        match page.names.last().filter(|_| page.more) {
            Some(last) => after = Some(last.to_owned()),
            None => return Ok(()),
        }
    }
}
