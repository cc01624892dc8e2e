//! What a collector put into an epoch, so that a reader sees whether it was told everything: a Merkle tree over its tokens.
//!
//! A leaf says of one token how many records have it, and a [`Tally`] over them. The tree has the shape of RFC 9162,
//! section 2.1; its root is signed by the collector when the epoch has ended.

use std::collections::HashMap;

use strongroom_blindindex::Token;
use strongroom_crypto::{Digest, sha256_parts};

use strongroom_abe::wire::{Fields, FormatError, put_length};

/// Most leaves of a tree.
pub const MAX_LEAVES: usize = 1 << 26;
/// Token, count, digest.
pub(crate) const LEAF_BYTES: usize = 16 + 8 + 32;
const WHAT: &str = "proof tree";

/// Records counted and folded into one digest, in the order of their sequence: each step is
/// SHA-256(digest so far, sequence, digest of the record).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Of all of them; zeros of none.
    pub digest: Digest,
}

/// One token's end of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// The token.
    pub token: Token,
    /// Its records.
    pub tally: Tally,
}

/// Takes records as they are sealed.
#[derive(Debug, Default)]
pub struct ProofBuilder {
    tallies: HashMap<[u8; 16], Tally>,
}

/// A tree, with all its digests: 120 bytes a leaf.
pub struct ProofTree {
    leaves: Vec<Leaf>,
    /// From the leaves' digests up to the root.
    levels: Vec<Vec<Digest>>,
}

impl Tally {
    /// Adds a record; records come in the order of their sequence.
    pub fn add(&mut self, sequence: u64, record: &Digest) {
        self.count += 1;
        self.digest = sha256_parts(&[&self.digest, &sequence.to_be_bytes(), record]);
    }

    /// Of records that were found, in whatever order.
    pub fn of(mut found: Vec<(u64, Digest)>) -> Self {
        found.sort_unstable();
        found.dedup();
        let mut tally = Self::default();
        for (sequence, digest) in &found {
            tally.add(*sequence, digest);
        }
        tally
    }
}

impl ProofBuilder {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record with its tokens; records come in the order of their sequence.
    pub fn add(&mut self, sequence: u64, record: &Digest, tokens: impl IntoIterator<Item = Token>) {
        for token in tokens {
            self.tallies.entry(token.0).or_default().add(sequence, record);
        }
    }

    /// Different tokens so far.
    pub fn len(&self) -> usize {
        self.tallies.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tallies.is_empty()
    }

    /// The tree.
    pub fn finish(self) -> ProofTree {
        let leaf = |(token, tally)| Leaf { token: Token(token), tally };
        let mut leaves: Vec<Leaf> = self.tallies.into_iter().map(leaf).collect();
        leaves.sort_unstable_by_key(|leaf| leaf.token);
        ProofTree::of_sorted(leaves)
    }
}

impl ProofTree {
    /// Of leaves in the order of their tokens, none twice.
    pub fn new(leaves: Vec<Leaf>) -> Result<Self, FormatError> {
        let is_ordered = leaves.is_sorted_by(|one, other| one.token < other.token);
        let is_counted = leaves.iter().all(|leaf| leaf.tally.count > 0);
        if !is_ordered || !is_counted {
            return Err(FormatError::Field { what: WHAT, field: "order of tokens" });
        }
        if leaves.len() > MAX_LEAVES {
            let (found, limit) = (leaves.len(), MAX_LEAVES);
            return Err(FormatError::TooMany { what: WHAT, of: "leaves", found, limit });
        }
        Ok(Self::of_sorted(leaves))
    }

    fn of_sorted(leaves: Vec<Leaf>) -> Self {
        let mut levels = vec![leaves.iter().map(Leaf::digest).collect::<Vec<_>>()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                // the last of an odd number goes up as it is
                alone => alone.first().copied().unwrap_or_default(),
            });
            levels.push(above.collect());
        }
        Self { leaves, levels }
    }

    /// What the collector signs; of no leaves, SHA-256 of nothing.
    pub fn root(&self) -> Digest {
        let root = self.levels.last().and_then(|level| level.first()).copied();
        root.unwrap_or_else(|| sha256_parts(&[]))
    }

    /// The leaves in order.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The place of a token, or where it would be.
    pub(crate) fn find(&self, token: &Token) -> Result<usize, usize> {
        self.leaves.binary_search_by_key(token, |leaf| leaf.token)
    }

    /// The digests beside the way from a leaf to the root.
    pub(crate) fn siblings(&self, mut place: usize) -> Vec<Digest> {
        let mut found = Vec::new();
        for level in &self.levels {
            // the last of an odd number has none
            if let Some(sibling) = level.get(place ^ 1) {
                found.push(*sibling);
            }
            place /= 2;
        }
        found
    }

    /// The leaves, for the exchange.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(5 + self.leaves.len() * LEAF_BYTES);
        out.push(1);
        put_length(&mut out, self.leaves.len());
        self.leaves.iter().for_each(|leaf| leaf.write(&mut out));
        out
    }

    /// Reads what [`ProofTree::to_bytes`] wrote.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut fields = Fields::of(WHAT, bytes)?;
        let count = fields.length()?;
        fields.count("leaves", count, MAX_LEAVES)?;
        if fields.left() != count.saturating_mul(LEAF_BYTES) {
            return Err(FormatError::Length { what: WHAT });
        }
        let leaves: Vec<Leaf> = (0..count).map(|_| Leaf::read(&mut fields)).collect::<Result<_, _>>()?;
        fields.end()?;
        Self::new(leaves)
    }
}

impl Leaf {
    pub(crate) fn digest(&self) -> Digest {
        let Tally { count, digest } = &self.tally;
        sha256_parts(&[&[0], &self.token.0, &count.to_be_bytes(), digest])
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.token.0);
        out.extend_from_slice(&self.tally.count.to_be_bytes());
        out.extend_from_slice(&self.tally.digest);
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Self, FormatError> {
        let token = Token(*fields.array()?);
        let tally = Tally { count: fields.long()?, digest: *fields.array()? };
        Ok(Self { token, tally })
    }
}

pub(crate) fn node(left: &Digest, right: &Digest) -> Digest {
    sha256_parts(&[&[1], left, right])
}

impl std::fmt::Debug for ProofTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProofTree({} leaves)", self.leaves.len())
    }
}
