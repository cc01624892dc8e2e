//! Passwords: drawn uniformly from all that an alphabet allows, with a count of how many those are.

use crate::store_type::TypeError;
use strongroom_ambient::Ambient;

/// Lengths that may be asked for.
pub(crate) const LENGTHS: std::ops::RangeInclusive<usize> = 4..=1_024;
/// Most characters of an alphabet of one's own: each is drawn from one random byte.
const MAX_ALPHABET: usize = 256;
/// Drawn again if a class is missing; more than this happens only if it cannot come out right.
const MAX_DRAWS: usize = 100_000;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SYMBOLS: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// What passwords are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alphabet {
    /// Every character, each once.
    characters: Vec<char>,
    /// Sizes of the classes of which each password has at least one character; empty: it does not matter.
    classes: Vec<Vec<char>>,
}

impl Alphabet {
    /// Of names joined by `+`: `lower`, `upper`, `digits`, `symbols`, `hex`, `alphanumeric`, `printable`.
    pub(crate) fn named(names: &str, each: bool) -> Result<Self, TypeError> {
        let fault = |fault| TypeError::Field { field: "alphabet", fault };
        let mut classes: Vec<Vec<char>> = Vec::new();
        for name in names.split('+') {
            let parts: &[&str] = match name {
                "lower" => &[LOWER],
                "upper" => &[UPPER],
                "digits" => &[DIGITS],
                "symbols" => &[SYMBOLS],
                "hex" => &["0123456789abcdef"],
                "alphanumeric" => &[LOWER, UPPER, DIGITS],
                "printable" => &[LOWER, UPPER, DIGITS, SYMBOLS],
                _ => {
                    return Err(fault(
                        "known are lower, upper, digits, symbols, hex, alphanumeric, printable, joined by +",
                    ));
                }
            };
            classes.extend(parts.iter().map(|part| part.chars().collect::<Vec<_>>()));
        }
        let mut characters: Vec<char> = classes.iter().flatten().copied().collect();
        let all = characters.len();
        characters.sort_unstable();
        characters.dedup();
        if characters.len() != all {
            return Err(fault("a character stands in two of them"));
        }
        if !each {
            classes.clear();
        }
        Ok(Self { characters, classes })
    }

