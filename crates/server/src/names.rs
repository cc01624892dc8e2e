//! Names that requests are for: what `Host` and `:authority` say, and whether that is this server.

use std::net::{IpAddr, Ipv6Addr};

/// A host and its port, as a request or a page names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host.
    pub host: Host<'a>,
    /// The port, if it is named.
    pub port: Option<u16>,
}

/// A host as it is named.
#[derive(Debug, Clone, Copy)]
pub enum Host<'a> {
    /// By a name, without a dot at its end.
    Name(&'a str),
    /// By an address.
    Address(IpAddr),
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(one), Self::Name(other)) => one.eq_ignore_ascii_case(other),
            (Self::Address(one), Self::Address(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

impl<'a> Authority<'a> {
    /// Reads `host`, `host:port`, `address`, `[address]:port`; `None` for anything else, user names included.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = if let Some(inside) = text.strip_prefix('[') {
            let (address, port) = inside.split_once(']')?;
            (Host::Address(IpAddr::V6(address.parse::<Ipv6Addr>().ok()?).to_canonical()), port)
        } else {
            let (host, port) = text.split_at_checked(text.find(':').unwrap_or(text.len()))?;
            (Self::name(host)?, port)
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            // a colon alone is allowed (RFC 3986, section 3.2.3)
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        Some(Self { host, port })
    }

    fn name(text: &'a str) -> Option<Host<'a>> {
        if let Ok(address) = text.parse::<std::net::Ipv4Addr>() {
            return Some(Host::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
        (!name.is_empty() && name.bytes().all(fits)).then_some(Host::Name(name))
    }
}

/// Names and addresses of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    exact: Vec<String>,
    /// What follows the first label of a name such as `*.example.org`, dot included.
    below: Vec<String>,
    addresses: Vec<IpAddr>,
    /// Any name is one of them.
    every: bool,
}

impl Names {
    /// Whatever is said: for programs that no page can ask anything of, since it could show no token.
    pub fn every() -> Self {
        Self { every: true, ..Self::default() }
    }

    /// From texts as a certificate has them.
    pub fn of<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let mut names = Self::default();
        for text in texts {
            let text = text.as_ref();
            if let Ok(address) = text.parse::<IpAddr>() {
                names.addresses.push(address.to_canonical());
            } else if let Some(below) = text.strip_prefix('*') {
                names.below.push(below.to_owned());
            } else {
                names.exact.push(text.strip_suffix('.').unwrap_or(text).to_owned());
            }
        }
        names
    }

    /// Whether a host is among them. A wildcard stands for one label (RFC 6125, section 6.4.3).
    pub fn has(&self, host: Host<'_>) -> bool {
        if self.every {
            return true;
        }
        match host {
            Host::Address(address) => self.addresses.contains(&address),
            Host::Name(name) => {
                let rest = name.find('.').and_then(|dot| name.get(dot..));
                self.exact.iter().any(|exact| exact.eq_ignore_ascii_case(name))
                    || rest
                        .is_some_and(|rest| self.below.iter().any(|below| below.eq_ignore_ascii_case(rest)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(names: &Names, text: &str) -> Option<bool> {
        Authority::parse(text).map(|authority| names.has(authority.host))
    }

    #[test]
    fn hosts_are_known_by_name_and_address_whatever_the_port() {
        let names = Names::of(["localhost", "vault.example.org", "*.cluster.local", "127.0.0.1", "::1"]);
        for text in [
            "localhost",
            "LOCALHOST:8200",
            "localhost.",
            "vault.example.org:443",
            "a.cluster.local",
            "127.0.0.1:8200",
            "[::1]",
            "[::1]:8200",
            "[0:0:0:0:0:0:0:1]:1",
            "[::ffff:127.0.0.1]",
            "localhost:",
        ] {
            assert_eq!(has(&names, text), Some(true), "{text}");
        }
        for text in [
            "evil.example",
            "localhost.evil.example",
            "xlocalhost",
            "cluster.local",
            "a.b.cluster.local",
            ".cluster.local.evil",
            "127.0.0.2",
            "127.1",
            "2130706433",
            "[::2]",
        ] {
            assert_eq!(has(&names, text), Some(false), "{text}");
        }
    }

    #[test]
    fn what_is_no_authority_is_none() {
        for text in [
            "",
            ".",
            ":8200",
            "user@localhost",
            "localhost/x",
            "localhost:80:80",
            "localhost:x",
            "localhost:-1",
            "localhost:65536",
            "::1",
            "[::1",
            "[::1]x",
            "[fe80::1%25eth0]",
            "[127.0.0.1]",
            "a b",
            "a\tb",
            "https://localhost",
            "ü",
        ] {
            assert_eq!(Authority::parse(text), None, "{text}");
        }
    }

    #[test]
    fn authorities_are_the_same_by_host_and_port() {
        let parse = |text| Authority::parse(text).unwrap();
        assert_eq!(parse("Localhost:1"), parse("localhost.:1"));
        assert_ne!(parse("localhost:1"), parse("localhost"));
        assert_ne!(parse("localhost"), parse("127.0.0.1"));
    }
}
