//! Kinds of argument.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;
use strongroom_model::{Name, NameError, SecretPath};

/// An argument that should not be there and may be a secret: its text is dropped at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Swallowed;

impl FromStr for Swallowed {
    type Err = Infallible;

    fn from_str(_text: &str) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValueSource {
    /// A file, to the byte.
    File(PathBuf),
    /// Standard input, to the byte.
    Stdin,
    /// The command line itself: refused, and not kept.
    Argv,
}

impl FromStr for ValueSource {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix('@') {
            Some(file) if !file.is_empty() => Self::File(file.into()),
            _ if text == "-" => Self::Stdin,
            _ => Self::Argv,
        })
    }
}

/// A store's name.
pub(super) fn name(text: &str) -> Result<String, NameError> {
    Name::new(text).map(|name| name.as_str().to_owned())
}

/// A secret's path.
pub(super) fn path(text: &str) -> Result<String, NameError> {
    SecretPath::new(text).map(|path| path.as_str().to_owned())
}

/// A folder of a store; empty: none.
pub(super) fn folder(text: &str) -> Result<String, NameError> {
    let text = text.trim_end_matches('/');
    if text.is_empty() { Ok(String::new()) } else { path(text) }
}

/// A text that is no setting.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected NAME=VALUE")]
pub(super) struct SettingError;

/// A setting: `length=24`, `alphabet=hex`, `sans=["a.example.org"]`. What is JSON but no text is taken as that.
pub(super) fn setting(text: &str) -> Result<(String, serde_json::Value), SettingError> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(SettingError)?;
    let value = match serde_json::from_str(value) {
        Ok(serde_json::Value::String(_)) | Err(_) => serde_json::Value::String(value.to_owned()),
        Ok(json) => json,
    };
    Ok((name.to_owned(), value))
}

/// A text that is no mapping.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MappingError {
    /// No sign, or no name before it.
    #[error("expected NAME=PATH with a name of letters, digits and _")]
    Shape,
    /// Not a secret's path.
    #[error(transparent)]
    Path(#[from] NameError),
}

/// The name of a variable and a secret's path: `DB=db/password`.
pub(super) fn mapping(text: &str) -> Result<(String, String), MappingError> {
    let (name, place) = text.split_once('=').ok_or(MappingError::Shape)?;
    let named = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let starts = name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_');
    if !starts || !name.chars().all(named) {
        return Err(MappingError::Shape);
    }
    Ok((name.to_owned(), path(place)?))
}

/// A text that is not a length of time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number with s, m, h or d, such as 8h")]
pub(super) struct TimeError;

/// A length of time in seconds: `90s`, `30m`, `8h`, `7d`.
pub(super) fn seconds(text: &str) -> Result<u32, TimeError> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits).unwrap_or_default() {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(TimeError),
    };
    let number: u32 = digits.parse().map_err(|_| TimeError)?;
    number.checked_mul(unit).filter(|seconds| *seconds > 0).ok_or(TimeError)
}

/// A moment, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    /// RFC 3339.
    At(jiff::Timestamp),
    /// So many seconds ago.
    Ago(u32),
}

/// A moment, or so long ago.
pub(super) fn when(text: &str) -> Result<When, WhenError> {
    let at = || text.parse().map(When::At).map_err(|_| WhenError);
    seconds(text).map(When::Ago).or_else(|_| at())
}

/// A text that is no moment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no moment; write 2026-01-31T12:00:00Z, or 30s, 15m, 8h, 7d for so long ago")]
pub(crate) struct WhenError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_absolute_or_ago() {
        assert_eq!(when("2h"), Ok(When::Ago(7_200)));
        assert_eq!(when("1970-01-01T00:01:00Z"), Ok(When::At(jiff::Timestamp::from_second(60).unwrap())));
        for text in ["", "yesterday", "2026-01-31", "0s", "-1h"] {
            assert_eq!(when(text), Err(WhenError), "{text}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(seconds("8h"), Ok(28_800));
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("7d"), Ok(604_800));
        for bad in ["", "h", "8", "0h", "-1h", "8x", "8hh", "99999999d", "1.5h"] {
            assert_eq!(seconds(bad), Err(TimeError), "{bad}");
        }
    }

    #[test]
    fn only_a_file_and_a_dash_are_sources() {
        assert_eq!("@/a b".parse(), Ok(ValueSource::File("/a b".into())));
        assert_eq!("-".parse(), Ok(ValueSource::Stdin));
        for text in ["hunter2", "@", "", "--"] {
            assert_eq!(text.parse(), Ok(ValueSource::Argv), "{text}");
        }
    }

    #[test]
    fn a_swallowed_argument_keeps_nothing() {
        assert_eq!(format!("{:?}", "hunter2".parse::<Swallowed>()), "Ok(Swallowed)");
    }

    #[test]
    fn mappings_name_a_variable_and_a_secret() {
        assert_eq!(mapping("DB=a/b"), Ok(("DB".to_owned(), "a/b".to_owned())));
        for bad in ["DB", "=a", "1A=a", "A-B=a"] {
            assert_eq!(mapping(bad), Err(MappingError::Shape), "{bad}");
        }
        assert!(matches!(mapping("A=../b"), Err(MappingError::Path(_))));
        assert_eq!(folder("a/b/").as_deref(), Ok("a/b"));
    }

    #[test]
    fn names_and_paths_are_checked_before_anything_is_sent() {
        assert_eq!(path("a/b").as_deref(), Ok("a/b"));
        assert!(path("../etc").is_err());
        assert!(path("").is_err());
        assert!(name("a/b").is_err());
    }
}
