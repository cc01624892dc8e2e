//! Hashing of passwords: a few at a time, off the threads that serve requests.

use std::sync::Arc;
use strongroom_ambient::Ambient;
use strongroom_crypto::{PasswordCost, PasswordHash};
use strongroom_secret::SecretBytes;
use tokio::sync::Semaphore;

/// Hashes at once: with 64 MiB each, what a flood can take.
const AT_ONCE: usize = 2;
/// Hashes that wait for their turn; more are turned away.
const WAITING: usize = 32;
/// The shortest password, in bytes.
pub const MIN_PASSWORD_BYTES: usize = 12;
/// The longest password, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 1_024;

/// Hashes passwords.
pub struct Hasher {
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    ambient: Ambient,
}

impl Hasher {
    /// A hasher that does a few at a time.
    pub fn new(ambient: &Ambient) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            ambient: ambient.clone(),
        }
    }

    /// Hashes a new password.
    pub async fn make(&self, password: SecretBytes, cost: PasswordCost) -> Result<PasswordHash, HashError> {
        check_length(&password)?;
        let ambient = self.ambient.clone();
        let made = self.run(move || PasswordHash::make(&ambient, &password, cost)).await?;
        made.map_err(|_| HashError::Busy)
    }

    /// Whether a password is the hash's; without a hash it takes as long and is not. If it is, and the hash is of another
    /// cost than is used now, there is a fresh one.
    pub async fn verify(
        &self,
        hash: Option<PasswordHash>,
        password: SecretBytes,
        cost: PasswordCost,
    ) -> Result<Verified, HashError> {
        let ambient = self.ambient.clone();
        self.run(move || {
            let right = hash.is_some();
            let hash = hash.unwrap_or_else(|| PasswordHash::decoy(&ambient, cost));
            if hash.verify(&password).is_err() || !right {
                return Verified::Wrong;
            }
            let fresh = (hash.cost() != cost).then(|| PasswordHash::make(&ambient, &password, cost).ok());
            Verified::Right { fresh: fresh.flatten() }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let busy = || HashError::Busy;
        let place = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| busy())?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            // given back when the work is done, even if nobody waits for it any more
            let _held = (place, turn);
            work()
        });
        done.await.map_err(|_| busy())
    }
}

/// What came of a password.
#[derive(Debug)]
pub enum Verified {
    /// It is not the one.
    Wrong,
    /// It is.
    Right {
        /// A hash of the present cost, if the one before is of another.
        fresh: Option<PasswordHash>,
    },
}

/// Why a password was not hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Too many wait for their turn.
    #[error("busy")]
    Busy,
    /// The password is not acceptable.
    #[error("a password has {min} to {max} bytes")]
    Length {
        /// At least.
        min: usize,
        /// At most.
        max: usize,
    },
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

fn check_length(password: &SecretBytes) -> Result<(), HashError> {
    if (MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&password.len()) {
        return Ok(());
    }
    Err(HashError::Length { min: MIN_PASSWORD_BYTES, max: MAX_PASSWORD_BYTES })
}
