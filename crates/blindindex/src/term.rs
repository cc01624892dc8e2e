//! What a token stands for: a value, a network that has it, a suffix of it, a value on a day.

use crate::forms::{Canonical, Form, FormError, address_parts, tag};
use crate::keys::{FieldKey, Token};

/// Kinds of tokens: the first byte of what is hashed. The next four say which length or day.
pub(crate) const EXACT: u8 = 0;
const NETWORK: u8 = 1;
const SUFFIX: u8 = 2;
const DAY: u8 = 3;

/// Kind and parameter before the canonical value: fixed width, so that no two terms have one message.
pub(crate) fn head(kind: u8, parameter: u32) -> [u8; 5] {
    let [first, second, third, fourth] = parameter.to_be_bytes();
    [kind, first, second, third, fourth]
}

/// What a reader asks for, or a collector puts beside a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// The value itself.
    Exact(Canonical),
    /// Any address of a network.
    Network(Canonical),
    /// A domain and everything below it.
    Suffix(Canonical),
    /// The value on a day, counted from 1970-01-01.
    Day {
        /// The value.
        value: Canonical,
        /// The day.
        day: i32,
    },
}

/// A record has a token that its own opened field does not bear out: whoever wrote it made it be found wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record's field does not have the value that its token says: its index is poisoned")]
pub struct Poisoned;

impl Term {
    /// What is hashed.
    pub(crate) fn message(&self) -> Vec<u8> {
        let (head, value) = match self {
            Self::Exact(value) => (head(EXACT, 0), value),
            // the canonical network has its length already
            Self::Network(value) => (head(NETWORK, 0), value),
            Self::Suffix(value) => (head(SUFFIX, 0), value),
            Self::Day { value, day } => (head(DAY, u32::from_be_bytes(day.to_be_bytes())), value),
        };
        [head.as_slice(), value.tagged()].concat()
    }

    /// The token under a field's key.
    pub fn token(&self, key: &FieldKey) -> Token {
        key.of_message(&self.message())
    }

    /// Checks the opened field of a record that was found by this term's token, and the day of a record found by day.
    pub fn check(&self, form: Form, opened: &str, on_day: Option<i32>) -> Result<(), Poisoned> {
        let is_borne_out = Canonical::lenient(form, opened).is_ok_and(|opened| self.is_of(&opened, on_day));
        if is_borne_out { Ok(()) } else { Err(Poisoned) }
    }

    fn is_of(&self, opened: &Canonical, on_day: Option<i32>) -> bool {
        match self {
            Self::Exact(value) => value == opened,
            Self::Network(network) => {
                let length = network.as_bytes().last().copied();
                network_of(opened, length.unwrap_or_default()).as_ref() == Some(network)
            }
            Self::Suffix(suffix) => is_within(opened, suffix),
            Self::Day { value, day } => value == opened && on_day == Some(*day),
        }
    }

    /// A domain and everything below it, from the domain's name.
    pub fn suffix(name: &str) -> Result<Self, FormError> {
        let name = name.strip_prefix("*.").unwrap_or(name);
        Canonical::new(Form::Domain, name).map(Self::Suffix)
    }
}

/// The network of a length that an address is in.
pub(crate) fn network_of(address: &Canonical, length: u8) -> Option<Canonical> {
    if !matches!(address.tag(), tag::IPV4 | tag::IPV6) {
        return None;
    }
    let (address, _) = address_parts(address.as_bytes());
    let mut out = Vec::with_capacity(18);
    crate::forms::write_masked(address?, Some(length), &mut out)?;
    Some(Canonical::from_tagged(out))
}

fn is_within(domain: &Canonical, suffix: &Canonical) -> bool {
    if domain.tag() != tag::DOMAIN {
        return false;
    }
    let (domain, suffix) = (domain.as_bytes(), suffix.as_bytes());
    match domain.strip_suffix(suffix) {
        Some(rest) => rest.is_empty() || rest.last() == Some(&b'.'),
        None => false,
    }
}
