//! Files, folders and standard input, read whole.

use crate::args::{ImportArgs, SourceFormat};
use crate::error::{CliError, TransferError, TransferUsageError};
use rustix::fs::{Mode, OFlags};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use strongroom_import::{Entry, Fault, Format, ImportError, MAX_FILE_BYTES, Reading, Value, pem_blocks};
use strongroom_model::{MAX_VALUE_BYTES, SecretPath};
use strongroom_secret::SecretBytes;

/// How deep folders are followed.
const MAX_FOLDERS: usize = 64;

/// One secret, and where it stands.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) place: String,
    pub(super) value: Value,
}

/// What the sources have, and what was left out.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) found: Vec<Found>,
    /// A file and why it is none of ours.
    pub(super) left_out: Vec<(String, &'static str)>,
    seen: HashMap<String, String>,
}

/// Reads everything, or says what is wrong with the first that is wrong.
pub(super) fn read(args: &ImportArgs) -> Result<Sources, CliError> {
    let mut sources = Sources::default();
    for source in &args.sources {
        sources.source(args, source)?;
    }
    Ok(sources)
}

impl Sources {
    fn source(&mut self, args: &ImportArgs, source: &Path) -> Result<(), CliError> {
        if source == Path::new("-") {
            let format = args.format.ok_or_else(|| TransferUsageError::NoFormat(source.to_owned()))?;
            let name = Path::new("standard input");
            let bytes = whole(std::io::stdin(), name, 0)?;
            return self.content(args, format, name, "stdin.pem", &bytes);
        }
        let meta = match std::fs::metadata(source) {
            // somebody typed what should be in a file: it is not repeated
            Err(_) if source.to_string_lossy().contains('=') => {
                return Err(TransferUsageError::PairInArgv.into());
            }
            meta => meta.map_err(CliError::file(source))?,
        };
        if meta.is_dir() {
            return match args.format {
                None | Some(SourceFormat::Pem) => self.folder(args, source, "", 0),
                Some(_) => Err(TransferUsageError::FolderFormat(source.to_owned()).into()),
            };
        }
        let format = args.format.or_else(|| by_name(source));
        let format = format.ok_or_else(|| TransferUsageError::NoFormat(source.to_owned()))?;
        let bytes = content_of(source, true)?.ok_or_else(|| TransferError::NoFile(source.to_owned()))?;
        let name = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.content(args, format, source, &name, &bytes)
    }

    fn content(
        &mut self,
        args: &ImportArgs,
        format: SourceFormat,
        file: &Path,
        name: &str,
        bytes: &SecretBytes,
    ) -> Result<(), CliError> {
        let format = match format {
            SourceFormat::Env => Format::Env,
            SourceFormat::Json => Format::Json,
            SourceFormat::Yaml => Format::Yaml,
            SourceFormat::Pem => return self.pem(args, file, name, bytes),
        };
        let reading = Reading { flatten: args.flatten, prefix: args.prefix.clone() };
        let entries = bytes.expose(|bytes| strongroom_import::read(format, bytes, &reading));
        let entries = entries.map_err(|error| TransferError::Import { place: file.to_owned(), error })?;
        entries.into_iter().try_for_each(|Entry { path, line, value }| {
            let place = format!("{}:{line}", file.display());
            self.add(Found { path: path.as_str().to_owned(), place, value })
        })
    }

    /// A file is a secret, called like the file.
    fn pem(
        &mut self,
        args: &ImportArgs,
        file: &Path,
        name: &str,
        bytes: &SecretBytes,
    ) -> Result<(), CliError> {
        let fault = |error| TransferError::Import { place: file.to_owned(), error };
        if bytes.expose(pem_blocks).map_err(fault)? == 0 {
            self.left_out.push((file.display().to_string(), "no PEM"));
            return Ok(());
        }
        let path = if args.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", args.prefix) };
        let path = SecretPath::new(&path)
            .map_err(|source| TransferError::FileName { file: file.to_owned(), source })?;
        let value = bytes.expose(|bytes| match std::str::from_utf8(bytes) {
            Ok(text) => Value::text(text),
            Err(_) => Value::Bytes(SecretBytes::new(bytes.to_vec())),
        });
        if value.size() > MAX_VALUE_BYTES {
            let path = path.as_str().to_owned();
            return Err(fault(ImportError { line: 1, fault: Fault::ValueTooLarge { path } }).into());
        }
        self.add(Found { path: path.as_str().to_owned(), place: file.display().to_string(), value })
    }

