//! What is remembered of members beside themselves: heads, what was used up, keys that were replaced.

use super::records::{Row, What};
use strongroom_ambient::UnixMillis;
use strongroom_barrier::{Reader, Writer};
use strongroom_sharing::MemberId;

/// What a collector left word of: how far its records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadRecord {
    /// Whose.
    pub collector: MemberId,
    /// The last record's number.
    pub sequence: u64,
    /// The signed document: payload, kid, signature.
    pub signed: [String; 3],
}

/// Something that counts once, or no more, until a time: a token that was ended, a proof that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkRecord {
    /// Which.
    pub id: [u8; 16],
    /// Whose.
    pub member: MemberId,
    /// Until when it has to be known.
    pub until: UnixMillis,
}

/// A signing key that another took the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedRecord {
    /// Whose.
    pub member: MemberId,
    /// Ed25519 SubjectPublicKeyInfo.
    pub key: Vec<u8>,
    /// The last record of the member's that it counts for.
    pub last: u64,
}

impl Row for HeadRecord {
    const WHAT: What = What::Head;

    fn write(&self, writer: Writer) -> Writer {
        let writer = writer.raw(&self.collector.0).u64(self.sequence);
        self.signed.iter().fold(writer, |writer, text| writer.bytes(text.as_bytes()))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (collector, sequence) = (MemberId(reader.array()?), reader.u64()?);
        let mut text = || reader.text().map(str::to_owned);
        Some(Self { collector, sequence, signed: [text()?, text()?, text()?] })
    }
}

impl Row for MarkRecord {
    const WHAT: What = What::Mark;

    fn write(&self, writer: Writer) -> Writer {
        writer.raw(&self.id).raw(&self.member.0).i64(self.until.0)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            id: reader.array()?,
            member: MemberId(reader.array()?),
            until: UnixMillis(reader.i64()?),
        })
    }
}

impl Row for ReplacedRecord {
    const WHAT: What = What::Replaced;

    fn write(&self, writer: Writer) -> Writer {
        writer.raw(&self.member.0).bytes(&self.key).u64(self.last)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { member: MemberId(reader.array()?), key: reader.bytes()?.to_vec(), last: reader.u64()? })
    }
}
