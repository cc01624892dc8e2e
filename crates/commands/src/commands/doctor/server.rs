//! What the server says of itself, and what its answers show.

use super::Session;
use crate::client::{Ask, ClientError};
use strongroom_api::{CheckReport, Endpoint, LockState, StatusReport};
use strongroom_server::doctor::Finding;

const CHECK: &str = "server";
/// Clocks that differ by more make tokens expire early or late.
const MAX_SKEW_MS: u64 = 60_000;
/// An older backup loses more than a week of work.
const MAX_BACKUP_AGE_MS: i64 = 7 * 86_400_000;

/// Whether a server answers.
pub(super) async fn look(session: &Session, deep: bool, here: bool, found: &mut Vec<Finding>) -> bool {
    let status = match session.client.ask(Ask::of(Endpoint::Status)).await {
        Ok(answer) => answer.read::<StatusReport>(),
        Err(fault) => Err(fault),
    };
    let status = match status {
        Ok(status) => status,
        Err(fault) => {
            found.push(silent(session, &fault, here));
            return false;
        }
    };
    found.push(state(session, &status));
    for warning in &status.warnings {
        found.push(Finding::warn(CHECK, warning.clone(), advice(warning)));
    }
    clock(session, &status, found);
    backup(session, &status, found);
    keys(&status, found);
    if deep {
        found.push(all_that_is_stored(session, &status).await);
    }
    true
}

fn silent(session: &Session, fault: &ClientError, here: bool) -> Finding {
    let about = format!("no server answers at {}: {fault}", session.target.address);
    let advice = "start it, or name another with --address or --context";
    // one that is stopped to be looked at is no fault
    if here { Finding::warn(CHECK, about, advice) } else { Finding::fail(CHECK, about, advice) }
}

fn state(session: &Session, status: &StatusReport) -> Finding {
    let at = &session.target.address;
    match status.state {
        LockState::Unlocked => Finding::ok(CHECK, format!("{at} is unlocked, version {}", status.version)),
        LockState::Locked => Finding::warn(CHECK, format!("{at} is locked"), "strongroom unlock"),
        LockState::Uninitialised => {
            Finding::warn(CHECK, format!("{at} is not initialised"), "strongroom init")
        }
    }
}

/// What helps against what the server warns of.
fn advice(warning: &str) -> &'static str {
    let known = [
        ("initialisation is not confirmed", "strongroom init --confirm SET, once the unlock keys are kept"),
        ("a rotation of the root key", "strongroom rotate root --confirm, or --cancel"),
        ("the disk is full", "make room on the server's disk"),
        ("the clock jumped", "look at the server's clock; if it is right: strongroom clock accept"),
        ("the clock is behind", "set the server's clock right"),
    ];
    let known = known.iter().find(|(begins, _)| warning.starts_with(begins));
    known.map_or("see the operator's guide", |(_, advice)| advice)
}

fn clock(session: &Session, status: &StatusReport, found: &mut Vec<Finding>) {
    let Ok(theirs) = status.time.parse::<jiff::Timestamp>() else { return };
    let skew = theirs.as_millisecond().abs_diff(session.ambient.now().0);
    found.push(if skew > MAX_SKEW_MS {
        let about = format!("this machine's clock and the server's differ by {} s", skew / 1_000);
        Finding::warn("clock", about, "set both by the same source of time")
    } else {
        Finding::ok("clock", "this machine's clock and the server's agree")
    });
}

fn backup(session: &Session, status: &StatusReport, found: &mut Vec<Finding>) {
    const ADVICE: &str = "strongroom backup create, each day, to another machine; and backup verify";
    if status.state == LockState::Uninitialised {
        return;
    }
    let Some(made) = status.last_backup.as_ref().and_then(|made| made.parse::<jiff::Timestamp>().ok()) else {
        found.push(Finding::warn("backup", "no backup was ever made", ADVICE));
        return;
    };
    let age = session.ambient.now().0.saturating_sub(made.as_millisecond());
    let about = format!("the last backup was made {made}");
    found.push(if age > MAX_BACKUP_AGE_MS {
        Finding::warn("backup", about, ADVICE)
    } else {
        Finding::ok("backup", about)
    });
}

fn keys(status: &StatusReport, found: &mut Vec<Finding>) {
    if status.state == LockState::Uninitialised {
        return;
    }
    let (threshold, keys) = (status.threshold, status.num_keys);
    found.push(match (threshold, keys) {
        (_, 1) => Finding::warn(
            "unlock",
            "there is one unlock key: whoever loses it loses everything",
            "strongroom rotate root --num-keys 5 --threshold 3",
        ),
        (1, _) => Finding::warn(
            "unlock",
            format!("each of the {keys} unlock keys opens the server alone"),
            "strongroom rotate root --threshold 2, if one person must not do it alone",
        ),
        (threshold, keys) if threshold == keys => Finding::warn(
            "unlock",
            format!("all {keys} unlock keys are needed: to lose one is to lose everything"),
            "strongroom rotate root with a --threshold below --num-keys",
        ),
        (threshold, keys) => {
            Finding::ok("unlock", format!("{threshold} of {keys} unlock keys open the server"))
        }
    });
    if !status.auto_unlock.is_empty() {
        let about = format!("unlocks by itself ({})", status.auto_unlock.join(", "));
        found.push(Finding::warn(
            "unlock",
            about,
            "whoever has the disk and that key has everything: keep them apart, or strongroom auto-unlock remove",
        ));
    }
}

async fn all_that_is_stored(session: &Session, status: &StatusReport) -> Finding {
    const RESTORE: &str = "keep a copy of the data directory as it is, and restore from a backup";
    if status.state != LockState::Unlocked {
        let advice = "unlock it and log in, or stop it and name its configuration with -c";
        return Finding::warn("data", "a locked server cannot look at what it holds", advice);
    }
    let answer = session.client.ask(Ask::of(Endpoint::DeepCheck)).await;
    match answer.and_then(|answer| answer.read::<CheckReport>()) {
        Ok(report) if report.ok => {
            Finding::ok("data", format!("everything is whole, {} records open", report.records))
        }
        Ok(report) => Finding::fail("data", report.findings.join("; "), RESTORE),
        Err(fault) => Finding::fail("data", fault.to_string(), "log in as somebody who may: operator.check"),
    }
}
