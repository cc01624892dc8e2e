//! What a process used, from `/proc`.

use crate::Outcome;

/// Microseconds of CPU of all its threads, in user space and in the kernel, since it began (clock ticks: 10 ms).
pub(super) fn cpu_micros(pid: u32) -> Outcome<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // the name may hold spaces: what counts comes after its closing bracket
    let after = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok()).map(f64::from);
    let (user, kernel) = (ticks(11).ok_or("no utime")?, ticks(12).ok_or("no stime")?);
    Ok((user + kernel) * 10_000.0)
}

/// Resident memory in megabytes (10^6 bytes): all of it, and the part that is no file.
pub(super) fn memory_mb(pid: u32) -> Outcome<(f64, f64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u32>().ok().map(|kib| f64::from(kib) * 1024.0 / 1e6)
    };
    Ok((field("VmRSS:").ok_or("no VmRSS")?, field("RssAnon:").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_uses_cpu_and_memory() {
        let own = std::process::id();
        let (all, anonymous) = memory_mb(own).unwrap();
        assert!(all >= anonymous && anonymous > 0.0, "{all} {anonymous}");
        assert!(cpu_micros(own).unwrap() >= 0.0);
        assert!(cpu_micros(u32::MAX).is_err());
    }
}
