//! What went wrong, for who reads the run.

/// A broken promise of the programs, or a machine on which they cannot run.
#[derive(Debug)]
pub struct Fault(String);

/// Of everything here.
pub type Outcome<T> = Result<T, Fault>;

impl Fault {
    /// With these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Refuses with these words unless something holds.
pub fn must(holds: bool, words: impl FnOnce() -> String) -> Outcome<()> {
    if holds { Ok(()) } else { Err(Fault(words())) }
}
