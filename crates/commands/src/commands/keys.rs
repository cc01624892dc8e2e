//! Unlock keys: where they come from, and how new ones are shown.

use crate::args::KeyFileArgs;
use crate::error::{CliError, UsageError};
use crate::output;
use crate::{prompt, state};
use std::io::Read as _;
use std::path::Path;
use strongroom_api::NewUnlockKeys;
use strongroom_secret::SecretBytes;

/// The largest file of unlock keys, in bytes.
const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

/// Where unlock keys come from.
pub(super) enum Source {
    /// Lines of a file, last first.
    Lines(Vec<SecretBytes>),
    /// A person.
    Person,
}

impl Source {
    /// A file, standard input, or a person, if there is one.
    pub(super) fn open(args: &KeyFileArgs) -> Result<Self, CliError> {
        if !args.stray.is_empty() {
            return Err(UsageError::KeyInArgv.into());
        }
        match &args.key_file {
            Some(path) if path == Path::new("-") => Ok(Self::Lines(lines(&read_stdin()?))),
            Some(path) => Ok(Self::Lines(lines(&state::read_private(path)?))),
            None if prompt::somebody_there() => Ok(Self::Person),
            None => Err(UsageError::NobodyToAsk {
                what: "an unlock key",
                instead: "--key-file FILE, or --key-file - for standard input",
            }
            .into()),
        }
    }

    /// Whether a person can be asked once more.
    pub(super) fn is_person(&self) -> bool {
        matches!(self, Self::Person)
    }

    /// The next key, if there is one.
    pub(super) fn next(&mut self, question: &str) -> Result<Option<SecretBytes>, CliError> {
        match self {
            Self::Lines(lines) => Ok(lines.pop()),
            Self::Person => Ok(Some(state::trimmed(&prompt::secret(question)?))),
        }
    }

    /// Hides what a person types ahead while several keys are asked for.
    pub(super) fn hush(&self) -> Result<Option<prompt::Quiet>, CliError> {
        Ok(if self.is_person() { Some(prompt::Quiet::begin()?) } else { None })
    }

    /// A threshold of keys at once.
    pub(super) fn threshold(&mut self, need: u8, which: &str) -> Result<WipedTexts, CliError> {
        let _hush = self.hush()?;
        let mut keys = WipedTexts(Vec::with_capacity(usize::from(need)));
        for have in 0..need {
            let question = format!("{which} {} of {need}: ", have + 1);
            let Some(key) = self.next(&question)? else { return Err(CliError::TooFewKeys { have, need }) };
            keys.0.push(key_text(&key));
        }
        Ok(keys)
    }

    /// As many keys as there are; of a person, until an empty line.
    pub(super) fn all(&mut self, question: &str) -> Result<WipedTexts, CliError> {
        let _hush = self.hush()?;
        let mut keys = WipedTexts(Vec::with_capacity(usize::from(u8::MAX)));
        while let Some(key) = self.next(question)?.filter(|key| !key.is_empty()) {
            keys.0.push(key_text(&key));
        }
        if keys.0.is_empty() {
            return Err(CliError::TooFewKeys { have: 0, need: 1 });
        }
        Ok(keys)
    }
}

/// The one key that a file or standard input begins with.
pub(super) fn one_key(path: &Path) -> Result<SecretBytes, CliError> {
    let keys = KeyFileArgs { key_file: Some(path.to_owned()), stray: Vec::new() };
    Ok(Source::open(&keys)?.next("")?.unwrap_or_default())
}

/// Texts that are wiped when they are no longer needed.
pub(super) struct WipedTexts(pub(super) Vec<String>);

impl Drop for WipedTexts {
    fn drop(&mut self) {
        strongroom_secret::wipe(&mut self.0);
    }
}

/// A key as the text that goes on the wire; what is no text is no key either, and the server says so.
pub(super) fn key_text(key: &SecretBytes) -> String {
    key.expose(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn read_stdin() -> Result<SecretBytes, CliError> {
    let mut bytes = Vec::with_capacity(4_096);
    let read = std::io::stdin().take(MAX_KEY_FILE_BYTES).read_to_end(&mut bytes);
    let secret = SecretBytes::new(bytes);
    read.map(|_| secret).map_err(CliError::Input)
}

/// Lines with something on them, last first, so that they can be popped.
fn lines(text: &SecretBytes) -> Vec<SecretBytes> {
    text.expose(|bytes| {
        let lines =
            bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        lines.rev().map(|line| SecretBytes::new(line.to_vec())).collect()
    })
}

/// Shows new unlock keys, this once.
pub(super) fn show(keys: &NewUnlockKeys) -> Result<(), CliError> {
    output::line("Unlock keys, shown this once:")?;
    output::line("")?;
    for (number, key) in keys.unlock_keys.iter().enumerate() {
        output::line(&format!("  {}: {key}", number + 1))?;
    }
    output::line("")?;
    let together = match keys.threshold {
        1 => "Any one of them unlocks the server and opens everything in it.".to_owned(),
        k => format!("Any {k} of them together unlock the server and open everything in it."),
    };
    output::line(&together)?;
    output::line("  - Lose all of them and everything in the server is lost for ever: nobody can help.")?;
    output::line("  - Whoever has enough of them and the data has everything.")?;
    output::line("  - Keep them apart from each other and from the server, and never in a shell's history.")?;
    for warning in &keys.warnings {
        output::line(&format!("  - {warning}"))?;
    }
    output::line("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &[u8]) -> Source {
        Source::Lines(lines(&SecretBytes::new(text.to_vec())))
    }

    #[test]
    fn a_file_holds_a_key_a_line() {
        let mut keys = source(b"one\r\n\n  two \nthree");
        assert_eq!(keys.threshold(3, "Key").unwrap().0, ["one", "two", "three"]);
        assert!(keys.next("").unwrap().is_none());
    }

    #[test]
    fn too_few_keys_are_said_to_be_too_few() {
        let error = source(b"one\n").threshold(2, "Key").err().unwrap();
        assert_eq!(error.to_string(), "1 of 2 unlock keys accepted; more are needed");
    }
}
