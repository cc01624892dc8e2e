//! The server's configuration.

use strongroom_server::config::Config;

/// Read, or refused with its faults in words.
pub(crate) fn config(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    match Config::parse(text, "fuzz.toml") {
        Ok(_) => true,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "a refusal without a word");
            false
        }
    }
}
