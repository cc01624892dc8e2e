//! Room on the disk, and the reserve that is given up step by step when there is none.

use crate::error::io;
use crate::files::{DataDir, private};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;
use strongroom_store::{Space, StoreError};

/// The disk is asked at most so often.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The reserve is given up in so many steps; the last one never, so that the store can always be closed.
const STEPS: u64 = 8;

/// Watches the disk and holds the reserve.
pub(super) struct Gauge {
    dir: PathBuf,
    reserve: File,
    whole: u64,
    held: u64,
    space: Space,
    looked: Option<Duration>,
}

impl Gauge {
    pub(super) fn open(dir: &DataDir, whole: u64) -> Result<Self, StoreError> {
        let reserve = private(&dir.reserve()).map_err(io("opening the reserve"))?;
        let held = reserve.metadata().map_err(io("opening the reserve"))?.len().min(whole);
        let mut gauge =
            Self { dir: dir.path().to_owned(), reserve, whole, held, space: Space::Ample, looked: None };
        gauge.hold(held);
        gauge.settle();
        Ok(gauge)
    }

    pub(super) fn space(&self) -> Space {
        self.space
    }

    /// Looks if it is time to; whether the answer has changed.
    pub(super) fn look(&mut self, now: Duration) -> bool {
        if self.looked.is_some_and(|last| now.saturating_sub(last) < LOOK_EVERY) {
            return false;
        }
        self.looked = Some(now);
        let before = self.space;
        self.settle();
        if self.space != before {
            tracing::warn!(space = ?self.space, held = self.held, "room on the disk has changed");
        }
        self.space != before
    }

    /// The disk refused a write: gives up a step, or gives up.
    pub(super) fn give_up_step(&mut self) {
        self.space = if self.held > self.step() { Space::Reserved } else { Space::Exhausted };
        if self.space == Space::Reserved {
            self.hold(self.held.saturating_sub(self.step()).max(self.step()));
        }
    }

    fn settle(&mut self) {
        let Some(mut free) = self.free() else { return };
        let wanted =
            self.margin().saturating_add(if self.space == Space::Ample { 0 } else { self.margin() / 2 });
        if self.held < self.whole && free >= wanted.saturating_add(self.whole - self.held) {
            self.hold(self.whole);
            free = self.free().unwrap_or(0);
        }
        if self.held >= self.whole && free >= wanted {
            self.space = Space::Ample;
            return;
        }
        while free < self.step() && self.held > self.step() {
            self.hold(self.held.saturating_sub(self.step()).max(self.step()));
            free = self.free().unwrap_or(0);
        }
        let spent = free < self.step() / 2 && self.held <= self.step();
        self.space = if spent { Space::Exhausted } else { Space::Reserved };
    }

    /// Free room below which the reserve is in use.
    fn margin(&self) -> u64 {
        self.whole / 4
    }

    fn step(&self) -> u64 {
        self.whole / STEPS
    }

    fn free(&self) -> Option<u64> {
        let stat = statvfs(&self.dir).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Makes the reserve so large; growing may fail, and then it is as large as it was.
    fn hold(&mut self, bytes: u64) {
        let done = if bytes > self.held {
            fallocate(&self.reserve, FallocateFlags::empty(), 0, bytes).map_err(std::io::Error::from)
        } else {
            self.reserve.set_len(bytes)
        };
        match done {
            Ok(()) => self.held = bytes,
            Err(error) => {
                tracing::warn!(%error, bytes, "changing the reserve failed");
                // an attempt that failed half-way must not keep what it got
                let _ = self.reserve.set_len(self.held);
            }
        }
    }
}
