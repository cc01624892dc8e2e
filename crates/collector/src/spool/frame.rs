//! What stands in a segment: frames with length and checksum, each wholly there or not at all; entries in them.

/// Before each frame.
const MAGIC: [u8; 4] = *b"SRF1";
/// Magic, length, CRC-32.
pub(crate) const HEAD_BYTES: usize = 12;
/// The longest frame without its head: a group of records, which is there as a whole or not at all.
pub(crate) const MAX_FRAME_BYTES: usize = 128 << 20;

/// An entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry<'a> {
    /// The header of a batch.
    Header(&'a [u8]),
    /// A sealed record.
    Record(&'a [u8]),
    /// How far a source is read.
    Mark {
        /// Which.
        source: &'a str,
        /// Where.
        position: &'a [u8],
    },
    /// A record that came while nothing could be encrypted, under the spool's key.
    Raw {
        /// Its number, from 1.
        number: u64,
        /// The record.
        sealed: &'a [u8],
    },
    /// Raw records up to this number have been sealed for good, or rejected.
    Drained(u64),
    /// Where the chain stood when the segment began.
    Chain(&'a [u8]),
    /// The epoch of the segment's records.
    Epoch(u64),
    /// The exchange has all records up to this number.
    Posted(u64),
    /// Raw records up to this number came before the segment.
    RawBefore(u64),
    /// The chain goes on behind a record that another spool of this member left at the exchange.
    Anchor(&'a [u8]),
}

impl Entry<'_> {
    fn tag(&self) -> u8 {
        match self {
            Self::Header(_) => 1,
            Self::Record(_) => 2,
            Self::Mark { .. } => 3,
            Self::Raw { .. } => 4,
            Self::Drained(_) => 5,
            Self::Chain(_) => 6,
            Self::Epoch(_) => 7,
            Self::Posted(_) => 8,
            Self::RawBefore(_) => 9,
            Self::Anchor(_) => 10,
        }
    }

    /// Appends it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let start = begin(self.tag(), out);
        match self {
            Self::Header(bytes) | Self::Record(bytes) | Self::Chain(bytes) | Self::Anchor(bytes) => {
                out.extend_from_slice(bytes);
            }
            Self::Mark { source, position } => {
                out.extend_from_slice(&u16::try_from(source.len()).unwrap_or(u16::MAX).to_be_bytes());
                out.extend_from_slice(source.as_bytes());
                out.extend_from_slice(position);
            }
            Self::Raw { number, sealed } => {
                out.extend_from_slice(&number.to_be_bytes());
                out.extend_from_slice(sealed);
            }
            Self::Drained(number) | Self::Epoch(number) | Self::Posted(number) | Self::RawBefore(number) => {
                out.extend_from_slice(&number.to_be_bytes());
            }
        }
        end(start, out);
    }
}

fn begin(tag: u8, out: &mut Vec<u8>) -> usize {
    out.push(tag);
    out.extend_from_slice(&[0; 4]);
    out.len()
}

fn end(start: usize, out: &mut [u8]) {
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = out.get_mut(start - 4..start) {
        place.copy_from_slice(&length);
    }
}

/// Appends a record that is written in place; what was begun is taken back if it fails.
pub(crate) fn write_record<T, E>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>,
) -> Result<T, E> {
    let before = out.len();
    let start = begin(2, out);
    let written = write(out);
    if written.is_ok() {
        end(start, out);
    } else {
        out.truncate(before);
    }
    written
}

/// Room for a frame's head; the entries follow.
pub(crate) fn begin_frame(out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&[0; HEAD_BYTES]);
}

/// Fills in the head of a frame that is all of `out`.
pub(crate) fn end_frame(out: &mut [u8]) {
    let Some((head, payload)) = out.split_first_chunk_mut::<HEAD_BYTES>() else { return };
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let sum = crc32fast::hash(payload).to_be_bytes();
    let whole = MAGIC.iter().chain(&length).chain(&sum);
    head.iter_mut().zip(whole).for_each(|(to, from)| *to = *from);
}

