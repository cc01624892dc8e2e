//! Reading and writing of fixed and counted fields.

/// What is wrong with bytes that should be a key or a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// They end before they should, or go on after.
    #[error("{what} has the wrong length")]
    Length {
        /// What was read.
        what: &'static str,
    },
    /// A format that this version does not know.
    #[error("{what} has format {found}, known is 1")]
    Version {
        /// What was read.
        what: &'static str,
        /// The format.
        found: u8,
    },
    /// A field has a value that nothing has.
    #[error("{what} has a bad {field}")]
    Field {
        /// What was read.
        what: &'static str,
        /// The field.
        field: &'static str,
    },
}

/// Fields one after another.
pub(crate) struct Fields<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields after the format's number, which must be 1.
    pub(crate) fn of(what: &'static str, bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut fields = Self { what, rest: bytes };
        match fields.byte()? {
            1 => Ok(fields),
            found => Err(FormatError::Version { what, found }),
        }
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], FormatError> {
        let (head, rest) =
            self.rest.split_at_checked(length).ok_or(FormatError::Length { what: self.what })?;
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], FormatError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(FormatError::Length { what: self.what })?;
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, FormatError> {
        self.array::<1>().map(|[byte]| *byte)
    }

    pub(crate) fn short(&mut self) -> Result<usize, FormatError> {
        self.array().map(|bytes| usize::from(u16::from_be_bytes(*bytes)))
    }

    pub(crate) fn field<T>(&self, field: &'static str, value: Option<T>) -> Result<T, FormatError> {
        value.ok_or(FormatError::Field { what: self.what, field })
    }

    pub(crate) fn end(self) -> Result<(), FormatError> {
        if self.rest.is_empty() { Ok(()) } else { Err(FormatError::Length { what: self.what }) }
    }
}

/// Writes a count or a length that its type keeps below 65,536.
pub(crate) fn put_short(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes());
}
