//! URLs by RFC 3986, section 6.2.2 and 6.2.3.

use super::{address, name};

/// Ports that go without saying.
const DEFAULTS: [(&[u8], u32); 5] =
    [(b"http", 80), (b"https", 443), (b"ftp", 21), (b"ws", 80), (b"wss", 443)];

pub(super) fn write_url(value: &str, out: &mut Vec<u8>) -> Option<()> {
    let (scheme, rest) = value.split_once("://")?;
    let start = out.len();
    write_scheme(scheme, out)?;
    let scheme = out.get(start..)?.to_vec();
    out.extend_from_slice(b"://");
    let rest = rest.split('#').next()?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end)?;
    write_authority(authority, &scheme, out)?;
    let (path, query) = match tail.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (tail, None),
    };
    write_path(path, out)?;
    if let Some(query) = query {
        out.push(b'?');
        write_escaped(query, out)?;
    }
    Some(())
}

fn write_scheme(scheme: &str, out: &mut Vec<u8>) -> Option<()> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !scheme.bytes().next()?.is_ascii_alphabetic() || !scheme.bytes().all(is_fit) || scheme.len() > 32 {
        return None;
    }
    out.extend(scheme.bytes().map(|byte| byte.to_ascii_lowercase()));
    Some(())
}

fn write_authority(authority: &str, scheme: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let host = match authority.rsplit_once('@') {
        Some((user, host)) => {
            write_escaped(user, out)?;
            out.push(b'@');
            host
        }
        None => authority,
    };
    let (host, port) = split_port(host)?;
    write_host(host, out)?;
    if port.is_empty() {
        return Some(());
    }
    let port = name::number(port, u32::from(u16::MAX))?;
    if !DEFAULTS.contains(&(scheme, port)) {
        out.extend_from_slice(format!(":{port}").as_bytes());
    }
    Some(())
}

/// Host and port; a colon inside brackets is the address's.
fn split_port(host: &str) -> Option<(&str, &str)> {
    let end = host.find(']').map_or(0, |at| at + 1);
    let colon = host.get(end..)?.find(':').map(|at| at + end);
    match colon {
        Some(at) => Some((host.get(..at)?, host.get(at + 1..)?)),
        None => Some((host, "")),
    }
}

fn write_host(host: &str, out: &mut Vec<u8>) -> Option<()> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: std::net::Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        out.extend_from_slice(format!("[{address}]").as_bytes());
        return Some(());
    }
    if let Some(address) = address::read(host) {
        out.extend_from_slice(address.to_string().as_bytes());
        return Some(());
    }
    name::write_domain(host, out)
}

/// A path without `.` and `..` (RFC 3986, section 5.2.4); none is `/`.
fn write_path(path: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut segments: Vec<Vec<u8>> = Vec::new();
    let mut is_open = true;
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        let mut written = Vec::with_capacity(segment.len());
        write_escaped(segment, &mut written)?;
        is_open = matches!(written.as_slice(), b"." | b"..");
        match written.as_slice() {
            b"." => {}
            b".." => drop(segments.pop()),
            _ => segments.push(written),
        }
    }
    for segment in &segments {
        out.push(b'/');
        out.extend_from_slice(segment);
    }
    if is_open || segments.is_empty() {
        out.push(b'/');
    }
    Some(())
}

/// Escapes with capital digits, none that need not be; other bytes than those of a URL are escaped.
fn write_escaped(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            put(byte, is_literal(byte), out);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let text = std::str::from_utf8(&digits).ok()?;
        let escaped =
            digits.iter().all(u8::is_ascii_hexdigit).then(|| u8::from_str_radix(text, 16).ok())??;
        put(escaped, escaped.is_ascii_alphanumeric() || b"-._~".contains(&escaped), out);
    }
    Some(())
}

fn put(byte: u8, is_literal: bool, out: &mut Vec<u8>) {
    if is_literal {
        out.push(byte);
    } else {
        out.extend_from_slice(format!("%{byte:02X}").as_bytes());
    }
}

/// What stands for itself in a path or query.
fn is_literal(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"<>\\^`{|}%#".contains(&byte)
}
