//! Hashing of passwords: a few at a time, off the threads that serve requests.

use crate::error::IdentityError;
use std::sync::Arc;
use strongroom_ambient::Ambient;
use strongroom_crypto::{PasswordCost, PasswordHash};
use strongroom_gate::Denied;
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

pub(crate) struct Hasher {
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    ambient: Ambient,
}

impl Hasher {
    pub(crate) fn new(ambient: &Ambient) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            ambient: ambient.clone(),
        }
    }

    /// Hashes a new password.
    pub(crate) async fn make(
        &self,
        password: SecretBytes,
        cost: PasswordCost,
    ) -> Result<PasswordHash, IdentityError> {
        check_length(&password)?;
        let ambient = self.ambient.clone();
        let made = self.run(move || PasswordHash::make(&ambient, &password, cost)).await?;
        made.map_err(|_| IdentityError::Denied(Denied::Busy))
    }

    /// Whether a password is the hash's; without a hash it takes as long and is not. If it is, and the hash is of another
    /// cost than is used now, there is a fresh one.
    pub(crate) async fn verify(
        &self,
        hash: Option<PasswordHash>,
        password: SecretBytes,
        cost: PasswordCost,
    ) -> Result<Verified, IdentityError> {
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
    ) -> Result<T, IdentityError> {
        let busy = || IdentityError::Denied(Denied::Busy);
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
pub(crate) enum Verified {
    Wrong,
    Right { fresh: Option<PasswordHash> },
}

fn check_length(password: &SecretBytes) -> Result<(), IdentityError> {
    if (MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&password.len()) {
        return Ok(());
    }
    Err(IdentityError::PasswordLength { min: MIN_PASSWORD_BYTES, max: MAX_PASSWORD_BYTES })
}
