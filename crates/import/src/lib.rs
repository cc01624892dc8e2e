//! Files of secrets, read and written: `.env`, JSON, YAML, PEM.
//!
//! **What it is for.** `secret import` and `secret export` speak to files that people already have. What is read here
//! comes from anywhere, so every reader is bounded: size, depth, number of names.
//!
//! **What it promises.** A file is read wholly or not at all: one fault, with its line, and no entry. What was read is
//! exactly what was written in it: numbers keep their digits, texts their bytes, nothing is expanded, no name comes
//! twice. What [`json_file`] writes [`read`] gives back to the byte; [`yaml_file`] loses the spaces inside of a value and
//! [`env_file`] everything that is no text. An error never repeats a value.
//!
//! **What it does not know.** Folders, servers, what is stored already.
//!
//! **Where to start.** [`read`] for a file, [`Entry`] for what is in it, [`env_name`] for how a secret is called in an
//! environment; [`read_tree`] for a small document that is no file of secrets, such as a configuration.

mod dotenv;
mod entry;
mod env;
mod error;
mod json;
mod lines;
mod pem;
mod tree;
mod write;
mod yaml;
mod yaml_events;

pub use entry::{Entry, MAX_ENTRIES, Reading, Value};
pub use env::{EnvError, env_name, env_text};
pub use error::{Fault, ImportError};
pub use pem::pem_blocks;
pub use tree::{
    Item, MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH, MAX_DOCUMENT_VALUES, Member, Node, Text, Writing, read_tree,
};
pub use write::{BYTES_KEY, ExportError, env_file, json_file, yaml_file};

/// The largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 100_000_000;
/// The deepest nesting of a file: a value may have 64 levels, and it lies in one more.
pub const MAX_DEPTH: usize = 65;

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `NAME=value` lines.
    Env,
    /// An object of names and values.
    Json,
    /// A mapping of names and values.
    Yaml,
}

/// Reads a file: all of it, or the first fault.
pub fn read(format: Format, bytes: &[u8], reading: &Reading) -> Result<Vec<Entry>, ImportError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ImportError::at(1, Fault::FileTooLarge));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ImportError::at(lines::line_of(bytes, error.valid_up_to()), Fault::NotUtf8))?;
    // a byte order mark says nothing in UTF-8
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Env => dotenv::read(text, reading),
        Format::Json => json::read(text, reading),
        Format::Yaml => yaml::read(text, reading),
    }
}
