//! Which tokens the values of a field get.

use std::collections::BTreeSet;

use crate::forms::{Canonical, Form, FormError, address_parts, tag, write_masked};
use crate::keys::{FieldKey, Token};
use crate::term::{Term, network_of};

/// Most tokens that one question of a reader becomes.
pub const MAX_QUERY_TERMS: usize = 256;
/// Suffixes of a domain that get a token, from the shortest of two labels.
const MAX_SUFFIXES: usize = 8;

/// How a field is indexed. Equality is always there; the rest is opted for, and shows more: see [`crate::leaks`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// What its values are.
    pub form: Form,
    /// Tokens of the networks that an address is in.
    pub networks: Option<Networks>,
    /// Tokens of a domain's suffixes.
    pub suffixes: bool,
    /// Tokens of value and day.
    pub days: bool,
}

/// Lengths of the networks that get a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks {
    v4: BTreeSet<u8>,
    v6: BTreeSet<u8>,
}

/// Why networks cannot be indexed or asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworksError {
    /// A length that networks of the family have not.
    #[error("networks have 1 to {most} bits, not {length}")]
    Length {
        /// The length.
        length: u8,
        /// The longest.
        most: u8,
    },
    /// No length is indexed that is as long as the question's, or only by too many networks.
    #[error(
        "networks of {length} bits are not indexed, and the next longer ones are more than {MAX_QUERY_TERMS}"
    )]
    NotIndexed {
        /// The question's length.
        length: u8,
    },
    /// The question is no network.
    #[error(transparent)]
    Form(#[from] FormError),
}

impl Networks {
    /// Tokens for networks of these lengths.
    pub fn new(v4: &[u8], v6: &[u8]) -> Result<Self, NetworksError> {
        let check = |lengths: &[u8], most: u8| {
            let wrong = lengths.iter().find(|length| !(1..=most).contains(*length));
            wrong.map_or(Ok(()), |length| Err(NetworksError::Length { length: *length, most }))
        };
        check(v4, 32)?;
        check(v6, 128)?;
        Ok(Self { v4: v4.iter().copied().collect(), v6: v6.iter().copied().collect() })
    }

    fn lengths(&self, tag: u8) -> Option<&BTreeSet<u8>> {
        match tag {
            tag::IPV4 | tag::NETWORK4 => Some(&self.v4),
            tag::IPV6 | tag::NETWORK6 => Some(&self.v6),
            _ => None,
        }
    }

    /// The terms that together are a network: itself if its length is indexed, else the next longer ones within it.
    pub fn query(&self, network: &str) -> Result<Vec<Term>, NetworksError> {
        let network = Canonical::new(Form::Cidr, network)?;
        let (address, length) = address_parts(network.as_bytes());
        let not = NetworksError::Form(FormError::Not { form: Form::Cidr });
        let (Some(address), Some(length)) = (address, length) else { return Err(not) };
        let refused = NetworksError::NotIndexed { length };
        let lengths = self.lengths(network.tag()).ok_or(not)?;
        let indexed = *lengths.range(length..).next().ok_or(refused)?;
        let count = 1_usize.checked_shl((indexed - length).into()).unwrap_or(usize::MAX);
        if count > MAX_QUERY_TERMS {
            return Err(refused);
        }
        let inner = (0..count).map_while(|number| {
            let mut out = Vec::with_capacity(18);
            write_masked(moved(address, number, indexed)?, Some(indexed), &mut out)?;
            Some(Term::Network(Canonical::from_tagged(out)))
        });
        Ok(inner.collect())
    }
}

/// The first address of the network that comes `number` networks of `length` bits later.
fn moved(address: std::net::IpAddr, number: usize, length: u8) -> Option<std::net::IpAddr> {
    let shifted = |width: u32| u128::try_from(number).ok()?.checked_shl(width.checked_sub(length.into())?);
    Some(match address {
        std::net::IpAddr::V4(address) => {
            let step = u32::try_from(shifted(32)?).ok()?;
            std::net::Ipv4Addr::from(u32::from(address).checked_add(step)?).into()
        }
        std::net::IpAddr::V6(address) => {
            // a shift by the whole width happens only for number zero, which moves nothing
            let step = if number == 0 { 0 } else { shifted(128)? };
            std::net::Ipv6Addr::from(u128::from(address).checked_add(step)?).into()
        }
    })
}

impl Spec {
    /// Equality alone.
    pub fn equality(form: Form) -> Self {
        Self { form, networks: None, suffixes: false, days: false }
    }

    /// All terms of a value, and of its day if days are indexed and it has one. A value that is not of the field's form is
    /// indexed as text, so that it can be found as what it is.
    pub fn terms(&self, value: &str, day: Option<i32>) -> Result<Vec<Term>, FormError> {
        let value = Canonical::lenient(self.form, value)?;
        let mut terms = vec![Term::Exact(value.clone())];
        if let Some(lengths) = self.networks.as_ref().and_then(|networks| networks.lengths(value.tag())) {
            terms.extend(lengths.iter().filter_map(|length| network_of(&value, *length)).map(Term::Network));
        }
        if self.suffixes && value.tag() == tag::DOMAIN {
            terms.extend(suffixes(&value).into_iter().map(Term::Suffix));
        }
        if let Some(day) = day.filter(|_| self.days) {
            terms.push(Term::Day { value, day });
        }
        Ok(terms)
    }

    /// All tokens of a value under its field's key.
    pub fn tokens(&self, key: &FieldKey, value: &str, day: Option<i32>) -> Result<Vec<Token>, FormError> {
        Ok(self.terms(value, day)?.iter().map(|term| term.token(key)).collect())
    }
}

/// A domain and the domains above it, without those of one label: whole countries are not asked for.
fn suffixes(domain: &Canonical) -> Vec<Canonical> {
    let bytes = domain.as_bytes();
    let after_dots = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at + 1);
    let starts: Vec<usize> = std::iter::once(0).chain(after_dots).collect();
    // the last start is the single label; the shortest suffixes are those that are asked for most
    let several = starts.iter().rev().skip(1).take(MAX_SUFFIXES);
    let suffix = |start: &usize| {
        let mut tagged = vec![tag::DOMAIN];
        tagged.extend_from_slice(bytes.get(*start..)?);
        Some(Canonical::from_tagged(tagged))
    };
    several.filter_map(suffix).collect()
}
