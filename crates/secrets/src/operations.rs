//! Secrets: put, generate, read.

use crate::SecretsError;
use crate::actions::{GenerateSecret, GetSecret, PutSecret, ReadPublic};
use crate::payload::{Kept, Made, StoreMeta, Value, decode_version, encode_version};
use crate::store_type::{Accepted, Facts, Order, TypeError, TypeRef};
use crate::workshop;
use strongroom_ambient::{Ambient, UnixMillis};
use strongroom_gate::{
    BarrierError, Batch, Entry, Held, Permit, SecretReadView, SecretWriteView, Verdict, VersionRecord, Writer,
};
use strongroom_model::{Action as ActionCode, JsonText, UserId};

/// What a write is put upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Onto {
    /// Whatever there is, be it nothing.
    #[default]
    Any,
    /// This version; 0: nothing.
    Version(u64),
    /// A secret that is there.
    Something,
}

impl From<Option<u64>> for Onto {
    fn from(version: Option<u64>) -> Self {
        version.map_or(Self::Any, Self::Version)
    }
}

/// A version, opened.
#[derive(Debug)]
pub struct Version {
    /// The type of its store.
    pub store_type: TypeRef,
    /// Its number.
    pub version: u64,
    /// Made when.
    pub created: UnixMillis,
    /// Made by whom.
    pub creator: UserId,
    /// The value.
    pub value: Value,
}

/// What a read found.
#[derive(Debug)]
pub enum Found {
    /// No such secret or version.
    Absent,
    /// A version that is deleted: undeleting brings it back.
    Deleted {
        /// Its number.
        version: u64,
        /// Deleted when.
        at: UnixMillis,
    },
    /// A version that was destroyed: nothing brings it back.
    Destroyed {
        /// Its number.
        version: u64,
        /// Destroyed when.
        at: UnixMillis,
    },
    /// A version with its value.
    Live(Version),
}

impl Found {
    /// The version with its value, if there is one.
    pub fn live(self) -> Option<Version> {
        match self {
            Self::Live(version) => Some(version),
            Self::Absent | Self::Deleted { .. } | Self::Destroyed { .. } => None,
        }
    }
}

/// The public half of a version.
#[derive(Debug)]
pub struct PublicHalf {
    /// Its number.
    pub version: u64,
    /// Made when.
    pub created: UnixMillis,
    /// A JSON object, as the type makes it.
    pub public: JsonText,
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
    expected: impl Into<Onto>,
) -> Result<Written, SecretsError> {
    let (view, entry) = permit.open();
    match StoreMeta::decode(&view.store_payload()) {
        Ok(meta) => put_onto(view, entry, &meta, Made { by, at: now }, value, expected.into()).await,
        Err(fault) => fail(entry, fault.into()).await,
    }
}

/// The same with a value that is made once the store's type is known: for protocols that say less than a value.
pub async fn put_shaped(
    permit: Permit<PutSecret>,
    by: UserId,
    now: UnixMillis,
    shape: impl FnOnce(TypeRef) -> Result<Value, TypeError>,
    expected: Onto,
) -> Result<Written, SecretsError> {
    let (view, entry) = permit.open();
    let meta = match StoreMeta::decode(&view.store_payload()) {
        Ok(meta) => meta,
        Err(fault) => return fail(entry, fault.into()).await,
    };
    match shape(meta.store_type) {
        Ok(value) => put_onto(view, entry, &meta, Made { by, at: now }, &value, expected).await,
        Err(fault) => fail(entry, fault.into()).await,
    }
}

async fn put_onto(
    view: SecretWriteView,
    entry: Entry,
    meta: &StoreMeta,
    made: Made,
    value: &Value,
    expected: Onto,
) -> Result<Written, SecretsError> {
    let guard = view.hold().await;
    let accepted = match accept(&view, meta.store_type, value).await {
        Ok(accepted) => accepted,
        Err(fault) => return fail(entry, fault).await,
    };
    let value = accepted.value.as_ref().unwrap_or(value);
    let new = New { made, facts: &accepted.facts, value, expected };
    let written = add(&view, entry, meta, &new).await;
    drop(guard);
    written
}

