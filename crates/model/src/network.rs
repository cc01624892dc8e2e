//! Networks: an address, or all that begin alike (CIDR, RFC 4632 and RFC 4291 section 2.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Addresses that share a prefix. A single address is a network of one.
///
/// ```
/// use strongroom_model::Network;
///
/// let office: Network = "10.1.0.0/16".parse()?;
/// assert!(office.contains("10.1.2.3".parse()?));
/// assert!(office.contains("::ffff:10.1.2.3".parse()?), "an IPv4-mapped address is the IPv4 address");
/// assert!(!office.contains("10.2.0.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

/// Why a text names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Neither an address nor one with the length of a prefix.
    #[error("neither an IP address nor a network such as 10.0.0.0/8")]
    Malformed,
    /// Bits beyond the prefix are set: an address was meant, or another network.
    #[error("has bits beyond its prefix; write {meant}")]
    HostBits {
        /// The network that the address lies in.
        meant: Network,
    },
}

impl Network {
    /// 127.0.0.0/8.
    pub const LOOPBACK_V4: Self = Self { first: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), prefix: 8 };
    /// `::1`.
    pub const LOOPBACK_V6: Self = Self { first: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 };

    /// The one that begins with so many bits of an address; a length beyond the address's own is the address.
    pub fn around(address: IpAddr, prefix: u8) -> Self {
        match address {
            IpAddr::V4(v4) => {
                let prefix = prefix.min(32);
                let kept = v4.to_bits() & high_bits_32(prefix);
                Self { first: Ipv4Addr::from_bits(kept).into(), prefix }
            }
            IpAddr::V6(v6) => {
                let prefix = prefix.min(128);
                let kept = v6.to_bits() & high_bits_128(prefix);
                Self { first: Ipv6Addr::from_bits(kept).into(), prefix }
            }
        }
    }

    /// Whether an address lies in it. The two families share no address, but for IPv4-mapped ones, which are IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && Self::around(address, self.prefix).first == self.first
    }

    /// Whether it holds every address of its family.
    pub fn is_everything(&self) -> bool {
        self.prefix == 0
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self::around(address.to_canonical(), u8::MAX)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Malformed)?;
        let Some(length) = length else { return Ok(address.into()) };
        let width = if address.is_ipv4() { 32 } else { 128 };
        let plain =
            !length.is_empty() && length.len() <= 3 && length.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = length.parse::<u8>().ok().filter(|prefix| plain && *prefix <= width);
        let (address, prefix) = mapped(address, prefix.ok_or(NetworkError::Malformed)?);
        let meant = Self::around(address, prefix);
        if meant.first == address { Ok(meant) } else { Err(NetworkError::HostBits { meant }) }
    }
}

/// A network of IPv4-mapped addresses is one of IPv4.
fn mapped(address: IpAddr, prefix: u8) -> (IpAddr, u8) {
    match (address.to_canonical(), prefix.checked_sub(96)) {
        (v4 @ IpAddr::V4(_), Some(prefix)) if address.is_ipv6() => (v4, prefix),
        _ => (address, prefix),
    }
}

fn high_bits_32(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn high_bits_128(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = if self.first.is_ipv4() { 32 } else { 128 };
        if self.prefix == whole { self.first.fmt(f) } else { write!(f, "{}/{}", self.first, self.prefix) }
    }
}

/// What counts as one client: of IPv4 the address, of IPv6 its /64, which is what one subscriber has.
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        v6 @ IpAddr::V6(_) => Network::around(v6, 64).first,
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_what_begins_like_it() {
        let table = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.8", false),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("0.0.0.0/0", "::1", false),
            ("0.0.0.0", "203.0.113.7", false),
            ("::/0", "203.0.113.7", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("::ffff:10.0.0.0/104", "10.1.1.1", true),
            ("::ffff:10.0.0.7", "10.0.0.7", true),
            ("10.0.0.6/31", "10.0.0.7", true),
            ("255.255.255.255", "255.255.255.255", true),
        ];
        for (text, inside, expected) in table {
            assert_eq!(network(text).contains(address(inside)), expected, "{inside} in {text}");
        }
    }

    #[test]
    fn what_is_no_network_is_told() {
        for text in
            ["", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8"]
        {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Malformed), "{text}");
        }
        for text in ["localhost", "10.0.0", "010.0.0.1", "10.0.0.0/0008", " 10.0.0.1", "fe80::1%eth0", "*"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Malformed), "{text}");
        }
        let meant = network("10.0.0.0/8");
        assert_eq!("10.0.0.1/8".parse::<Network>(), Err(NetworkError::HostBits { meant }));
        assert_eq!(
            "2001:db8::1/64".parse::<Network>().unwrap_err().to_string(),
            "has bits beyond its prefix; write 2001:db8::/64"
        );
    }

    #[test]
    fn a_network_is_shown_as_it_is_written() {
        for text in ["10.0.0.0/8", "10.0.0.7", "::/0", "2001:db8::/33", "::1"] {
            assert_eq!(network(text).to_string(), text);
        }
        assert_eq!(network("::ffff:10.0.0.0/104").to_string(), "10.0.0.0/8");
        assert_eq!(network("10.0.0.7/32").to_string(), "10.0.0.7");
    }

    #[test]
    fn one_subscriber_has_one_address_of_ipv4_or_a_network_of_ipv6() {
        assert_eq!(subscriber(address("2001:db8::1:2:3:4")), address("2001:db8::"));
        assert_eq!(subscriber(address("::ffff:10.0.0.1")), address("10.0.0.1"));
        assert_eq!(subscriber(address("10.0.0.1")), address("10.0.0.1"));
    }
}
