//! Canonical forms: one sequence of bytes for one value, however it was written.

mod address;
mod name;
mod punycode;
mod url;
mod usual;

use std::fmt;

pub(crate) use address::{parts as address_parts, write_masked};

/// Longest value that is indexed, in bytes.
pub const MAX_VALUE_BYTES: usize = 8 * 1024;

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// An IPv4 or IPv6 address; an IPv4-mapped one is the IPv4 address.
    Ip,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address; IPv4-mapped ones are not.
    Ipv6,
    /// A network `address/length`; bits behind the length are dropped, a bare address is a network of one.
    Cidr,
    /// A domain name: small letters, no final dot, labels outside ASCII in Punycode.
    Domain,
    /// A URL by RFC 3986, section 6.2: host and scheme canonical, default port and fragment dropped, escapes and dots resolved.
    Url,
    /// An e-mail address: the local part in small letters, the domain canonical.
    Email,
    /// A digest in hexadecimal, 8 to 64 bytes, with or without `md5:`, `sha1:`, `sha256:`, `sha512:`.
    Hash,
    /// A number from 0 to 65535.
    Port,
    /// Any text, in Unicode's normal form C. Letters keep their case.
    Text,
}

/// Why a value is not of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Longer than [`MAX_VALUE_BYTES`].
    #[error("value has {bytes} bytes, allowed are {MAX_VALUE_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Nothing of that form.
    #[error("value is not {form}")]
    Not {
        /// The form that it should have.
        form: Form,
    },
}

/// The byte that goes before a canonical value.
pub(crate) mod tag {
    pub(crate) const IPV4: u8 = 1;
    pub(crate) const IPV6: u8 = 2;
    pub(crate) const NETWORK4: u8 = 3;
    pub(crate) const NETWORK6: u8 = 4;
    pub(crate) const DOMAIN: u8 = 5;
    pub(crate) const URL: u8 = 6;
    pub(crate) const EMAIL: u8 = 7;
    pub(crate) const HASH: u8 = 8;
    pub(crate) const PORT: u8 = 9;
    pub(crate) const TEXT: u8 = 10;
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 10] = [
        Self::Ip,
        Self::Ipv4,
        Self::Ipv6,
        Self::Cidr,
        Self::Domain,
        Self::Url,
        Self::Email,
        Self::Hash,
        Self::Port,
        Self::Text,
    ];

    /// The word for it in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Cidr => "cidr",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Email => "email",
            Self::Hash => "hash",
            Self::Port => "port",
            Self::Text => "text",
        }
    }

    /// The form of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Appends the canonical form of a value, with its tag; on an error `out` may have grown.
    pub(crate) fn write(self, value: &str, out: &mut Vec<u8>) -> Result<(), FormError> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(FormError::TooLong { bytes: value.len() });
        }
        let written = match self {
            Self::Ip => address::write_ip(value, out),
            Self::Ipv4 => address::write_ipv4(value, out),
            Self::Ipv6 => address::write_ipv6(value, out),
            Self::Cidr => address::write_network(value, out),
            Self::Domain => tagged(tag::DOMAIN, out, |out| name::write_domain(value, out)),
            Self::Url => tagged(tag::URL, out, |out| url::write_url(value, out)),
            Self::Email => tagged(tag::EMAIL, out, |out| name::write_email(value, out)),
            Self::Hash => tagged(tag::HASH, out, |out| name::write_hash(value, out)),
            Self::Port => tagged(tag::PORT, out, |out| name::write_port(value, out)),
            Self::Text => {
                out.push(tag::TEXT);
                name::write_text(value, out);
                Some(())
            }
        };
        written.ok_or(FormError::Not { form: self })
    }
}

fn tagged(tag: u8, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<()> {
    out.push(tag);
    write(out)
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ip => "an IP address",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Cidr => "a network in CIDR notation",
            Self::Domain => "a domain name",
            Self::Url => "a URL",
            Self::Email => "an e-mail address",
            Self::Hash => "a digest in hexadecimal",
            Self::Port => "a port number",
            Self::Text => "text",
        })
    }
}

/// A value in its canonical form, with the tag of what it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Canonical(Vec<u8>);

impl Canonical {
    /// Reads a value in a form.
    ///
    /// ```
    /// use strongroom_blindindex::{Canonical, Form};
    /// let url = Canonical::new(Form::Url, "HTTP://Example.ORG:80/a/../%7Eb#top")?;
    /// assert_eq!(url.to_string(), "http://example.org/~b");
    /// # Ok::<(), strongroom_blindindex::FormError>(())
    /// ```
    pub fn new(form: Form, value: &str) -> Result<Self, FormError> {
        let mut out = Vec::with_capacity(value.len() + 1);
        form.write(value, &mut out)?;
        Ok(Self(out))
    }

    /// Reads a value in a form, and as text if it is not of that form: for fields that have strays.
    pub fn lenient(form: Form, value: &str) -> Result<Self, FormError> {
        Self::new(form, value).or_else(|_| Self::new(Form::Text, value))
    }

    pub(crate) fn from_tagged(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes with the tag before them.
    pub(crate) fn tagged(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn tag(&self) -> u8 {
        self.0.first().copied().unwrap_or_default()
    }

    /// The bytes without the tag.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.get(1..).unwrap_or_default()
    }
}

/// The canonical text; it reads as the same value.
impl fmt::Display for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.as_bytes();
        match self.tag() {
            tag::IPV4 | tag::IPV6 | tag::NETWORK4 | tag::NETWORK6 => address::show(bytes, f),
            tag::HASH => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            tag::PORT => match bytes {
                [high, low] => write!(f, "{}", u16::from_be_bytes([*high, *low])),
                _ => Ok(()),
            },
            _ => f.write_str(std::str::from_utf8(bytes).unwrap_or_default()),
        }
    }
}

/// A value may be a secret of its record: it is shown by `to_string` only.
impl fmt::Debug for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canonical")
    }
}

#[cfg(test)]
mod tests;
