//! Addresses of servers: `http` or `https`, host, port, and the path that a proxy may have put before.

use std::fmt;
use std::str::FromStr;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether TLS is spoken.
    pub(crate) tls: bool,
    /// A name or an address; of version 6 without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
    /// What goes before each path: empty, or `/x` without a slash at its end.
    pub(crate) base: String,
}

/// No address of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme, or none.
    #[error("an address begins with http:// or https://")]
    Scheme,
    /// Users and passwords in it.
    #[error("user and password belong under basic_auth, not into the address")]
    UserInfo,
    /// No host, or one that cannot be.
    #[error("the address has no good host")]
    Host,
    /// No port.
    #[error("the address has no good port")]
    Port,
    /// A path with more than plain characters, or a query.
    #[error("the address has a path that cannot be")]
    Path,
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(UrlError::Scheme),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UrlError::UserInfo);
        }
        let (host, port) = split(authority)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(UrlError::Port)?,
            None if tls => 443,
            None => 80,
        };
        let base = path.trim_end_matches('/');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if !base.bytes().all(plain) {
            return Err(UrlError::Path);
        }
        Ok(Self { tls, host: host.to_owned(), port, base: base.to_owned() })
    }
}

fn split(authority: &str) -> Result<(&str, Option<&str>), UrlError> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(UrlError::Host)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| UrlError::Host)?;
            (host, rest)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if host.is_empty() || host.len() > 253 || !host.bytes().all(plain) {
        return Err(UrlError::Host);
    }
    match (rest, rest.strip_prefix(':')) {
        ("", _) => Ok((host, None)),
        (_, Some(port)) if !port.is_empty() => Ok((host, Some(port))),
        _ => Err(UrlError::Port),
    }
}

impl Url {
    /// The `Host` header: without the port where it is the usual one.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }

    /// Whether what is sent can be read on the way: no TLS, and not this machine's own.
    pub fn is_in_clear(&self) -> bool {
        let own = self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        !self.tls && !own && self.host != "localhost"
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.authority(), self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_the_same() {
        for (text, same) in [
            ("http://127.0.0.1:5001", "http://127.0.0.1:5001"),
            ("https://x.example/", "https://x.example"),
            ("https://x.example:443/kms/", "https://x.example/kms"),
            ("http://[::1]:5002", "http://[::1]:5002"),
        ] {
            assert_eq!(text.parse::<Url>().unwrap().to_string(), same);
        }
        assert!("http://10.0.0.1:5001".parse::<Url>().unwrap().is_in_clear());
        assert!(!"http://[::1]".parse::<Url>().unwrap().is_in_clear());
    }

    #[test]
    fn others_are_refused() {
        for (text, error) in [
            ("127.0.0.1:5001", UrlError::Scheme),
            ("https://a:b@x", UrlError::UserInfo),
            ("http://", UrlError::Host),
            ("http://a b", UrlError::Host),
            ("http://[x]:1", UrlError::Host),
            ("http://x:", UrlError::Port),
            ("http://x:0", UrlError::Port),
            ("http://x:65536", UrlError::Port),
            ("http://x/?a", UrlError::Path),
            ("http://x/\r\nHost: y", UrlError::Path),
        ] {
            assert_eq!(text.parse::<Url>(), Err(error), "{text}");
        }
    }
}
