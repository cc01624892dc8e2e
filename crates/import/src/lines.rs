//! Lines of a text by offset.

/// The line of an offset, from 1.
pub(crate) fn line_of(bytes: &[u8], at: usize) -> u64 {
    Lines::new(bytes).at(at)
}

/// Lines of offsets that only grow: each byte is counted once.
pub(crate) struct Lines<'a> {
    bytes: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, counted: 0, line: 1 }
    }

    /// The line of an offset; of one before an earlier one, that one's.
    #[expect(clippy::naive_bytecount, reason = "each byte of a file is counted once")]
    pub(crate) fn at(&mut self, offset: usize) -> u64 {
        let offset = offset.min(self.bytes.len());
        if let Some(passed) = self.bytes.get(self.counted..offset) {
            let ends = passed.iter().filter(|byte| **byte == b'\n').count();
            self.line += u64::try_from(ends).unwrap_or(u64::MAX);
            self.counted = offset;
        }
        self.line
    }
}
