//! Mutations that are the same on every run: flipped bits, cut ends, spliced pieces.

/// A small generator (SplitMix64, Steele, Lea and Flood 2014): the same seed, the same mutations.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Begins at a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound; 0 for the bound 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let number = usize::try_from(self.next() >> 16).unwrap_or_default();
        if bound == 0 { 0 } else { number % bound }
    }
}

/// Bytes that decoders trip over.
const INTERESTING: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\"",
    b"\\",
    b"{",
    b"[",
    b"}",
    b"]",
    b",",
    b":",
    b"-",
    b"..",
    b"/",
    b"\r\n",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\\u0000",
    b"\\ud800",
    b"1e999",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xe2\x80\xae",
];

/// One mutation of `input`; `other` lends a piece.
pub fn mutate(random: &mut Random, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(3) {
        step(random, &mut bytes, other);
    }
    bytes
}

fn step(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = random.below(bytes.len() + 1);
    match random.below(7) {
        0 => flip(random, bytes),
        1 => bytes.truncate(at),
        2 => drop(bytes.drain(at..at + random.below(bytes.len() - at + 1))),
        3 => insert(bytes, at, piece(random, other)),
        4 => insert(bytes, at, INTERESTING.get(random.below(INTERESTING.len())).copied().unwrap_or_default()),
        5 => repeat(random, bytes, at),
        _ => set(random, bytes),
    }
}

fn flip(random: &mut Random, bytes: &mut [u8]) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn set(random: &mut Random, bytes: &mut [u8]) {
    let (at, value) = (random.below(bytes.len()), random.next().to_le_bytes()[0]);
    if let Some(byte) = bytes.get_mut(at) {
        *byte = value;
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

fn piece<'a>(random: &mut Random, other: &'a [u8]) -> &'a [u8] {
    let from = random.below(other.len() + 1);
    let to = from + random.below(other.len() - from + 1);
    other.get(from..to).unwrap_or_default()
}

/// Repeats a piece many times: depth and length are where bounds break.
fn repeat(random: &mut Random, bytes: &mut Vec<u8>, at: usize) {
    let length = random.below(8.min(bytes.len() - at) + 1);
    let Some(piece) = bytes.get(at..at + length).map(<[u8]>::to_vec) else { return };
    let many = piece.repeat(1 + random.below(200));
    insert(bytes, at, &many);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_mutations() {
        let run = || {
            let mut random = Random::new(7);
            (0..200).map(|_| mutate(&mut random, b"one input", b"another")).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
        let changed = run().iter().filter(|bytes| bytes.as_slice() != b"one input").count();
        assert!(changed > 150, "{changed} of 200 differ");
    }

    #[test]
    fn an_empty_input_can_be_mutated() {
        let mut random = Random::new(1);
        let longest = (0..200).map(|_| mutate(&mut random, b"", b"").len()).max();
        assert!(longest.is_some_and(|length| length > 0));
    }
}
