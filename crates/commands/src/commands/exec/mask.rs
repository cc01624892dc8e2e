//! Output with values hidden, however it is cut into pieces.
//!
//! A byte is held back only as long as it may belong to a value that has begun. Values that overlap are hidden together.

use super::patterns::{Patterns, START};
use std::sync::Arc;

/// Stands for what is hidden, however long it is.
const HIDDEN: &[u8] = b"********";

/// Masks one stream.
pub(super) struct Masker {
    patterns: Arc<Patterns>,
    state: u32,
    /// What is not passed on yet.
    held: Vec<u8>,
    /// Parts of it that are hidden: begin and end, in order, apart from each other.
    parts: Vec<(usize, usize)>,
    /// Whether the last byte that was passed on was hidden.
    hiding: bool,
}

impl Masker {
    pub(super) fn new(patterns: Arc<Patterns>) -> Self {
        Self { patterns, state: START, held: Vec::new(), parts: Vec::new(), hiding: false }
    }

    /// Takes a piece, and passes on what is certain.
    pub(super) fn take(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for byte in piece {
            self.held.push(*byte);
            self.state = self.patterns.after(self.state, *byte);
            let hit = self.patterns.hit(self.state);
            if hit > 0 {
                self.hide(self.held.len().saturating_sub(hit));
            }
        }
        let certain = self.held.len().saturating_sub(self.patterns.depth(self.state));
        self.pass(certain, out);
    }

    /// Passes on what was held: nothing follows.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.state = START;
        self.pass(self.held.len(), out);
    }

    /// Hides from a place on, together with the parts that it touches.
    fn hide(&mut self, mut begin: usize) {
        while let Some((earlier, _)) = self.parts.pop_if(|(_, end)| *end >= begin) {
            begin = begin.min(earlier);
        }
        self.parts.push((begin, self.held.len()));
    }

    fn pass(&mut self, certain: usize, out: &mut Vec<u8>) {
        let mut at = 0;
        let mut left = Vec::new();
        for (begin, end) in std::mem::take(&mut self.parts) {
            if begin < certain {
                self.show(at, begin, out);
                self.cover(out);
                at = end.min(certain);
            }
            if end > certain {
                left.push((begin.max(certain) - certain, end - certain));
            }
        }
        self.show(at, certain, out);
        self.parts = left;
        if let Some(passed) = self.held.get_mut(..certain) {
            strongroom_secret::wipe(passed);
        }
        self.held.drain(..certain);
    }

    fn show(&mut self, begin: usize, end: usize, out: &mut Vec<u8>) {
        if let Some(plain) = self.held.get(begin..end).filter(|plain| !plain.is_empty()) {
            out.extend_from_slice(plain);
            self.hiding = false;
        }
    }

    fn cover(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.hiding, true) {
            out.extend_from_slice(HIDDEN);
        }
    }
}

impl Drop for Masker {
    fn drop(&mut self) {
        strongroom_secret::wipe(&mut self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_secret::SecretBytes;

    fn masked(values: &[&[u8]], output: &[u8], piece: usize) -> Vec<u8> {
        let values: Vec<_> = values.iter().map(|value| SecretBytes::new(value.to_vec())).collect();
        let mut masker = Masker::new(Arc::new(Patterns::new(&values)));
        let mut out = Vec::new();
        for piece in output.chunks(piece) {
            masker.take(piece, &mut out);
        }
        masker.finish(&mut out);
        out
    }

    #[track_caller]
    fn check(values: &[&str], output: &str, want: &str) {
        let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        for piece in 1..=output.len().max(1) {
            let found = masked(&values, output.as_bytes(), piece);
            assert_eq!(String::from_utf8_lossy(&found), want, "in pieces of {piece}");
        }
    }

    #[test]
    fn values_are_hidden_however_the_output_is_cut() {
        check(&["hunter2"], "a hunter2 b hunter", "a ******** b hunter");
        check(&["hunter2"], "hunter2", "********");
        check(&["hunter2"], "huhunter2hunterhunter2", "hu********hunter********");
        check(&["hunter2"], "", "");
        check(&["ab\ncd\n"], "x ab\ncd\ny", "x ********\ny");
    }

    #[test]
    fn the_longest_of_several_is_hidden_whole() {
        check(&["pass", "password"], "my password, my pass", "my ********, my ********");
        check(&["abcd", "cdef"], "abcdef", "********");
        check(&["abcde", "bcdx"], "abcdx", "a********");
        check(&["aaaa"], "baaaaaab", "b********b");
        check(&["abcd"], "abcdabcd", "********");
    }

    #[test]
    fn encoded_values_are_hidden_too() {
        for before in ["", "u", "us", "use"] {
            let text = data_encoding::BASE64.encode(format!("{before}:hunter2-and-more:x").as_bytes());
            let found = masked(&[b"hunter2-and-more"], text.as_bytes(), 5);
            let found = String::from_utf8(found).unwrap();
            assert!(found.contains("********") && found.len() < text.len() - 8, "{text} {found}");
        }
        check(&["a\"b\\c\nd"], r#"{"v":"a\"b\\c\nd"}"#, r#"{"v":"********"}"#);
        let url = data_encoding::BASE64URL.encode(&[0xfb, 0xff, 0xbf, 0xfe, 0xff, 0xef]);
        assert_eq!(masked(&[&[0xfb, 0xff, 0xbf, 0xfe, 0xff, 0xef]], url.as_bytes(), 3), HIDDEN);
    }

    #[test]
    fn short_values_are_left_and_lines_are_found() {
        check(&["abc"], "abc", "abc");
        check(&["first line\nsecond line"], "> second line <", "> ******** <");
        assert!(Patterns::too_short(&SecretBytes::new(b"abc\n".to_vec())));
        assert!(!Patterns::too_short(&SecretBytes::new(Vec::new())));
        assert!(!Patterns::too_short(&SecretBytes::new(b"abcd".to_vec())));
    }

    #[test]
    fn a_prompt_is_not_held_back() {
        let values = [SecretBytes::new(b"hunter2".to_vec())];
        let mut masker = Masker::new(Arc::new(Patterns::new(&values)));
        let mut out = Vec::new();
        masker.take(b"Go on? ", &mut out);
        assert_eq!(out, b"Go on? ");
    }
}
