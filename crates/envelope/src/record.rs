//! A sealed record as it travels and is kept: read without a copy, checked without a key that opens.

use std::cmp::Ordering;

use strongroom_blindindex::Token;
use strongroom_crypto::{Digest, PublicKey, TAG_BYTES, sha256};
use strongroom_sharing::{BatchId, MemberId, RecordId};

use crate::field::PAD;
use crate::policies::MAX_POLICIES;
use strongroom_abe::wire::{Fields, FormatError};

/// Most fields of a record.
pub const MAX_FIELDS: usize = 256;
/// Most tokens of a record.
pub const MAX_TOKENS: usize = 1024;
/// Longest record in bytes, signature included.
pub const MAX_RECORD_BYTES: usize = 1 << 20;
/// Length of a signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;
/// What a signature is made over, before the record's digest.
const CONTEXT: &[u8; 21] = b"strongroom record v1\0";
const WHAT: &str = "record";

/// A record, borrowed from its bytes.
#[derive(Clone, Copy)]
pub struct SealedRecord<'a> {
    bytes: &'a [u8],
    id: RecordId,
    batch: BatchId,
    header: &'a Digest,
    previous: &'a Digest,
    count: usize,
    fields: &'a [u8],
    tokens: &'a [[u8; 16]],
    signature: &'a [u8],
    digest: Digest,
}

/// One field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedField<'a> {
    /// What stands for its name.
    pub label: &'a [u8; 16],
    /// The place of its policy in the batch's header.
    pub policy: u16,
    /// Name and value, sealed.
    pub sealed: &'a [u8],
}

/// The signature is not the collector's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("record {id} is not signed by its collector, or was changed")]
pub struct VerifyError {
    /// Which record.
    pub id: RecordId,
}

impl<'a> SealedRecord<'a> {
    /// Reads a record: its form, not its signature.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut fields = Fields::within(WHAT, bytes, MAX_RECORD_BYTES)?;
        let collector = MemberId(*fields.array()?);
        let sequence = fields.long()?;
        fields.field("sequence", (sequence > 0).then_some(()))?;
        let batch = BatchId(*fields.array()?);
        let (header, previous) = (fields.array()?, fields.array()?);
        let is_first = *previous == [0; 32];
        fields.field("previous digest", (is_first == (sequence == 1)).then_some(()))?;
        let count = fields.short()?;
        fields.count("fields", count, MAX_FIELDS)?;
        let start = bytes.len() - fields.left();
        check_fields(&mut fields, count)?;
        let end = bytes.len() - fields.left();
        let tokens = read_tokens(&mut fields)?;
        let signed = bytes.len() - fields.left();
        let signature = fields.bytes(SIGNATURE_BYTES)?;
        fields.end()?;
        let digest = sha256(bytes.get(..signed).unwrap_or_default());
        let id = RecordId { collector, sequence };
        let own = bytes.get(start..end).unwrap_or_default();
        Ok(Self { bytes, id, batch, header, previous, count, fields: own, tokens, signature, digest })
    }

    /// Which record.
    pub fn id(&self) -> RecordId {
        self.id
    }

    /// The digest of the collector's record before it; zeros in the first.
    pub fn previous(&self) -> &'a Digest {
        self.previous
    }

    /// SHA-256 of all but the signature: what the next record names it by.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The batch that it is of.
    pub fn batch(&self) -> BatchId {
        self.batch
    }

    /// The digest of that batch's header.
    pub fn header_digest(&self) -> &'a Digest {
        self.header
    }

    /// What it can be found by, in order.
    pub fn tokens(&self) -> impl ExactSizeIterator<Item = Token> + 'a {
        self.tokens.iter().map(|token| Token(*token))
    }

    /// Whether it has a token.
    pub fn has_token(&self, token: &Token) -> bool {
        self.tokens.binary_search(&token.0).is_ok()
    }

    /// Its fields, in the order of their labels.
    pub fn fields(&self) -> impl Iterator<Item = SealedField<'a>> + use<'a> {
        let mut rest = Fields::plain(WHAT, self.fields);
        // their form was read before
        (0..self.count).map_while(move |_| read_field(&mut rest).ok())
    }

    /// The record itself.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Checks the collector's signature over everything.
    pub fn verify(&self, collector: &PublicKey) -> Result<(), VerifyError> {
        collector
            .verify(&signed_message(&self.digest), self.signature)
            .map_err(|_| VerifyError { id: self.id })
    }
}

/// Reads a record and checks its signature.
pub fn verify_record<'a>(bytes: &'a [u8], collector: &PublicKey) -> Result<SealedRecord<'a>, RecordError> {
    let record = SealedRecord::parse(bytes)?;
    record.verify(collector)?;
    Ok(record)
}

/// Why a record is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is none.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// It is not its collector's.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// What a collector signs: never the start of another document that it signs.
pub(crate) fn signed_message(digest: &Digest) -> [u8; CONTEXT.len() + 32] {
    let mut message = [0; CONTEXT.len() + 32];
    let (context, own) = message.split_at_mut(CONTEXT.len());
    context.copy_from_slice(CONTEXT);
    own.copy_from_slice(digest);
    message
}

fn check_fields(fields: &mut Fields<'_>, count: usize) -> Result<(), FormatError> {
    let mut last: Option<&[u8; 16]> = None;
    for _ in 0..count {
        let next = read_field(fields)?;
        let is_next = last.is_none_or(|last| last.cmp(next.label) == Ordering::Less);
        fields.field("order of fields", is_next.then_some(()))?;
        let is_known = usize::from(next.policy) < MAX_POLICIES;
        fields.field("policy of a field", is_known.then_some(()))?;
        let is_padded = next.sealed.len() >= PAD + TAG_BYTES && next.sealed.len().is_multiple_of(PAD);
        fields.field("length of a field", is_padded.then_some(()))?;
        last = Some(next.label);
    }
    Ok(())
}

fn read_field<'a>(fields: &mut Fields<'a>) -> Result<SealedField<'a>, FormatError> {
    let label = fields.array()?;
    let policy = u16::from(fields.byte()?);
    let length = fields.length()?;
    Ok(SealedField { label, policy, sealed: fields.bytes(length)? })
}

fn read_tokens<'a>(fields: &mut Fields<'a>) -> Result<&'a [[u8; 16]], FormatError> {
    let count = fields.short()?;
    fields.count("tokens", count, MAX_TOKENS)?;
    let (tokens, _) = fields.bytes(count * 16)?.as_chunks();
    let is_ordered = tokens.is_sorted_by(|one, other| one < other);
    fields.field("order of tokens", is_ordered.then_some(tokens))
}

impl std::fmt::Debug for SealedRecord<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedRecord({}, {} bytes)", self.id, self.bytes.len())
    }
}
