//! A reply: one JSON object in the style of Python's `json.dumps`, whose last member is `result`.

use crate::fault::Fault;
use serde_json::Value;
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
pub(crate) fn encode(answered: &Answered) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.push(b'{');
    let (members, state, messages) = match answered {
        Ok(reply) => (reply.members.as_slice(), true, &reply.messages),
        Err(fault) => (&[][..], false, &fault.0),
    };
    for (name, text) in members {
        styled(&Value::from(name.as_str()).to_string(), &mut out);
        out.extend_from_slice(b": ");
        styled(text, &mut out);
        out.extend_from_slice(b", ");
    }
    out.extend_from_slice(b"\"result\": {\"state\": ");
    out.extend_from_slice(if state { b"true" } else { b"false" });
    out.extend_from_slice(b", \"messages\": ");
    styled(&Value::from(messages.as_slice()).to_string(), &mut out);
    out.extend_from_slice(b"}}");
    out
}

/// JSON that is valid, with a space after each comma and colon, none elsewhere, and nothing but ASCII.
fn styled(json: &str, out: &mut Vec<u8>) {
    let (mut within, mut escaped) = (false, false);
    for c in json.chars() {
        if within {
            (within, escaped) = (escaped || c != '"', !escaped && c == '\\');
            push_ascii(c, out);
        } else {
            match c {
                ' ' | '\t' | '\r' | '\n' => {}
                ',' => out.extend_from_slice(b", "),
                ':' => out.extend_from_slice(b": "),
                _ => {
                    within = c == '"';
                    push_ascii(c, out);
                }
            }
        }
    }
}

fn push_ascii(c: char, out: &mut Vec<u8>) {
    if let Ok(byte) = u8::try_from(c)
        && byte.is_ascii()
        && byte != 0x7f
    {
        out.push(byte);
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.extend_from_slice(b"\\u");
        out.extend([12, 8, 4, 0].iter().filter_map(|shift| HEX.get(usize::from((*unit >> shift) & 15))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(answered: &Answered) -> String {
        String::from_utf8(encode(answered)).unwrap()
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
    fn nothing_named_result_takes_the_place_of_the_result() {
        let sent = text(&Ok(Reply::done().with("result", "mine")));
        let read: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!(read["result"]["state"], true);
    }
}
