//! Names of stores, secrets, users: what a person may call a thing.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::{IsNormalized, is_nfc_quick};

/// Longest component, in bytes of UTF-8.
pub const MAX_COMPONENT_BYTES: usize = 255;
/// Longest path, in bytes of UTF-8.
pub const MAX_PATH_BYTES: usize = 1_024;

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there, or nothing between two slashes.
    #[error("name or path component is empty")]
    Empty,
    /// Too long.
    #[error("name has {bytes} bytes, allowed are {allowed}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The limit.
        allowed: usize,
    },
    /// `.` or `..`.
    #[error("name may not be '.' or '..'")]
    Traversal,
    /// A control character (Unicode category Cc), a line or paragraph separator, or a bidirectional override.
    #[error("name has a control character at byte {at}")]
    Control {
        /// Where.
        at: usize,
    },
    /// A slash in a name that has no components.
    #[error("name may not contain '/'")]
    Slash,
    /// Not in Unicode normalisation form C: another text would look the same.
    #[error("name is not in Unicode normalisation form C")]
    NotNfc,
}

/// One component: a store's name, a user's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

/// A secret's path inside its store: components joined by `/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretPath(Box<str>);

impl Name {
    /// Checks a text.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.contains('/') {
            return Err(NameError::Slash);
        }
        check_component(text)?;
        check_nfc(text)?;
        Ok(Self(text.into()))
    }

    /// Hands the text to whoever wipes it. What is left is no name, and to be dropped.
    pub fn end(&mut self, wipe: impl FnOnce(&mut str)) {
        wipe(&mut self.0);
    }
}

impl SecretPath {
    /// Checks a text.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.len() > MAX_PATH_BYTES {
            return Err(NameError::TooLong { bytes: text.len(), allowed: MAX_PATH_BYTES });
        }
        text.split('/').try_for_each(check_component)?;
        check_nfc(text)?;
        Ok(Self(text.into()))
    }
}

fn check_component(text: &str) -> Result<(), NameError> {
    match text {
        "" => return Err(NameError::Empty),
        "." | ".." => return Err(NameError::Traversal),
        _ if text.len() > MAX_COMPONENT_BYTES => {
            return Err(NameError::TooLong { bytes: text.len(), allowed: MAX_COMPONENT_BYTES });
        }
        _ => {}
    }
    match text.char_indices().find(|(_, character)| is_control(*character)) {
        Some((at, _)) => Err(NameError::Control { at }),
        None => Ok(()),
    }
}

fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn check_nfc(text: &str) -> Result<(), NameError> {
    let normal = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => true,
        IsNormalized::No => false,
        IsNormalized::Maybe => text.nfc().eq(text.chars()),
    };
    if normal { Ok(()) } else { Err(NameError::NotNfc) }
}

macro_rules! text {
    ($($name:ident)*) => {$(
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        // names are sealed at rest, and so are kept out of logs
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
    )*};
}

text! { Name SecretPath }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_pass() {
        for text in ["web", "ключ", "a b", "é", "...", ".hidden", "-", "日本語"] {
            assert_eq!(Name::new(text).map(|name| name.as_str().to_owned()), Ok(text.to_owned()));
        }
        assert!(SecretPath::new("db/prod/password").is_ok());
    }

    #[test]
    fn traversal_and_empty_components_are_refused() {
        for text in ["..", "a/../b", "./a", "a/."] {
            assert_eq!(SecretPath::new(text), Err(NameError::Traversal), "{text}");
        }
        for text in ["", "/a", "a/", "a//b", "/"] {
            assert_eq!(SecretPath::new(text), Err(NameError::Empty), "{text}");
        }
        assert_eq!(Name::new("secrets/web"), Err(NameError::Slash));
        assert_eq!(Name::new("/root.key"), Err(NameError::Slash));
    }

    #[test]
    fn control_characters_are_refused_with_their_place() {
        for (text, at) in [("a\nb", 1), ("\0", 0), ("ab\u{7f}", 2), ("a\u{202e}b", 1), ("a\u{85}", 1)] {
            assert_eq!(Name::new(text), Err(NameError::Control { at }), "{text:?}");
        }
    }

    #[test]
    fn only_normal_form_c_passes() {
        assert_eq!(Name::new("e\u{301}"), Err(NameError::NotNfc));
        assert!(Name::new("\u{e9}").is_ok());
        assert!(Name::new("q\u{301}").is_ok(), "no composed form exists");
    }

    #[test]
    fn lengths_count_bytes() {
        assert!(Name::new(&"a".repeat(255)).is_ok());
        assert_eq!(Name::new(&"a".repeat(256)), Err(NameError::TooLong { bytes: 256, allowed: 255 }));
        let path = vec!["a".repeat(204); 5].join("/");
        assert_eq!(path.len(), 1024);
        assert!(SecretPath::new(&path).is_ok());
        assert!(SecretPath::new(&format!("{path}a")).is_err());
    }
}
