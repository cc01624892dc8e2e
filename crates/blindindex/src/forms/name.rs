//! Domains, e-mail addresses, digests, ports, text.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::punycode;

/// Longest domain name in bytes, and longest label (RFC 1035, section 2.3.4).
const MAX_DOMAIN_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;
/// Longest local part of an e-mail address (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// A domain name. Underscores are let through: names of services and of malware have them.
pub(super) fn write_domain(value: &str, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    let value = value.strip_suffix('.').unwrap_or(value);
    if value.is_ascii() {
        for (at, label) in value.split('.').enumerate() {
            write_label(at, label, out)?;
        }
    } else {
        // compatibility forms first: they can hold dots and capitals
        let folded: String = value.nfkc().flat_map(char::to_lowercase).nfkc().collect();
        for (at, label) in folded.split(['.', '\u{3002}']).enumerate() {
            write_foreign_label(at, label, out)?;
        }
    }
    let written = out.get(start..)?;
    // a name whose last label is a number would be read as an address
    let last = written.rsplit(|byte| *byte == b'.').next()?;
    (written.len() <= MAX_DOMAIN_BYTES && !last.iter().all(u8::is_ascii_digit)).then_some(())
}

fn write_label(at: usize, label: &str, out: &mut Vec<u8>) -> Option<()> {
    if at > 0 {
        out.push(b'.');
    }
    if label.is_empty() || label.len() > MAX_LABEL_BYTES {
        return None;
    }
    for byte in label.bytes() {
        if !(byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return None;
        }
        out.push(byte.to_ascii_lowercase());
    }
    Some(())
}

fn write_foreign_label(at: usize, label: &str, out: &mut Vec<u8>) -> Option<()> {
    if label.is_ascii() {
        return write_label(at, label, out);
    }
    // letters, digits and marks of any script; no space, sign or control
    let is_fit = |letter: char| {
        let is_mark = letter == '-' || letter == '_';
        let is_foreign = !letter.is_ascii() && !letter.is_control() && !letter.is_whitespace();
        letter.is_ascii_alphanumeric() || is_mark || is_foreign
    };
    if !label.chars().all(is_fit) {
        return None;
    }
    // no label is longer encoded than 63 bytes, nor has more letters
    let encoded = (label.chars().count() <= MAX_LABEL_BYTES).then(|| punycode::encode(label))??;
    write_label(at, &format!("xn--{encoded}"), out)
}

pub(super) fn write_email(value: &str, out: &mut Vec<u8>) -> Option<()> {
    let (local, domain) = value.rsplit_once('@')?;
    let start = out.len();
    write_folded(local, out)?;
    let length = out.len() - start;
    if length == 0 || length > MAX_LOCAL_BYTES {
        return None;
    }
    out.push(b'@');
    write_domain(domain, out)
}

/// Small letters, without spaces and controls.
fn write_folded(text: &str, out: &mut Vec<u8>) -> Option<()> {
    if text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return None;
    }
    if text.is_ascii() {
        out.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
        return Some(());
    }
    let folded: String = text.nfc().flat_map(char::to_lowercase).nfc().collect();
    out.extend_from_slice(folded.as_bytes());
    Some(())
}

/// Lengths by the names that may stand before a digest.
const DIGESTS: [(&str, usize); 4] = [("md5:", 16), ("sha1:", 20), ("sha256:", 32), ("sha512:", 64)];

pub(super) fn write_hash(value: &str, out: &mut Vec<u8>) -> Option<()> {
    let named = DIGESTS.iter().find_map(|(name, bytes)| {
        let head = value.get(..name.len())?;
        head.eq_ignore_ascii_case(name).then(|| (value.get(name.len()..).unwrap_or_default(), *bytes))
    });
    let (digits, is_fit) = match named {
        Some((digits, bytes)) => (digits, digits.len() == 2 * bytes),
        None => (value, (16..=128).contains(&value.len())),
    };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !is_fit || !rest.is_empty() {
        return None;
    }
    for [high, low] in pairs {
        out.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(())
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

pub(super) fn write_port(value: &str, out: &mut Vec<u8>) -> Option<()> {
    let port = u16::try_from(number(value, u32::from(u16::MAX))?).ok()?;
    out.extend_from_slice(&port.to_be_bytes());
    Some(())
}

/// A number in decimal, without sign and without zeros before it.
pub(super) fn number(text: &str, most: u32) -> Option<u32> {
    let is_plain = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain || text.len() > 1 && text.starts_with('0') {
        return None;
    }
    text.parse().ok().filter(|number| *number <= most)
}

pub(super) fn write_text(value: &str, out: &mut Vec<u8>) {
    if value.is_ascii() || is_nfc_quick(value.chars()) == IsNormalized::Yes {
        out.extend_from_slice(value.as_bytes());
    } else {
        let mut letter = [0; 4];
        value.nfc().for_each(|next| out.extend_from_slice(next.encode_utf8(&mut letter).as_bytes()));
    }
}
