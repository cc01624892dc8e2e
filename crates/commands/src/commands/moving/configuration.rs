//! The original's server configuration in our words.

use crate::error::{CliError, MovingError};
use crate::original::ServerFile;
use crate::output;
use std::path::Path;

/// Prints it, and names what it could not take along.
pub(in crate::commands) fn print(asked: &Path) -> Result<(), CliError> {
    let asked = (!asked.as_os_str().is_empty()).then_some(asked);
    let file = ServerFile::find(asked, None)?;
    let Some((path, text, findings)) = file.translation()? else {
        let path = asked.unwrap_or(Path::new("")).to_owned();
        return Err(MovingError::OwnConfiguration(path).into());
    };
    output::line(&format!("# translated from {}\n{}", path.display(), text.trim_end()))?;
    for finding in &findings {
        output::note(&format!("{}: {finding}", path.display()));
    }
    if findings.is_empty() { Ok(()) } else { Err(MovingError::Findings(findings.len()).into()) }
}
