//! Where a request ends: the protocol has no framing, so that only its JSON tells.
//!
//! A [`Scanner`] is fed what comes, in pieces of any size, and looks at each byte once. It proves nothing but balance:
//! the fields are read, within the same bounds, once the request is whole.

use crate::request::{MAX_DEPTH, MAX_REQUEST_BYTES};
use crate::table::{Command, Needs};

/// What a client says before it hangs up.
pub(crate) const CLOSE: &[u8] = b"close";
/// No command's name is as long.
const MAX_COMMAND_BYTES: usize = 64;
/// The digits of a token, which stand alone.
const PROOF_BYTES: usize = 32;

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It has not ended.
    More,
    /// It may have ended: if nothing follows at once, it has.
    Perhaps,
    /// It has ended after so many bytes.
    Whole(usize),
    /// It is no request, whatever follows.
    Broken(Flaw),
}

/// Why a text is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// No command is as long.
    #[error("the command does not end")]
    Command,
    /// The data is not JSON.
    #[error("invalid JSON at byte {at}")]
    Json {
        /// Offset in the request.
        at: usize,
    },
    /// The data is nested too deep.
    #[error("invalid JSON at byte {at}: nesting is too deep")]
    Deep {
        /// Offset in the request.
        at: usize,
    },
    /// It has more bytes than a request may have.
    #[error("the request has more than {MAX_REQUEST_BYTES} bytes")]
    Large,
}

/// What stands where the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Command,
    /// After the command's space.
    Gap,
    /// After a command whose rest is no data, and is not looked at.
    Bare,
    Value,
    /// A list was opened: a value, or its end.
    ValueOrEnd,
    Key,
    /// An object was opened: a name, or its end.
    KeyOrEnd,
    Colon,
    /// After a value.
    After,
    /// In a string.
    String {
        key: bool,
        escaped: bool,
    },
    /// In a number or a word such as `true`.
    Word,
    Whole(usize),
    Broken(Flaw),
    /// The digits of a token are awaited, and nothing else.
    Proof,
}

/// Finds the end of one request.
#[derive(Debug)]
pub struct Scanner {
    at: At,
    seen: usize,
    command: Vec<u8>,
    /// What is open, a bit each, the innermost lowest: 1 an object, 0 a list.
    open: u64,
    depth: usize,
}

impl Scanner {
    /// Of a request.
    pub fn new() -> Self {
        Self { at: At::Command, seen: 0, command: Vec::new(), open: 0, depth: 0 }
    }

    /// Of the second step of `authorize`.
    pub fn of_proof() -> Self {
        Self { at: At::Proof, ..Self::new() }
    }

