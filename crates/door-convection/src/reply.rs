//! A reply: one JSON object in the style of Python's `json.dumps`, whose last member is `result`.

use crate::fault::Fault;
use crate::wiped::append;
use serde_json::Value;
use strongroom_secret::SecretBytes;
use zeroize::Zeroizing;

/// What every command answers.
pub(crate) type Answered = Result<Reply, Fault>;

const HEX: &[u8; 16] = b"0123456789abcdef";
/// The member that says how it went.
const RESULT: &str = "result";

/// A success, with its members and messages.
#[derive(Default)]
pub(crate) struct Reply {
    /// Each member's name and its value as JSON text.
    members: Vec<(String, Zeroizing<String>)>,
    messages: Vec<String>,
}

impl Reply {
    /// A success that says nothing.
    pub(crate) fn done() -> Self {
        Self::default()
    }

    /// A success with one message.
    pub(crate) fn saying(message: impl Into<String>) -> Self {
        Self::done().message(message)
    }

    /// The same with one more message.
    #[must_use]
    pub(crate) fn message(mut self, message: impl Into<String>) -> Self {
        self.messages.push(message.into());
        self
    }

    /// The same with one more member. Nothing that somebody has named takes the place of the result.
    #[must_use]
    pub(crate) fn with(self, name: &str, value: impl Into<Value>) -> Self {
        let text = value.into().to_string();
        self.member(name, text)
    }

    /// The same with a member whose value is this JSON text, exactly as it was accepted.
    #[must_use]
    pub(crate) fn with_text(self, name: &str, json: &str) -> Self {
        self.member(name, json.to_owned())
    }

    /// The same with a list of unlock keys, whose letters and digits need no escape.
    #[must_use]
    pub(crate) fn with_keys(self, name: &str, keys: &[SecretBytes]) -> Self {
        let room = keys.iter().map(|key| key.len() + 3).sum::<usize>() + 2;
        let mut text = String::with_capacity(room);
        for key in keys {
            text.push_str(if text.is_empty() { "[\"" } else { "\",\"" });
            key.expose(|bytes| text.extend(bytes.iter().copied().map(char::from)));
        }
        text.push_str(if text.is_empty() { "[]" } else { "\"]" });
        self.member(name, text)
    }

    fn member(mut self, name: &str, text: String) -> Self {
        let name = if name == RESULT { "result_".to_owned() } else { name.to_owned() };
        self.members.push((name, Zeroizing::new(text)));
        self
    }
}

// members bear secrets
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({:?})", self.messages)
    }
}

/// An answer as it goes out.
pub(crate) fn encode(answered: &Answered) -> Zeroizing<Vec<u8>> {
    let (members, state, messages) = match answered {
        Ok(reply) => (reply.members.as_slice(), true, &reply.messages),
        Err(fault) => (&[][..], false, &fault.0),
    };
    let room = members.iter().map(|(name, text)| name.len() + text.len() + 16).sum::<usize>();
    let mut out = Zeroizing::new(Vec::with_capacity(room + 256));
    append(&mut out, b"{");
    for (name, text) in members {
        styled(&Value::from(name.as_str()).to_string(), &mut out);
        append(&mut out, b": ");
        styled(text, &mut out);
        append(&mut out, b", ");
    }
    append(&mut out, b"\"result\": {\"state\": ");
    append(&mut out, if state { b"true" } else { b"false" });
    append(&mut out, b", \"messages\": ");
    styled(&Value::from(messages.as_slice()).to_string(), &mut out);
    append(&mut out, b"}}");
    out
}

/// JSON that is valid, with a space after each comma and colon, none elsewhere, and nothing but ASCII.
fn styled(json: &str, out: &mut Zeroizing<Vec<u8>>) {
    let (mut within, mut escaped) = (false, false);
    for c in json.chars() {
        if within {
            (within, escaped) = (escaped || c != '"', !escaped && c == '\\');
            push_ascii(c, out);
        } else {
            match c {
                ' ' | '\t' | '\r' | '\n' => {}
                ',' => append(out, b", "),
                ':' => append(out, b": "),
                _ => {
                    within = c == '"';
                    push_ascii(c, out);
                }
            }
        }
    }
}

fn push_ascii(c: char, out: &mut Zeroizing<Vec<u8>>) {
    if let Ok(byte) = u8::try_from(c)
        && byte.is_ascii()
        && byte != 0x7f
    {
        return append(out, &[byte]);
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        append(out, b"\\u");
        for shift in [12, 8, 4, 0] {
            let digit = HEX.get(usize::from((*unit >> shift) & 15));
            append(out, digit.map(std::slice::from_ref).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(answered: &Answered) -> String {
        String::from_utf8(encode(answered).to_vec()).unwrap()
    }

    #[test]
    fn a_success_ends_with_its_result() {
        let reply = Reply::saying("Auth Initiated").with("users", json!(["root", "ada"]));
        let expected =
            r#"{"users": ["root", "ada"], "result": {"state": true, "messages": ["Auth Initiated"]}}"#;
        assert_eq!(text(&Ok(reply)), expected);
        assert_eq!(text(&Ok(Reply::done())), r#"{"result": {"state": true, "messages": []}}"#);
    }

    #[test]
    fn a_failure_has_nothing_but_its_result() {
        let expected = r#"{"result": {"state": false, "messages": ["Exception", "KeyError", "'a'"]}}"#;
        assert_eq!(text(&Err(Fault::missing("a"))), expected);
        assert_eq!(text(&Err(Fault::soft())), r#"{"result": {"state": false, "messages": []}}"#);
    }

    #[test]
    fn a_value_keeps_its_digits_and_goes_out_in_ascii() {
        let value = "{ \"n\" : 1.50 ,\"s\":\"a, b: \\\" \u{e9}\u{1f511}\\\\\" }";
        let sent = text(&Ok(Reply::done().with_text("secret", value)));
        assert!(
            sent.starts_with(r#"{"secret": {"n": 1.50, "s": "a, b: \" \u00e9\ud83d\udd11\\"}, "result""#),
            "{sent}"
        );
        assert!(sent.is_ascii());
        let read: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!(read["secret"]["s"], "a, b: \" \u{e9}\u{1f511}\\");
    }

    #[test]
    fn unlock_keys_are_a_list_of_texts() {
        let keys = ["sruk1-a", "sruk1-b"].map(|key| SecretBytes::new(key.as_bytes().to_vec()));
        let sent = text(&Ok(Reply::done().with_keys("keys", &keys)));
        assert!(sent.starts_with(r#"{"keys": ["sruk1-a", "sruk1-b"], "#), "{sent}");
        assert!(text(&Ok(Reply::done().with_keys("keys", &[]))).starts_with(r#"{"keys": [], "#));
    }

    #[test]
    fn nothing_named_result_takes_the_place_of_the_result() {
        let sent = text(&Ok(Reply::done().with("result", "mine")));
        let read: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!(read["result"]["state"], true);
    }
}
