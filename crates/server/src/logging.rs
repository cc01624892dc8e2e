//! Log lines for the operator, on standard error or in a file: identifiers, never values.

use parking_lot::Mutex;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Of a log file: its group may read it, as collectors of logs do.
const FILE_MODE: u32 = 0o640;

/// The environment variable that overrides the configuration's filter.
pub const FILTER_VARIABLE: &str = "RUST_LOG";

/// Why logging did not begin.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter cannot be understood.
    #[error("`{filter}` is no log filter")]
    Filter {
        /// The filter.
        filter: String,
    },
    /// The log file cannot be written to.
    #[error("cannot open {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else logs in this process already.
    #[error("logging has begun already")]
    Begun,
}

/// Whether a text is a log filter: `info`, `warn,strongroom_server=debug`.
pub fn is_filter(text: &str) -> bool {
    !text.trim().is_empty() && EnvFilter::builder().parse(text).is_ok()
}

/// A log file, which is opened anew when whoever rotates logs has moved it away. Clones are of the same.
#[derive(Debug, Clone)]
pub struct LogFile(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    path: PathBuf,
    file: Mutex<File>,
}

impl LogFile {
    /// Opens a file to append to it.
    ///
    /// # Errors
    /// If it cannot be.
    pub fn open(path: &Path) -> Result<Self, LoggingError> {
        let file = Mutex::new(append(path)?);
        Ok(Self(Arc::new(Opened { path: path.to_owned(), file })))
    }

    /// Opens whatever has its name now; if that fails, lines go on where they went.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn reopen(&self) -> Result<(), LoggingError> {
        let fresh = append(&self.0.path)?;
        *self.0.file.lock() = fresh;
        Ok(())
    }
}

fn append(path: &Path) -> Result<File, LoggingError> {
    let opened = OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(path);
    opened.map_err(|source| LoggingError::File { path: path.to_owned(), source })
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.file.lock().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.file.lock().flush()
    }
}

/// Logs from now on, with the filter of `RUST_LOG` or else this one: to the file, if there is one, else to standard
/// error; in colour on a terminal only.
///
/// # Errors
/// If the filter is none, or if it was called before.
pub fn init(filter: &str, file: Option<&LogFile>) -> Result<(), LoggingError> {
    let filter =
        std::env::var(FILTER_VARIABLE).ok().filter(|text| !text.is_empty()).unwrap_or(filter.to_owned());
    let parsed = EnvFilter::builder().parse(&filter).map_err(|_| LoggingError::Filter { filter })?;
    let writer = match file.cloned() {
        Some(file) => BoxMakeWriter::new(move || file.clone()),
        None => BoxMakeWriter::new(io::stderr),
    };
    tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(writer)
        .with_ansi(file.is_none() && io::stderr().is_terminal())
        .try_init()
        .map_err(|_| LoggingError::Begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_told_from_nonsense() {
        for text in ["info", "warn,strongroom_server=debug", "off"] {
            assert!(is_filter(text), "{text}");
        }
        for text in ["", " ", "strongroom=loudly", "a=b=c"] {
            assert!(!is_filter(text), "{text}");
        }
    }

    #[test]
    fn a_log_file_that_was_moved_away_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
        let mut log = LogFile::open(&path).unwrap();
        log.write_all(b"one\n").unwrap();
        std::fs::rename(&path, &moved).unwrap();
        log.write_all(b"two\n").unwrap();
        log.reopen().unwrap();
        log.write_all(b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        std::fs::remove_dir_all(folder.path()).unwrap();
        assert!(matches!(log.reopen(), Err(LoggingError::File { .. })));
        log.write_all(b"four\n").unwrap();
    }
}
