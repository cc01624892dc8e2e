//! The files of the log.

use super::error::{SpoolError, at};
use super::frame;
use super::state::{Segment, State};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

pub(super) fn locked(path: &Path) -> Result<File, SpoolError> {
    let options = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let lock = options.map_err(at(path))?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(SpoolError::InUse { path: path.to_owned() }),
        Err(error) => Err(at(path)(error.into())),
    }
}

/// The file of a segment.
pub(crate) fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("segment-{number:016x}.log"))
}

pub(super) fn open_segment(folder: &Path, number: u64) -> Result<File, SpoolError> {
    let path = segment_path(folder, number);
    fs::OpenOptions::new().read(true).write(true).open(&path).map_err(at(&path))
}

/// Makes a segment whose first frame says where everything stands; it is there as a whole or not at all.
pub(super) fn begin_segment(
    folder: &Path,
    state: &mut State,
    number: u64,
    epoch: u64,
    header: Option<&[u8]>,
) -> Result<(u64, File), SpoolError> {
    let mut first = Vec::new();
    frame::begin_frame(&mut first);
    state.snapshot(epoch, header, &mut first);
    frame::end_frame(&mut first);
    let path = segment_path(folder, number);
    let temporary = folder.join("segment.new");
    let make = || {
        let mut options = fs::OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all_at(&first, 0)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(folder)?.sync_all()?;
        Ok(file)
    };
    let file = make().map_err(at(&path))?;
    let bytes = u64::try_from(first.len()).unwrap_or(u64::MAX);
    *state.segment(number) = Segment { bytes, epoch, records: None, last_raw: state.last_raw };
    Ok((number, file))
}
