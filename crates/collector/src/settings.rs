//! The collector's own sections of the configuration: `policy`, `fields`, `inputs`, `debug`.

mod inputs;
mod policy;

pub use inputs::{BindError, Format, Input, InputKind, TlsFiles, bind_address};

use crate::policy::{PolicyFile, PolicyFileError};
use std::path::{Path, PathBuf};
use strongroom_member::{Config, ConfigError, Fault, Node, Section};

/// What the collector is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who may read and search what.
    pub policy: PolicyFile,
    /// Where records come from.
    pub inputs: Vec<Input>,
    /// The original's switches.
    pub debug: Debug,
    /// What stands in the file and has no effect, for people.
    pub notices: Vec<String>,
}

/// The original's switches that do no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Debug {
    /// Ends after one record.
    pub process_only_one: bool,
    /// Shows what would be done, and does nothing.
    pub do_not_post_data: bool,
    /// Says the policies at the start.
    pub show_enc_policy: bool,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A key of it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its policy.
    #[error("{path}: {error}", path = path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: PolicyFileError,
    },
}

/// A fault on its way out.
enum Wrong {
    Key(u64, Fault),
    Policy(PolicyFileError),
}

impl From<(u64, Fault)> for Wrong {
    fn from((line, fault): (u64, Fault)) -> Self {
        Self::Key(line, fault)
    }
}

impl From<PolicyFileError> for Wrong {
    fn from(error: PolicyFileError) -> Self {
        Self::Policy(error)
    }
}

impl Wrong {
    fn of(self, path: &Path) -> SettingsError {
        match self {
            Self::Key(line, fault) => ConfigError::at(path, line, fault).into(),
            Self::Policy(error) => SettingsError::Policy { path: path.to_owned(), error },
        }
    }
}

impl Settings {
    /// Reads the collector's sections.
    pub fn read(config: &Config) -> Result<Self, SettingsError> {
        Self::of(config).map_err(|wrong| wrong.of(&config.path))
    }

    fn of(config: &Config) -> Result<Self, Wrong> {
        let mut notices: Vec<String> = config
            .ignored
            .iter()
            .map(|it| format!("line {}: {} is ignored: {}", it.line, it.key, it.why))
            .collect();
        let home = config.path.parent().unwrap_or(Path::new("."));
        let policy = policy::read(config.policy.clone(), config.fields.clone(), &mut notices)?;
        let inputs = inputs::read(config.inputs.clone(), home)?;
        let debug = debug(config.debug.clone(), &mut notices)?;
        Ok(Self { policy, inputs, debug, notices })
    }
}

fn debug(node: Option<Node>, notices: &mut Vec<String>) -> Result<Debug, Wrong> {
    let Some(node) = node else { return Ok(Debug::default()) };
    let mut section = Section::of("debug", node)?;
    let debug = Debug {
        process_only_one: section.flag("process_only_one")?.unwrap_or_default(),
        do_not_post_data: section.flag("do_not_post_data")?.unwrap_or_default(),
        show_enc_policy: section.flag("show_enc_policy")?.unwrap_or_default(),
    };
    // the original's other switches show keys and plain data: none of that is done here
    notices.extend(section.rest().map(|(key, line)| format!("line {line}: debug.{key} is ignored")));
    Ok(debug)
}

#[cfg(test)]
mod tests;
