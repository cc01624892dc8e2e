//! Items as they lie in chunks, one behind the other, cut wherever a chunk is full.
//!
//! ```text
//! row    1 | key's length u8 | key | revision i64 | value's length u32 | value
//! entry  2 | seq u64 | verdict u8 | body's length u32 | body | link 32
//! ```

use strongroom_barrier::Reader;
use strongroom_store::{Item, Revision, Row, RowKey, TrailEntry};

const ROW: u8 = 1;
const ENTRY: u8 = 2;

/// No value or body is longer: a transaction is at most half of it.
pub(crate) const MAX_ITEM_BYTES: usize = 8 << 20;

pub(crate) fn encode(item: &Item, out: &mut Vec<u8>) {
    match item {
        Item::Row(row) => {
            let key = row.key.as_bytes();
            out.extend_from_slice(&[ROW, u8::try_from(key.len()).unwrap_or(u8::MAX)]);
            out.extend_from_slice(key);
            out.extend_from_slice(&row.revision.0.to_be_bytes());
            put_bytes(&row.value, out);
        }
        Item::Entry(entry) => {
            out.push(ENTRY);
            out.extend_from_slice(&entry.seq.to_be_bytes());
            out.push(entry.verdict);
            put_bytes(&entry.body, out);
            out.extend_from_slice(&entry.hash);
        }
    }
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// What the start of some bytes holds.
pub(crate) enum Decoded {
    /// An item, and how many bytes it takes.
    Item(Item, usize),
    /// The beginning of one.
    Partial,
    /// Nothing that was ever written.
    Nonsense,
}

pub(crate) fn decode(bytes: &[u8]) -> Decoded {
    let mut reader = Reader::new(bytes);
    let parsed = match bytes.first() {
        None => return Decoded::Partial,
        Some(&ROW) => row(&mut reader),
        Some(&ENTRY) => entry(&mut reader),
        Some(_) => return Decoded::Nonsense,
    };
    match parsed {
        Some(Ok(item)) => Decoded::Item(item, bytes.len() - reader.rest().len()),
        Some(Err(())) => Decoded::Nonsense,
        None if bytes.len() > MAX_ITEM_BYTES => Decoded::Nonsense,
        None => Decoded::Partial,
    }
}

fn row(reader: &mut Reader<'_>) -> Option<Result<Item, ()>> {
    reader.u8()?;
    let length = usize::from(reader.u8()?);
    let mut key = Vec::with_capacity(length);
    for _ in 0..length {
        key.push(reader.u8()?);
    }
    let revision = Revision(reader.i64()?);
    let value = reader.bytes()?.to_vec();
    Some(RowKey::new(key).map(|key| Item::Row(Row { key, revision, value })).map_err(drop))
}

fn entry(reader: &mut Reader<'_>) -> Option<Result<Item, ()>> {
    reader.u8()?;
    let (seq, verdict) = (reader.u64()?, reader.u8()?);
    let body = reader.bytes()?.to_vec();
    Some(Ok(Item::Entry(TrailEntry { seq, verdict, body, hash: reader.array()? })))
}
