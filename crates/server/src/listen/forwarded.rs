//! `Forwarded` (RFC 7239): who the client is, told by an HTTP proxy.
//!
//! Each proxy adds an element at the end that names whom it had before it. So the elements are read from the end, and
//! the first address that is not a listed proxy's is the client's: whatever stands before it came from there, and is
//! hearsay. `X-Forwarded-For` and its kin, which have no such rules, mean nothing here.

use std::net::IpAddr;

/// More proxies than this stand nowhere in a row.
const MAX_ELEMENTS: usize = 32;

/// Why a field names no client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForwardedError {
    /// Not of the RFC's form.
    #[error("Forwarded is malformed")]
    Malformed,
    /// Too long a chain.
    #[error("Forwarded names more than 32 proxies")]
    TooMany,
    /// A hidden or unknown name stands where the client should.
    #[error("Forwarded names no address")]
    Unnamed,
}

/// The client that a field's elements name; `trusts` tells which proxies are listed.
///
/// # Errors
/// If the field is malformed, too long, or hides the client.
pub fn client(field: &str, trusts: impl Fn(IpAddr) -> bool) -> Result<IpAddr, ForwardedError> {
    let nodes = parse(field)?;
    let mut client = Err(ForwardedError::Unnamed);
    for node in nodes.iter().rev() {
        let Some(address) = node else { break };
        client = Ok(*address);
        if !trusts(*address) {
            break;
        }
    }
    client
}

/// The address of each element's `for`; `None` where it is hidden, unknown or left out.
///
/// # Errors
/// If it is malformed or too long.
pub fn parse(field: &str) -> Result<Vec<Option<IpAddr>>, ForwardedError> {
    let mut text = field;
    let mut nodes = Vec::new();
    loop {
        text = skip_space(text);
        // a list may have empty places (RFC 9110, section 5.6.1.2)
        if let Some(after) = text.strip_prefix(',') {
            text = after;
            continue;
        }
        if text.is_empty() {
            break;
        }
        if nodes.len() == MAX_ELEMENTS {
            return Err(ForwardedError::TooMany);
        }
        let (node, after) = element(text)?;
        nodes.push(node);
        text = after;
    }
    if nodes.is_empty() { Err(ForwardedError::Malformed) } else { Ok(nodes) }
}

/// Pairs up to a comma or the end, and what follows.
fn element(mut text: &str) -> Result<(Option<IpAddr>, &str), ForwardedError> {
    let mut seen: Vec<String> = Vec::new();
    let mut node = None;
    loop {
        let (name, after) = token(text)?;
        let (value, after) = value(after.strip_prefix('=').ok_or(ForwardedError::Malformed)?)?;
        let name = name.to_ascii_lowercase();
        if name == "for" {
            node = self::node(&value)?;
        }
        if seen.contains(&name) {
            return Err(ForwardedError::Malformed);
        }
        seen.push(name);
        let after = skip_space(after);
        if let Some(more) = after.strip_prefix(';') {
            text = skip_space(more);
        } else if after.is_empty() || after.starts_with(',') {
            return Ok((node, after));
        } else {
            return Err(ForwardedError::Malformed);
        }
    }
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A token (RFC 9110, section 5.6.2) and what follows.
fn token(text: &str) -> Result<(&str, &str), ForwardedError> {
    let end = text.bytes().position(|byte| !is_token(byte)).unwrap_or(text.len());
    match text.split_at_checked(end) {
        Some((token, after)) if !token.is_empty() => Ok((token, after)),
        _ => Err(ForwardedError::Malformed),
    }
}

/// A token or a quoted string, without its quotes.
fn value(text: &str) -> Result<(String, &str), ForwardedError> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(token, after)| (token.to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, quoted.get(at + 1..).unwrap_or_default())),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    Err(ForwardedError::Malformed)
}

