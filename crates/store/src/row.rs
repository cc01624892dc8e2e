//! Rows: opaque keys, opaque values, revisions.

/// The longest row key, in bytes.
pub const MAX_KEY_BYTES: usize = 64;

/// The number of a commit; grows by at least one with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub i64);

/// A row's key: 1 to 64 bytes, ordered as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(Box<[u8]>);

/// A key of a wrong length.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("row key has {0} bytes, allowed are 1 to {MAX_KEY_BYTES}")]
pub struct RowKeyError(pub usize);

impl RowKey {
    /// Checks the length and keeps the bytes.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, RowKeyError> {
        let bytes = bytes.into();
        if bytes.is_empty() || bytes.len() > MAX_KEY_BYTES {
            return Err(RowKeyError(bytes.len()));
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for RowKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in &self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// A stored row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its key.
    pub key: RowKey,
    /// The commit that last wrote it.
    pub revision: Revision,
    /// Its value: ciphertext, as far as anyone here knows.
    pub value: Vec<u8>,
}

/// Direction of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Smallest key first.
    #[default]
    Ascending,
    /// Greatest key first.
    Descending,
}

/// Rows whose keys begin with `prefix`, strictly beyond `after` in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Keys begin with these bytes; may be empty (all rows).
    pub prefix: Vec<u8>,
    /// Start strictly beyond this key.
    pub after: Option<RowKey>,
    /// Direction.
    pub order: Order,
    /// At most so many rows.
    pub limit: usize,
}

impl Range {
    /// All rows with a prefix, ascending, at most `limit`.
    pub fn prefix(prefix: impl Into<Vec<u8>>, limit: usize) -> Self {
        Self { prefix: prefix.into(), after: None, order: Order::Ascending, limit }
    }
}
