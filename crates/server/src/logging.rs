//! Log lines for the operator, on standard error: identifiers, never values.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// The environment variable that overrides the configuration's filter.
pub const FILTER_VARIABLE: &str = "RUST_LOG";

/// Why logging did not begin.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter cannot be understood.
    #[error("`{filter}` is no log filter")]
    Filter {
        /// The filter.
        filter: String,
    },
    /// Something else logs in this process already.
    #[error("logging has begun already")]
    Begun,
}

/// Whether a text is a log filter: `info`, `warn,strongroom_server=debug`.
pub fn is_filter(text: &str) -> bool {
    !text.trim().is_empty() && EnvFilter::builder().parse(text).is_ok()
}

/// Logs to standard error from now on, with the filter of `RUST_LOG` or else this one; in colour on a terminal only.
///
/// # Errors
/// If the filter is none, or if it was called before.
pub fn init(filter: &str) -> Result<(), LoggingError> {
    let filter =
        std::env::var(FILTER_VARIABLE).ok().filter(|text| !text.is_empty()).unwrap_or(filter.to_owned());
    let parsed = EnvFilter::builder().parse(&filter).map_err(|_| LoggingError::Filter { filter })?;
    tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init()
        .map_err(|_| LoggingError::Begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_told_from_nonsense() {
        for text in ["info", "warn,strongroom_server=debug", "off"] {
            assert!(is_filter(text), "{text}");
        }
        for text in ["", " ", "strongroom=loudly", "a=b=c"] {
            assert!(!is_filter(text), "{text}");
        }
    }
}
