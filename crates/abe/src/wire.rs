//! Reading and writing of fixed and counted fields: for the formats of this crate, and for those that they lie in.

/// What is wrong with bytes that should be a key, a header, a record.
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
    /// A field has a value that nothing has, or not in its one form.
    #[error("{what} has a bad {field}")]
    Field {
        /// What was read.
        what: &'static str,
        /// The field.
        field: &'static str,
    },
    /// More of something than is allowed.
    #[error("{what} has {found} {of}, allowed are {limit}")]
    TooMany {
        /// What was read.
        what: &'static str,
        /// Of what.
        of: &'static str,
        /// How many.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
}

/// Fields one after another; they may be secret.
#[derive(Clone)]
pub struct Fields<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields after the format's number, which must be 1.
    pub fn of(what: &'static str, bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut fields = Self::plain(what, bytes);
        match fields.byte()? {
            1 => Ok(fields),
            found => Err(FormatError::Version { what, found }),
        }
    }

    /// The same within a limit.
    pub fn within(what: &'static str, bytes: &'a [u8], limit: usize) -> Result<Self, FormatError> {
        if bytes.len() > limit {
            return Err(FormatError::TooMany { what, of: "bytes", found: bytes.len(), limit });
        }
        Self::of(what, bytes)
    }

    /// Fields without a format's number.
    pub fn plain(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes }
    }

    /// The next bytes, so many.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], FormatError> {
        let (head, rest) =
            self.rest.split_at_checked(length).ok_or(FormatError::Length { what: self.what })?;
        self.rest = rest;
        Ok(head)
    }

    /// The next bytes, of a fixed number.
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], FormatError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(FormatError::Length { what: self.what })?;
        self.rest = rest;
        Ok(head)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, FormatError> {
        self.array::<1>().map(|[byte]| *byte)
    }

    /// A number of two bytes.
    pub fn short(&mut self) -> Result<usize, FormatError> {
        self.array().map(|bytes| usize::from(u16::from_be_bytes(*bytes)))
    }

    /// A length of four bytes.
    pub fn length(&mut self) -> Result<usize, FormatError> {
        let length = u32::from_be_bytes(*self.array()?);
        usize::try_from(length).map_err(|_| FormatError::Length { what: self.what })
    }

    /// A number of eight bytes.
    pub fn long(&mut self) -> Result<u64, FormatError> {
        self.array().map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// A value that a field must have.
    pub fn field<T>(&self, field: &'static str, value: Option<T>) -> Result<T, FormatError> {
        value.ok_or(FormatError::Field { what: self.what, field })
    }

    /// A count within a limit.
    pub fn count(&self, of: &'static str, found: usize, limit: usize) -> Result<usize, FormatError> {
        if found <= limit {
            Ok(found)
        } else {
            Err(FormatError::TooMany { what: self.what, of, found, limit })
        }
    }

    /// How much is left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Nothing follows.
    pub fn end(self) -> Result<(), FormatError> {
        if self.rest.is_empty() { Ok(()) } else { Err(FormatError::Length { what: self.what }) }
    }
}

/// Writes a count or a length that its limit keeps below 65,536.
pub fn put_short(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes());
}

/// Writes a length that its limit keeps below 4 GiB.
pub fn put_length(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
}