/// The first frame of `bytes`: its payload, and what is behind it; none if it is not whole.
pub(crate) fn next_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let length =
        usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| *length <= MAX_FRAME_BYTES)?;
    let (payload, rest) = rest.split_at_checked(length)?;
    (crc32fast::hash(payload) == u32::from_be_bytes(*sum)).then_some((payload, rest))
}

/// Whether a whole frame begins anywhere in `bytes`.
pub(crate) fn has_frame(bytes: &[u8]) -> bool {
    let mut places = bytes.windows(MAGIC.len()).enumerate().filter(|(_, window)| *window == MAGIC);
    places.any(|(at, _)| bytes.get(at..).and_then(next_frame).is_some())
}

/// The entries of a frame; an error where one is none.
pub(crate) fn entries(mut payload: &[u8]) -> impl Iterator<Item = Option<Entry<'_>>> {
    std::iter::from_fn(move || {
        if payload.is_empty() {
            return None;
        }
        let entry = next_entry(&mut payload);
        if entry.is_none() {
            payload = &[];
        }
        Some(entry)
    })
}

fn next_entry<'a>(payload: &mut &'a [u8]) -> Option<Entry<'a>> {
    let (tag, rest) = payload.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (body, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *payload = rest;
    let number = || Some(u64::from_be_bytes(body.try_into().ok()?));
    Some(match tag {
        1 => Entry::Header(body),
        2 => Entry::Record(body),
        3 => {
            let (length, body) = body.split_first_chunk::<2>()?;
            let (source, position) = body.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            Entry::Mark { source: std::str::from_utf8(source).ok()?, position }
        }
        4 => {
            let (number, sealed) = body.split_first_chunk::<8>()?;
            Entry::Raw { number: u64::from_be_bytes(*number), sealed }
        }
        5 => Entry::Drained(number()?),
        6 => Entry::Chain(body),
        7 => Entry::Epoch(number()?),
        8 => Entry::Posted(number()?),
        9 => Entry::RawBefore(number()?),
        10 => Entry::Anchor(body),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_no_change_is_taken_for_one() {
        let all = [
            Entry::Epoch(3),
            Entry::Header(b"header"),
            Entry::Record(b""),
            Entry::Mark { source: "file:/x", position: b"17" },
            Entry::Raw { number: 4, sealed: b"sealed" },
            Entry::Drained(4),
            Entry::Posted(9),
            Entry::RawBefore(1),
            Entry::Chain(b"chain"),
            Entry::Anchor(b"chain"),
        ];
        let mut frame = Vec::new();
        begin_frame(&mut frame);
        for entry in &all {
            entry.write(&mut frame);
        }
        end_frame(&mut frame);
        let golden = include_str!("../../../../vectors/member/spool-frame-v1.hex").trim_end();
        assert_eq!(data_encoding::HEXLOWER.encode(&frame), golden);
        let (payload, rest) = next_frame(&frame).unwrap();
        assert!(rest.is_empty());
        assert_eq!(entries(payload).collect::<Option<Vec<_>>>().unwrap(), all);
        for place in 0..frame.len() {
            let mut changed = frame.clone();
            changed[place] ^= 1;
            assert!(next_frame(&changed).is_none(), "{place}");
            assert!(next_frame(&frame[..place]).is_none(), "{place}");
        }
        assert!(has_frame(&[b"SRF1xx".as_slice(), &frame].concat()));
        assert!(!has_frame(&frame[1..]));
    }

    #[test]
    fn a_record_that_fails_leaves_nothing() {
        let mut out = vec![7];
        assert_eq!(
            write_record(&mut out, |out| {
                out.push(1);
                Err::<(), u8>(2)
            }),
            Err(2)
        );
        assert_eq!(out, [7]);
    }
}
