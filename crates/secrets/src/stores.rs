//! Stores and keysets: create, read, list, remove.

use crate::SecretsError;
use crate::actions::{ConfigureStore, CreateStore, ListKeysets, ListStores, ReadStore, RemoveStore};
use crate::operations::fail;
use crate::payload::{Made, StoreMeta};
use crate::store_type::{Settings, TypeError, TypeRef};
use serde_json::{Map, Value};
use std::num::NonZeroU64;
use strongroom_ambient::UnixMillis;
use strongroom_gate::{Batch, Folder, FolderEntry, Held, Permit, StoreWriteView, StoresView, Verdict};
use strongroom_model::{JsonLimits, JsonText, KeysetId, StoreId, UserId};

/// The keyset that a new store gets if none is named.
const DEFAULT_KEYSET: &str = "default";

/// A store's metadata block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSummary {
    /// Its id.
    pub id: StoreId,
    /// Its name.
    pub name: String,
    /// Its type.
    pub store_type: TypeRef,
    /// Version of its type.
    pub type_version: u32,
    /// The keyset that seals it.
    pub keyset: String,
    /// Made by whom.
    pub creator: UserId,
    /// Made when.
    pub created: UnixMillis,
    /// When a secret in it was last made or removed, or it was configured; when it was made, if never.
    pub updated: UnixMillis,
    /// Secrets in it.
    pub secrets: u64,
    /// Versions of them, where one store is asked about.
    pub versions: Option<u64>,
    /// What it is set to.
    pub settings: Settings,
}

/// A keyset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysetSummary {
    /// Its id.
    pub id: KeysetId,
    /// Its name.
    pub name: String,
    /// Terms in it.
    pub terms: usize,
    /// The term that seals.
    pub write_term: u32,
    /// Stores attached to it.
    pub stores: Vec<String>,
}

/// Creates the store that the permit is about.
pub async fn create_store(
    permit: Permit<CreateStore>,
    by: UserId,
    now: UnixMillis,
    store_type: TypeRef,
    keyset: Option<&str>,
    settings: Settings,
) -> Result<StoreSummary, SecretsError> {
    let (view, mut entry) = permit.open();
    if let Err(fault) = store_type.check_settings(&settings.of_type) {
        return fail(entry, fault.into()).await;
    }
    let wanted = keyset.unwrap_or(DEFAULT_KEYSET);
    let keysets = match view.keysets().await {
        Ok(keysets) => keysets,
        Err(fault) => return fail(entry, fault.into()).await,
    };
    let Some((keyset_name, keyset)) = keysets.into_iter().find(|(name, _)| name == wanted) else {
        entry.note("no such keyset");
        entry.finish(Verdict::NotFound).await?;
        return Err(SecretsError::NotFound);
    };
    let Some((name, _guard)) = view.hold().await else { return Err(SecretsError::NotFound) };
    let made = Made { by, at: now };
    let type_version = store_type.version();
    let meta = StoreMeta { made, store_type, type_version, settings, configured: None };
    let created = match view.taken().await {
        Ok(true) => Err(SecretsError::AlreadyExists),
        Ok(false) => match view.create(keyset, &meta.encode()) {
            // removed since its name was looked up
            Ok(None) => Err(SecretsError::NotFound),
            Ok(Some(created)) => Ok(created),
            Err(fault) => Err(fault.into()),
        },
        Err(fault) => Err(fault.into()),
    };
    let (id, batch) = match created {
        Ok(created) => created,
        Err(fault) => return fail(entry, fault).await,
    };
    entry.remember(id.0.to_vec());
    entry.commit(batch).await?;
    Ok(StoreSummary {
        id,
        name: name.to_string(),
        store_type,
        type_version,
        keyset: keyset_name,
        creator: by,
        created: now,
        updated: now,
        secrets: 0,
        versions: Some(0),
        settings: meta.settings,
    })
}

/// Reads a store's metadata.
pub async fn read_store(permit: Permit<ReadStore>, name: String) -> Result<Held<StoreSummary>, SecretsError> {
    let (view, entry) = permit.open();
    let summary = async {
        let keyset = view.keyset_name().await?;
        let versions = view.folder().count_versions().await?;
        let summary = summarise(name, keyset, view.entry(), view.folder()).await?;
        Ok::<_, SecretsError>(StoreSummary { versions: Some(versions), ..summary })
    };
    match summary.await {
        Ok(summary) => Ok(entry.hold(Verdict::Released, summary)),
        Err(fault) => fail(entry, fault).await,
    }
}

async fn summarise(
    name: String,
    keyset: String,
    entry: &FolderEntry,
    folder: &Folder,
) -> Result<StoreSummary, SecretsError> {
    let StoreMeta { made, store_type, type_version, settings, configured } =
        StoreMeta::decode(&entry.payload)?;
    let (secrets, changed) = folder.count().await?;
    let configured = configured.map_or(made.at, |configured| configured.at);
    Ok(StoreSummary {
        id: StoreId(folder.id.0),
        name,
        store_type,
        type_version,
        keyset,
        creator: made.by,
        created: made.at,
        updated: configured.max(changed),
        secrets,
        versions: None,
        settings,
    })
}

