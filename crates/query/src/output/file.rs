//! A file that is there whole or not at all, for its owner's eyes only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use strongroom_ambient::Ambient;

/// The output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct OutputError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// A file in the making. Until [`OutputFile::keep`] it has another name; dropped, it is gone.
pub struct OutputFile {
    path: PathBuf,
    temporary: PathBuf,
    file: Option<BufWriter<File>>,
}

impl OutputFile {
    /// Begins a file that will have this name.
    pub fn create(path: &Path, ambient: &Ambient) -> Result<Self, OutputError> {
        let tell = |source| OutputError { path: path.to_owned(), source };
        let name = path.file_name().ok_or_else(|| tell(io::Error::from(io::ErrorKind::InvalidInput)))?;
        if path.is_dir() {
            return Err(tell(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let random: [u8; 8] = ambient.random();
        let suffix = data_encoding::HEXLOWER.encode(&random);
        let temporary = path.with_file_name(format!(".{}.{suffix}.part", name.to_string_lossy()));
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).map_err(tell)?;
        Ok(Self { path: path.to_owned(), temporary, file: Some(BufWriter::new(file)) })
    }

    /// Gives it its name, once it is on the disk.
    pub fn keep(mut self) -> Result<(), OutputError> {
        self.settle().map_err(|source| OutputError { path: self.path.clone(), source })
    }

    fn settle(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
        }
        fs::rename(&self.temporary, &self.path)?;
        self.temporary.clone_from(&self.path);
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if self.temporary != self.path {
            // nobody can be told any more
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
