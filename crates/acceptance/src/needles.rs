//! Looks for many texts at once in what goes by: files, memory, traffic; each as it is, in base64 and in hexadecimal digits.

use data_encoding::{BASE64, HEXLOWER};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bytes that a hit is first recognised by; the shortest needle.
const PREFIX: usize = 6;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Needles {
    /// The forms, by their first bytes: (form, which needle).
    by_prefix: HashMap<[u8; PREFIX], Vec<(Vec<u8>, usize)>>,
    /// Which two bytes any form begins with.
    begins: BTreeSet<[u8; 2]>,
    names: Vec<String>,
    longest: usize,
}

impl Needles {
    /// Looks for one more. One of fewer than eight bytes is no evidence, and is left out.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        if bytes.len() < 8 {
            return;
        }
        let which = self.names.len();
        self.names.push(name.to_owned());
        let mut forms = vec![bytes.to_vec(), HEXLOWER.encode(bytes).into_bytes()];
        forms.extend((0..3).map(|shift| in_base64(bytes, shift)));
        for form in forms {
            let Some(prefix) = form.first_chunk::<PREFIX>() else { continue };
            let [first, second, ..] = *prefix;
            self.begins.insert([first, second]);
            self.longest = self.longest.max(form.len());
            self.by_prefix.entry(*prefix).or_default().push((form, which));
        }
    }

    /// How many are looked for.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Begins to look at a stream.
    pub fn search(&self) -> Search<'_> {
        let mut begins = vec![false; 1 << 16];
        for pair in &self.begins {
            if let Some(flag) = begins.get_mut(usize::from(u16::from_be_bytes(*pair))) {
                *flag = true;
            }
        }
        Search { needles: self, begins, kept: Vec::new(), found: BTreeMap::new(), bytes: 0 }
    }
}

/// Base64 of bytes that begin `shift` bytes after a group of three does, without the digits that depend on neighbours.
fn in_base64(bytes: &[u8], shift: usize) -> Vec<u8> {
    let mut shifted = vec![0; shift];
    shifted.extend(bytes);
    let digits = BASE64.encode(&shifted).into_bytes();
    let from = (shift * 8).div_ceil(6);
    let to = shifted.len() * 8 / 6;
    digits.get(from..to).unwrap_or_default().to_vec()
}

/// A stream that is looked at, piece by piece.
#[derive(Debug)]
pub struct Search<'a> {
    needles: &'a Needles,
    begins: Vec<bool>,
    /// The end of the last piece: a needle may lie across.
    kept: Vec<u8>,
    found: BTreeMap<usize, u64>,
    bytes: u64,
}

impl Search<'_> {
    /// Looks at the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        let overlap = self.kept.len();
        let mut window = std::mem::take(&mut self.kept);
        window.extend_from_slice(piece);
        for at in 0..window.len() {
            let Some(rest) = window.get(at..) else { break };
            let Some([first, second]) = rest.first_chunk::<2>() else { break };
            let begins = usize::from(u16::from_be_bytes([*first, *second]));
            if self.begins.get(begins).copied().unwrap_or_default() {
                self.look(rest, overlap.saturating_sub(at));
            }
        }
        let keep = window.len().saturating_sub(self.needles.longest.saturating_sub(1));
        self.kept = window.split_off(keep);
    }

    /// Counts the forms that stand here, but those that ended within what was looked at before.
    fn look(&mut self, rest: &[u8], seen: usize) {
        let Some(prefix) = rest.first_chunk::<PREFIX>() else { return };
        for (form, which) in self.needles.by_prefix.get(prefix).into_iter().flatten() {
            if form.len() > seen && rest.starts_with(form) {
                *self.found.entry(*which).or_default() += 1;
            }
        }
    }

    /// Ends a stream and begins another: no needle lies across.
    pub fn cut(&mut self) {
        self.kept.clear();
    }

    /// What was found, and how often.
    pub fn found(&self) -> Vec<(&str, u64)> {
        let named = |(which, count): (&usize, &u64)| Some((self.needles.names.get(*which)?.as_str(), *count));
        self.found.iter().filter_map(named).collect()
    }

    /// Bytes that were looked at.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(haystack: &[u8], piece: usize) -> Vec<(String, u64)> {
        let mut needles = Needles::default();
        needles.add("secret", b"kestrel-01/secret");
        needles.add("short", b"tiny");
        assert_eq!(needles.len(), 1);
        let mut search = needles.search();
        haystack.chunks(piece).for_each(|piece| search.feed(piece));
        assert_eq!(search.bytes(), haystack.len() as u64);
        search.found().into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
    }

    #[test]
    fn a_text_is_found_wherever_pieces_end_and_counted_once() {
        let plain = b"...kestrel-01/secret......kestrel-01/secret".to_vec();
        for piece in 1..50 {
            assert_eq!(found(&plain, piece), [("secret".to_owned(), 2)], "{piece}");
        }
        assert!(found(b"kestrel-01/secre", 7).is_empty());
    }

    #[test]
    fn a_text_is_found_in_base64_and_hexadecimal_digits() {
        for before in 0..6 {
            let text = format!("{}kestrel-01/secret{}", "x".repeat(before), "y".repeat(before));
            let encoded = BASE64.encode(text.as_bytes());
            assert_eq!(found(encoded.as_bytes(), 10), [("secret".to_owned(), 1)], "{before}");
            assert_eq!(found(HEXLOWER.encode(text.as_bytes()).as_bytes(), 9).len(), 1);
        }
    }
}
