//! What its administrator sees: sizes, numbers, times; never a record, a token, or who asked what.

use super::answer::{Asked, Refused, json};
use super::{Admin, Exchange};
use crate::storage::HeadRow;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom_sharing::MemberId;

/// Of `GET /admin/stats`.
#[derive(Serialize)]
struct Stats {
    records: u64,
    batches: u64,
    conflicts: u64,
    proofs: u64,
    store_bytes: u64,
    first_hour: Option<u32>,
    last_hour: Option<u32>,
    spans: usize,
    postings: u64,
    retention_days: Option<u32>,
    collectors: Vec<CollectorStats>,
    since_start: SinceStart,
    manifest: ManifestStats,
}

#[derive(Serialize)]
struct CollectorStats {
    collector: MemberId,
    first: u64,
    sequence: u64,
    conflicts: u64,
}

#[derive(Serialize)]
struct SinceStart {
    accepted: u64,
    repeated: u64,
    refused: u64,
    groups: u64,
}

#[derive(Serialize)]
struct ManifestStats {
    /// When it was signed; seconds since 1970.
    issued_at: Option<u64>,
    /// When one was fetched last.
    fetched_at: u64,
    /// Attempts that have failed since.
    failures: u64,
}

/// `GET /admin/stats`.
pub(super) async fn stats(State(exchange): State<Exchange>, _: Admin) -> Result<Response, Refused> {
    let storage = Arc::clone(&exchange.storage);
    let sizes = tokio::task::spawn_blocking(move || storage.sizes()).await.map_err(|_| Refused::BUSY)??;
    let standing = exchange.keeper.standing();
    let counters = exchange.keeper.counters();
    let (issued_at, fetched_at, failures) = exchange.members.state();
    let kept = standing.heads.iter().map(|head| head.sequence.saturating_add(1).saturating_sub(head.first));
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let stats = Stats {
        records: kept.sum(),
        batches: sizes.batches,
        conflicts: sizes.conflicts,
        proofs: sizes.proofs,
        store_bytes: sizes.bytes,
        first_hour: standing.hours.first().map(|hour| hour.hour),
        last_hour: standing.hours.last().map(|hour| hour.hour),
        spans: standing.spans.len(),
        postings: standing.spans.iter().map(|span| span.postings).sum(),
        retention_days: exchange.retention_days,
        collectors: standing.heads.iter().map(of_collector).collect(),
        since_start: SinceStart {
            accepted: count(&counters.accepted),
            repeated: count(&counters.repeated),
            refused: count(&counters.refused),
            groups: count(&counters.groups),
        },
        manifest: ManifestStats { issued_at, fetched_at, failures },
    };
    Ok(json(StatusCode::OK, &stats))
}

fn of_collector(head: &HeadRow) -> CollectorStats {
    let HeadRow { collector, first, sequence, conflicts, .. } = *head;
    CollectorStats { collector, first, sequence, conflicts }
}

/// Of `POST /admin/retention`: now, what is older than so many days.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Retention {
    days: u32,
}

#[derive(Serialize)]
struct Removed {
    removed: u64,
}

/// `POST /admin/retention`.
pub(super) async fn retention(
    State(exchange): State<Exchange>,
    _: Admin,
    Asked(asked): Asked<Retention>,
) -> Result<Response, Refused> {
    if asked.days == 0 {
        return Err(Refused::invalid("at least a day is kept"));
    }
    let removed = exchange.keeper.expire(crate::run::oldest_kept(&exchange.ambient, asked.days)).await?;
    tracing::info!(removed, days = asked.days, "old records were removed");
    Ok(json(StatusCode::OK, &Removed { removed }))
}
