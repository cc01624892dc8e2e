//! `[sharing]`: the attribute authority.

use super::reader::{Reader, Section};
use super::sections::{DAY, within};
use super::units;
use std::path::PathBuf;
use std::time::Duration;

/// Collectors ask for a manifest each third of this.
const MIN_MANIFEST_AGE: Duration = Duration::from_secs(10);

/// How the attribute authority keeps time and tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// The file with the secret that keys of members' tokens are derived with: another secret ends all tokens. Without
    /// one the authority has its own.
    pub jwt_secret_file: Option<PathBuf>,
    /// How long an epoch lasts that nothing else ends.
    pub epoch_every: Duration,
    /// How old a collector's manifest may be.
    pub manifest_max_age: Duration,
    /// How long a token lives that a password was given for.
    pub token_ttl: Duration,
    /// Values that a member may ask index tokens for in a minute.
    pub token_rate: u32,
}

impl Default for Sharing {
    fn default() -> Self {
        Self {
            jwt_secret_file: None,
            epoch_every: DAY * 7,
            manifest_max_age: Duration::from_mins(15),
            token_ttl: DAY,
            token_rate: 600,
        }
    }
}

pub(super) fn sharing<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Sharing {
    let mut section = reader.section(root, "sharing");
    let mut sharing = Sharing {
        jwt_secret_file: reader.text(&mut section, "jwt_secret_file", units::absolute),
        ..Sharing::default()
    };
    let (minute, hour) = (Duration::from_mins(1), Duration::from_hours(1));
    let times = [
        ("epoch_every", hour, DAY * 366, &mut sharing.epoch_every),
        ("manifest_max_age", MIN_MANIFEST_AGE, hour, &mut sharing.manifest_max_age),
        ("token_ttl", minute * 5, DAY * 7, &mut sharing.token_ttl),
    ];
    for (name, least, most, into) in times {
        *into = reader.text(&mut section, name, within(least, most)).unwrap_or(*into);
    }
    let rate = reader.number(&mut section, "token_rate", 1..=100_000).and_then(|rate| rate.try_into().ok());
    sharing.token_rate = rate.unwrap_or(sharing.token_rate);
    reader.close(&section);
    sharing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parsed(text: &str) -> Result<Sharing, String> {
        let text = format!("[server]\ndata_dir = \"/d\"\n[sharing]\n{text}\n");
        Config::parse(&text, "test").map(|config| config.sharing).map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_is_not_written_has_its_default() {
        assert_eq!(parsed(""), Ok(Sharing::default()));
        let written = parsed("jwt_secret_file = \"/s/jwt\"\nepoch_every = \"1d\"\ntoken_rate = 5").unwrap();
        assert_eq!(written.jwt_secret_file, Some("/s/jwt".into()));
        assert_eq!((written.epoch_every, written.token_rate), (DAY, 5));
        assert_eq!(written.manifest_max_age, Duration::from_mins(15));
    }

    #[test]
    fn what_would_be_unsafe_or_of_no_use_is_refused() {
        for bad in [
            "epoch_every = \"1m\"",
            "manifest_max_age = \"2h\"",
            "manifest_max_age = \"9s\"",
            "token_ttl = \"8d\"",
            "token_rate = 0",
            "jwt_secret_file = \"jwt\"",
            "jwt_secret_file = \"/d/jwt\"",
            "jwt_secret = \"00112233445566778899aabbccddeeff\"",
        ] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}