    /// Takes what came.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        for byte in bytes {
            if matches!(self.at, At::Whole(_) | At::Broken(_)) {
                break;
            }
            self.step(*byte);
            self.seen += 1;
            if self.seen >= MAX_REQUEST_BYTES && !matches!(self.at, At::Whole(_)) {
                self.at = At::Broken(Flaw::Large);
            }
        }
        self.progress()
    }

    fn progress(&self) -> Progress {
        match self.at {
            At::Whole(length) => Progress::Whole(length),
            At::Broken(flaw) => Progress::Broken(flaw),
            At::Command if self.is_done() => Progress::Whole(self.seen),
            At::Bare => Progress::Whole(self.seen),
            At::Command | At::Gap | At::Proof => Progress::Perhaps,
            _ => Progress::More,
        }
    }

    /// Whether a command without a space after it says all that it has to say.
    fn is_done(&self) -> bool {
        if self.command == CLOSE {
            return true;
        }
        match std::str::from_utf8(&self.command).ok().and_then(Command::find) {
            Some(command) => matches!(command.needs(), Needs::Nothing | Needs::Perhaps),
            None => !Command::is_begun_by(&self.command) && !CLOSE.starts_with(&self.command),
        }
    }

    fn step(&mut self, byte: u8) {
        let blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.at = match (self.at, byte) {
            (At::Command, b' ') => At::Gap,
            (At::Command, _) if self.command.len() >= MAX_COMMAND_BYTES => At::Broken(Flaw::Command),
            (At::Command, _) => {
                self.command.push(byte);
                At::Command
            }
            (At::Gap, b'{' | b'[') => self.enter(byte),
            (At::Gap, _) if !blank => At::Bare,
            (At::String { key, escaped: true }, _) => At::String { key, escaped: false },
            (At::String { key, .. }, b'\\') => At::String { key, escaped: true },
            (At::String { key, .. }, b'"') => {
                if key {
                    At::Colon
                } else {
                    At::After
                }
            }
            (At::String { .. }, 0..0x20) => self.broken(),
            (At::Word, b',' | b'}' | b']') => self.after(byte),
            (At::Word, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.') => At::Word,
            (At::Word, _) if blank => At::After,
            (At::Proof, _) if self.seen + 1 >= PROOF_BYTES => At::Whole(self.seen + 1),
            (At::Gap | At::Bare | At::String { .. } | At::Proof, _) => self.at,
            (_, _) if blank => self.at,
            (At::Value | At::ValueOrEnd, b'{' | b'[') => self.enter(byte),
            (At::Value | At::ValueOrEnd, b'"') => At::String { key: false, escaped: false },
            (At::Value | At::ValueOrEnd, b'0'..=b'9' | b'-' | b't' | b'f' | b'n') => At::Word,
            (At::ValueOrEnd, b']') | (At::KeyOrEnd, b'}') | (At::After, b',' | b'}' | b']') => {
                self.after(byte)
            }
            (At::Key | At::KeyOrEnd, b'"') => At::String { key: true, escaped: false },
            (At::Colon, b':') => At::Value,
            (_, _) => self.broken(),
        };
    }

    fn broken(&self) -> At {
        At::Broken(Flaw::Json { at: self.seen })
    }

    fn enter(&mut self, byte: u8) -> At {
        if self.depth >= MAX_DEPTH {
            return At::Broken(Flaw::Deep { at: self.seen });
        }
        let object = byte == b'{';
        self.depth += 1;
        self.open = self.open << 1 | u64::from(object);
        if object { At::KeyOrEnd } else { At::ValueOrEnd }
    }

    /// A comma after a value, or the end of what is open.
    fn after(&mut self, byte: u8) -> At {
        let object = self.open & 1 == 1;
        match (byte, object) {
            (b',', true) => At::Key,
            (b',', false) => At::Value,
            (b'}', true) | (b']', false) => {
                self.depth -= 1;
                self.open >>= 1;
                if self.depth == 0 { At::Whole(self.seen + 1) } else { At::After }
            }
            _ => self.broken(),
        }
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &[u8]) -> Progress {
        let whole = Scanner::new().push(text);
        let mut bytewise = Scanner::new();
        let mut last = Progress::Perhaps;
        for byte in text {
            last = bytewise.push(std::slice::from_ref(byte));
        }
        if !text.is_empty() {
            assert_eq!(whole, last, "{}", String::from_utf8_lossy(text));
        }
        whole
    }

    #[test]
    fn a_request_is_whole_when_its_object_is() {
        for text in [
            "unlock {}",
            "unlock {\"a\": 1}",
            "unlock  {\"a\": [1, {\"b\": \"}\\\"]\"}, true, null, -1.5e3], \"c\": {}}",
            "unlock [1, 2]",
            "unlock {\"\\u007d\": \"\\\\\"}",
        ] {
            assert_eq!(judged(text.as_bytes()), Progress::Whole(text.len()), "{text}");
            for cut in text.find(['{', '[']).unwrap() + 1..text.len() {
                assert_eq!(judged(&text.as_bytes()[..cut]), Progress::More, "{}", &text[..cut]);
            }
        }
        assert_eq!(judged(b"unlock {} {}"), Progress::Whole(9), "what follows is another matter");
    }

    #[test]
    fn what_cannot_become_json_is_found_at_once() {
        for text in [
            "status {bad",
            "status {\"a\" 1",
            "status [}",
            "status {]",
            "status {\"a\": x",
            "status {,",
            "status {\"a\n",
        ] {
            let Progress::Broken(Flaw::Json { at }) = judged(text.as_bytes()) else { panic!("{text}") };
            assert_eq!(at, text.len() - if text == "status {bad" { 3 } else { 1 }, "{text}");
        }
        let deep = format!("status {}", "[".repeat(MAX_DEPTH + 1));
        assert_eq!(judged(deep.as_bytes()), Progress::Broken(Flaw::Deep { at: 7 + MAX_DEPTH }));
    }

    #[test]
    fn a_command_alone_is_whole_unless_it_may_go_on() {
        for text in ["status", "close", "nonsense", "status\n", "\n", "command_list", "status x", "\u{e9}"] {
            assert_eq!(judged(text.as_bytes()), Progress::Whole(text.len()), "{text:?}");
        }
        for text in ["", "stat", "clo", "unlock", "get_secret", "get_secret ", "status "] {
            assert_eq!(judged(text.as_bytes()), Progress::Perhaps, "{text:?}");
        }
    }

    #[test]
    fn no_request_is_larger_than_it_may_be() {
        let long = format!("status {{\"a\": \"{}", "x".repeat(MAX_REQUEST_BYTES));
        assert_eq!(Scanner::new().push(long.as_bytes()), Progress::Broken(Flaw::Large));
        let most = format!("status {{\"a\": \"{}\"}}", "x".repeat(MAX_REQUEST_BYTES - 16));
        assert_eq!(Scanner::new().push(most.as_bytes()), Progress::Whole(MAX_REQUEST_BYTES));
        assert_eq!(judged(&[b'A'; 100]), Progress::Broken(Flaw::Command));
    }

    #[test]
    fn a_proof_has_its_length() {
        assert_eq!(Scanner::of_proof().push(&[b'a'; 32]), Progress::Whole(32));
        assert_eq!(Scanner::of_proof().push(&[b'a'; 31]), Progress::Perhaps);
        assert_eq!(Scanner::of_proof().push(&[b'a'; 40]), Progress::Whole(32));
    }
}
