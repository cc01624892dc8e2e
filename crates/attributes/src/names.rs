//! Names of members, as the original normalised them.

use crate::AuthorityError;
use strongroom_gate::Sharing;
use strongroom_model::{Name, NameError};
use unicode_normalization::UnicodeNormalization;

/// Longest registered name, in bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// The name that a member is registered by: `/` becomes `__`, a space `_`, and the text its normalisation form C.
///
/// ```
/// let name = strongroom_attributes::registered_name("unr/north lab")?;
/// assert_eq!(name.as_str(), "unr__north_lab");
/// # Ok::<(), strongroom_attributes::AuthorityError>(())
/// ```
pub fn registered_name(wanted: &str) -> Result<Name, AuthorityError> {
    let too_long = |bytes| NameError::TooLong { bytes, allowed: MAX_NAME_BYTES };
    if wanted.len() > MAX_NAME_BYTES {
        return Err(too_long(wanted.len()).into());
    }
    let name: String = wanted.replace('/', "__").replace(' ', "_").nfc().collect();
    if name.len() > MAX_NAME_BYTES {
        return Err(too_long(name.len()).into());
    }
    Ok(Name::new(&name)?)
}

/// What a permit about a member, or about a group, is asked upon.
pub fn named(wanted: &str) -> Result<Sharing, AuthorityError> {
    registered_name(wanted).map(|name| Sharing::named(name.to_string()))
}

/// The same of somebody who has yet to prove who they are: what is no name is nobody's, and not told.
pub fn claimed(wanted: &str) -> Sharing {
    named(wanted).unwrap_or_else(|_| Sharing::named("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_spellings_are_one_name() {
        for (wanted, registered) in [
            ("a/b", "a__b"),
            ("a__b", "a__b"),
            ("north lab", "north_lab"),
            ("e\u{301}", "\u{e9}"),
            ("Case", "Case"),
        ] {
            assert_eq!(registered_name(wanted).unwrap().as_str(), registered);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        let grows = "/".repeat(65);
        for wanted in ["", "..", "a\nb", long.as_str(), grows.as_str()] {
            assert!(matches!(registered_name(wanted), Err(AuthorityError::Name(_))), "{wanted:?}");
        }
    }
}
