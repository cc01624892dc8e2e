//! What can be said of a server's surroundings from its configuration: files, certificates, the machine, the process,
//! and, while it is stopped, its data.
//!
//! It changes nothing. Each finding says what was looked at, how it stands, and what to do about it.

mod certificates;
mod data;
mod files;
mod machine;

pub use data::check_data;

use crate::config::{Config, ConfigError, Fault, Findings};
use serde::Serialize;
use std::path::Path;
use strongroom_ambient::Ambient;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and is a risk or will not work for long.
    Warn,
    /// It does not work, or is not safe.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: `files`, `certificate`, `disk`.
    pub check: &'static str,
    /// How it stands.
    pub level: Level,
    /// In words, with the place.
    pub about: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, about: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, about: about.into(), advice: None }
    }

    /// A risk.
    pub fn warn(check: &'static str, about: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Warn, about: about.into(), advice: Some(advice.into()) }
    }

    /// Wrong.
    pub fn fail(check: &'static str, about: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Fail, about: about.into(), advice: Some(advice.into()) }
    }
}

/// Looks at everything that a configuration names. Gives the configuration as well, if it could be read.
pub fn examine(ambient: &Ambient, path: &Path) -> (Vec<Finding>, Option<Config>) {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(fault) => return (refused(path, &fault), None),
    };
    let mut found = vec![Finding::ok("configuration", format!("{} is in order", path.display()))];
    found.extend(config.warnings().into_iter().map(|open| {
        let about = format!("{}:{}: {}: {}", path.display(), open.place, open.key, open.fault);
        let advice = match open.fault {
            Fault::DeclaredPlaintext => "give the listener a certificate, or put a proxy with TLS before it",
            _ => "say who may come, with addresses or nacl",
        };
        Finding::warn("configuration", about, advice)
    }));
    files::look(path, &config, &mut found);
    certificates::look(ambient, &config, &mut found);
    machine::look(&config, &mut found);
    anchor(&config, &mut found);
    (found, Some(config))
}

fn refused(path: &Path, fault: &ConfigError) -> Vec<Finding> {
    const ADVICE: &str = "put it right; the server would not start with it";
    match fault {
        ConfigError::Invalid(Findings { name, found }) => found
            .iter()
            .map(|finding| {
                let about = format!("{name}:{}: {}: {}", finding.place, finding.key, finding.fault);
                Finding::fail("configuration", about, ADVICE)
            })
            .collect(),
        fault => {
            let reason = std::error::Error::source(fault).map(|source| format!(": {source}"));
            let about = format!("{}: {fault}{}", path.display(), reason.unwrap_or_default());
            vec![Finding::fail("configuration", about, ADVICE)]
        }
    }
}

/// Whether anything outside would show that the data directory was put back to an earlier day.
fn anchor(config: &Config, found: &mut Vec<Finding>) {
    let audit = &config.audit;
    let place = match (&audit.checkpoint_file, &audit.syslog) {
        (_, Some(syslog)) => Some(format!("syslog at {}", syslog.address)),
        (Some(file), None) => Some(file.display().to_string()),
        (None, None) => None,
    };
    found.push(match place {
        Some(place) => Finding::ok("audit", format!("checkpoints of the trail are kept at {place}")),
        None => Finding::warn(
            "audit",
            "the trail has no anchor outside: a data directory that is put back to an earlier day looks sound",
            "set audit.checkpoint_file to a file on another machine's disk, or [audit.syslog], and verify against it",
        ),
    });
}

#[cfg(test)]
mod tests;
