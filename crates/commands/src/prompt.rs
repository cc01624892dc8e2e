//! Questions to a person at a terminal. What is secret is not echoed, and its buffer is wiped.

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use std::io::{self, IsTerminal as _, Write as _};
use strongroom_secret::SecretBytes;

/// The longest answer in bytes; also what is set aside for one, so that it never moves in memory.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PromptError {
    /// The terminal fails.
    #[error("terminal: {0}")]
    Terminal(#[from] io::Error),
    /// A person gave up, or the input ended.
    #[error("interrupted")]
    Interrupted,
    /// Too long to be typed.
    #[error("the answer is too long; give it as a file")]
    TooLong,
}

/// Whether there is somebody to ask.
pub(crate) fn somebody_there() -> bool {
    io::stdin().is_terminal()
}

/// Asks for something secret: a line, not echoed.
pub(crate) fn secret(question: &str) -> Result<SecretBytes, PromptError> {
    // before the question is there, so that a quick answer is not shown either
    let quiet = Quiet::begin()?;
    ask(question)?;
    let answer = read_answer(&mut next_byte);
    ask("\n")?;
    drop(quiet);
    answer
}

/// Asks for a word, and says whether it was given.
pub(crate) fn confirmed(question: &str, word: &str) -> Result<bool, PromptError> {
    ask(question)?;
    let answer = read_answer(&mut next_byte)?;
    Ok(answer.expose(|bytes| bytes.trim_ascii() == word.as_bytes()))
}

/// Asks for a line of text.
pub(crate) fn line(question: &str) -> Result<String, PromptError> {
    ask(question)?;
    let answer = read_answer(&mut next_byte)?;
    Ok(answer.expose(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

fn ask(text: &str) -> Result<(), PromptError> {
    let mut out = io::stderr().lock();
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
}

/// A byte of standard input, past the standard library's buffer, which is never wiped.
fn next_byte() -> io::Result<Option<u8>> {
    let mut byte = [0];
    let got = rustix::io::retry_on_intr(|| rustix::io::read(rustix::stdio::stdin(), &mut byte))?;
    let [byte] = byte;
    Ok((got == 1).then_some(byte))
}

/// No echo, a byte at a time, and Ctrl-C as a byte: so that the terminal is always put back. Held over several
/// questions, it hides what is typed ahead.
pub(crate) struct Quiet(Termios);

impl Quiet {
    /// Begins; ends when dropped.
    pub(crate) fn begin() -> Result<Self, PromptError> {
        let stdin = rustix::stdio::stdin();
        let before = rustix::termios::tcgetattr(stdin).map_err(io::Error::from)?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        rustix::termios::tcsetattr(stdin, OptionalActions::Now, &quiet).map_err(io::Error::from)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // if the terminal is gone, there is nothing to put back
        let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Reads a line with the keys that a terminal driver would have handled.
fn read_answer(next: &mut dyn FnMut() -> io::Result<Option<u8>>) -> Result<SecretBytes, PromptError> {
    let mut answer = Vec::with_capacity(MAX_ANSWER_BYTES);
    let end = loop {
        match next() {
            Ok(Some(b'\r' | b'\n')) => break Ok(()),
            Ok(Some(0x04) | None) => {
                break if answer.is_empty() { Err(PromptError::Interrupted) } else { Ok(()) };
            }
            Ok(Some(0x08 | 0x7f)) => remove_character(&mut answer),
            Ok(Some(0x15)) => answer.clear(),
            Ok(Some(0x03)) => break Err(PromptError::Interrupted),
            Ok(Some(_)) if answer.len() == MAX_ANSWER_BYTES => break Err(PromptError::TooLong),
            Ok(Some(byte)) => answer.push(byte),
            Err(error) => break Err(error.into()),
        }
    };
    // wiped also when there was an error
    let answer = SecretBytes::new(answer);
    end.map(|()| answer)
}

/// Removes the last character, however many bytes it has.
fn remove_character(answer: &mut Vec<u8>) {
    while let Some(byte) = answer.pop() {
        if byte & 0xc0 != 0x80 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut bytes = bytes.iter().copied();
        read_answer(&mut || Ok(bytes.next()))
            .map(|answer| answer.expose(<[u8]>::to_vec))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_ends_the_answer() {
        assert_eq!(typed(b"abc\ndef"), Ok(b"abc".to_vec()));
        assert_eq!(typed(b"abc\r"), Ok(b"abc".to_vec()));
        assert_eq!(typed(b"\n"), Ok(Vec::new()));
    }

    #[test]
    fn backspace_takes_a_whole_character() {
        assert_eq!(typed("aö\u{7f}b\n".as_bytes()), Ok(b"ab".to_vec()));
        assert_eq!(typed(b"\x7f\x7fa\n"), Ok(b"a".to_vec()));
        assert_eq!(typed(b"wrong\x15right\n"), Ok(b"right".to_vec()));
    }

    #[test]
    fn giving_up_is_not_an_empty_answer() {
        assert_eq!(typed(b"ab\x03"), Err("interrupted".to_owned()));
        assert_eq!(typed(b""), Err("interrupted".to_owned()));
        assert_eq!(typed(b"\x04"), Err("interrupted".to_owned()));
    }

    #[test]
    fn an_endless_answer_is_cut_off() {
        assert!(typed(&vec![b'a'; MAX_ANSWER_BYTES + 1]).is_err());
    }
}