/// What the store's type makes of a value. The name is held, so that what is beneath stays there.
async fn accept(
    view: &SecretWriteView,
    store_type: TypeRef,
    value: &Value,
) -> Result<Accepted, SecretsError> {
    let beneath = if store_type.builds_upon(value) { beneath(view).await? } else { None };
    if !store_type.is_slow() {
        return Ok(store_type.accept(value, beneath.as_ref())?);
    }
    let value = value.copied();
    Ok(workshop::work(move || store_type.accept(&value, beneath.as_ref())).await??)
}

/// The newest value, if it can be read.
async fn beneath(view: &SecretWriteView) -> Result<Option<Value>, SecretsError> {
    let newest = view.beneath().await?.filter(|record| record.deleted.is_none());
    Ok(newest.and_then(|record| match decode_version(&record.plain) {
        Some(Kept::Value { value, .. }) => Some(value),
        _ => None,
    }))
}

/// Generates a new version: `wanted` is a JSON object that the store's type understands.
pub async fn generate(
    permit: Permit<GenerateSecret>,
    by: UserId,
    now: UnixMillis,
    ambient: &Ambient,
    wanted: &JsonText,
    expected: impl Into<Onto>,
) -> Result<(Written, Facts), SecretsError> {
    let shape = |_| Ok(wanted.clone());
    generate_shaped(permit, (by, now), ambient, shape, expected.into()).await
}

/// The same with an order that is made once the store's type is known: for protocols that say less than an order.
pub async fn generate_shaped(
    permit: Permit<GenerateSecret>,
    (by, now): (UserId, UnixMillis),
    ambient: &Ambient,
    shape: impl FnOnce(TypeRef) -> Result<JsonText, TypeError>,
    expected: Onto,
) -> Result<(Written, Facts), SecretsError> {
    let (view, entry) = permit.open();
    let meta = match StoreMeta::decode(&view.store_payload()) {
        Ok(meta) => meta,
        Err(fault) => return fail(entry, fault.into()).await,
    };
    let wanted = match shape(meta.store_type) {
        Ok(wanted) => wanted,
        Err(fault) => return fail(entry, fault.into()).await,
    };
    let guard = view.hold().await;
    let (value, facts) = match draw(&view, &meta, ambient, &wanted).await {
        Ok(drawn) => drawn,
        Err(fault) => return fail(entry, fault).await,
    };
    let new = New { made: Made { by, at: now }, facts: &facts, value: &value, expected };
    let written = add(&view, entry, &meta, &new).await;
    drop(guard);
    written.map(|written| (written, facts))
}

async fn draw(
    view: &SecretWriteView,
    meta: &StoreMeta,
    ambient: &Ambient,
    wanted: &JsonText,
) -> Result<(Value, Facts), SecretsError> {
    let store_type = meta.store_type;
    let beneath = if store_type.generates_upon() { beneath(view).await? } else { None };
    let (wanted, settings, ambient) = (wanted.clone(), meta.settings.of_type.clone(), ambient.clone());
    let draw = move || {
        let order =
            Order { wanted: &wanted, settings: &settings, beneath: beneath.as_ref(), ambient: &ambient };
        store_type.generate(&order)
    };
    let made = if store_type.is_slow() { workshop::work(draw).await?? } else { draw()? };
    let Accepted { value, facts } = made;
    Ok((value.ok_or(TypeError::NoGenerator)?, facts))
}

/// A version to be written.
struct New<'a> {
    made: Made,
    facts: &'a Facts,
    value: &'a Value,
    expected: Onto,
}

async fn add(
    view: &SecretWriteView,
    mut entry: Entry,
    meta: &StoreMeta,
    new: &New<'_>,
) -> Result<Written, SecretsError> {
    let (version, batch) = match batch_of(view, meta, new).await {
        Ok(batch) => batch,
        Err(fault) => {
            // the trail keeps the number, the answer only if it is no news
            let known = entry.may_tell(ActionCode::ReadMetadata);
            let failed = fail(entry, fault).await;
            return failed.map_err(|fault| if known { fault } else { fault.without_present() });
        }
    };
    let written = Written { version, created: new.made.at };
    entry.note(format!("version {version}"));
    entry.remember(written.encode());
    entry.commit(batch).await?;
    Ok(written)
}

