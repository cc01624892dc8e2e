//! What the server does by itself: expiry, checkpoints, certificates.

use crate::config::Audit;
use crate::gauges;
use crate::quiet::give_back_when_quiet;
use crate::tls::TlsHandles;
use crate::wire::World;
use metrics::{counter, gauge};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use strongroom_door_native::checkpoint_json;
use strongroom_gate::Checkpoint;

const ROUND: Duration = Duration::from_mins(1);
const RENEW_ROUNDS: u64 = 12 * 60;

/// How soon what a lock could not end is tried again.
const SETTLE_ROUND: Duration = Duration::from_secs(2);

/// How soon after the initialisation's confirmation its token is void.
const TOKEN_ROUND: Duration = Duration::from_secs(1);

/// Runs for ever. `held` is the last entry that was exported, if any are.
pub(crate) async fn run(
    world: Arc<World>,
    tls: Arc<TlsHandles>,
    audit: Audit,
    held: impl Fn() -> Option<u64> + Send + Sync,
) {
    let rounds = rounds(&world, &tls, &audit, &held);
    tokio::join!(void_install_token(&world), jobs(&world), settle(&world), give_back_when_quiet(), rounds);
}

/// Ends what a lock could not end, when the store goes on.
async fn settle(world: &World) {
    let mut rounds = tokio::time::interval(SETTLE_ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        if let Err(fault) = world.operator.settle_lock().await {
            tracing::warn!(%fault, "tokens that a lock could not end are still there");
        }
    }
}

/// Does background jobs as they come.
async fn jobs(world: &World) {
    loop {
        let rest = world.operator.jobs_round().await;
        let _ = tokio::time::timeout(rest, world.operator.job_bell()).await;
    }
}

/// Ends with the token.
async fn void_install_token(world: &World) {
    let mut rounds = tokio::time::interval(TOKEN_ROUND);
    while world.install_token.is_valid() {
        rounds.tick().await;
        if world.operator.is_confirmed().await {
            world.install_token.remove();
        }
    }
}

async fn rounds(world: &World, tls: &TlsHandles, audit: &Audit, held: &(impl Fn() -> Option<u64> + Sync)) {
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let each = (audit.checkpoint_interval.as_secs() / ROUND.as_secs()).max(1);
    let mut signed = 0;
    for round in 1_u64.. {
        rounds.tick().await;
        tell_last_backup(world).await;
        if let Err(fault) = world.operator.housekeeping().await {
            tracing::warn!(%fault, "housekeeping failed");
        }
        if let Err(fault) = world.attributes.upkeep().await {
            tracing::warn!(%fault, "the attribute authority's epoch could not be looked after");
        }
        if round.is_multiple_of(each) {
            signed = checkpoint(world, audit, signed).await;
        }
        archive(world, held).await;
        take_stock(world).await;
        if round.is_multiple_of(RENEW_ROUNDS)
            && let Err(fault) = tls.reload(&world.ambient)
        {
            tracing::error!(%fault, "certificates were not renewed");
        }
    }
}

/// What takes a look at the store to know.
async fn take_stock(world: &World) {
    if let Ok(Some(tokens)) = world.gate.token_count().await {
        gauge!("strongroom_tokens").set(gauges::count(tokens));
    }
    if let Ok(entries) = world.store.entries(0, 1).await {
        let oldest = entries.first().map_or(1, |entry| entry.seq);
        gauge!("strongroom_audit_oldest_entry").set(gauges::count(oldest));
    }
}

/// Moves out whatever is due and was exported, a segment at a time.
async fn archive(world: &World, held: &(impl Fn() -> Option<u64> + Sync)) {
    while world.gate.is_unlocked() {
        match world.operator.archive_chore(held()).await {
            Ok(Some(segment)) => {
                counter!("strongroom_audit_segments_total").increment(1);
                tracing::info!(
                    segment = segment.name(),
                    first = segment.first,
                    last = segment.last.seq,
                    "entries of the trail moved out"
                );
            }
            Ok(None) => return,
            Err(fault) => {
                counter!("strongroom_audit_archive_failures_total").increment(1);
                tracing::error!(%fault, "entries of the trail did not move out; they stay in the store");
                return;
            }
        }
    }
}

/// For whoever watches from outside that backups are made.
async fn tell_last_backup(world: &World) {
    if let Ok(Some(mark)) = world.gate.last_backup().await {
        let seconds = u32::try_from(mark.made.0 / 1_000).map_or(f64::MAX, f64::from);
        metrics::gauge!("strongroom_backup_timestamp_seconds").set(seconds);
    }
}

/// Signs a checkpoint if entries came since the last one, and keeps it elsewhere. Gives the entry it covers.
async fn checkpoint(world: &World, audit: &Audit, signed: u64) -> u64 {
    // the last checkpoint's own entry is no news
    if !world.gate.is_unlocked() || world.store.trail_head().seq <= signed + 1 {
        return signed;
    }
    let Some(checkpoint) = world.operator.checkpoint_chore().await else { return signed };
    gauge!("strongroom_audit_checkpoint_entry").set(gauges::count(checkpoint.head.seq));
    gauge!("strongroom_audit_checkpoint_timestamp_seconds").set(gauges::seconds(checkpoint.time));
    if let Some(path) = &audit.checkpoint_file
        && let Err(fault) = append(path, &checkpoint)
    {
        tracing::error!(%fault, file = %path.display(), "the checkpoint is not in its outside file");
    }
    checkpoint.head.seq
}

fn append(path: &Path, checkpoint: &Checkpoint) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{}\n", checkpoint_json(checkpoint)).as_bytes())?;
    file.sync_data()
}
