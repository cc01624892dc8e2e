//! JSON lines out of pieces that end anywhere.

use super::ClientError;

/// The longest line, in bytes.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// Puts lines together.
#[derive(Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes a piece, and gives away each line that is whole.
    pub(crate) fn take(
        &mut self,
        mut piece: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, after) = piece.split_at(end);
            piece = after.get(1..).unwrap_or_default();
            if self.rest.is_empty() {
                each(line)?;
            } else {
                self.rest.extend_from_slice(line);
                each(&self.rest)?;
                self.rest.clear();
            }
        }
        if self.rest.len() + piece.len() > MAX_LINE_BYTES {
            return Err(ClientError::TooLarge { max: MAX_LINE_BYTES });
        }
        self.rest.extend_from_slice(piece);
        Ok(())
    }

    /// Gives away a last line without an end.
    pub(crate) fn finish(
        self,
        mut each: impl FnMut(&[u8]) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        if self.rest.is_empty() { Ok(()) } else { each(&self.rest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let text = b"{\"a\":1}\n{}\n\nlast";
        for size in 1..text.len() {
            let mut got: Vec<Vec<u8>> = Vec::new();
            let mut lines = Lines::default();
            for piece in text.chunks(size) {
                lines
                    .take(piece, |line| {
                        got.push(line.to_vec());
                        Ok(())
                    })
                    .unwrap();
            }
            lines
                .finish(|line| {
                    got.push(line.to_vec());
                    Ok(())
                })
                .unwrap();
            assert_eq!(got, [&b"{\"a\":1}"[..], b"{}", b"", b"last"], "{size}");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut lines = Lines::default();
        assert!(lines.take(&vec![b'a'; MAX_LINE_BYTES + 1], |_| Ok(())).is_err());
    }
}
