//! Payloads: what a version, a secret's entry and a store's entry hold.

use crate::store_type::{Facts, Settings, TypeRef};
use std::num::NonZeroU64;
use strongroom_ambient::UnixMillis;
use strongroom_gate::{BarrierError, Reader, Writer};
use strongroom_model::{JsonLimits, JsonText, UserId, ValueKind};
use strongroom_secret::SecretBytes;

/// A payload with nothing but its head, or a version of which nothing is known but its value.
const PLAIN: u8 = 1;
/// A version with facts, or a store with settings.
const FULL: u8 = 2;
/// What is left of a version that was destroyed.
const DESTROYED: u8 = 3;

/// A secret's value, as it came.
#[derive(Debug)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Its bytes: of a JSON value its text.
    pub bytes: SecretBytes,
}

impl Value {
    /// A JSON value, kept to the byte.
    pub fn json(text: &JsonText) -> Self {
        Self { kind: ValueKind::Json, bytes: SecretBytes::new(text.as_str().as_bytes().to_vec()) }
    }

    /// Any bytes.
    pub fn bytes(bytes: SecretBytes) -> Self {
        Self { kind: ValueKind::Bytes, bytes }
    }

    /// A second one, for work elsewhere.
    pub(crate) fn copied(&self) -> Self {
        Self { kind: self.kind, bytes: self.bytes.expose(|bytes| SecretBytes::new(bytes.to_vec())) }
    }
}

/// Who did something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) by: UserId,
    pub(crate) at: UnixMillis,
}

impl Made {
    /// A secret's entry: `1 | made at | made by`.
    pub(crate) fn encode(self) -> Vec<u8> {
        self.write(PLAIN).finish()
    }

    fn write(self, format: u8) -> Writer {
        self.append(Writer::new().u8(format))
    }

    fn append(self, writer: Writer) -> Writer {
        writer.i64(self.at.0).raw(&self.by.0)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == PLAIN).then_some(())?;
        Self::read(&mut reader)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { at: UnixMillis(reader.i64()?), by: UserId(reader.array()?) })
    }
}

/// A version's payload, decoded.
#[derive(Debug)]
pub(crate) enum Kept {
    Value { made: Made, facts: Facts, value: Value },
    Destroyed { made: Made, kind: ValueKind, size: u64, destroyed: Made },
}

/// A version: `1 | made at | made by | kind | value`, and with facts
/// `2 | made at | made by | kind | expires | length, facts | value`.
pub(crate) fn encode_version(made: Made, facts: &Facts, value: &Value) -> SecretBytes {
    value.bytes.expose(|bytes| {
        let mut plain = Vec::with_capacity(38 + facts.json.len() + bytes.len());
        if *facts == Facts::default() {
            plain.extend(made.encode());
            plain.push(value.kind as u8);
        } else {
            let expires = facts.expires.map_or(i64::MIN, |expires| expires.0);
            let head = made.write(FULL).u8(value.kind as u8).i64(expires).bytes(facts.json.as_bytes());
            plain.extend(head.finish());
        }
        plain.extend_from_slice(bytes);
        SecretBytes::new(plain)
    })
}

/// What is left of a version: `3 | made at | made by | kind | size | destroyed at | destroyed by`.
pub(crate) fn encode_destroyed(made: Made, kind: ValueKind, size: u64, destroyed: Made) -> SecretBytes {
    let head = made.write(DESTROYED).u8(kind as u8).u64(size);
    SecretBytes::new(destroyed.append(head).finish())
}

pub(crate) fn decode_version(plain: &SecretBytes) -> Option<Kept> {
    plain.expose(|bytes| {
        let mut reader = Reader::new(bytes);
        let format = reader.u8()?;
        let made = Made::read(&mut reader)?;
        let kind = ValueKind::from_code(reader.u8()?)?;
        let facts = match format {
            PLAIN => Facts::default(),
            FULL => read_facts(&mut reader)?,
            DESTROYED => {
                let size = reader.u64()?;
                let destroyed = Made::read(&mut reader)?;
                return Some(Kept::Destroyed { made, kind, size, destroyed });
            }
            _ => return None,
        };
        let value = Value { kind, bytes: SecretBytes::new(reader.rest().to_vec()) };
        Some(Kept::Value { made, facts, value })
    })
}

fn read_facts(reader: &mut Reader<'_>) -> Option<Facts> {
    let expires = match reader.i64()? {
        i64::MIN => None,
        expires => Some(UnixMillis(expires)),
    };
    Some(Facts { expires, json: reader.text()?.to_owned() })
}

/// A store's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreMeta {
    pub(crate) made: Made,
    pub(crate) store_type: TypeRef,
    pub(crate) type_version: u32,
    pub(crate) settings: Settings,
    /// When it was configured last.
    pub(crate) configured: Option<Made>,
}

impl StoreMeta {
    /// `1 | made at | made by | type | type version`, and of a store that was configured `2 | the same |
    /// configured at | configured by | versions kept | 1 if a write has to name its version | length, settings`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let format = if self.is_plain() { PLAIN } else { FULL };
        let head = self.made.write(format).u8(self.store_type.number()).u32(self.type_version);
        if self.is_plain() {
            return head.finish();
        }
        let Settings { keep, cas_required, of_type } = &self.settings;
        self.configured
            .unwrap_or(self.made)
            .append(head)
            .u64(keep.map_or(0, NonZeroU64::get))
            .u8(u8::from(*cas_required))
            .bytes(of_type.as_str().as_bytes())
            .finish()
    }

    fn is_plain(&self) -> bool {
        self.settings == Settings::default() && self.configured.is_none()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, BarrierError> {
        Self::parse(bytes).ok_or_else(|| BarrierError::corrupt("a store's entry"))
    }

    /// Its type alone.
    pub(crate) fn type_of(bytes: &[u8]) -> Result<TypeRef, BarrierError> {
        let mut reader = Reader::new(bytes);
        let head = reader.u8().and_then(|_| Made::read(&mut reader)).and_then(|_| reader.u8());
        head.and_then(TypeRef::from_number).ok_or_else(|| BarrierError::corrupt("a store's entry"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let format = reader.u8()?;
        let made = Made::read(&mut reader)?;
        let (store_type, type_version) = (TypeRef::from_number(reader.u8()?)?, reader.u32()?);
        let mut meta =
            Self { made, store_type, type_version, settings: Settings::default(), configured: None };
        match format {
            PLAIN => {}
            FULL => {
                let configured = Made::read(&mut reader)?;
                meta.configured = (configured != made).then_some(configured);
                meta.settings = Settings {
                    keep: NonZeroU64::new(reader.u64()?),
                    cas_required: reader.u8()? == 1,
                    of_type: JsonText::new(reader.bytes()?, JsonLimits::VALUE).ok()?,
                };
            }
            _ => return None,
        }
        reader.rest().is_empty().then_some(meta)
    }
}

#[cfg(test)]
mod tests;
