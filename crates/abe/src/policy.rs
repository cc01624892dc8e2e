//! Policies: `ANALYST and (UNR or 2 of (TLP:AMBER, CERT, PARTNER))`.
//!
//! One meaning has one text as far as the rules below go: gates of one kind are joined, terms are sorted, a term that
//! is repeated or implied by its neighbour is dropped, `1 of` is `or`, `n of` n terms is `and`. The canonical text is what
//! ciphertexts carry, and the only one that is read from them.

mod lint;
mod normal;
mod parse;

use crate::attribute::{Attribute, AttributeSet};

pub use lint::Lint;

/// Most places of attributes in a policy.
pub const MAX_LEAVES: usize = 256;
/// Deepest nesting.
pub const MAX_DEPTH: usize = 32;
/// Longest text in bytes.
pub const MAX_POLICY_BYTES: usize = 40 * 1024;

/// What is wrong with a policy. Places are bytes of the text, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Longer than [`MAX_POLICY_BYTES`].
    #[error("policy has {bytes} bytes, allowed are {MAX_POLICY_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Deeper than [`MAX_DEPTH`].
    #[error("policy is nested deeper than {MAX_DEPTH} at {at}")]
    TooDeep {
        /// Where.
        at: usize,
    },
    /// More places of attributes than [`MAX_LEAVES`].
    #[error("policy has more than {MAX_LEAVES} attributes at {at}")]
    TooManyLeaves {
        /// Where.
        at: usize,
    },
    /// Something else stands there than the language allows.
    #[error("policy has {found} at {at}, expected is {wanted}")]
    Unexpected {
        /// Where.
        at: usize,
        /// What stands there.
        found: String,
        /// What could.
        wanted: &'static str,
    },
    /// Not an attribute.
    #[error("policy at {at}")]
    Attribute {
        /// Where.
        at: usize,
        /// What is wrong with it.
        source: crate::AttributeError,
    },
    /// A threshold of none or of more than there are.
    #[error("policy asks for {need} of {of} at {at}")]
    Threshold {
        /// Where.
        at: usize,
        /// How many are asked for.
        need: usize,
        /// How many there are.
        of: usize,
    },
    /// `2 of (A, A, B)`: does `A` alone do? Nobody should have to guess.
    #[error("policy at {at} has {term} twice under one threshold")]
    TwiceUnderThreshold {
        /// Where.
        at: usize,
        /// What is repeated.
        term: String,
    },
}

/// A policy in its canonical form.
#[derive(Clone, PartialEq, Eq)]
pub struct Policy {
    root: Node,
    text: String,
}

/// An attribute, or a gate that asks for some of its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Leaf(Attribute),
    Gate { need: usize, of: Vec<Node> },
}

impl Policy {
    /// Reads a policy. `and` binds closer than `or`; words of the language may be large or small.
    ///
    /// ```
    /// use strongroom_abe::Policy;
    /// let policy = Policy::parse("(unr OR cert) AND analyst AND analyst")?;
    /// assert_eq!(policy.as_str(), "ANALYST and (CERT or UNR)");
    /// # Ok::<(), strongroom_abe::PolicyError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Self::parse_and_lint(text).map(|read| read.0)
    }

    /// Reads a policy and says what its author may not have meant.
    pub fn parse_and_lint(text: &str) -> Result<(Self, Vec<Lint>), PolicyError> {
        let mut lints = Vec::new();
        let read = parse::parse(text, &mut lints)?;
        let root = normal::normalise(read, &mut lints);
        let text = normal::text(&root);
        lint::repeated(&root, &mut lints);
        Ok((Self { root, text }, lints))
    }

    /// Reads the canonical text and no other.
    pub(crate) fn parse_canonical(text: &str) -> Option<Self> {
        Self::parse(text).ok().filter(|policy| policy.text == text)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a member with these attributes can open what is encrypted under the policy.
    pub fn is_satisfied_by(&self, attributes: &AttributeSet) -> bool {
        self.root.is_satisfied_by(attributes)
    }

    /// Places of attributes, each counted as often as it stands there.
    pub fn leaves(&self) -> usize {
        self.root.leaves()
    }

    /// The attributes that it names.
    pub fn attributes(&self) -> AttributeSet {
        let mut all = Vec::new();
        self.root.each_leaf(&mut |attribute| all.push(attribute.clone()));
        AttributeSet::of_policy(all.into_iter())
    }

    /// Attributes that are in the policy and not in a set: nobody may have them yet, or they are misspelt.
    pub fn unknown(&self, known: &AttributeSet) -> Vec<Attribute> {
        self.attributes().iter().filter(|attribute| !known.contains(attribute)).cloned().collect()
    }

    pub(crate) fn root(&self) -> &Node {
        &self.root
    }
}

impl Node {
    fn is_satisfied_by(&self, attributes: &AttributeSet) -> bool {
        match self {
            Self::Leaf(attribute) => attributes.contains(attribute),
            Self::Gate { need, of } => {
                of.iter().filter(|term| term.is_satisfied_by(attributes)).count() >= *need
            }
        }
    }

    pub(crate) fn leaves(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Gate { of, .. } => of.iter().map(Self::leaves).sum(),
        }
    }

    /// The leaves from left to right.
    pub(crate) fn each_leaf(&self, see: &mut impl FnMut(&Attribute)) {
        match self {
            Self::Leaf(attribute) => see(attribute),
            Self::Gate { of, .. } => of.iter().for_each(|term| term.each_leaf(see)),
        }
    }
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Policy({})", self.text)
    }
}

impl std::str::FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
