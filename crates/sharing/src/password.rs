//! A password on its way: wiped when it is dropped, never printed.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use std::fmt;
use strongroom_secret::SecretBytes;

/// A password in a request.
#[derive(Debug)]
pub struct Password(SecretBytes);

/// Not UTF-8: it cannot be written into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password is not UTF-8 text")]
pub struct NotTextError;

impl Password {
    /// A copy of a password that is text.
    ///
    /// # Errors
    /// If it is none.
    pub fn copied(password: &SecretBytes) -> Result<Self, NotTextError> {
        password.expose(|bytes| {
            let is_text = std::str::from_utf8(bytes).is_ok();
            is_text.then(|| Self(SecretBytes::new(bytes.to_vec()))).ok_or(NotTextError)
        })
    }

    /// Its bytes.
    pub fn into_secret(self) -> SecretBytes {
        self.0
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(SecretBytes::new(text.as_bytes().to_vec()))
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.expose(|bytes| match std::str::from_utf8(bytes) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Err(ser::Error::custom(NotTextError)),
        })
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Password;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    /// At once into a buffer that is wiped, of the length that is needed.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Password, E> {
        Ok(Password::from(text))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Password, E> {
        Ok(Password(SecretBytes::new(text.into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::Login;

    #[test]
    fn a_password_comes_back_as_it_was_and_is_not_printed() {
        for text in ["", "correct horse", "a\"b\\c", "p\u{e4}ss"] {
            let login = Login { username: "u".to_owned(), password: Password::from(text) };
            let json = serde_json::to_string(&login).unwrap();
            let read: Login = serde_json::from_str(&json).unwrap();
            assert!(!format!("{:?}", read.password).contains("horse"));
            assert!(read.password.into_secret().expose(|bytes| bytes == text.as_bytes()), "{text}");
        }
        assert!(serde_json::from_str::<Password>("7").is_err());
        assert!(serde_json::from_str::<Password>("null").is_err());
    }

    #[test]
    fn what_is_no_text_is_no_password_of_a_request() {
        assert!(Password::copied(&SecretBytes::new(vec![0xff])).is_err());
        assert!(Password::copied(&SecretBytes::new(b"word".to_vec())).is_ok());
    }
}
