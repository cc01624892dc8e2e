//! Backups, which come from wherever they were kept.

use strongroom_server::backup;

/// A backup is found sound or faulty, in memory that does not depend on what it says of itself, and twice the same.
pub(crate) fn backup(data: &[u8]) -> bool {
    let first = backup::verify(data, None, &mut |_| {}).ok();
    let again = backup::verify(data, None, &mut |_| {}).ok();
    assert_eq!(first, again, "one backup is judged in two ways");
    let Some(report) = first else { return false };
    assert_eq!(report.bytes, u64::try_from(data.len()).unwrap_or(u64::MAX), "bytes that nothing vouches for");
    true
}
