//! What a quiet process gives back: the pages of its own program that only its start needed (ADR 61).

use strongroom_idle::Idle;

/// Looks every [`Idle::ROUND`] whether the process is quiet; ends only if the system does not tell.
pub async fn give_back_when_quiet() {
    let mut idle = match Idle::begin() {
        Ok(idle) => idle,
        Err(error) => return tracing::warn!(%error, "the program stays in memory, whole"),
    };
    loop {
        tokio::time::sleep(Idle::ROUND).await;
        match idle.round() {
            Ok(Some(released)) => tracing::debug!(bytes = released.bytes, "pages of the program given back"),
            Ok(None) => {}
            Err(error) => return tracing::warn!(%error, "the program stays in memory, whole"),
        }
    }
}