/// Lists stores that `keep` allows the caller to see, by name.
pub async fn list_stores(
    permit: Permit<ListStores>,
    keep: impl Fn(&str) -> bool + Send,
) -> Result<Held<Vec<StoreSummary>>, SecretsError> {
    let (view, mut entry) = permit.open();
    match summaries(&view, keep).await {
        Ok(stores) => {
            entry.note(format!("{} stores", stores.len()));
            Ok(entry.hold(Verdict::Released, stores))
        }
        Err(fault) => fail(entry, fault).await,
    }
}

/// Lists the types of store.
pub fn list_types(permit: Permit<ListStores>) -> Held<Vec<TypeRef>> {
    let (_, mut entry) = permit.open();
    entry.note("types of store");
    entry.hold(Verdict::Released, TypeRef::all().collect())
}

async fn summaries(
    view: &StoresView,
    keep: impl Fn(&str) -> bool + Send,
) -> Result<Vec<StoreSummary>, SecretsError> {
    let mut stores = Vec::new();
    for name in view.names().await? {
        if !keep(&name) {
            continue;
        }
        if let Some((found, folder)) = view.store(&name).await? {
            let keyset = view.keyset_name(folder.keyset()).await?;
            stores.push(summarise(name, keyset, &found, &folder).await?);
        }
    }
    Ok(stores)
}

/// What is to change in a store's settings; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// So many versions of a secret are kept; all if the inner one is `None`.
    pub keep: Option<Option<NonZeroU64>>,
    /// Whether every write has to name the version it expects.
    pub cas_required: Option<bool>,
    /// Changes of the type's own settings, a JSON object: what is null is unset, what is not named stays. So two who
    /// change one store at the same time do not undo each other's settings.
    pub of_type: Option<JsonText>,
}

/// Changes a store's settings. Fewer versions to keep has effect on a secret at its next write.
pub async fn configure_store(
    permit: Permit<ConfigureStore>,
    by: UserId,
    now: UnixMillis,
    name: String,
    change: Change,
) -> Result<StoreSummary, SecretsError> {
    let (view, mut entry) = permit.open();
    let _guard = view.hold().await;
    let (summary, batch) = match configured(&view, Made { by, at: now }, name, change).await {
        Ok(configured) => configured,
        Err(fault) => return fail(entry, fault).await,
    };
    entry.remember(Vec::new());
    entry.commit(batch).await?;
    Ok(summary)
}

async fn configured(
    view: &StoreWriteView,
    made: Made,
    name: String,
    change: Change,
) -> Result<(StoreSummary, Batch), SecretsError> {
    let mut entry = view.entry().await?.ok_or(SecretsError::NotFound)?;
    let mut meta = StoreMeta::decode(&entry.payload)?;
    let Settings { keep, cas_required, of_type } = meta.settings;
    meta.settings = Settings {
        keep: change.keep.unwrap_or(keep),
        cas_required: change.cas_required.unwrap_or(cas_required),
        of_type: match &change.of_type {
            Some(changes) => merged(&of_type, changes)?,
            None => of_type,
        },
    };
    meta.store_type.check_settings(&meta.settings.of_type)?;
    meta.configured = Some(made);
    entry.payload = meta.encode();
    let keyset = view.keyset_name().await?;
    let summary = summarise(name, keyset, &entry, view.folder()).await?;
    Ok((summary, view.rewrite(&entry)))
}

/// Settings with changes made to them: RFC 7396, one level deep.
fn merged(present: &JsonText, changes: &JsonText) -> Result<JsonText, TypeError> {
    let not_json = || TypeError::NotJson { what: "settings" };
    let fields = |text: &JsonText| serde_json::from_str::<Map<String, Value>>(text.as_str());
    let mut whole = fields(present).map_err(|_| not_json())?;
    for (name, value) in fields(changes).map_err(|_| not_json())? {
        match value {
            Value::Null => whole.remove(&name),
            value => whole.insert(name, value),
        };
    }
    let text = serde_json::to_vec(&whole).map_err(|_| not_json())?;
    JsonText::new(&text, JsonLimits::VALUE).map_err(|_| not_json())
}

/// Removes a store and everything in it.
pub async fn remove_store(permit: Permit<RemoveStore>) -> Result<(), SecretsError> {
    let (view, mut entry) = permit.open();
    let _guard = view.hold().await;
    entry.remember(Vec::new());
    entry.commit(view.remove()).await?;
    Ok(())
}

/// Lists keysets with the stores attached to each.
pub async fn list_keysets(permit: Permit<ListKeysets>) -> Result<Held<Vec<KeysetSummary>>, SecretsError> {
    let (view, entry) = permit.open();
    match keyset_summaries(&view).await {
        Ok(keysets) => Ok(entry.hold(Verdict::Released, keysets)),
        Err(fault) => fail(entry, fault).await,
    }
}

async fn keyset_summaries(view: &StoresView) -> Result<Vec<KeysetSummary>, SecretsError> {
    let mut keysets = Vec::new();
    for (name, id) in view.keysets().await? {
        let (terms, write_term) = view.terms(id).unwrap_or_default();
        keysets.push(KeysetSummary { id, name, terms, write_term, stores: attached(view, id).await? });
    }
    Ok(keysets)
}

async fn attached(view: &StoresView, id: KeysetId) -> Result<Vec<String>, SecretsError> {
    let mut stores = Vec::new();
    for name in view.names().await? {
        let folder = view.store(&name).await?;
        if folder.is_some_and(|(_, folder)| folder.keyset() == id) {
            stores.push(name);
        }
    }
    Ok(stores)
}
