//! A memory store's backup: magic, revision, rows, entries; integers little-endian, bytes behind their length.

use super::state::State;
use crate::{Revision, RowKey, StoreError, TrailEntry, TrailHead};
use std::io::Write;
use std::path::Path;

const MAGIC: &[u8] = b"strongroom memory store 1\n";

pub(super) fn encode(state: &State) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(state.revision.0.to_le_bytes());
    put_len(&mut out, state.rows.len());
    for (key, (revision, value)) in &state.rows {
        put_bytes(&mut out, key.as_bytes());
        out.extend(revision.0.to_le_bytes());
        put_bytes(&mut out, value);
    }
    put_len(&mut out, state.trail.len());
    for entry in &state.trail {
        out.extend(entry.seq.to_le_bytes());
        out.push(entry.verdict);
        put_bytes(&mut out, &entry.body);
        out.extend(entry.hash);
    }
    out
}

pub(super) fn decode(bytes: &[u8]) -> Result<State, StoreError> {
    read(bytes).ok_or_else(|| StoreError::Corrupt { place: "backup of a memory store".to_owned() })
}

/// Creates the file, which must not be there, and syncs it.
pub(super) fn write_new(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(to)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn read(bytes: &[u8]) -> Option<State> {
    let mut from = bytes.strip_prefix(MAGIC)?;
    let mut state = State { revision: Revision(i64::from_le_bytes(take(&mut from)?)), ..State::default() };
    for _ in 0..take_len(&mut from)? {
        let key = RowKey::new(take_bytes(&mut from)?).ok()?;
        let revision = Revision(i64::from_le_bytes(take(&mut from)?));
        state.rows.insert(key, (revision, take_bytes(&mut from)?.to_vec()));
    }
    for _ in 0..take_len(&mut from)? {
        let seq = u64::from_le_bytes(take(&mut from)?);
        let [verdict] = take(&mut from)?;
        let body = take_bytes(&mut from)?.to_vec();
        let hash = take(&mut from)?;
        state.head = TrailHead { seq, hash };
        state.trail.push(TrailEntry { seq, verdict, body, hash });
    }
    from.is_empty().then_some(state)
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    out.extend(u64::try_from(len).unwrap_or(u64::MAX).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend(bytes);
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = from.split_first_chunk::<N>()?;
    *from = rest;
    Some(*head)
}

fn take_len(from: &mut &[u8]) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(take(from)?)).ok()
}

fn take_bytes<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = take_len(from)?;
    let (head, rest) = from.split_at_checked(len)?;
    *from = rest;
    Some(head)
}
