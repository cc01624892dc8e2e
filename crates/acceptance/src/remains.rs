//! What a program leaves to be found: its files, and its memory while it runs.

use crate::fault::Outcome;
use crate::needles::Search;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

const PIECE: usize = 1 << 20;

/// Looks at each file below a folder.
pub(crate) fn files(folder: &Path, search: &mut Search<'_>) -> Outcome<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            files(&entry.path(), search)?;
        } else if kind.is_file() {
            file(&entry.path(), search)?;
        }
    }
    Ok(())
}

fn file(path: &Path, search: &mut Search<'_>) -> Outcome<()> {
    let mut file = File::open(path)?;
    let mut piece = vec![0; PIECE];
    search.cut();
    loop {
        let count = file.read(&mut piece)?;
        match piece.get(..count) {
            Some(read) if count > 0 => search.feed(read),
            _ => return Ok(()),
        }
    }
}

/// Looks at all that a process can read of its own memory, but the program's own file.
pub(crate) fn memory(pid: u32, search: &mut Search<'_>) -> Outcome<()> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut piece = vec![0; PIECE];
    for (from, to) in maps.lines().filter_map(range) {
        search.cut();
        let mut at = from;
        while at < to {
            let want = usize::try_from(to - at).unwrap_or(PIECE).min(PIECE);
            let Some(room) = piece.get_mut(..want) else { break };
            // pages that cannot be read, or went meanwhile, hold nothing for long
            let Ok(count @ 1..) = memory.read_at(room, at) else { break };
            search.feed(room.get(..count).unwrap_or_default());
            at += count as u64;
        }
    }
    Ok(())
}

/// Where a line of the maps begins and ends, if it can be read and is no program text.
fn range(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_whitespace();
    let (place, rights) = (words.next()?, words.next()?);
    let path = words.nth(3).unwrap_or_default();
    let is_program = path.ends_with("/strongroom") || path.contains(".so");
    if !rights.starts_with('r') || path == "[vvar]" || (is_program && !rights.contains('w')) {
        return None;
    }
    let (from, to) = place.split_once('-')?;
    Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needles::Needles;

    #[test]
    fn files_and_memory_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        std::fs::write(folder.path().join("deep/file"), "a word in a file").unwrap();
        let mut needles = Needles::default();
        needles.add("file", b"word in a file");
        needles.add("absent", &[7, 1, 7, 3, 9, 9, 4, 2, 7, 7]);
        let mut search = needles.search();
        files(folder.path(), &mut search).unwrap();
        assert_eq!(search.found(), [("file", 1)]);
        let mut search = needles.search();
        memory(std::process::id(), &mut search).unwrap();
        assert!(search.found().iter().any(|(name, _)| *name == "file"), "our own needle is in our memory");
        assert!(search.bytes() > 100_000);
    }
}