    fn folder(&mut self, args: &ImportArgs, folder: &Path, name: &str, depth: usize) -> Result<(), CliError> {
        if depth > MAX_FOLDERS {
            return Err(TransferError::FoldersTooDeep(folder.to_owned()).into());
        }
        let mut entries: Vec<_> = std::fs::read_dir(folder)
            .and_then(Iterator::collect::<Result<_, _>>)
            .map_err(CliError::file(folder))?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let file = entry.path();
            let name = match (name, entry.file_name().to_string_lossy()) {
                ("", own) => own.into_owned(),
                (folder, own) => format!("{folder}/{own}"),
            };
            let kind = entry.file_type().map_err(CliError::file(&file))?;
            if kind.is_dir() && args.recursive {
                self.folder(args, &file, &name, depth + 1)?;
            } else if kind.is_dir() {
                self.left_out.push((file.display().to_string(), "a folder; --recursive reads it"));
            } else if kind.is_symlink() && !args.follow_links {
                self.left_out.push((file.display().to_string(), "a symbolic link; --follow-links reads it"));
            } else if let Some(bytes) = content_of(&file, args.follow_links)? {
                self.pem(args, &file, &name, &bytes)?;
            } else {
                self.left_out.push((file.display().to_string(), "not a file"));
            }
        }
        Ok(())
    }

    fn add(&mut self, found: Found) -> Result<(), CliError> {
        if let Some(first) = self.seen.insert(found.path.clone(), found.place.clone()) {
            return Err(TransferError::ImportedTwice { path: found.path, first, second: found.place }.into());
        }
        self.found.push(found);
        Ok(())
    }
}

/// What a file is written in, by its name.
fn by_name(file: &Path) -> Option<SourceFormat> {
    let name = file.file_name()?.to_str()?.to_ascii_lowercase();
    let extension = Path::new(&name).extension().and_then(|extension| extension.to_str());
    match extension {
        Some("json") => Some(SourceFormat::Json),
        Some("yaml" | "yml") => Some(SourceFormat::Yaml),
        Some("pem" | "crt" | "cer" | "key") => Some(SourceFormat::Pem),
        Some("env") => Some(SourceFormat::Env),
        _ if name == ".env" || name.starts_with(".env.") => Some(SourceFormat::Env),
        _ => None,
    }
}

/// The bytes of a regular file; nothing if it is something else. Opened so that a pipe or a link that takes its place is
/// neither waited for nor followed.
fn content_of(path: &Path, follow: bool) -> Result<Option<SecretBytes>, CliError> {
    let follow = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | follow;
    let file = rustix::fs::open(path, flags, Mode::empty());
    let file = File::from(file.map_err(std::io::Error::from).map_err(CliError::file(path))?);
    let meta = file.metadata().map_err(CliError::file(path))?;
    if !meta.is_file() {
        return Ok(None);
    }
    whole(file, path, meta.len()).map(Some)
}

/// All of it, up to the limit; set aside at once where its size is known.
fn whole(source: impl Read, path: &Path, size: u64) -> Result<SecretBytes, CliError> {
    let too_large = || {
        let error = ImportError { line: 1, fault: Fault::FileTooLarge };
        TransferError::Import { place: PathBuf::from(path), error }
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > MAX_FILE_BYTES {
        return Err(too_large().into());
    }
    let mut bytes = Vec::with_capacity(size + 1);
    let limit = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let read = source.take(limit).read_to_end(&mut bytes);
    let bytes = SecretBytes::new(bytes);
    read.map_err(CliError::file(path))?;
    if bytes.len() > MAX_FILE_BYTES { Err(too_large().into()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_in_a_file() {
        for (name, format) in [
            (".env", Some(SourceFormat::Env)),
            ("prod.env", Some(SourceFormat::Env)),
            (".env.local", Some(SourceFormat::Env)),
            ("a.JSON", Some(SourceFormat::Json)),
            ("a.yml", Some(SourceFormat::Yaml)),
            ("tls.key", Some(SourceFormat::Pem)),
            ("notes.txt", None),
            ("env", None),
        ] {
            assert_eq!(by_name(Path::new("x").join(name).as_path()), format, "{name}");
        }
    }
}
