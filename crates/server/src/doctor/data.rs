//! The slow look at the data of a server that is stopped.

use super::Finding;
use crate::config::Config;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use strongroom_audit::{Proof, SegmentDir, verify};
use strongroom_store::{SharedStore, StoreError};
use strongroom_store_sqlite::{Options, SqliteStore};

const CHECK: &str = "data";

/// Looks at every page, row and entry, and walks the chain of the trail; opens nothing, for that takes unlock keys.
pub async fn check_data(config: &Config) -> Vec<Finding> {
    let dir = &config.server.data_dir;
    let owner = std::fs::metadata(dir).map(|dir| dir.uid());
    let me = rustix::process::geteuid().as_raw();
    match owner {
        Ok(owner) if owner != me => {
            let about = format!("{} belongs to uid {owner}, this is {me}", dir.display());
            return vec![Finding::fail(CHECK, about, "run doctor --deep as the server's user")];
        }
        Ok(_) => {}
        Err(error) => {
            let about = format!("{}: {error}", dir.display());
            return vec![Finding::fail(CHECK, about, "look at server.data_dir")];
        }
    }
    let options = Options { reserve_bytes: config.server.reserve_bytes, ..Options::default() };
    match SqliteStore::open(dir, options, strongroom_audit::link) {
        Ok(store) => look(config, store).await,
        Err(fault @ StoreError::InUse { .. }) => {
            vec![Finding::warn(
                CHECK,
                fault.to_string(),
                "log in, and ask the server: doctor --deep without -c",
            )]
        }
        Err(fault) => vec![Finding::fail(CHECK, fault.to_string(), RESTORE)],
    }
}

const RESTORE: &str = "keep a copy of the data directory as it is, and restore from a backup";

async fn look(config: &Config, store: Arc<SqliteStore>) -> Vec<Finding> {
    let mut found: Vec<Finding> = match store.check().await {
        Ok(wrong) => wrong.into_iter().map(|about| Finding::fail(CHECK, about, RESTORE)).collect(),
        Err(fault) => vec![Finding::fail(CHECK, fault.to_string(), RESTORE)],
    };
    if found.is_empty() {
        found.push(Finding::ok(CHECK, "every page, row and entry is whole"));
    }
    let shared: SharedStore = store;
    let segments = crate::wire::segment_dir(config);
    found.push(chain(&shared, &segments).await);
    if let Err(fault) = shared.close().await {
        found.push(Finding::fail(CHECK, fault.to_string(), RESTORE));
    }
    found
}

async fn chain(store: &SharedStore, segments: &SegmentDir) -> Finding {
    const ADVICE: &str = "find out who changed it; verify against a checkpoint that was kept elsewhere";
    match verify(store, Proof { segments: Some(segments), ..Proof::default() }).await {
        Ok(report) => match (report.bad, report.segment) {
            (None, _) => Finding::ok(CHECK, format!("the chain of {} entries holds", report.entries)),
            (Some((seq, fault)), None) => Finding::fail(CHECK, format!("trail entry {seq}: {fault}"), ADVICE),
            (Some((seq, fault)), Some(segment)) => {
                Finding::fail(CHECK, format!("trail entry {seq} in {segment}: {fault}"), ADVICE)
            }
        },
        Err(fault) => Finding::fail(CHECK, fault.to_string(), RESTORE),
    }
}
