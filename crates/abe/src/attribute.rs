//! Attributes: what a member has and a policy asks for.

use std::collections::BTreeSet;

/// Longest name of an attribute in bytes.
pub const MAX_ATTRIBUTE_BYTES: usize = 128;
/// Most attributes in one set.
pub const MAX_ATTRIBUTES: usize = 1024;

/// What is wrong with an attribute or a set of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// No name at all.
    #[error("attribute has no name")]
    Empty,
    /// Longer than [`MAX_ATTRIBUTE_BYTES`].
    #[error("attribute has {bytes} bytes, allowed are {MAX_ATTRIBUTE_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A letter that names have not.
    #[error("attribute has {found:?} in place {at}: allowed are A-Z, 0-9 and _ - . : @ / + #")]
    Letter {
        /// The place, from 1.
        at: usize,
        /// The letter.
        found: char,
    },
    /// A word of the language of policies, or a number, which that language would not read as a name.
    #[error("{word:?} cannot be an attribute: it is a word of the policy language or a number")]
    Reserved {
        /// The word.
        word: String,
    },
    /// More than [`MAX_ATTRIBUTES`].
    #[error("more than {MAX_ATTRIBUTES} attributes")]
    TooMany,
}

/// The name of an attribute, in capitals: `UNR`, `TLP:AMBER`, `ANALYST@37`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attribute(Box<str>);

impl Attribute {
    /// Reads a name; small letters become capitals.
    pub fn new(name: &str) -> Result<Self, AttributeError> {
        if name.is_empty() {
            return Err(AttributeError::Empty);
        }
        if name.len() > MAX_ATTRIBUTE_BYTES {
            return Err(AttributeError::TooLong { bytes: name.len() });
        }
        if let Some((at, found)) = name.chars().enumerate().find(|(_, letter)| !is_letter(*letter)) {
            return Err(AttributeError::Letter { at: at + 1, found });
        }
        let name = name.to_ascii_uppercase();
        if ["AND", "OR", "OF"].contains(&name.as_str()) || name.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AttributeError::Reserved { word: name });
        }
        Ok(Self(name.into_boxed_str()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether names and numbers of the policy language may have this letter.
pub(crate) fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_-.:@/+#".contains(letter)
}

/// Attributes without order or repetition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributeSet(BTreeSet<Attribute>);

impl AttributeSet {
    /// Reads names; one that is named twice counts once.
    ///
    /// ```
    /// use strongroom_abe::AttributeSet;
    /// let set = AttributeSet::parse(["unr", "Analyst", "UNR"])?;
    /// assert_eq!(set.iter().map(|attribute| attribute.as_str()).collect::<Vec<_>>(), ["ANALYST", "UNR"]);
    /// # Ok::<(), strongroom_abe::AttributeError>(())
    /// ```
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, AttributeError> {
        let mut set = Self::default();
        for name in names {
            set.insert(Attribute::new(name)?)?;
        }
        Ok(set)
    }

    /// Adds one.
    pub fn insert(&mut self, attribute: Attribute) -> Result<(), AttributeError> {
        if self.0.len() == MAX_ATTRIBUTES && !self.0.contains(&attribute) {
            return Err(AttributeError::TooMany);
        }
        self.0.insert(attribute);
        Ok(())
    }

    /// Whether it is there.
    pub fn contains(&self, attribute: &Attribute) -> bool {
        self.0.contains(attribute)
    }

    /// Whether all of another set are there.
    pub fn contains_all(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of a policy, which bounds them.
    pub(crate) fn of_policy(names: impl Iterator<Item = Attribute>) -> Self {
        Self(names.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_capitals() {
        assert_eq!(Attribute::new("tlp:amber+strict@37").unwrap().as_str(), "TLP:AMBER+STRICT@37");
        assert_eq!(Attribute::new("2fa").unwrap().to_string(), "2FA");
    }

    #[test]
    fn what_the_policy_language_would_misread_is_refused() {
        for word in ["and", "OR", "of", "12"] {
            assert_eq!(
                Attribute::new(word),
                Err(AttributeError::Reserved { word: word.to_ascii_uppercase() })
            );
        }
        assert_eq!(Attribute::new(""), Err(AttributeError::Empty));
        assert_eq!(Attribute::new("a b"), Err(AttributeError::Letter { at: 2, found: ' ' }));
        assert_eq!(Attribute::new("ünr"), Err(AttributeError::Letter { at: 1, found: 'ü' }));
        assert_eq!(Attribute::new(&"a".repeat(129)), Err(AttributeError::TooLong { bytes: 129 }));
    }

    #[test]
    fn a_set_is_bounded() {
        let names: Vec<String> = (0..=MAX_ATTRIBUTES).map(|number| format!("a{number}")).collect();
        let all = names.iter().map(String::as_str);
        assert_eq!(AttributeSet::parse(all.clone()), Err(AttributeError::TooMany));
        assert_eq!(AttributeSet::parse(all.skip(1)).unwrap().len(), MAX_ATTRIBUTES);
    }
}
