//! Fixed layouts: writing their parts, and reading them with the place of what does not fit.

use crate::RecordError;

/// The first `N` bytes of a sequence; the caller sees to it that there are as many.
pub(crate) fn fixed<const N: usize>(bytes: impl IntoIterator<Item = u8>) -> [u8; N] {
    let mut array = [0; N];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = from;
    }
    array
}

/// Reads a byte string from its start to its end.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// An error at the next byte.
    pub(crate) fn corrupt(&self, what: &'static str) -> RecordError {
        RecordError::Corrupt { offset: self.offset, what }
    }

    /// The next bytes, as many as are named.
    pub(crate) fn bytes(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.corrupt(what))?;
        self.rest = rest;
        self.offset += length;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], RecordError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.corrupt(what))?;
        self.rest = rest;
        self.offset += N;
        Ok(*taken)
    }

    /// The next byte, which must satisfy a condition.
    pub(crate) fn byte(
        &mut self,
        what: &'static str,
        valid: impl FnOnce(u8) -> bool,
    ) -> Result<u8, RecordError> {
        let [byte] = self
            .rest
            .first_chunk()
            .copied()
            .filter(|[byte]| valid(*byte))
            .ok_or_else(|| self.corrupt(what))?;
        self.array::<1>(what).map(|_| byte)
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), RecordError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.corrupt("end")) }
    }
}
