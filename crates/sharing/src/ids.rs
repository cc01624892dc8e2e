//! Ids as they are written: lower-case hexadecimal digits.

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct IdError {
    /// What an id of this kind looks like.
    pub expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEX.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = HEX.decode(text.as_bytes()).ok();
                let id = bytes.and_then(|bytes| bytes.try_into().ok()).map(Self);
                id.ok_or(IdError { expected: "32 hexadecimal digits" })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id! {
    /// A member of the sharing system, and so a collector: 128 random bits that the authority gave.
    MemberId
}
id! {
    /// A batch: 128 random bits that its collector drew.
    BatchId
}
id! {
    /// An index token as it is written.
    TokenText
}

/// Which record: its collector and the number that the collector gave it, from 1. Written `COLLECTOR-SEQUENCE`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordId {
    /// Whose it is.
    pub collector: MemberId,
    /// Its number, from 1, without gaps.
    pub sequence: u64,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.collector, self.sequence)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = IdError { expected: "32 hexadecimal digits, a hyphen and a number" };
        let (collector, sequence) = text.split_once('-').ok_or(wrong)?;
        let sequence: u64 = sequence.parse().map_err(|_| wrong)?;
        Ok(Self { collector: collector.parse().map_err(|_| wrong)?, sequence })
    }
}

impl TryFrom<String> for RecordId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<RecordId> for String {
    fn from(id: RecordId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_as_they_were_written() {
        let id = RecordId { collector: MemberId([7; 16]), sequence: 12 };
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "12",
            "0707-1",
            "-1",
            "07070707070707070707070707070707-",
            "07070707070707070707070707070707-x",
        ] {
            assert!(bad.parse::<RecordId>().is_err(), "{bad}");
        }
        assert!("0707".parse::<MemberId>().is_err());
    }
}
