//! Slow work, off the threads that serve, and not too much of it at once.

use crate::SecretsError;
use tokio::sync::Semaphore;

/// So many pieces of slow work are done at a time.
const BENCHES: usize = 2;
/// So many wait for it; who comes then is told that the server is busy.
const QUEUE: usize = 32;

static BENCH: Semaphore = Semaphore::const_new(BENCHES);
static WAITING: Semaphore = Semaphore::const_new(QUEUE);

/// Does slow work.
pub(crate) async fn work<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SecretsError> {
    let _place = WAITING.try_acquire().map_err(|_| SecretsError::Busy)?;
    let bench = BENCH.acquire().await.map_err(|_| SecretsError::Busy)?;
    let done = tokio::task::spawn_blocking(move || {
        // held by the work itself: who asked may be gone before it is done
        let _bench = bench;
        work()
    });
    done.await.map_err(|_| SecretsError::Worker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_is_done_at_once_than_there_are_benches_and_no_more_waits_than_may() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let gate = Arc::new(std::sync::Mutex::new(gate));
        let tasks: Vec<_> = (0..QUEUE + 8)
            .map(|_| {
                let (now, most, gate) = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&gate));
                tokio::spawn(work(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let _ = gate.lock().unwrap().recv();
                    now.fetch_sub(1, Ordering::SeqCst);
                }))
            })
            .collect();
        while WAITING.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(work(|| ()).await, Err(SecretsError::Busy)));
        drop(open);
        for task in tasks {
            assert!(matches!(task.await.unwrap(), Ok(()) | Err(SecretsError::Busy)));
        }
        assert!(work(|| ()).await.is_ok());
        assert!(most.load(Ordering::SeqCst) <= BENCHES);
    }
}
