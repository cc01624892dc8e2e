//! The pages of the program's own file.

#![expect(unsafe_code, reason = "the kernel is told addresses; ADR 61 tells why it is sound")]

use rustix::mm::{Advice, madvise, munlock};
use std::ffi::c_void;
use std::io::{Error, Result};
use std::ops::Range;

/// What went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Released {
    /// Bytes of the program that were in this process's memory.
    pub bytes: u64,
}

/// A mapping, as `/proc/self/smaps` tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mapping {
    range: Range<usize>,
    /// Device and inode of its file.
    file: (String, u64),
    may_write: bool,
    /// Bytes that are in memory,
    resident: u64,
    /// and of these, those that are no longer the file's: somebody wrote to them.
    own: u64,
}

/// Unlocks and drops the pages of this program's file that nobody has written to.
///
/// # Errors
/// `/proc/self/smaps` cannot be read or is not as proc(5) says; the kernel refuses.
pub fn release() -> Result<Released> {
    let mappings = mappings(&std::fs::read_to_string("/proc/self/smaps")?)
        .ok_or_else(|| Error::other("/proc/self/smaps is not as proc(5) says"))?;
    let mut released = Released::default();
    for mapping in of_this_program(&mappings) {
        give_back(&mapping.range)?;
        released.bytes = released.bytes.saturating_add(mapping.resident);
    }
    Ok(released)
}

/// The mappings of the file that this very function is in, without those that were or may be written to.
fn of_this_program(mappings: &[Mapping]) -> impl Iterator<Item = &Mapping> {
    let here = release as *const () as usize;
    let own_file = mappings.iter().find(|mapping| mapping.range.contains(&here)).map(|mapping| &mapping.file);
    mappings.iter().filter(move |mapping| {
        Some(&mapping.file) == own_file && !mapping.may_write && mapping.own == 0 && mapping.resident > 0
    })
}

fn give_back(range: &Range<usize>) -> Result<()> {
    let start = std::ptr::without_provenance_mut::<c_void>(range.start);
    let bytes = range.end.saturating_sub(range.start);
    // SAFETY: the range is a whole mapping of this program's file, which the loader made and nothing ever unmaps. None of
    // its pages was written to, and none may be: a dropped page is read from the file again, byte for byte the same.
    unsafe {
        munlock(start, bytes)?;
        madvise(start, bytes, Advice::LinuxDontNeed)?;
    }
    Ok(())
}

/// proc(5): a line of addresses, rights, offset, device, inode and path, then lines `Name: number kB`.
fn mappings(smaps: &str) -> Option<Vec<Mapping>> {
    let mut found: Vec<Mapping> = Vec::new();
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next()?;
        match first.strip_suffix(':') {
            None => found.push(head(first, words)?),
            Some(name @ ("Rss" | "Anonymous")) => {
                let bytes = words.next()?.parse::<u64>().ok()?.checked_mul(1_024)?;
                let mapping = found.last_mut()?;
                *(if name == "Rss" { &mut mapping.resident } else { &mut mapping.own }) = bytes;
            }
            Some(_) => {}
        }
    }
    Some(found)
}

fn head<'a>(addresses: &str, mut words: impl Iterator<Item = &'a str>) -> Option<Mapping> {
    let (start, end) = addresses.split_once('-')?;
    let address = |hex| usize::from_str_radix(hex, 16).ok();
    let (rights, device) = (words.next()?, words.nth(1)?);
    Some(Mapping {
        range: address(start)?..address(end)?,
        file: (device.to_owned(), words.next()?.parse().ok()?),
        may_write: rights.contains('w'),
        resident: 0,
        own: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
55d000000000-55d000010000 r--p 00000000 fd:01 77 /usr/bin/strongroom (deleted)
Size:                 64 kB
Rss:                  40 kB
Anonymous:             0 kB
VmFlags: rd mr mw me lo
55d000010000-55d000020000 rw-p 00010000 fd:01 77 /usr/bin/strongroom (deleted)
Rss:                   8 kB
Anonymous:             8 kB
7f0000000000-7f0000001000 rw-p 00000000 00:00 0
Rss:                   4 kB
Anonymous:             4 kB
";

    #[test]
    fn mappings_are_read_with_their_file_and_what_is_resident() {
        let read = mappings(SMAPS).unwrap();
        let told: Vec<_> =
            read.iter().map(|each| (each.file.1, each.may_write, each.resident, each.own)).collect();
        assert_eq!(told, [(77, false, 40_960, 0), (77, true, 8_192, 8_192), (0, true, 4_096, 4_096)]);
        assert_eq!(read[0].range, 0x55d0_0000_0000..0x55d0_0001_0000);
        assert_eq!(mappings("nonsense"), None);
    }

    #[test]
    fn what_was_or_may_be_written_to_is_not_given_back() {
        let here = release as *const () as usize;
        let mapping = |start: usize, inode: u64, may_write: bool, own: u64| Mapping {
            range: start..start + 4_096,
            file: ("fd:01".into(), inode),
            may_write,
            resident: 4_096,
            own,
        };
        let all = [
            mapping(here, 7, false, 0),
            mapping(4_096, 7, false, 0),
            mapping(8_192, 7, true, 0),
            mapping(12_288, 7, false, 4_096),
            mapping(16_384, 8, false, 0),
        ];
        let chosen: Vec<usize> = of_this_program(&all).map(|mapping| mapping.range.start).collect();
        assert_eq!(chosen, [here, 4_096]);
        assert_eq!(of_this_program(&all[1..]).count(), 0);
    }

    #[test]
    fn this_program_has_a_mapping_that_is_not_written_to() {
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mappings = mappings(&smaps).unwrap();
        assert!(of_this_program(&mappings).count() > 0);
    }
}
