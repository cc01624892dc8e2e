//! What a process has used, as the kernel counts.

use std::io::{Error, Result};

/// Totals since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// Processor time of all its threads, in the kernel too, in ticks of 10 ms.
    pub(crate) ticks: u64,
    /// Pages that were mapped when they were asked for, without reading a disk.
    pub(crate) faults: u64,
}

impl Usage {
    pub(crate) fn read() -> Result<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        Self::parse(&stat).ok_or_else(|| Error::other("/proc/self/stat is not as proc(5) says"))
    }

    /// proc(5): of what follows the name in brackets, field 8 is `minflt`, 12 `utime`, 13 `stime`.
    fn parse(stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self { ticks: number(11)?.checked_add(number(12)?)?, faults: number(7)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_moves_no_field() {
        let stat = "77 (a (b) c 1 2) S 1 77 77 0 -1 4194560 1234 0 5 0 40 2 0 0 20 0 9 0 100 1 1";
        assert_eq!(Usage::parse(stat), Some(Usage { ticks: 42, faults: 1234 }));
        assert_eq!(Usage::parse("77 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_used_something() {
        assert!(Usage::read().unwrap().faults > 0);
    }
}
