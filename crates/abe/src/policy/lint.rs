//! What the author of a policy may not have meant.

use std::collections::BTreeMap;
use std::fmt;

use super::Node;
use crate::attribute::Attribute;

/// A remark on a policy that is none the less good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lint {
    /// `and` and `or` side by side without parentheses: `and` binds closer.
    Mixed {
        /// Where the text mixes them, in bytes from 1.
        at: usize,
    },
    /// A term stood twice under one `and` or `or`; the second was dropped.
    Repeated {
        /// The term.
        term: String,
    },
    /// A term changed nothing, because its neighbour decides: `A or (A and B)` is `A`. It was dropped.
    Implied {
        /// The term.
        term: String,
        /// The neighbour.
        by: String,
    },
    /// A threshold that is an `and` or an `or` by another name.
    Threshold {
        /// How many of how many.
        need: usize,
        /// How many terms there are.
        of: usize,
    },
    /// An attribute stands in several places: each costs a use of the members' keys.
    Uses {
        /// The attribute.
        attribute: Attribute,
        /// In how many places.
        places: usize,
    },
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mixed { at } => {
                write!(f, "`and` and `or` are mixed at {at} without parentheses: `and` binds closer")
            }
            Self::Repeated { term } => write!(f, "{term} stands there twice and counts once"),
            Self::Implied { term, by } => write!(f, "{term} changes nothing beside {by}"),
            Self::Threshold { need, of } if need == of => {
                write!(f, "{need} of {of} terms is the same as `and`")
            }
            Self::Threshold { need, of } => write!(f, "{need} of {of} terms is the same as `or`"),
            Self::Uses { attribute, places } => {
                write!(f, "{attribute} stands in {places} places: members need keys with that many uses")
            }
        }
    }
}

/// Attributes that stand in several places.
pub(super) fn repeated(root: &Node, lints: &mut Vec<Lint>) {
    let mut places: BTreeMap<Attribute, usize> = BTreeMap::new();
    root.each_leaf(&mut |attribute| *places.entry(attribute.clone()).or_default() += 1);
    let repeated = places.into_iter().filter(|(_, places)| *places > 1);
    lints.extend(repeated.map(|(attribute, places)| Lint::Uses { attribute, places }));
}
