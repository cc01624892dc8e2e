//! Reading the log again after a start.

use super::error::{SpoolError, at};
use super::state::{State, damaged};
use super::{frame, segment_path};
use std::fs::{self, File};
use std::path::Path;
use strongroom_sharing::MemberId;

/// Replays all segments. The torn end of the last one, which was never acknowledged, is cut off.
pub(super) fn recover(folder: &Path, collector: MemberId) -> Result<State, SpoolError> {
    let mut state = State::new(collector);
    let numbers = segments(folder)?;
    for (place, number) in numbers.iter().enumerate() {
        let path = segment_path(folder, *number);
        let bytes = fs::read(&path).map_err(at(&path))?;
        let good = replay(&mut state, *number, &path, &bytes)?;
        let offset = u64::try_from(good).unwrap_or(u64::MAX);
        if good < bytes.len() {
            if place + 1 < numbers.len() {
                return Err(damaged(&path, offset, "a frame is not whole"));
            }
            cut(&path, offset, bytes.get(good..).unwrap_or_default())?;
        }
        state.segment(*number).bytes = offset;
    }
    Ok(state)
}

/// The numbers of the segments in their order; they have no gaps.
fn segments(folder: &Path) -> Result<Vec<u64>, SpoolError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let name = entry.map_err(at(folder))?.file_name();
        let middle = name.to_str().and_then(|name| name.strip_prefix("segment-")?.strip_suffix(".log"));
        numbers.extend(middle.and_then(|hex| u64::from_str_radix(hex, 16).ok()));
    }
    numbers.sort_unstable();
    for pair in numbers.windows(2) {
        if let [before, after] = pair
            && before + 1 != *after
        {
            return Err(damaged(&segment_path(folder, before + 1), 0, "it is missing"));
        }
    }
    Ok(numbers)
}

/// Replays whole frames; says how many bytes they are.
fn replay(state: &mut State, number: u64, path: &Path, bytes: &[u8]) -> Result<usize, SpoolError> {
    let mut rest = bytes;
    while let Some((payload, after)) = frame::next_frame(rest) {
        let offset = u64::try_from(bytes.len() - rest.len()).unwrap_or(u64::MAX);
        state.replay(number, payload).map_err(|what| damaged(path, offset, what))?;
        rest = after;
    }
    Ok(bytes.len() - rest.len())
}

/// Cuts a segment. Where a whole frame stands behind the torn one, what is cut is kept beside it: the disk may have lost
/// something that was acknowledged.
fn cut(path: &Path, offset: u64, tail: &[u8]) -> Result<(), SpoolError> {
    if frame::has_frame(tail) {
        let aside = path.with_extension(format!("cut-at-{offset}"));
        fs::write(&aside, tail).map_err(at(&aside))?;
        tracing::error!(
            "{} is damaged at byte {offset}; what is behind it was put into {}",
            path.display(),
            aside.display()
        );
    }
    let file = File::options().write(true).open(path).map_err(at(path))?;
    file.set_len(offset).and_then(|()| file.sync_all()).map_err(at(path))
}