    /// Of one's own characters.
    pub(crate) fn own(text: &str) -> Result<Self, TypeError> {
        let fault = |fault| TypeError::Field { field: "characters", fault };
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        if characters.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(fault("a character stands twice: it would come more often than the others"));
        }
        if !(2..=MAX_ALPHABET).contains(&characters.len()) {
            return Err(fault("there are 2 to 256 of them"));
        }
        if characters.iter().any(|character| character.is_control()) {
            return Err(fault("a control character cannot be typed"));
        }
        Ok(Self { characters, classes: Vec::new() })
    }

    /// A password of so many characters, every one that is allowed as likely as any other.
    pub(crate) fn draw(&self, ambient: &Ambient, length: usize) -> Result<String, TypeError> {
        if !LENGTHS.contains(&length) || length < self.classes.len() {
            return Err(TypeError::Field {
                field: "length",
                fault: "is from 4 to 1024, and at least one a class",
            });
        }
        let mut password = String::with_capacity(length * 4);
        for _ in 0..MAX_DRAWS {
            self.fill(ambient, length, &mut password);
            let has = |class: &Vec<char>| password.contains(class.as_slice());
            if self.classes.iter().all(has) {
                return Ok(password);
            }
            strongroom_secret::wipe(&mut password);
        }
        Err(TypeError::Field { field: "length", fault: "too short for one character of each class" })
    }

    /// Fills in random characters: a byte beyond the last whole multiple of the alphabet is drawn again.
    fn fill(&self, ambient: &Ambient, length: usize, password: &mut String) {
        let size = self.characters.len();
        let whole = MAX_ALPHABET - MAX_ALPHABET % size.max(1);
        let mut bytes = [0; 64];
        let mut made = 0;
        while made < length {
            ambient.entropy.fill(&mut bytes);
            let fair = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < whole);
            let drawn = fair.filter_map(|byte| self.characters.get(byte % size)).take(length - made);
            for character in drawn {
                password.push(*character);
                made += 1;
            }
        }
        strongroom_secret::wipe(&mut bytes);
    }

    /// Bits of entropy of such a password: the logarithm of how many there are.
    pub(crate) fn entropy_bits(&self, length: usize) -> f64 {
        let size = count(self.characters.len());
        let length = count(length);
        // of all strings, the share that has a character of each class, by inclusion and exclusion
        let mut share = 0.0;
        for subset in 0..1_u32 << self.classes.len().min(16) {
            let missing = |(at, class): (usize, &Vec<char>)| (subset >> at & 1 == 1).then_some(class.len());
            let without: usize = self.classes.iter().enumerate().filter_map(missing).sum();
            let sign = if subset.count_ones() % 2 == 0 { 1.0 } else { -1.0 };
            share += sign * ((size - count(without)) / size).powf(length);
        }
        length * size.log2() + share.log2()
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn bits(names: &str, each: bool, length: usize) -> f64 {
        Alphabet::named(names, each).unwrap().entropy_bits(length)
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        let ambient = Ambient::system();
        // 10 and 62 do not divide 256: without rejection the first ones would come too often
        for names in ["digits", "alphanumeric", "printable"] {
            let alphabet = Alphabet::named(names, false).unwrap();
            let mut seen: BTreeMap<char, f64> = BTreeMap::new();
            let mut all = 0.0;
            for _ in 0..200 {
                for character in alphabet.draw(&ambient, 1_000).unwrap().chars() {
                    *seen.entry(character).or_default() += 1.0;
                    all += 1.0;
                }
            }
            let expected = all / count(alphabet.characters.len());
            assert_eq!(seen.len(), alphabet.characters.len());
            let chi: f64 = seen.values().map(|times| (times - expected).powi(2) / expected).sum();
            // mean and deviation of chi-squared: a fair draw is beyond this once in more than a billion
            let freedom = count(alphabet.characters.len() - 1);
            assert!(chi < freedom + 8.0 * (2.0 * freedom).sqrt(), "{names}: {chi} for {freedom}");
        }
    }

    #[test]
    fn entropy_is_the_logarithm_of_how_many_there_are() {
        assert!((bits("hex", false, 32) - 128.0).abs() < 1e-9);
        assert!((bits("digits", false, 4) - 10_000_f64.log2()).abs() < 1e-9);
        // strings of 4 over lower and digits with one of each: 36^4 - 26^4 - 10^4
        let counted = 36_f64.powi(4) - 26_f64.powi(4) - 10_f64.powi(4);
        assert!((bits("lower+digits", true, 4) - counted.log2()).abs() < 1e-9);
        assert!(bits("printable", true, 20) < bits("printable", false, 20));
    }

    #[test]
    fn each_class_is_there_if_it_is_asked_for() {
        let ambient = Ambient::system();
        let alphabet = Alphabet::named("printable", true).unwrap();
        for _ in 0..200 {
            let password = alphabet.draw(&ambient, 4).unwrap();
            for class in [LOWER, UPPER, DIGITS, SYMBOLS] {
                assert!(password.chars().any(|character| class.contains(character)));
            }
        }
    }

    #[test]
    fn alphabets_and_lengths_that_make_no_sense_are_refused() {
        for names in ["", "klingon", "lower+lower", "hex+digits", "lower,upper", "alphanumeric+lower"] {
            assert!(Alphabet::named(names, false).is_err(), "{names}");
        }
        for text in ["", "a", "aa", "abca", "a\n"] {
            assert!(Alphabet::own(text).is_err(), "{text:?}");
        }
        let many: String = (0x4e00..0x4e00 + 257).filter_map(char::from_u32).collect();
        assert!(Alphabet::own(&many).is_err());
        let ambient = Ambient::system();
        let alphabet = Alphabet::own("äöü").unwrap();
        assert_eq!(alphabet.draw(&ambient, 1_024).unwrap().chars().count(), 1_024);
        for length in [0, 3, 1_025, usize::MAX] {
            assert!(alphabet.draw(&ambient, length).is_err());
        }
    }
}
