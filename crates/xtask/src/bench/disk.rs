//! The disk's own floor: no durable answer can be faster than a flush.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::{Outcome, clock};

/// Flushes measured.
const FLUSHES: usize = 400;

/// Microseconds of a 4 KiB write and its `fdatasync`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Floor {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// Measures it in the folder where the servers keep their data.
pub(super) fn floor(folder: &Path) -> Outcome<Floor> {
    let path = folder.join("floor");
    let file = File::create(&path)?;
    let page = [0x5a; 4096];
    file.write_all_at(&page, 0)?;
    file.sync_all()?;
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let began = clock::now();
        file.write_all_at(&page, 0)?;
        file.sync_data()?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    std::fs::remove_file(&path)?;
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    Ok(Floor { p50: at(50), p99: at(99) })
}
