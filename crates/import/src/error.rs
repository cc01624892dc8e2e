//! What is wrong with a file, and where. Names may be said, values never.

use strongroom_model::{JsonFault, MAX_VALUE_BYTES, NameError};

/// What is wrong, and in which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {fault}")]
pub struct ImportError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub fault: Fault,
}

impl ImportError {
    pub(crate) fn at(line: u64, fault: Fault) -> Self {
        Self { line, fault }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More than is read.
    #[error("the file is larger than {} bytes", crate::MAX_FILE_BYTES)]
    FileTooLarge,
    /// More names than are read.
    #[error("more than {} secrets", crate::MAX_ENTRIES)]
    TooMany,
    /// Bytes that are no text.
    #[error("not UTF-8 text")]
    NotUtf8,
    /// A value that no server keeps.
    #[error("the value of {path} is larger than {MAX_VALUE_BYTES} bytes")]
    ValueTooLarge {
        /// The secret.
        path: String,
    },
    /// A name that comes twice.
    #[error("{path} stands here again; it is in line {first} already")]
    Duplicate {
        /// The secret.
        path: String,
        /// Where it was first.
        first: u64,
    },
    /// A name that no secret can have.
    #[error("{path:?} cannot be a secret's path: {source}")]
    Name {
        /// As it was written.
        path: String,
        /// Why.
        source: NameError,
    },
    /// A line that is no assignment.
    #[error("expected NAME=VALUE")]
    NoAssignment,
    /// A quote that is never closed.
    #[error("the quote that is opened here is never closed")]
    OpenQuote,
    /// Something behind a closed quote.
    #[error("something stands behind the closing quote")]
    AfterQuote,
    /// NUL.
    #[error("a NUL character")]
    Nul,
    /// Not JSON.
    #[error("not acceptable JSON: {0}")]
    Json(JsonFault),
    /// JSON or YAML of another shape.
    #[error("expected an object of names and values")]
    NoObject,
    /// Base64 that is none.
    #[error("the bytes of {path} are not standard base64")]
    Base64 {
        /// The secret.
        path: String,
    },
    /// Not YAML.
    #[error("not acceptable YAML: {0}")]
    Yaml(String),
    /// What YAML has and this reader refuses.
    #[error("YAML {0} are not read")]
    Refused(&'static str),
    /// Not TOML.
    #[error("not acceptable TOML: {0}")]
    Toml(String),
    /// A document larger than any that a person writes.
    #[error("larger than {} bytes", crate::MAX_DOCUMENT_BYTES)]
    DocumentTooLarge,
    /// A document with more in it than any that a person writes.
    #[error(
        "more than {} values, or nested deeper than {} levels",
        crate::MAX_DOCUMENT_VALUES,
        crate::MAX_DOCUMENT_DEPTH
    )]
    DocumentTooRich,
    /// A name that a table has already.
    #[error("{name} stands here again")]
    Again {
        /// The name.
        name: String,
    },
    /// Nested too deep.
    #[error("nested deeper than {} levels", crate::MAX_DEPTH)]
    TooDeep,
    /// A block that begins and does not end.
    #[error("the {label} that begins here does not end")]
    PemCut {
        /// What it is.
        label: String,
    },
    /// An end without its beginning.
    #[error("a PEM end without its beginning")]
    PemEnd,
    /// Something that is no base64 in a block.
    #[error("not base64 inside of a PEM block")]
    PemBase64,
}
