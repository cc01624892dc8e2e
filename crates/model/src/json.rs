//! One bounded scan of a JSON text (RFC 8259): UTF-8, size, depth, no duplicate keys. The text itself is kept.

use std::collections::HashSet;

/// Bounds of a scan.
#[derive(Debug, Clone, Copy)]
pub struct JsonLimits {
    /// Most bytes.
    pub bytes: usize,
    /// Deepest nesting of arrays and objects.
    pub depth: usize,
}

impl JsonLimits {
    /// For a secret's value: 1 MiB, 64 levels.
    pub const VALUE: Self = Self { bytes: crate::MAX_VALUE_BYTES, depth: 64 };
}

/// What is wrong with a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// More bytes than allowed.
    #[error("text is too long")]
    TooLong,
    /// Nested deeper than allowed.
    #[error("nesting is too deep")]
    TooDeep,
    /// Not UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// The text ends inside a value.
    #[error("text ends too early")]
    Truncated,
    /// A byte that cannot stand here.
    #[error("unexpected byte")]
    Unexpected,
    /// Something after the value.
    #[error("something follows the value")]
    Trailing,
    /// A key that the same object already has.
    #[error("duplicate key")]
    DuplicateKey,
    /// A number that is not one.
    #[error("malformed number")]
    Number,
    /// An escape that is not one, or half of a surrogate pair.
    #[error("malformed escape")]
    Escape,
    /// A raw control character inside a string.
    #[error("control character in a string")]
    Control,
}

/// What is wrong, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON at byte {at}: {fault}")]
pub struct JsonError {
    /// Offset in bytes.
    pub at: usize,
    /// What is wrong there.
    pub fault: JsonFault,
}

/// A JSON text that was scanned: exactly the bytes that came in, white space around the value removed.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(Box<str>);

impl JsonText {
    /// Scans a text and keeps it.
    pub fn new(bytes: &[u8], limits: JsonLimits) -> Result<Self, JsonError> {
        let text = scan(bytes, limits)?;
        Ok(Self(text.trim_matches([' ', '\t', '\n', '\r']).into()))
    }

    /// An object without members.
    pub fn empty_object() -> Self {
        Self("{}".into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// a value is a secret
impl std::fmt::Debug for JsonText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JsonText")
    }
}

/// How many bytes from the front stand for themselves inside a string; eight are looked at together.
fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const TOPS: u64 = ONES << 7;
    // a byte's top bit is set if the byte is less than `than`; exact up to the first such byte, which is the one asked for
    let less = |word: u64, than: u64| word.wrapping_sub(ONES * than) & !word & TOPS;
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let ends = less(word ^ (ONES * u64::from(b'"')), 1)
            | less(word ^ (ONES * u64::from(b'\\')), 1)
            | less(word, 0x20);
        if ends != 0 {
            return at * 8 + ends.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| **byte != b'"' && **byte != b'\\' && **byte >= 0x20;
    words.len() * 8 + rest.iter().take_while(is_plain).count()
}

/// Scans a text; gives it back as `str`.
pub fn scan(bytes: &[u8], limits: JsonLimits) -> Result<&str, JsonError> {
    if bytes.len() > limits.bytes {
        return Err(JsonError { at: limits.bytes, fault: JsonFault::TooLong });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| JsonError { at: error.valid_up_to(), fault: JsonFault::NotUtf8 })?;
    let mut scanner = Scanner { text, bytes, at: 0, depth_limit: limits.depth, open: Vec::new() };
    scanner.document()?;
    Ok(text)
}

/// An open array or object.
enum Open<'a> {
    Array,
    Object(Keys<'a>),
}

/// Keys seen in an object: a short list is searched, a long one hashed.
#[derive(Default)]
struct Keys<'a> {
    few: Vec<std::borrow::Cow<'a, str>>,
    many: HashSet<std::borrow::Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    const FEW: usize = 8;

    /// Adds a key; false if it was there.
    fn add(&mut self, key: std::borrow::Cow<'a, str>) -> bool {
        if !self.many.is_empty() {
            return self.many.insert(key);
        }
        if self.few.contains(&key) {
            return false;
        }
        self.few.push(key);
        if self.few.len() > Self::FEW {
            self.many.extend(self.few.drain(..));
        }
        true
    }
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth_limit: usize,
    open: Vec<Open<'a>>,
}

type Step = Result<(), JsonError>;

impl<'a> Scanner<'a> {
    fn document(&mut self) -> Step {
        self.space();
        self.value()?;
        while !self.open.is_empty() {
            self.next_member()?;
        }
        self.space();
        if self.at < self.bytes.len() { self.fail(JsonFault::Trailing) } else { Ok(()) }
    }

