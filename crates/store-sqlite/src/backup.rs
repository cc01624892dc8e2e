//! A consistent copy while work goes on, with SQLite's online backup.

use crate::error::{corrupt, io, read_error};
use crate::files::{private_new, sync_dir};
use crate::schema;
use crate::shared::Shared;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::path::Path;
use strongroom_store::{BackupInfo, StoreError};

/// Pages copied between looks at whether to stop.
const STEP_PAGES: i32 = 256;

/// Page cache of the copying connection.
const CACHE_BYTES: usize = 512 << 10;

pub(crate) fn run(shared: &Shared, to: &Path) -> Result<BackupInfo, StoreError> {
    let _turn = shared.readers.backup_turn()?;
    drop(private_new(to).map_err(io("creating the backup"))?);
    copy(shared, to).and_then(|()| finish(to)).inspect_err(|_| {
        // half a backup is none; its failure is being reported already
        let _ = std::fs::remove_file(to);
    })
}

fn copy(shared: &Shared, to: &Path) -> Result<(), StoreError> {
    let failed = |error| read_error("copying", &error);
    let from = schema::open_reader(&shared.dir.db(), CACHE_BYTES)?;
    // an open read holds this moment: commits that follow do not make the copy start over
    from.execute_batch("BEGIN; SELECT revision FROM head;").map_err(failed)?;
    let mut copy = schema::open_plain(to).map_err(failed)?;
    copy.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF;").map_err(failed)?;
    let backup = Backup::new(&from, &mut copy).map_err(failed)?;
    loop {
        if let Some(stop) = shared.readers.interrupted() {
            return Err(stop);
        }
        match backup.step(STEP_PAGES).map_err(failed)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => return Err(StoreError::Busy),
        }
    }
}

/// Makes the copy one plain file, durable; then opens it and reads where it stands.
fn finish(to: &Path) -> Result<BackupInfo, StoreError> {
    let failed = |error| read_error("verifying the backup", &error);
    let copy = schema::open_plain(to).map_err(failed)?;
    copy.execute_batch("PRAGMA journal_mode = DELETE;").map_err(failed)?;
    schema::recognise(&copy)?;
    verify(&copy)?;
    let head = schema::read_head(&copy)?;
    copy.close().map_err(|(_, error)| failed(error))?;
    let file = std::fs::File::open(to).map_err(io("syncing the backup"))?;
    file.sync_all().map_err(io("syncing the backup"))?;
    let bytes = file.metadata().map_err(io("syncing the backup"))?.len();
    if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        sync_dir(parent)?;
    }
    Ok(BackupInfo { revision: head.revision, trail: head.trail, bytes })
}

fn verify(copy: &Connection) -> Result<(), StoreError> {
    let verdict: String = copy
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| read_error("verifying the backup", &error))?;
    if verdict == "ok" { Ok(()) } else { Err(corrupt(format!("backup: {verdict}"))) }
}
