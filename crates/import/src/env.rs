//! Secrets in an environment: their names and their texts.

use crate::entry::Value;
use strongroom_secret::SecretBytes;

/// What cannot stand in an environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// No letter or digit in it.
    #[error("{path} has no name for an environment")]
    NoName {
        /// The secret.
        path: String,
    },
    /// Two secrets of one name.
    #[error("{first} and {second} would both be {name}")]
    Collision {
        /// The name.
        name: String,
        /// One secret.
        first: String,
        /// The other.
        second: String,
    },
    /// Bytes that are no text.
    #[error("the value of {path} is no UTF-8 text")]
    NotText {
        /// The secret.
        path: String,
    },
    /// NUL.
    #[error("the value of {path} contains NUL")]
    Nul {
        /// The secret.
        path: String,
    },
}

/// How a secret is called in an environment: `db/password` is `DB_PASSWORD`.
pub fn env_name(path: &str) -> Result<String, EnvError> {
    let plain = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_uppercase() } else { '_' };
    let name: String = path.chars().map(plain).collect();
    if !name.contains(|char: char| char.is_ascii_alphanumeric()) {
        return Err(EnvError::NoName { path: path.to_owned() });
    }
    let digit = name.starts_with(|char: char| char.is_ascii_digit());
    Ok(if digit { format!("_{name}") } else { name })
}

/// A value as an environment has it: a JSON string as its text, other JSON as it is written, bytes if they are text.
pub fn env_text(path: &str, value: &Value) -> Result<SecretBytes, EnvError> {
    let copy = |secret: &SecretBytes| secret.expose(|bytes| SecretBytes::new(bytes.to_vec()));
    let text = match value {
        Value::Json(json) => value.as_text().unwrap_or_else(|| copy(json)),
        Value::Bytes(bytes) => copy(bytes),
    };
    if text.expose(|bytes| bytes.contains(&0)) {
        return Err(EnvError::Nul { path: path.to_owned() });
    }
    if text.expose(|bytes| std::str::from_utf8(bytes).is_err()) {
        return Err(EnvError::NotText { path: path.to_owned() });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_names() {
        for (path, name) in
            [("db/password", "DB_PASSWORD"), ("a.b-c", "A_B_C"), ("1st", "_1ST"), ("API_KEY", "API_KEY")]
        {
            assert_eq!(env_name(path).as_deref(), Ok(name));
        }
        assert_eq!(env_name("ü").unwrap_err().to_string(), "ü has no name for an environment");
    }

    #[test]
    fn values_become_texts() {
        let text = |value: &Value| {
            env_text("p", value).map(|text| text.expose(|text| String::from_utf8(text.to_vec()).unwrap()))
        };
        assert_eq!(text(&Value::text("a\"\n")).as_deref(), Ok("a\"\n"));
        assert_eq!(text(&Value::json("{\"a\": 1}")).as_deref(), Ok("{\"a\": 1}"));
        let bytes = |bytes: &[u8]| Value::Bytes(SecretBytes::new(bytes.to_vec()));
        assert_eq!(text(&bytes(b"x")).as_deref(), Ok("x"));
        assert_eq!(text(&bytes(&[255])), Err(EnvError::NotText { path: "p".to_owned() }));
        assert_eq!(text(&Value::text("a\0b")), Err(EnvError::Nul { path: "p".to_owned() }));
    }
}
