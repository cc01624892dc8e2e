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

/// A file in the making. Until [`OutputFile::keep`] it has another name; dropped, it is gone. A device, pipe or socket has
/// nothing to be put in place of: it is written to as it is.
pub struct OutputFile {
    path: PathBuf,
    /// What becomes the file; nothing where it is written to as it is.
    temporary: Option<PathBuf>,
    file: Option<BufWriter<File>>,
}

impl OutputFile {
    /// Begins a file that will have this name.
    pub fn create(path: &Path, ambient: &Ambient) -> Result<Self, OutputError> {
        let asked = path;
        let tell = |source| OutputError { path: asked.to_owned(), source };
        // what a link leads to decides, and the link stays
        let path = match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(tell(io::Error::from(io::ErrorKind::IsADirectory))),
            Ok(found) if !found.is_file() => {
                let file = OpenOptions::new().write(true).open(path).map_err(tell)?;
                return Ok(Self { path: path.to_owned(), temporary: None, file: Some(BufWriter::new(file)) });
            }
            Ok(_) => fs::canonicalize(path).map_err(tell)?,
            Err(_) => path.to_owned(),
        };
        let name = path.file_name().ok_or_else(|| tell(io::Error::from(io::ErrorKind::InvalidInput)))?;
        let random: [u8; 8] = ambient.random();
        let suffix = data_encoding::HEXLOWER.encode(&random);
        let temporary = path.with_file_name(format!(".{}.{suffix}.part", name.to_string_lossy()));
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).map_err(tell)?;
        Ok(Self { path, temporary: Some(temporary), file: Some(BufWriter::new(file)) })
    }

    /// Gives it its name, once it is on the disk.
    pub fn keep(mut self) -> Result<(), OutputError> {
        self.settle().map_err(|source| OutputError { path: self.path.clone(), source })
    }

    fn settle(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            if self.temporary.is_some() {
                file.sync_all()?;
            }
        }
        let Some(temporary) = &self.temporary else { return Ok(()) };
        fs::rename(temporary, &self.path)?;
        self.temporary = None;
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
        if let Some(temporary) = &self.temporary {
            // nobody can be told any more
            let _ = fs::remove_file(temporary);
        }
    }
}
