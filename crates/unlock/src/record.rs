//! The root record: what the server needs to be unlocked, safe at rest.

use crate::layout::{Reader, fixed};
use crate::{SetId, UnlockSet};
use strongroom_crypto::sha256;
use strongroom_secret::bytes_eq;

/// The longest root record, in bytes.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
/// The most auto-unlock wrappings of a record.
pub const MAX_AUTO_WRAPPINGS: usize = 16;
/// The longest name of an auto-unlock provider, in bytes.
pub const MAX_AUTO_NAME_BYTES: usize = 64;
/// The longest auto-unlock wrapping, in bytes.
pub const MAX_AUTO_BLOB_BYTES: usize = 8 * 1024;

const MAGIC: &[u8; 6] = b"SRROOT";
const FORMAT: u16 = 1;
const CHECKSUM_BYTES: usize = 32;
const CONFIRMED: u8 = 1;
const AUTO_HELD: u8 = 2;
const AUTO_CONTEXT: &[u8; 16] = b"sr-auto-context1";

/// Why a root record cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record is not as it was written.
    #[error("the root record is corrupt at byte {offset} ({what})")]
    Corrupt {
        /// Where the first disagreement was found, in bytes from the start.
        offset: usize,
        /// What should have been there.
        what: &'static str,
    },
    /// The record is whole, but of a format that this program does not know.
    #[error("the root record has format {found}, newer than {known}, the newest that this program knows")]
    NewerFormat {
        /// The record's format.
        found: u16,
        /// The newest format known here.
        known: u16,
    },
}

/// Something is longer, or more, than a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// A provider's name is empty or too long.
    #[error("the name of an auto-unlock provider has 1 to {MAX_AUTO_NAME_BYTES} bytes")]
    AutoName,
    /// A provider's wrapping is too long.
    #[error("an auto-unlock wrapping has at most {MAX_AUTO_BLOB_BYTES} bytes")]
    AutoBlob,
    /// There are as many auto-unlock wrappings as a record holds.
    #[error("there are at most {MAX_AUTO_WRAPPINGS} auto-unlock wrappings")]
    AutoWrappings,
}

/// What a second set of unlock keys waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingPurpose {
    /// The root key is being rotated: the set opens the next root key, and becomes current when a threshold of it
    /// has been presented.
    Rotation,
    /// An initialisation was repeated before it was confirmed.
    Init,
}

/// A set of unlock keys that has been shown, and is not current yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What it waits for.
    pub purpose: PendingPurpose,
    /// The set.
    pub set: UnlockSet,
}

/// A wrapping of the root key that opens without a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoWrapping {
    provider: String,
    blob: Vec<u8>,
    created_ms: i64,
}

impl AutoWrapping {
    /// A wrapping that the provider of this name made at this moment (milliseconds since 1970).
    pub fn new(provider: &str, blob: Vec<u8>, created_ms: i64) -> Result<Self, LimitError> {
        if provider.is_empty() || provider.len() > MAX_AUTO_NAME_BYTES {
            return Err(LimitError::AutoName);
        }
        if blob.len() > MAX_AUTO_BLOB_BYTES {
            return Err(LimitError::AutoBlob);
        }
        Ok(Self { provider: provider.to_owned(), blob, created_ms })
    }

    /// The provider's name.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// What the provider made.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// When it was made, in milliseconds since 1970.
    pub fn created_ms(&self) -> i64 {
        self.created_ms
    }
}

/// The persisted root record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRecord {
    /// Names this life of the data directory: a restored backup starts another.
    pub incarnation: [u8; 16],
    /// Whether the people who initialised the server said that they have their unlock keys.
    pub confirmed: bool,
    /// Whether an operator locked the server: auto-unlock stays off until a manual unlock.
    pub auto_held: bool,
    /// The set that opens the root key.
    pub current: UnlockSet,
    /// A set that was shown, and is not current yet.
    pub pending: Option<Pending>,
    autos: Vec<AutoWrapping>,
}

impl RootRecord {
    /// The record of a server that was just initialised: unconfirmed, without auto-unlock.
    pub fn new(incarnation: [u8; 16], current: UnlockSet) -> Self {
        Self { incarnation, confirmed: false, auto_held: false, current, pending: None, autos: Vec::new() }
    }

    /// The generation of the root key that the current set opens.
    pub fn root_generation(&self) -> u64 {
        self.current.root_generation()
    }

    /// The wrappings that open without a person.
    pub fn autos(&self) -> &[AutoWrapping] {
        &self.autos
    }

    /// Adds such a wrapping; an earlier one of the same provider is replaced.
    pub fn put_auto(&mut self, wrapping: AutoWrapping) -> Result<(), LimitError> {
        if let Some(kept) = self.autos.iter_mut().find(|kept| kept.provider == wrapping.provider) {
            *kept = wrapping;
        } else if self.autos.len() < MAX_AUTO_WRAPPINGS {
            self.autos.push(wrapping);
        } else {
            return Err(LimitError::AutoWrappings);
        }
        Ok(())
    }

    /// Removes the wrapping of a provider; says whether there was one.
    pub fn remove_auto(&mut self, provider: &str) -> bool {
        let before = self.autos.len();
        self.autos.retain(|kept| kept.provider != provider);
        before != self.autos.len()
    }

    /// Makes the pending set current, drops the old one, and with it every wrapping of the old root key that opens
    /// without a person. Says whether a set was pending.
    pub fn promote_pending(&mut self) -> bool {
        let Some(pending) = self.pending.take() else { return false };
        self.current = pending.set;
        self.autos.clear();
        true
    }