    /// After a value inside an array or object: a comma and the next value, or the end.
    fn next_member(&mut self) -> Step {
        self.space();
        let end = if matches!(self.open.last(), Some(Open::Object(_))) { b'}' } else { b']' };
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.space();
                self.member()
            }
            Some(byte) if byte == end => {
                self.at += 1;
                self.open.pop();
                Ok(())
            }
            _ => self.unexpected(),
        }
    }

    /// A key and its value, or an element.
    fn member(&mut self) -> Step {
        if !matches!(self.open.last(), Some(Open::Object(_))) {
            return self.value();
        }
        let start = self.at;
        if self.peek() != Some(b'"') {
            return self.unexpected();
        }
        let key = self.string()?;
        if let Some(Open::Object(keys)) = self.open.last_mut()
            && !keys.add(key)
        {
            return Err(JsonError { at: start, fault: JsonFault::DuplicateKey });
        }
        self.space();
        if self.peek() != Some(b':') {
            return self.unexpected();
        }
        self.at += 1;
        self.space();
        self.value()
    }

    /// A scalar whole, or the beginning of an array or object with its first member.
    fn value(&mut self) -> Step {
        match self.peek() {
            Some(b'{') => self.begin(Open::Object(Keys::default()), b'}'),
            Some(b'[') => self.begin(Open::Array, b']'),
            Some(b'"') => self.string().map(|_| ()),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.unexpected(),
        }
    }

    fn begin(&mut self, open: Open<'a>, end: u8) -> Step {
        if self.open.len() >= self.depth_limit {
            return self.fail(JsonFault::TooDeep);
        }
        self.at += 1;
        self.space();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(());
        }
        self.open.push(open);
        // recursion is bounded by the depth limit: a first member may itself begin a container
        self.member()
    }

    fn literal(&mut self, word: &str) -> Step {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return self.unexpected();
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Step {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'0'..=b'9')) { self.fail(JsonFault::Number) } else { Ok(()) }
    }

    fn digits(&mut self) -> Step {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.peek() {
            _ if self.at > start => Ok(()),
            None => self.fail(JsonFault::Truncated),
            Some(_) => self.fail(JsonFault::Number),
        }
    }

    /// A string; its text with escapes resolved.
    fn string(&mut self) -> Result<std::borrow::Cow<'a, str>, JsonError> {
        self.at += 1;
        let start = self.at;
        let mut decoded: Option<String> = None;
        loop {
            let run = self.at;
            self.at += plain_run(self.bytes.get(run..).unwrap_or_default());
            let plain = self.text.get(run..self.at).unwrap_or_default();
            if let Some(text) = &mut decoded {
                text.push_str(plain);
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    let whole = self.text.get(start..self.at - 1).unwrap_or_default();
                    return Ok(decoded.map_or(std::borrow::Cow::Borrowed(whole), std::borrow::Cow::Owned));
                }
                Some(b'\\') => {
                    let so_far = self.text.get(start..self.at).unwrap_or_default();
                    let text = decoded.get_or_insert_with(|| so_far.to_owned());
                    let character = Self::escape(self.bytes, &mut self.at)?;
                    text.push(character);
                }
                Some(_) => return Err(JsonError { at: self.at, fault: JsonFault::Control }),
                None => return Err(JsonError { at: self.at, fault: JsonFault::Truncated }),
            }
        }
    }

    fn escape(bytes: &[u8], at: &mut usize) -> Result<char, JsonError> {
        let start = *at;
        let wrong = JsonError { at: start, fault: JsonFault::Escape };
        let letter =
            *bytes.get(start + 1).ok_or(JsonError { at: bytes.len(), fault: JsonFault::Truncated })?;
        *at += 2;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = hex4(bytes, at)?;
                if !(0xd800..0xe000).contains(&first) {
                    return char::from_u32(first).ok_or(wrong);
                }
                if first >= 0xdc00 || bytes.get(*at..*at + 2) != Some(b"\\u".as_slice()) {
                    return Err(wrong);
                }
                *at += 2;
                let second = hex4(bytes, at)?;
                if !(0xdc00..0xe000).contains(&second) {
                    return Err(wrong);
                }
                char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(wrong)?
            }
            _ => return Err(wrong),
        })
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn unexpected(&self) -> Step {
        self.fail(if self.peek().is_none() { JsonFault::Truncated } else { JsonFault::Unexpected })
    }

    fn fail(&self, fault: JsonFault) -> Step {
        Err(JsonError { at: self.at, fault })
    }
}

fn hex4(bytes: &[u8], at: &mut usize) -> Result<u32, JsonError> {
    let digits = bytes.get(*at..*at + 4).ok_or(JsonError { at: bytes.len(), fault: JsonFault::Truncated })?;
    let mut code = 0;
    for digit in digits {
        let value = char::from(*digit).to_digit(16).ok_or(JsonError { at: *at, fault: JsonFault::Escape })?;
        code = code * 16 + value;
    }
    *at += 4;
    Ok(code)
}

#[cfg(test)]
mod tests;
