//! Payloads: what a version, a secret's entry and a store's entry hold.

use strongroom_ambient::UnixMillis;
use strongroom_gate::{BarrierError, Reader, Writer};
use strongroom_model::{JsonText, UserId, ValueKind};
use strongroom_secret::SecretBytes;

const FORMAT: u8 = 1;

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
}

/// Who made something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) by: UserId,
    pub(crate) at: UnixMillis,
}

impl Made {
    /// A secret's entry: `format | made at | made by`.
    pub(crate) fn encode(self) -> Vec<u8> {
        Writer::new().u8(FORMAT).i64(self.at.0).raw(&self.by.0).finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.u8()? == FORMAT).then_some(())?;
        Some(Self { at: UnixMillis(reader.i64()?), by: UserId(reader.array()?) })
    }
}

/// A version: `format | made at | made by | kind | value`.
pub(crate) fn encode_version(made: Made, value: &Value) -> SecretBytes {
    value.bytes.expose(|bytes| {
        let mut plain = Vec::with_capacity(26 + bytes.len());
        plain.extend(made.encode());
        plain.push(value.kind as u8);
        plain.extend_from_slice(bytes);
        SecretBytes::new(plain)
    })
}

pub(crate) fn decode_version(plain: &SecretBytes) -> Option<(Made, Value)> {
    plain.expose(|bytes| {
        let (head, rest) = bytes.split_at_checked(25)?;
        let (kind, value) = rest.split_first()?;
        let value = Value { kind: ValueKind::from_code(*kind)?, bytes: SecretBytes::new(value.to_vec()) };
        Some((Made::decode(head)?, value))
    })
}

/// A type of store. Numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum StoreType {
    /// Any JSON value or bytes.
    Generic = 1,
}

impl StoreType {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
        }
    }

    /// From its name; the seed's `Generic_Secret` is the same type.
    pub fn from_name(name: &str) -> Option<Self> {
        matches!(name, "generic" | "Generic_Secret").then_some(Self::Generic)
    }

    /// Version of the type that new stores get.
    pub fn version(self) -> u32 {
        match self {
            Self::Generic => 1,
        }
    }
}

/// A store's entry: `format | made at | made by | type | type version`.
pub(crate) fn encode_store(made: Made, store_type: StoreType) -> Vec<u8> {
    Writer::new().raw(&made.encode()).u8(store_type as u8).u32(store_type.version()).finish()
}

pub(crate) fn decode_store(bytes: &[u8]) -> Result<(Made, StoreType, u32), BarrierError> {
    let parse = || {
        let (head, rest) = bytes.split_at_checked(25)?;
        let mut reader = Reader::new(rest);
        let store_type = match reader.u8()? {
            1 => StoreType::Generic,
            _ => return None,
        };
        Some((Made::decode(head)?, store_type, reader.u32()?))
    };
    parse().ok_or_else(|| BarrierError::corrupt("a store's entry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_round_trips() {
        let made = Made { by: UserId([1; 16]), at: UnixMillis(7) };
        for kind in [ValueKind::Json, ValueKind::Bytes] {
            let value = Value { kind, bytes: SecretBytes::new(b"42".to_vec()) };
            let (decoded_made, decoded) = decode_version(&encode_version(made, &value)).unwrap();
            assert_eq!((decoded_made, decoded.kind), (made, kind));
            decoded.bytes.expose(|bytes| assert_eq!(bytes, b"42"));
        }
    }

    #[test]
    fn short_payloads_are_refused() {
        assert!(decode_version(&SecretBytes::new(vec![1; 25])).is_none());
        assert!(decode_store(&[1; 26]).is_err());
    }
}
