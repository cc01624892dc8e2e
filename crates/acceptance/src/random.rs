//! Numbers that are the same whenever the seed is.

/// SplitMix64: small, seeded, and good enough to make records with.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below the bound; 0 where that is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// A number below the bound, most often a small one: as addresses, ports and names repeat in the wild.
    pub const fn skewed(&mut self, bound: u64) -> u64 {
        let (first, second, third) = (self.below(bound), self.below(bound), self.below(bound));
        let least = if first < second { first } else { second };
        let least = if least < third { least } else { third };
        // half of all are among the first hundredth
        if self.below(2) == 0 { least / 100 } else { least }
    }

    /// One of these, most often an early one.
    pub fn pick(&mut self, of: &[&'static str]) -> &'static str {
        let at = usize::try_from(self.skewed(of.len() as u64)).unwrap_or_default();
        of.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            (0..100).map(|_| random.next()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
        // of the paper's reference implementation
        assert_eq!(Random::new(1_234_567).next(), 6_457_827_717_110_365_317);
    }

    #[test]
    fn small_numbers_are_frequent_and_all_are_within_the_bound() {
        let mut random = Random::new(7);
        let drawn: Vec<u64> = (0..10_000).map(|_| random.skewed(1_000)).collect();
        assert!(drawn.iter().all(|number| *number < 1_000));
        assert!(drawn.iter().filter(|number| **number < 10).count() > 5_000);
        assert!(drawn.iter().any(|number| *number > 700));
        assert_eq!(random.below(0), 0);
    }
}
