//! How far the export has come: one line in a file that is replaced as a whole.

use super::SyslogError;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use strongroom_gate::TrailHead;

/// Beside the store, since it is about this copy of the trail and no other.
const POSITION_FILE: &str = "syslog-position";
const VERSION: &str = "strongroom-syslog-1";

/// How far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    /// The last entry.
    pub(super) at: TrailHead,
    /// The last checkpoint, by its entry.
    pub(super) checkpoint: u64,
}

pub(super) struct PositionFile(PathBuf);

impl PositionFile {
    pub(super) fn in_dir(dir: &Path) -> Self {
        Self(dir.join(POSITION_FILE))
    }

    /// The beginning, if there is no file.
    pub(super) fn read(&self) -> Result<Position, SyslogError> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) => parse(&text).ok_or_else(|| SyslogError::Position { path: self.0.clone() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Position::default()),
            Err(source) => Err(self.failed(source)),
        }
    }

    pub(super) fn write(&self, position: &Position) -> Result<(), SyslogError> {
        let new = self.0.with_extension("new");
        let text = show(position);
        let write = || {
            let mut file = std::fs::File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
            std::fs::rename(&new, &self.0)
        };
        write().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> SyslogError {
        SyslogError::File { path: self.0.clone(), source }
    }
}

fn show(position: &Position) -> String {
    let hash = super::message::hex(&position.at.hash);
    format!("{VERSION} {} {hash} {}\n", position.at.seq, position.checkpoint)
}

fn parse(text: &str) -> Option<Position> {
    let mut words = text.strip_suffix('\n')?.split(' ');
    (words.next()? == VERSION).then_some(())?;
    let seq = words.next()?.parse().ok()?;
    let hash = unhex(words.next()?)?;
    let checkpoint = words.next()?.parse().ok()?;
    words.next().is_none().then_some(Position { at: TrailHead { seq, hash }, checkpoint })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect();
    rest.is_empty().then_some(bytes?.try_into().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = PositionFile::in_dir(folder.path());
        assert_eq!(file.read().unwrap(), Position::default());
        let position = Position { at: TrailHead { seq: 77, hash: [0xab; 32] }, checkpoint: 70 };
        file.write(&position).unwrap();
        assert_eq!(file.read().unwrap(), position);
        for text in ["", "strongroom-syslog-1 7", "strongroom-syslog-1 7 ab 7\n", "another 7\n"] {
            std::fs::write(folder.path().join(POSITION_FILE), text).unwrap();
            assert!(matches!(file.read(), Err(SyslogError::Position { .. })), "{text}");
        }
    }
}
