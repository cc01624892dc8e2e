//! Secrets: put, read, list, delete, metadata.

use crate::SecretsError;
use crate::actions::{DeleteSecret, GetSecret, ListSecrets, PutSecret, ReadMetadata};
use crate::payload::{Made, Value, decode_version, encode_version};
use strongroom_ambient::UnixMillis;
use strongroom_gate::{BarrierError, Entry, Held, Page, Permit, Verdict, VersionRecord, Writer};
use strongroom_model::{UserId, ValueKind};

/// A version, opened.
#[derive(Debug)]
pub struct Version {
    /// Its number.
    pub version: u64,
    /// Made when.
    pub created: UnixMillis,
    /// Made by whom.
    pub creator: UserId,
    /// The value.
    pub value: Value,
}

/// A version without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionSummary {
    /// Its number.
    pub version: u64,
    /// Made when.
    pub created: UnixMillis,
    /// Made by whom.
    pub creator: UserId,
    /// Size of the value in bytes.
    pub size: usize,
    /// What the value is.
    pub kind: ValueKind,
}

/// A secret's metadata block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Made when.
    pub created: UnixMillis,
    /// Made by whom.
    pub creator: UserId,
    /// Its versions, newest first.
    pub versions: Vec<VersionSummary>,
}

/// A version that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub version: u64,
    /// Made when.
    pub created: UnixMillis,
}

impl Written {
    /// As an outcome that a repetition is answered with.
    fn encode(self) -> Vec<u8> {
        Writer::new().u64(self.version).i64(self.created.0).finish()
    }

    /// From such an outcome.
    pub fn decode(outcome: &[u8]) -> Option<Self> {
        let mut reader = strongroom_gate::Reader::new(outcome);
        Some(Self { version: reader.u64()?, created: UnixMillis(reader.i64()?) })
    }
}

/// Writes a new version; with `expected`, only onto that version (0: only if there is none).
pub async fn put(
    permit: Permit<PutSecret>,
    by: UserId,
    now: UnixMillis,
    value: &Value,
    expected: Option<u64>,
) -> Result<Written, SecretsError> {
    let (view, mut entry) = permit.open();
    let guard = view.hold().await;
    let present = match view.present().await {
        Ok(present) => present,
        Err(fault) => return fail(entry, fault.into()).await,
    };
    let number = present.as_ref().map_or(0, |(_, version)| *version);
    if let Some(expected) = expected.filter(|expected| *expected != number) {
        entry.note(format!("version is {number}, expected was {expected}"));
        entry.finish(Verdict::Failed).await?;
        return Err(SecretsError::VersionMismatch { present: number, expected });
    }
    let Some(version) = number.checked_add(1) else {
        return fail(entry, SecretsError::Versions).await;
    };
    let made = Made { by, at: now };
    let plain = encode_version(made, value);
    let batch = match &present {
        Some((head, _)) => {
            let bytes = plain.expose(<[u8]>::to_vec);
            match view.add_version(head, version, &bytes, None).await {
                Ok(Some(batch)) => batch,
                Ok(None) => return fail(entry, SecretsError::NotFound).await,
                Err(fault) => return fail(entry, fault.into()).await,
            }
        }
        None => plain.expose(|plain| view.create(&made.encode(), plain)),
    };
    let written = Written { version, created: now };
    entry.note(format!("version {version}"));
    entry.remember(written.encode());
    entry.commit(batch).await?;
    drop(guard);
    Ok(written)
}

/// Reads a version, the newest by default.
pub async fn read(
    permit: Permit<GetSecret>,
    version: Option<u64>,
) -> Result<Held<Option<Version>>, SecretsError> {
    let (view, mut entry) = permit.open();
    let found = match version {
        Some(version) => view.version(version).await,
        None => view.latest().await,
    };
    match found.map_err(SecretsError::from).and_then(|record| record.as_ref().map(open_version).transpose()) {
        Ok(Some(version)) => {
            entry.note(format!("version {}", version.version));
            Ok(entry.hold(Verdict::Released, Some(version)))
        }
        Ok(None) => Ok(entry.hold(Verdict::NotFound, None)),
        Err(fault) => fail(entry, fault).await,
    }
}

/// Writes a failed entry with its reason, and gives the error back.
pub(crate) async fn fail<T>(mut entry: Entry, fault: SecretsError) -> Result<T, SecretsError> {
    entry.note(fault.to_string());
    entry.finish(Verdict::Failed).await?;
    Err(fault)
}

fn open_version(record: &VersionRecord) -> Result<Version, SecretsError> {
    let number = record.version;
    let (made, value) = decode_version(&record.plain)
        .ok_or_else(|| BarrierError::corrupt(format!("payload of version {number}")))?;
    Ok(Version { version: number, created: made.at, creator: made.by, value })
}

/// Lists names in order: with a prefix, after a name, with a text in them.
pub async fn list(
    permit: Permit<ListSecrets>,
    prefix: &str,
    after: Option<&str>,
    contains: Option<&str>,
    limit: usize,
) -> Result<Held<Page>, SecretsError> {
    let (view, mut entry) = permit.open();
    let keep = |name: &str| contains.is_none_or(|text| name.contains(text));
    match view.page(prefix, after, limit, keep).await {
        Ok(page) => {
            entry.note(format!("{} names", page.names.len()));
            Ok(entry.hold(Verdict::Released, page))
        }
        Err(fault) => fail(entry, fault.into()).await,
    }
}

/// Reads a secret's metadata: its versions, newest first, at most `limit`.
pub async fn metadata(
    permit: Permit<ReadMetadata>,
    limit: usize,
) -> Result<Held<Option<Metadata>>, SecretsError> {
    let (view, entry) = permit.open();
    let found = view
        .history(limit, |record| record)
        .await
        .map_err(SecretsError::from)
        .and_then(|found| found.map(|(dir, versions)| summarise(&dir.payload, versions)).transpose());
    match found {
        Ok(Some(metadata)) => Ok(entry.hold(Verdict::Released, Some(metadata))),
        Ok(None) => Ok(entry.hold(Verdict::NotFound, None)),
        Err(fault) => fail(entry, fault).await,
    }
}

fn summarise(payload: &[u8], versions: Vec<VersionRecord>) -> Result<Metadata, SecretsError> {
    let made = Made::decode(payload).ok_or_else(|| BarrierError::corrupt("a secret's entry"))?;
    let summarise = |record: VersionRecord| {
        open_version(&record).map(|version| VersionSummary {
            version: version.version,
            created: version.created,
            creator: version.creator,
            size: version.value.bytes.len(),
            kind: version.value.kind,
        })
    };
    let versions = versions.into_iter().map(summarise).collect::<Result<_, _>>()?;
    Ok(Metadata { created: made.at, creator: made.by, versions })
}

/// Deletes a secret with all its versions.
pub async fn delete(permit: Permit<DeleteSecret>) -> Result<(), SecretsError> {
    let (view, mut entry) = permit.open();
    let _guard = view.hold().await;
    let (head, version, _) = match view.present().await {
        Ok(Some(present)) => present,
        Ok(None) => {
            entry.finish(Verdict::NotFound).await?;
            return Err(SecretsError::NotFound);
        }
        Err(fault) => return fail(entry, fault.into()).await,
    };
    entry.note(format!("{version} versions"));
    entry.remember(Vec::new());
    entry.commit(view.remove(&head)).await?;
    Ok(())
}
