//! Backups: taken from a server, verified and restored without one.

use super::Session;
use super::keys::Source;
use crate::args::{BackupCommand, BackupKeyArgs, Global, KeyFileArgs};
use crate::client::{Ask, ClientError};
use crate::error::{CliError, UsageError};
use crate::output::{self, Output, Progress};
use crate::state::Draft;
use serde::Serialize;
use std::fs::File;
use std::io::{Read, Seek as _, Write as _};
use std::path::Path;
use strongroom_api::Endpoint;
use strongroom_secret::SecretBytes;
use strongroom_server::backup::{self, Report, Restored};

/// What a backup is, for programs.
#[derive(Serialize)]
struct Described {
    backup: String,
    made_ms: i64,
    version: String,
    incarnation: String,
    last_entry: u64,
    rows: u64,
    entries: u64,
    chunks: u64,
    bytes: u64,
    /// Whether unlock keys showed who made it.
    genuine: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored: Option<NewLife>,
}

/// What a restore began, for programs.
#[derive(Serialize)]
struct NewLife {
    directory: String,
    incarnation: String,
    first_entry: u64,
    left_out: u64,
}

impl Described {
    fn new(report: &Report) -> Self {
        let header = &report.header;
        Self {
            backup: hex(&header.backup),
            made_ms: header.made.0,
            version: header.version.clone(),
            incarnation: hex(&header.incarnation),
            last_entry: header.trail.seq,
            rows: report.rows,
            entries: report.entries,
            chunks: report.chunks,
            bytes: report.bytes,
            genuine: report.genuine,
            restored: None,
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let made = if self.genuine {
            "a server that these unlock keys open"
        } else {
            "not checked: no unlock keys given"
        };
        vec![
            ("backup", self.backup.clone()),
            ("made at", output::moment(self.made_ms)),
            ("made by", format!("strongroom {}", self.version)),
            ("last entry", self.last_entry.to_string()),
            ("rows", self.rows.to_string()),
            ("entries", self.entries.to_string()),
            ("bytes", self.bytes.to_string()),
            ("written by", made.to_owned()),
        ]
    }

    fn show(&self, out: Output) -> Result<(), CliError> {
        if out.json() {
            let text = serde_json::to_vec(self).map_err(|fault| CliError::Output(fault.into()))?;
            return output::raw_json(&text);
        }
        out.pairs(&self.pairs())
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Takes a backup of the server. A file is verified before it gets its name.
pub(super) async fn create(session: &Session, file: &Path) -> Result<(), CliError> {
    let ask = Ask::of(Endpoint::CreateBackup);
    if file == Path::new("-") {
        let progress = Progress::bytes("received");
        let mut sink = output::sink();
        let pass = |piece: &[u8]| {
            progress.add_bytes(piece.len());
            sink(piece)
        };
        return Ok(session.client.stream(ask, pass).await?);
    }
    let failed = || CliError::file(file);
    let mut draft = Draft::beside(file, 0o600).map_err(failed())?;
    {
        let progress = Progress::bytes("received");
        let pass = |piece: &[u8]| {
            progress.add_bytes(piece.len());
            draft.file.write_all(piece).map_err(ClientError::Sink)
        };
        session.client.stream(ask, pass).await?;
    }
    let mut written = draft.reopen().map_err(failed())?;
    let size = written.metadata().map_err(failed())?.len();
    written.rewind().map_err(failed())?;
    let progress = Progress::bar("verified", size);
    let report = backup::verify(written, None, &mut |at| progress.set(at))?;
    drop(progress);
    draft.finish().map_err(failed())?;
    if session.out.json() {
        return Described::new(&report).show(session.out);
    }
    output::line(&format!(
        "Backup of entry {} written to {}: {} rows, {} entries, {} bytes, verified.",
        report.header.trail.seq,
        file.display(),
        report.rows,
        report.entries,
        report.bytes
    ))?;
    output::note(
        "Keep it apart from the server. It opens with today's unlock keys, whatever is rotated later.",
    );
    Ok(())
}

/// What needs no server.
pub(super) fn offline(global: &Global, command: BackupCommand) -> Result<(), CliError> {
    let out = Output::new(global);
    match command {
        BackupCommand::Verify { file, keys } => verify(out, &file, &keys),
        BackupCommand::Restore { file, dir, keys } => restore(out, &file, &dir, &keys),
        // it was run before: it is a question to a server
        BackupCommand::Create { .. } => Ok(()),
    }
}

fn verify(out: Output, file: &Path, keys: &BackupKeyArgs) -> Result<(), CliError> {
    let keys = unlock_keys(file, keys)?;
    let (source, progress) = open(file, "verified")?;
    let report = backup::verify(source, keys.as_deref(), &mut |at| progress.set(at))?;
    drop(progress);
    Described::new(&report).show(out)?;
    if !out.json() {
        let said = if report.genuine {
            "Every digest holds, and so does the MAC."
        } else {
            "Every digest holds: it is as it was written. With --unlock-key-file it is checked who wrote it."
        };
        output::note(said);
    }
    Ok(())
}

fn restore(out: Output, file: &Path, dir: &Path, keys: &BackupKeyArgs) -> Result<(), CliError> {
    let keys = unlock_keys(file, keys)?;
    let (source, progress) = open(file, "restored")?;
    let restored = backup::restore(source, dir, keys.as_deref(), &mut |at| progress.set(at))?;
    drop(progress);
    show_restored(out, dir, &restored)
}

fn show_restored(out: Output, dir: &Path, restored: &Restored) -> Result<(), CliError> {
    let life = &restored.life;
    let first_entry = life.at.seq.saturating_add(1);
    if out.json() {
        let mut described = Described::new(&restored.report);
        described.restored = Some(NewLife {
            directory: dir.display().to_string(),
            incarnation: hex(&life.incarnation),
            first_entry,
            left_out: restored.left_out,
        });
        return described.show(out);
    }
    let report = &restored.report;
    output::line(&format!(
        "Restored to {}: {} rows, {} entries. Entry {first_entry} begins a new life.",
        dir.display(),
        report.rows.saturating_sub(restored.left_out),
        report.entries,
    ))?;
    output::note(
        "Tokens of the life before are void; access keys and passwords hold. Unlock it with the unlock keys of the",
    );
    output::note("backup's time. Make sure that the server it came from does not run on.");
    Ok(())
}

/// The keys that were named, if any were.
fn unlock_keys(file: &Path, args: &BackupKeyArgs) -> Result<Option<Vec<SecretBytes>>, CliError> {
    let Some(path) = &args.unlock_key_file else { return Ok(None) };
    if path == Path::new("-") && file == path {
        return Err(UsageError::StdinTwice.into());
    }
    let mut source = Source::open(&KeyFileArgs { key_file: Some(path.clone()), stray: Vec::new() })?;
    let mut keys = Vec::new();
    while let Some(key) = source.next("")? {
        keys.push(key);
    }
    Ok(Some(keys))
}

fn open(file: &Path, what: &'static str) -> Result<(Box<dyn Read>, Progress), CliError> {
    if file == Path::new("-") {
        return Ok((Box::new(std::io::stdin().lock()), Progress::bytes(what)));
    }
    let source = File::open(file).map_err(CliError::file(file))?;
    let size = source.metadata().map_err(CliError::file(file))?.len();
    Ok((Box::new(source), Progress::bar(what, size)))
}
