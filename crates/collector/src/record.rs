//! A record on its way in, and what can be wrong with it.

use strongroom_blindindex::FormError;
use strongroom_model::{JsonError, JsonLimits};

/// Longest record in bytes.
pub const MAX_RECORD_BYTES: usize = 1 << 20;
/// Deepest nesting of a record.
pub const MAX_RECORD_DEPTH: usize = 32;
/// Most fields of a record, after the policy has removed some.
pub const MAX_FIELDS: usize = 256;
/// Most tokens of a record.
pub const MAX_TOKENS: usize = 1024;
/// Longest name of a field in bytes.
pub const MAX_NAME_BYTES: usize = 1024;

pub(crate) const LIMITS: JsonLimits = JsonLimits { bytes: MAX_RECORD_BYTES, depth: MAX_RECORD_DEPTH };

/// A record as it came in.
#[derive(Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The JSON object, as its sender wrote it.
    pub json: Vec<u8>,
    /// How far its source is read when this record is durable.
    pub mark: Option<Mark>,
}

/// A place in a source that can be read again: it is kept with the record, so that after a crash nothing is read twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Which source.
    pub source: String,
    /// Where: the source's own words.
    pub position: Vec<u8>,
}

/// Why a record is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// No JSON, or too much of it.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// No text.
    #[error("the text is not UTF-8 at byte {at}")]
    Text {
        /// Where.
        at: usize,
    },
    /// Longer than [`MAX_RECORD_BYTES`].
    #[error("too long: a record has at most {MAX_RECORD_BYTES} bytes, a message of syslog 65536")]
    TooLong,
    /// Its sender went away, or was silent for too long, in the middle of it.
    #[error("the record ends in its middle")]
    Unfinished,
    /// Nothing that its format says.
    #[error("this is not {wanted}")]
    Shape {
        /// What it should be.
        wanted: &'static str,
    },
    /// JSON, but not an object.
    #[error("a record is a JSON object")]
    NoObject,
    /// More fields than [`MAX_FIELDS`].
    #[error("the record has more than {MAX_FIELDS} fields")]
    TooManyFields,
    /// More tokens than [`MAX_TOKENS`].
    #[error("the record has more than {MAX_TOKENS} index tokens: {field} was being indexed")]
    TooManyTokens {
        /// The field at which it was found.
        field: String,
    },
    /// A name that is longer than [`MAX_NAME_BYTES`].
    #[error("a field's name has {bytes} bytes, allowed are {MAX_NAME_BYTES}")]
    LongName {
        /// Its length.
        bytes: usize,
    },
    /// A value that is to be indexed and cannot.
    #[error("field {field}: {source}")]
    Index {
        /// Which field.
        field: String,
        /// Why.
        source: FormError,
    },
    /// A field that could not be encrypted.
    #[error("field {field} cannot be encrypted: {why}")]
    Encrypt {
        /// Which field.
        field: String,
        /// Why.
        why: String,
    },
    /// The policy takes only records that can be found, and nothing of this one is indexed.
    #[error("no field of the record is indexed, and the policy requires one")]
    NotIndexed,
    /// Nothing is left of it.
    #[error("the record has no field that is kept")]
    Empty,
}

// what came in is in clear
impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("bytes", &self.json.len()).field("mark", &self.mark).finish()
    }
}
