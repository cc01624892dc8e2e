//! What a secret's value is.

/// The largest value, in bytes.
pub const MAX_VALUE_BYTES: usize = 1024 * 1024;

/// Kind of a value. The numbers are part of the record format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ValueKind {
    /// A JSON text, kept to the byte.
    Json = 1,
    /// Any bytes.
    Bytes = 2,
}

impl ValueKind {
    /// From its number.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Json),
            2 => Some(Self::Bytes),
            _ => None,
        }
    }
}
