//! Kinds of access: the `rwmd` of an ACL.

/// A set of kinds of access. Bits and letters are part of the formats and of the convection protocol.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Access(u8);

/// Letters with their bits, in the order in which they are written.
const LETTERS: [(char, Access); 4] =
    [('r', Access::READ), ('w', Access::WRITE), ('m', Access::MODIFY), ('d', Access::DELETE)];

impl Access {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// Reading.
    pub const READ: Self = Self(2);
    /// Making what was not there.
    pub const WRITE: Self = Self(4);
    /// Changing what is there.
    pub const MODIFY: Self = Self(8);
    /// Removing.
    pub const DELETE: Self = Self(16);
    /// Making or changing, by what is there.
    pub const PUT: Self = Self(4 | 8);
    /// All of them.
    pub const ALL: Self = Self(30);

    /// From bits; unknown bits are refused.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 { Some(Self(bits)) } else { None }
    }

    /// Its bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From letters of `rwmd` in any order; a repeated or another letter, and no letter at all, are refused.
    pub fn from_letters(letters: &str) -> Option<Self> {
        let mut access = Self::NONE;
        for letter in letters.chars() {
            let (_, bit) = *LETTERS.iter().find(|(known, _)| *known == letter)?;
            if access.has(bit) {
                return None;
            }
            access = access.with(bit);
        }
        (access != Self::NONE).then_some(access)
    }

    /// Whether all of `other` is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl std::fmt::Display for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        LETTERS.iter().filter(|(_, bit)| self.has(*bit)).try_for_each(|(letter, _)| write!(f, "{letter}"))
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_round_trip() {
        for bits in (2..=30).step_by(2) {
            let access = Access::from_bits(bits).unwrap();
            assert_eq!(Access::from_letters(&access.to_string()), Some(access));
        }
        assert_eq!(Access::from_letters("dr"), Some(Access::READ.with(Access::DELETE)));
    }

    #[test]
    fn other_letters_repetitions_and_nothing_are_refused() {
        for text in ["", "x", "rr", "R", "rwmdr", "r w"] {
            assert_eq!(Access::from_letters(text), None, "{text}");
        }
        assert_eq!(Access::from_bits(1), None);
        assert_eq!(Access::from_bits(32), None);
    }
}