async fn batch_of(
    view: &SecretWriteView,
    meta: &StoreMeta,
    new: &New<'_>,
) -> Result<(u64, Batch), SecretsError> {
    let present = view.present().await?;
    let number = present.as_ref().map_or(0, |(_, version)| *version);
    match new.expected {
        Onto::Something if number == 0 => return Err(SecretsError::NotFound),
        Onto::Any | Onto::Something if meta.settings.cas_required => {
            return Err(SecretsError::VersionRequired { present: Some(number) });
        }
        Onto::Version(expected) if expected != number => {
            return Err(SecretsError::VersionMismatch { present: Some(number), expected });
        }
        _ => {}
    }
    let version = number.checked_add(1).ok_or(SecretsError::Versions)?;
    let plain = encode_version(new.made, new.facts, new.value);
    let batch = match &present {
        Some((head, _)) => view.add_version(head, version, &plain, meta.settings.keep).await?,
        None => Some(plain.expose(|plain| view.create(&new.made.encode(), plain))),
    };
    Ok((version, batch.ok_or(SecretsError::NotFound)?))
}

/// Reads a version, the newest by default.
pub async fn read(permit: Permit<GetSecret>, version: Option<u64>) -> Result<Held<Found>, SecretsError> {
    let (view, mut entry) = permit.open();
    let found = match find(&view, version).await {
        Ok(found) => found,
        Err(fault) => return fail(entry, fault).await,
    };
    let verdict = match &found {
        Found::Live(_) => Verdict::Released,
        Found::Absent | Found::Deleted { .. } | Found::Destroyed { .. } => Verdict::NotFound,
    };
    match &found {
        Found::Live(live) => entry.note(format!("version {}", live.version)),
        Found::Deleted { version, .. } => entry.note(format!("version {version} is deleted")),
        Found::Destroyed { version, .. } => entry.note(format!("version {version} was destroyed")),
        Found::Absent => {}
    }
    Ok(entry.hold(verdict, found))
}

async fn find(view: &SecretReadView, version: Option<u64>) -> Result<Found, SecretsError> {
    let record = match version {
        Some(version) => view.version(version).await?,
        None => view.latest().await?,
    };
    let Some(record) = record else { return Ok(Found::Absent) };
    let version = record.version;
    match (open_version(&record)?, record.deleted) {
        (Kept::Destroyed { destroyed, .. }, _) => Ok(Found::Destroyed { version, at: destroyed.at }),
        (Kept::Value { .. }, Some(deleted)) => Ok(Found::Deleted { version, at: deleted.at }),
        (Kept::Value { made, value, .. }, None) => {
            let store_type = StoreMeta::type_of(&view.store_payload())?;
            Ok(Found::Live(Version { store_type, version, created: made.at, creator: made.by, value }))
        }
    }
}

pub(crate) fn open_version(record: &VersionRecord) -> Result<Kept, SecretsError> {
    let corrupt = || BarrierError::corrupt(format!("payload of version {}", record.version));
    Ok(decode_version(&record.plain).ok_or_else(corrupt)?)
}

/// Reads the public half of a version, the newest by default. The secret half stays where it is.
pub async fn public(
    permit: Permit<ReadPublic>,
    version: Option<u64>,
) -> Result<Held<Option<PublicHalf>>, SecretsError> {
    let (view, mut entry) = permit.open();
    match half(&view, version).await {
        Ok(Some(half)) => {
            entry.note(format!("version {}", half.version));
            Ok(entry.hold(Verdict::Released, Some(half)))
        }
        Ok(None) => Ok(entry.hold(Verdict::NotFound, None)),
        Err(fault) => fail(entry, fault).await,
    }
}

async fn half(view: &SecretReadView, version: Option<u64>) -> Result<Option<PublicHalf>, SecretsError> {
    let version = match find(view, version).await? {
        Found::Live(version) => version,
        Found::Absent => return Ok(None),
        Found::Deleted { version, .. } => return Err(SecretsError::Deleted { version }),
        Found::Destroyed { version, .. } => return Err(SecretsError::Destroyed { version }),
    };
    let Version { store_type, version, created, value, .. } = version;
    let public = workshop::work(move || store_type.public(&value)).await??;
    Ok(Some(PublicHalf { version, created, public }))
}

/// Writes a failed entry with its reason, and gives the error back.
pub(crate) async fn fail<T>(mut entry: Entry, fault: SecretsError) -> Result<T, SecretsError> {
    entry.note(fault.to_string());
    let verdict = match fault {
        SecretsError::NotFound => Verdict::NotFound,
        _ => Verdict::Failed,
    };
    entry.finish(verdict).await?;
    Err(fault)
}
