//! The way from a token to the signed root: that it is in the tree with this tally, or that it is not in it.

use strongroom_blindindex::Token;
use strongroom_crypto::{Digest, sha256_parts};

use crate::proof::{Leaf, MAX_LEAVES, ProofTree, Tally, node};
use strongroom_abe::wire::{Fields, FormatError};

/// Longest path in bytes.
pub const MAX_PATH_BYTES: usize = 4096;
/// A tree of [`MAX_LEAVES`] has so many levels.
const MAX_SIBLINGS: usize = 26;
const WHAT: &str = "proof path";

/// One token's proof: its leaf with the way up, or both neighbours of where it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofPath(Way);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Present(Step),
    /// Left and right neighbour; neither in an empty tree.
    Absent(Option<Step>, Option<Step>),
}

/// A leaf and its way up.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    place: u64,
    leaf: Leaf,
    siblings: Vec<Digest>,
}

/// What a path proves of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The collector put so many records with it into the epoch.
    Present(Tally),
    /// The collector put none.
    Absent,
}

/// Why a path proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It leads to another root than the signed one.
    #[error("path does not lead to the signed root")]
    Root,
    /// It is of another token, or its neighbours leave room between them.
    #[error("path is of another token")]
    Token,
}

impl ProofTree {
    /// The path of a token.
    pub fn path(&self, token: &Token) -> ProofPath {
        match self.find(token) {
            Ok(place) => match self.step(place) {
                Some(step) => ProofPath(Way::Present(step)),
                None => ProofPath(Way::Absent(None, None)),
            },
            Err(place) => {
                let left = place.checked_sub(1).and_then(|place| self.step(place));
                ProofPath(Way::Absent(left, self.step(place)))
            }
        }
    }

    fn step(&self, place: usize) -> Option<Step> {
        let leaf = *self.leaves().get(place)?;
        Some(Step { place: u64::try_from(place).ok()?, leaf, siblings: self.siblings(place) })
    }
}

impl ProofPath {
    /// What the path proves of a token, under the root and the number of leaves that the collector signed.
    pub fn verify(&self, token: &Token, root: &Digest, leaves: u64) -> Result<Proof, ProofError> {
        match &self.0 {
            Way::Present(step) => {
                step.check(root, leaves)?;
                if step.leaf.token == *token {
                    Ok(Proof::Present(step.leaf.tally))
                } else {
                    Err(ProofError::Token)
                }
            }
            Way::Absent(left, right) => {
                for step in left.iter().chain(right) {
                    step.check(root, leaves)?;
                }
                let is_before = left.as_ref().is_none_or(|left| left.leaf.token < *token);
                let is_behind = right.as_ref().is_none_or(|right| right.leaf.token > *token);
                // no leaf is between them: nor before the first, nor behind the last
                let next = left.as_ref().map_or(0, |left| left.place.saturating_add(1));
                let end = right.as_ref().map_or(leaves, |right| right.place);
                let is_empty = leaves > 0 || *root == sha256_parts(&[]);
                let is_absent = is_before && is_behind && next == end && is_empty;
                if is_absent { Ok(Proof::Absent) } else { Err(ProofError::Token) }
            }
        }
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![1];
        match &self.0 {
            Way::Present(step) => {
                out.push(0);
                step.write(&mut out);
            }
            Way::Absent(left, right) => {
                out.push(1 + u8::from(left.is_some()) + 2 * u8::from(right.is_some()));
                left.iter().chain(right).for_each(|step| step.write(&mut out));
            }
        }
        out
    }

    /// Reads what [`ProofPath::to_bytes`] wrote.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut fields = Fields::within(WHAT, bytes, MAX_PATH_BYTES)?;
        let way = match fields.byte()? {
            0 => Way::Present(Step::read(&mut fields)?),
            kind @ 1..=4 => {
                let left = (kind - 1) & 1 == 1;
                let right = (kind - 1) & 2 == 2;
                let left = left.then(|| Step::read(&mut fields)).transpose()?;
                let right = right.then(|| Step::read(&mut fields)).transpose()?;
                Way::Absent(left, right)
            }
            _ => return fields.field("kind", None),
        };
        fields.end()?;
        Ok(Self(way))
    }
}

impl Step {
    /// Whether the leaf stands at its place in the tree of that root and size: RFC 9162, section 2.1.3.2.
    fn check(&self, root: &Digest, leaves: u64) -> Result<(), ProofError> {
        let (mut place, mut last) = (self.place, leaves.checked_sub(1).ok_or(ProofError::Root)?);
        if place > last {
            return Err(ProofError::Root);
        }
        let (mut digest, mut siblings) = (self.leaf.digest(), self.siblings.iter());
        while last > 0 {
            if place % 2 == 1 {
                digest = node(siblings.next().ok_or(ProofError::Root)?, &digest);
            } else if place < last {
                digest = node(&digest, siblings.next().ok_or(ProofError::Root)?);
            }
            (place, last) = (place / 2, last / 2);
        }
        if siblings.next().is_none() && digest == *root { Ok(()) } else { Err(ProofError::Root) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.place.to_be_bytes());
        self.leaf.write(out);
        out.push(u8::try_from(self.siblings.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.siblings.as_flattened());
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, FormatError> {
        let (place, leaf) = (fields.long()?, Leaf::read(fields)?);
        let count = usize::from(fields.byte()?);
        fields.count("levels", count, MAX_SIBLINGS)?;
        let (siblings, _) = fields.bytes(count * 32)?.as_chunks();
        Ok(Self { place, leaf, siblings: siblings.to_vec() })
    }
}

const _: () = assert!(MAX_LEAVES == 1 << MAX_SIBLINGS, "a sibling a level");
const _: () = assert!(MAX_PATH_BYTES > 2 + 2 * (9 + 56 + 32 * MAX_SIBLINGS), "two neighbours fit");
