//! Auto-unlock from a key file: outside the data directory, private, never in a backup.

use crate::tls::write_private;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use strongroom_ambient::Ambient;
use strongroom_operator::{AutoSource, AutoSourceError};
use strongroom_secret::SecretBytes;
use strongroom_unlock::{AutoUnlock, KeyFile};

const MAX_BYTES: u64 = 4_096;

/// A key file at a path.
pub(crate) struct KeyFileSource {
    path: PathBuf,
    ambient: Ambient,
}

impl KeyFileSource {
    pub(crate) fn new(path: PathBuf, ambient: Ambient) -> Self {
        Self { path, ambient }
    }

    #[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
    fn fault(&self, fault: impl ToString) -> AutoSourceError {
        AutoSourceError { place: self.place(), fault: fault.to_string() }
    }
}

impl AutoSource for KeyFileSource {
    fn name(&self) -> &str {
        KeyFile::NAME
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn load(&self) -> Result<Box<dyn AutoUnlock>, AutoSourceError> {
        let file = File::open(&self.path).map_err(|fault| self.fault(fault))?;
        let meta = file.metadata().map_err(|fault| self.fault(fault))?;
        if meta.mode() & 0o077 != 0 {
            return Err(self.fault("group or others may read it; chmod 600"));
        }
        let mut text = Vec::with_capacity(usize::try_from(meta.len().min(MAX_BYTES)).unwrap_or(0) + 1);
        file.take(MAX_BYTES).read_to_end(&mut text).map_err(|fault| self.fault(fault))?;
        let text = SecretBytes::new(text);
        let key = text.expose(KeyFile::parse).map_err(|fault| self.fault(fault))?;
        Ok(Box::new(key))
    }

    fn create(&self) -> Result<Box<dyn AutoUnlock>, AutoSourceError> {
        if self.path.exists() {
            return self.load();
        }
        let text = KeyFile::generate(&self.ambient).to_text();
        text.expose(|bytes| write_private(&self.path, bytes)).map_err(|fault| self.fault(fault))?;
        self.load()
    }
}