/// `203.0.113.7`, `203.0.113.7:80`, `[2001:db8::7]`, `[2001:db8::7]:80`, `unknown`, `_hidden`.
fn node(text: &str) -> Result<Option<IpAddr>, ForwardedError> {
    let malformed = ForwardedError::Malformed;
    if let Some(inside) = text.strip_prefix('[') {
        let (address, after) = inside.split_once(']').ok_or(malformed)?;
        is_port(after)?;
        let address: std::net::Ipv6Addr = address.parse().map_err(|_| malformed)?;
        return Ok(Some(IpAddr::V6(address).to_canonical()));
    }
    let (name, port) = text.split_at_checked(text.find(':').unwrap_or(text.len())).ok_or(malformed)?;
    is_port(port)?;
    if let Ok(address) = name.parse::<std::net::Ipv4Addr>() {
        return Ok(Some(IpAddr::V4(address)));
    }
    let hidden =
        name.strip_prefix('_').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_obfuscated));
    if hidden || name.eq_ignore_ascii_case("unknown") { Ok(None) } else { Err(malformed) }
}

fn is_obfuscated(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Nothing, or a colon and a port or its hidden name.
fn is_port(text: &str) -> Result<(), ForwardedError> {
    let Some(port) = text.strip_prefix(':') else {
        return if text.is_empty() { Ok(()) } else { Err(ForwardedError::Malformed) };
    };
    let number = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let hidden =
        port.strip_prefix('_').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_obfuscated));
    if number || hidden { Ok(()) } else { Err(ForwardedError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(field: &str) -> Result<String, ForwardedError> {
        let proxy = |address: IpAddr| address.to_string().starts_with("10.");
        client(field, proxy).map(|address| address.to_string())
    }

    #[test]
    fn the_last_address_that_is_no_proxys_is_the_clients() {
        let table = [
            ("for=203.0.113.7", "203.0.113.7"),
            ("For=\"203.0.113.7:4711\";proto=https;by=_me", "203.0.113.7"),
            ("for=\"[2001:db8::7]\"", "2001:db8::7"),
            ("for=\"[2001:db8::7]:80\"", "2001:db8::7"),
            ("for=\"[::ffff:203.0.113.7]\"", "203.0.113.7"),
            ("for=1.1.1.1, for=203.0.113.7, for=10.0.0.3", "203.0.113.7"),
            ("for=1.1.1.1,,for=203.0.113.7 ,", "203.0.113.7"),
            ("for=unknown, for=203.0.113.7", "203.0.113.7"),
            ("for=10.0.0.9, for=10.0.0.3", "10.0.0.9"),
            ("for=_hidden, for=10.0.0.3", "10.0.0.3"),
            ("host=\"a,b;c\\\"d\" ; for=203.0.113.7", "203.0.113.7"),
            ("by=203.0.113.1;FOR=203.0.113.7", "203.0.113.7"),
        ];
        for (field, expected) in table {
            assert_eq!(of(field).as_deref(), Ok(expected), "{field}");
        }
    }

    #[test]
    fn a_hidden_client_is_none() {
        for field in
            ["for=unknown", "for=_secret", "by=10.0.0.1", "for=203.0.113.7, for=\"_x:80\"", "proto=https"]
        {
            assert_eq!(of(field), Err(ForwardedError::Unnamed), "{field}");
        }
    }

    #[test]
    fn what_is_malformed_is_not_guessed_at() {
        for field in [
            "",
            " , ,",
            "203.0.113.7",
            "for",
            "for=",
            "for=2001:db8::7",
            "for=\"2001:db8::7\"",
            "for=[2001:db8::7]",
            "for=203.0.113.7:80",
            "for=\"203.0.113.7:\"",
            "for=\"203.0.113.7:123456\"",
            "for=\"203.0.113.7",
            "for=203.0.113.7 for=1.1.1.1",
            "for=203.0.113.7;for=1.1.1.1",
            "for=203.0.113.7;",
            "for = 203.0.113.7",
            "for=example.org",
            "for=203.0.113.007",
            "for=\"[fe80::1%eth0]\"",
            "for=\"_\"",
            ";for=203.0.113.7",
        ] {
            assert_eq!(of(field), Err(ForwardedError::Malformed), "{field}");
        }
        let many = vec!["for=10.0.0.1"; 33].join(",");
        assert_eq!(of(&many), Err(ForwardedError::TooMany));
        assert!(of(&vec!["for=10.0.0.1"; 32].join(",")).is_ok());
    }
}
