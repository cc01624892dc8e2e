//! The text form of keys: a prefix that says what it is and of which version, then Crockford's base 32.
//!
//! Reading forgives what typing does to it: case, white space, dashes anywhere, `o` for `0`, `i` and `l` for `1`.

use strongroom_secret::SecretBytes;

/// The longest text that is looked at, in bytes; a key is 86 with its dashes.
pub const MAX_TEXT_BYTES: usize = 256;

/// Symbols between two dashes.
const GROUP: usize = 8;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// It does not have the form of one: prefix, length or a symbol is wrong.
    #[error("not a key of this kind")]
    Malformed,
    /// It has the form, but its checksum disagrees: a slip of the keyboard, or a damaged file.
    #[error("the key has a typing error: its checksum does not match")]
    Checksum,
    /// It is a key of a version that this program does not know.
    #[error("the key is of an unknown version")]
    UnknownVersion,
}

/// Writes `prefix`, `1-` and the bytes in groups. Their length is a multiple of five, so that no bit is left over
/// and a key has one text only.
pub(crate) fn write(prefix: &str, bytes: &[u8]) -> SecretBytes {
    // reserved whole: a buffer that grows leaves copies of the secret behind
    let mut text = Vec::with_capacity(prefix.len() + 2 + bytes.len() * 2);
    text.extend_from_slice(prefix.as_bytes());
    text.push(b'1');
    for (place, symbol) in bytes.chunks(5).flat_map(symbols).enumerate() {
        if place % GROUP == 0 {
            text.push(b'-');
        }
        text.push(symbol);
    }
    SecretBytes::new(text)
}

/// Reads what [`write`] wrote: exactly `length` bytes, a multiple of five.
pub(crate) fn read(prefix: &str, length: usize, text: &[u8]) -> Result<SecretBytes, KeyTextError> {
    let folded = fold(text)?;
    folded.expose(|folded| {
        let rest = strip_prefix(prefix, folded)?;
        let (version, symbols) = rest.split_first().ok_or(KeyTextError::Malformed)?;
        match version {
            b'1' => unpack(symbols, length),
            b'0' | b'2'..=b'9' => Err(KeyTextError::UnknownVersion),
            _ => Err(KeyTextError::Malformed),
        }
    })
}

/// The text without what does not matter.
fn fold(text: &[u8]) -> Result<SecretBytes, KeyTextError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(KeyTextError::Malformed);
    }
    let mut folded = Vec::with_capacity(text.len());
    folded.extend(
        text.iter()
            .filter(|symbol| !symbol.is_ascii_whitespace() && **symbol != b'-')
            .map(|s| fold_symbol(*s)),
    );
    Ok(SecretBytes::new(folded))
}

fn fold_symbol(symbol: u8) -> u8 {
    match symbol.to_ascii_lowercase() {
        b'o' => b'0',
        b'i' | b'l' => b'1',
        other => other,
    }
}

fn strip_prefix<'a>(prefix: &str, folded: &'a [u8]) -> Result<&'a [u8], KeyTextError> {
    let (head, rest) = folded.split_at_checked(prefix.len()).ok_or(KeyTextError::Malformed)?;
    let same = head.iter().zip(prefix.bytes()).all(|(symbol, wanted)| *symbol == fold_symbol(wanted));
    same.then_some(rest).ok_or(KeyTextError::Malformed)
}

/// Eight symbols for five bytes.
fn symbols(five: &[u8]) -> impl Iterator<Item = u8> {
    let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..8).rev().map(move |place| symbol_of(bits >> (place * 5)))
}

/// The symbol of the lowest five bits; every entry is visited, so that the place in memory says nothing.
fn symbol_of(bits: u64) -> u8 {
    let wanted = bits & 31;
    (0_u64..).zip(ALPHABET).fold(0, |found, (value, symbol)| found | select(value == wanted, *symbol))
}

/// The five bits of a symbol, again by visiting every entry.
fn bits_of(symbol: u8) -> Option<u64> {
    // one more than the value, so that zero is left for what is no symbol
    let found = (1_u8..)
        .zip(ALPHABET)
        .fold(0, |found, (value, candidate)| found | select(*candidate == symbol, value));
    found.checked_sub(1).map(u64::from)
}

fn select(chosen: bool, value: u8) -> u8 {
    value & 0_u8.wrapping_sub(u8::from(chosen))
}

fn unpack(symbols: &[u8], length: usize) -> Result<SecretBytes, KeyTextError> {
    if symbols.len() * 5 != length * 8 {
        return Err(KeyTextError::Malformed);
    }
    let mut bytes = Vec::with_capacity(length);
    for eight in symbols.chunks(8) {
        let bits = eight.iter().try_fold(0_u64, |bits, symbol| Some(bits << 5 | bits_of(*symbol)?));
        let [_, _, _, five @ ..] = bits.ok_or(KeyTextError::Malformed)?.to_be_bytes();
        bytes.extend_from_slice(&five);
    }
    Ok(SecretBytes::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_of(bytes: &[u8]) -> String {
        write("srtest", bytes).expose(|text| String::from_utf8(text.to_vec()).unwrap())
    }

    /// Computed by hand: five bytes are eight symbols, most significant bits first.
    #[test]
    fn symbols_are_crockfords() {
        assert_eq!(text_of(&[0, 0, 0, 0, 1]), "srtest1-00000001");
        assert_eq!(text_of(&[0xff; 5]), "srtest1-zzzzzzzz");
        assert_eq!(
            text_of(&[0b0000_1000, 0b1000_0110, 0b0100_0010, 0b1001_1000, 0b1110_1000]),
            "srtest1-12345678"
        );
    }

    #[test]
    fn another_prefix_length_or_symbol_is_malformed() {
        for text in [
            "",
            "srtest",
            "srtest1",
            "srtest1-0000000",
            "srtest1-000000010",
            "other1-00000001",
            "srtest1-u0000000",
        ] {
            assert_eq!(read("srtest", 5, text.as_bytes()).unwrap_err(), KeyTextError::Malformed, "{text}");
        }
        assert_eq!(read("srtest", 5, &[b' '; 257]).unwrap_err(), KeyTextError::Malformed);
        assert_eq!(read("srtest", 5, &[0xff; 8]).unwrap_err(), KeyTextError::Malformed);
    }

    #[test]
    fn another_version_is_told_apart() {
        assert_eq!(read("srtest", 5, b"srtest2-abc").unwrap_err(), KeyTextError::UnknownVersion);
    }

    fn noise() -> impl Strategy<Value = char> {
        prop::sample::select(vec![' ', '-', '\n', '\t'])
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_however_it_is_typed(
            bytes in proptest::collection::vec(any::<u8>(), 40),
            noise in proptest::collection::vec((any::<prop::sample::Index>(), noise()), 0..20),
            upper in any::<bool>(),
        ) {
            let mut text = text_of(&bytes).replace('0', "O").replace('1', "l");
            for (place, symbol) in noise {
                text.insert(place.index(text.len()), symbol);
            }
            let text = if upper { text.to_uppercase() } else { text };
            read("srtest", 40, text.as_bytes()).unwrap().expose(|read| assert_eq!(read, bytes));
        }
    }
}
