//! The lives of versions: deleted and brought back, destroyed for good, removed with everything.

use crate::SecretsError;
use crate::actions::{DeleteSecret, DestroySecret, RemoveSecret, UndeleteSecret};
use crate::operations::{fail, open_version};
use crate::payload::{Kept, Made, encode_destroyed};
use std::sync::Arc;
use strongroom_ambient::UnixMillis;
use strongroom_gate::{Batch, Deleted, Entry, FolderEntry, Head, SecretLivesView, Verdict};
use strongroom_gate::{Permit, VersionRecord};
use strongroom_model::UserId;
use strongroom_secret::SecretBytes;

/// Most versions that one operation names.
pub const MAX_NAMED_VERSIONS: usize = 1_000;

/// Deletes versions, the newest if none is named: their values stay, and nobody may read them.
pub async fn delete(
    permit: Permit<DeleteSecret>,
    by: UserId,
    now: UnixMillis,
    versions: &[u64],
) -> Result<(), SecretsError> {
    let (view, entry) = permit.open();
    change(&view, entry, versions, |life, record| match open_version(record)? {
        Kept::Destroyed { .. } => Err(SecretsError::Destroyed { version: record.version }),
        Kept::Value { .. } => {
            let deleted = Deleted { version: record.version, at: now, by };
            life.entry.lives.delete(deleted).then_some(()).ok_or(SecretsError::TooManyDeleted)?;
            life.newest_is_gone(record.version, true);
            Ok(())
        }
    })
    .await
}

/// Brings deleted versions back, the newest if none is named.
pub async fn undelete(permit: Permit<UndeleteSecret>, versions: &[u64]) -> Result<(), SecretsError> {
    let (view, entry) = permit.open();
    change(&view, entry, versions, |life, record| match open_version(record)? {
        Kept::Destroyed { .. } => Err(SecretsError::Destroyed { version: record.version }),
        Kept::Value { .. } => {
            life.entry.lives.unmark(record.version);
            life.newest_is_gone(record.version, false);
            Ok(())
        }
    })
    .await
}

/// Destroys versions for good: in the place of each stays a small record that says so.
pub async fn destroy(
    permit: Permit<DestroySecret>,
    by: UserId,
    now: UnixMillis,
    versions: &[u64],
) -> Result<(), SecretsError> {
    let (view, entry) = permit.open();
    if versions.is_empty() {
        return fail(entry, SecretsError::NoVersionNamed).await;
    }
    change(&view, entry, versions, |life, record| {
        if let Kept::Value { made, value, .. } = open_version(record)? {
            let size = u64::try_from(value.bytes.len()).unwrap_or(u64::MAX);
            let left = encode_destroyed(made, value.kind, size, Made { by, at: now });
            life.left.push((record.version, left));
        }
        life.entry.lives.unmark(record.version);
        life.newest_is_gone(record.version, true);
        Ok(())
    })
    .await
}

/// Removes a secret with everything about it: its name is free again.
pub async fn remove(permit: Permit<RemoveSecret>) -> Result<(), SecretsError> {
    let (view, mut entry) = permit.open();
    let _guard = view.hold().await;
    let (head, version, _) = match view.present().await {
        Ok(Some(present)) => present,
        Ok(None) => return fail(entry, SecretsError::NotFound).await,
        Err(fault) => return fail(entry, fault.into()).await,
    };
    entry.note(format!("{version} versions"));
    entry.remember(Vec::new());
    entry.commit(view.remove(&head)).await?;
    Ok(())
}

/// A secret while its versions change.
struct Life {
    head: Arc<Head>,
    newest: u64,
    entry: FolderEntry,
    /// What is left of versions that are destroyed.
    left: Vec<(u64, SecretBytes)>,
}

impl Life {
    fn newest_is_gone(&mut self, version: u64, gone: bool) {
        if version == self.newest {
            self.entry.lives.gone = gone;
        }
    }
}

/// Changes named versions, the newest if none is named: all of them or, if one refuses, none.
async fn change(
    view: &SecretLivesView,
    mut entry: Entry,
    versions: &[u64],
    step: impl FnMut(&mut Life, &VersionRecord) -> Result<(), SecretsError>,
) -> Result<(), SecretsError> {
    let _guard = view.hold().await;
    match changed(view, versions, step).await {
        Ok((note, batch)) => {
            entry.note(note);
            entry.remember(Vec::new());
            entry.commit(batch).await?;
            Ok(())
        }
        Err(SecretsError::NotFound) => {
            entry.finish(Verdict::NotFound).await?;
            Err(SecretsError::NotFound)
        }
        Err(fault) => fail(entry, fault).await,
    }
}

async fn changed(
    view: &SecretLivesView,
    versions: &[u64],
    mut step: impl FnMut(&mut Life, &VersionRecord) -> Result<(), SecretsError>,
) -> Result<(String, Batch), SecretsError> {
    if versions.len() > MAX_NAMED_VERSIONS {
        return Err(SecretsError::TooManyNamed);
    }
    let (head, newest, entry) = view.present().await?.ok_or(SecretsError::NotFound)?;
    let mut life = Life { head, newest, entry, left: Vec::new() };
    let mut named: Vec<u64> = if versions.is_empty() { vec![newest] } else { versions.to_vec() };
    named.sort_unstable();
    named.dedup();
    for version in &named {
        let record = view.version(&life.head, *version).await?.ok_or(SecretsError::NotFound)?;
        step(&mut life, &record)?;
    }
    let note = match named.as_slice() {
        [version] => format!("version {version}"),
        [first, .., last] => format!("{} versions from {first} to {last}", named.len()),
        [] => String::new(),
    };
    Ok((note, view.rewrite(&life.head, &life.entry, &life.left)))
}