    /// What an auto-unlock wrapping of the current root key is bound to.
    pub fn auto_context(&self) -> [u8; 32] {
        auto_context(self.current.id(), self.root_generation())
    }

    /// The record's bytes; the layout stands in `docs/formats/unlock.md`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_be_bytes());
        out.extend_from_slice(&self.incarnation);
        out.push(if self.confirmed { CONFIRMED } else { 0 } | if self.auto_held { AUTO_HELD } else { 0 });
        self.current.encode_into(&mut out);
        encode_pending(self.pending.as_ref(), &mut out);
        encode_autos(&self.autos, &mut out);
        let checksum = sha256(&out);
        out.extend_from_slice(&checksum);
        out
    }

    /// Reads a record. Every changed bit is reported as corrupt, with its place where the layout shows it.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let cut = RecordError::Corrupt { offset: bytes.len(), what: "end" };
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(RecordError::Corrupt { offset: MAX_RECORD_BYTES, what: "length" });
        }
        let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(cut)?;
        let whole = bytes_eq(&sha256(body), checksum);
        match decode_body(body) {
            // the checksum covers the format's number in every format: a flipped bit in it is not a newer format
            Err(RecordError::NewerFormat { .. }) if !whole => {
                Err(RecordError::Corrupt { offset: MAGIC.len(), what: "format" })
            }
            Ok(_) if !whole => Err(RecordError::Corrupt { offset: body.len(), what: "checksum" }),
            judged => judged,
        }
    }
}

fn auto_context(set: SetId, root_generation: u64) -> [u8; 32] {
    fixed(AUTO_CONTEXT.iter().copied().chain(set).chain(root_generation.to_be_bytes()))
}

fn encode_pending(pending: Option<&Pending>, out: &mut Vec<u8>) {
    let Some(pending) = pending else { return out.push(0) };
    out.push(match pending.purpose {
        PendingPurpose::Rotation => 1,
        PendingPurpose::Init => 2,
    });
    pending.set.encode_into(out);
}

fn encode_autos(autos: &[AutoWrapping], out: &mut Vec<u8>) {
    // the lengths are within their fields by the limits, which `AutoWrapping::new` and `put_auto` keep
    out.push(u8::try_from(autos.len()).unwrap_or(u8::MAX));
    for auto in autos {
        out.push(u8::try_from(auto.provider.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(auto.provider.as_bytes());
        out.extend_from_slice(&u16::try_from(auto.blob.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(&auto.blob);
        out.extend_from_slice(&auto.created_ms.to_be_bytes());
    }
}

fn decode_body(body: &[u8]) -> Result<RootRecord, RecordError> {
    let mut reader = Reader::new(body);
    if reader.array("magic")? != *MAGIC {
        return Err(RecordError::Corrupt { offset: 0, what: "magic" });
    }
    match u16::from_be_bytes(reader.array("format")?) {
        0 => return Err(RecordError::Corrupt { offset: MAGIC.len(), what: "format" }),
        FORMAT => {}
        found => return Err(RecordError::NewerFormat { found, known: FORMAT }),
    }
    let incarnation = reader.array("incarnation")?;
    let flags = reader.byte("flags", |flags| flags & !(CONFIRMED | AUTO_HELD) == 0)?;
    let current = UnlockSet::decode(&mut reader)?;
    let pending = decode_pending(&mut reader)?;
    let autos = decode_autos(&mut reader)?;
    reader.end()?;
    Ok(RootRecord {
        incarnation,
        confirmed: flags & CONFIRMED != 0,
        auto_held: flags & AUTO_HELD != 0,
        current,
        pending,
        autos,
    })
}

fn decode_pending(reader: &mut Reader<'_>) -> Result<Option<Pending>, RecordError> {
    let purpose = match reader.byte("pending set", |purpose| purpose <= 2)? {
        0 => return Ok(None),
        1 => PendingPurpose::Rotation,
        _ => PendingPurpose::Init,
    };
    Ok(Some(Pending { purpose, set: UnlockSet::decode(reader)? }))
}

fn decode_autos(reader: &mut Reader<'_>) -> Result<Vec<AutoWrapping>, RecordError> {
    let count =
        reader.byte("number of auto-unlock wrappings", |count| usize::from(count) <= MAX_AUTO_WRAPPINGS)?;
    let mut autos: Vec<AutoWrapping> = Vec::with_capacity(count.into());
    for _ in 0..count {
        let auto = decode_auto(reader)?;
        if autos.iter().any(|known| known.provider == auto.provider) {
            return Err(reader.corrupt("a second wrapping of a provider"));
        }
        autos.push(auto);
    }
    Ok(autos)
}

fn decode_auto(reader: &mut Reader<'_>) -> Result<AutoWrapping, RecordError> {
    let length = reader
        .byte("length of a provider's name", |length| (1..=MAX_AUTO_NAME_BYTES).contains(&length.into()))?;
    let misnamed = reader.corrupt("name of a provider");
    let provider =
        std::str::from_utf8(reader.bytes(length.into(), "name of a provider")?).map_err(|_| misnamed)?;
    let overlong = reader.corrupt("length of an auto-unlock wrapping");
    let length = u16::from_be_bytes(reader.array("length of an auto-unlock wrapping")?);
    let blob = reader.bytes(length.into(), "auto-unlock wrapping")?.to_vec();
    let created_ms = i64::from_be_bytes(reader.array("time of an auto-unlock wrapping")?);
    AutoWrapping::new(provider, blob, created_ms).map_err(|_| overlong)
}

#[cfg(test)]
mod tests;
