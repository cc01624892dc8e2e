//! A field's plaintext: name, JSON text, padded to 16 bytes; and what it is bound to.

use strongroom_crypto::Digest;
use strongroom_sharing::{BatchId, RecordId};

/// Batch, collector, sequence, label, policy digest.
pub(crate) const ASSOCIATED_BYTES: usize = 16 + 16 + 8 + 16 + 32;
/// Plaintexts are padded to a multiple of this.
pub(crate) const PAD: usize = 16;
/// Lengths of name and value.
const HEAD: usize = 2 + 4;

/// What a field is bound to.
pub(crate) struct Associated([u8; ASSOCIATED_BYTES]);

impl Associated {
    pub(crate) fn new(batch: BatchId, id: RecordId) -> Self {
        let mut bytes = [0; ASSOCIATED_BYTES];
        let (first, rest) = bytes.split_at_mut(16);
        first.copy_from_slice(&batch.0);
        let (second, rest) = rest.split_at_mut(16);
        second.copy_from_slice(&id.collector.0);
        let (third, _) = rest.split_at_mut(8);
        third.copy_from_slice(&id.sequence.to_be_bytes());
        Self(bytes)
    }

    /// For one field; the rest stays.
    pub(crate) fn of(&mut self, label: &[u8; 16], policy: &Digest) -> &[u8] {
        let (_, rest) = self.0.split_at_mut(40);
        let (own_label, own_policy) = rest.split_at_mut(16);
        own_label.copy_from_slice(label);
        own_policy.copy_from_slice(policy);
        &self.0
    }
}

/// The length of a plaintext.
pub(crate) fn padded(name: &str, value: &[u8]) -> usize {
    (HEAD + name.len() + value.len()).next_multiple_of(PAD)
}

pub(crate) fn write(name: &str, value: &[u8], out: &mut Vec<u8>) {
    let end = out.len() + padded(name, value);
    strongroom_abe::wire::put_short(out, name.len());
    strongroom_abe::wire::put_length(out, value.len());
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(value);
    out.resize(end, 0);
}

/// Name and value; `None` if the plaintext is in no form that [`write`] gives.
pub(crate) fn read(plain: &[u8]) -> Option<(&str, &str)> {
    let (name_length, rest) = plain.split_first_chunk::<2>()?;
    let (value_length, rest) = rest.split_first_chunk::<4>()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*name_length)))?;
    let length = usize::try_from(u32::from_be_bytes(*value_length)).ok()?;
    let (value, padding) = rest.split_at_checked(length)?;
    let (name, value) = (std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?);
    let is_ours = plain.len() == padded(name, value.as_bytes()) && padding.iter().all(|byte| *byte == 0);
    is_ours.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plaintexts_have_one_form() {
        let mut plain = Vec::new();
        write("src_ip", b"\"203.0.113.7\"", &mut plain);
        assert_eq!(plain.len(), 32);
        assert_eq!(read(&plain), Some(("src_ip", "\"203.0.113.7\"")));
        assert_eq!(read(&plain[..31]), None, "truncated");
        let longer = [plain.as_slice(), &[0; 16]].concat();
        assert_eq!(read(&longer), None, "padded twice");
        *plain.last_mut().unwrap() = 1;
        assert_eq!(read(&plain), None, "padding that is none");
        assert_eq!(read(&[]), None);
        let mut endless = vec![0; 16];
        endless[2] = 0xff;
        assert_eq!(read(&endless), None, "a length beyond the end");
        let mut letters = Vec::new();
        write("a", &[0xff], &mut letters);
        assert_eq!(read(&letters), None, "no text");
    }
}
