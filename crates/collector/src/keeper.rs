//! Keeps the pipeline ready: fetches the manifest each third of its age, makes the policies ready when the epoch changes, and
//! has the records sealed that waited for that.

use crate::pipeline::{Pipeline, PipelineError, Ready};
use crate::policy::RulePolicy;
use std::sync::Arc;
use std::time::Duration;
use strongroom_envelope::PolicyAndSuite;
use tokio::sync::watch;

/// The first pause after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Works until it is told to stop.
pub async fn keep(pipeline: Arc<Pipeline>, mut stop: watch::Receiver<bool>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let wait = match refresh(&pipeline).await {
            Ok(wait) => {
                pause = FIRST_PAUSE;
                wait
            }
            Err(error) => {
                tell(&pipeline, &error);
                pause = (pause * 2).min(LONGEST_PAUSE);
                pause
            }
        };
        drain(&pipeline).await;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = crate::poster::stopped(&mut stop) => return,
        }
    }
}

fn tell(pipeline: &Pipeline, error: &PipelineError) {
    if pipeline.fresh().is_some() {
        tracing::warn!("no new manifest yet: {error}");
    } else {
        let waiting = pipeline.level().raw;
        tracing::error!("no fresh manifest, nothing is encrypted; {waiting} records wait: {error}");
    }
}

/// Fetches the manifest and makes the pipeline ready; says how long that is good for.
pub async fn refresh(pipeline: &Arc<Pipeline>) -> Result<Duration, PipelineError> {
    let session = pipeline.session();
    let manifest = session.refresh().await?;
    let wait = manifest.refresh_after();
    let same = |ready: &Arc<Ready>| {
        ready.manifest.epoch() == manifest.epoch() && ready.manifest.authority == manifest.authority
    };
    let ready = if let Some(ready) = pipeline.ready().filter(same) {
        Ready { manifest, policies: ready.policies.clone(), key: ready.key.clone() }
    } else {
        let of = |policy: &RulePolicy| PolicyAndSuite { policy: policy.policy.clone(), suite: policy.suite };
        let policies: Vec<PolicyAndSuite> = pipeline.rules().policies().iter().map(of).collect();
        let key = Arc::new(session.index_key(manifest.epoch()).await?);
        let policies = session.prepare(&manifest, &policies).await?;
        Ready { manifest, policies, key }
    };
    let pipeline = pipeline.clone();
    // it may begin a segment
    let set = tokio::task::spawn_blocking(move || pipeline.set_ready(ready)).await;
    set.unwrap_or(Err(PipelineError::Changed))?;
    Ok(wait)
}

async fn drain(pipeline: &Arc<Pipeline>) {
    let pipeline = pipeline.clone();
    let drained = tokio::task::spawn_blocking(move || {
        while pipeline.drain()? {}
        Ok::<_, PipelineError>(())
    });
    if let Ok(Err(error)) = drained.await {
        tracing::warn!("records that wait for being encrypted wait on: {error}");
    }
}
