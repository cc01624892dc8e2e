//! An auto-unlock key that lies in memory, can be lost, and can be exchanged.

use parking_lot::Mutex;
use std::sync::Arc;
use strongroom_ambient::{Ambient, SeededEntropy};
use strongroom_operator::{AutoSource, AutoSourceError};
use strongroom_unlock::{AutoUnlock, KeyFile};

/// A source of auto-unlock keys: a seed where there would be a file.
#[derive(Debug, Default)]
pub struct FakeAuto(Mutex<Option<u64>>);

impl FakeAuto {
    /// No key yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Puts another key in the place of the one that was there; `None` loses it.
    pub fn set(&self, seed: Option<u64>) {
        *self.0.lock() = seed;
    }
}

fn key(seed: u64) -> Box<dyn AutoUnlock> {
    let entropy = Arc::new(SeededEntropy::new(seed));
    Box::new(KeyFile::generate(&Ambient { entropy, ..Ambient::system() }))
}

impl AutoSource for FakeAuto {
    fn name(&self) -> &'static str {
        KeyFile::NAME
    }

    fn place(&self) -> String {
        "a test's memory".to_owned()
    }

    fn load(&self) -> Result<Box<dyn AutoUnlock>, AutoSourceError> {
        let seed = *self.0.lock();
        seed.map(key).ok_or_else(|| AutoSourceError { place: self.place(), fault: "it is lost".to_owned() })
    }

    fn create(&self) -> Result<Box<dyn AutoUnlock>, AutoSourceError> {
        Ok(key(*self.0.lock().get_or_insert(99)))
    }
}
