//! Writing what [`crate::read`] reads.

use crate::entry::{Value, sized};
use crate::env::{EnvError, env_name, env_text};
use crate::json::Members;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;
use strongroom_secret::SecretBytes;

/// Values that are bytes stand below this name, in base64. No secret can be called so.
pub const BYTES_KEY: &str = "//bytes";

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// Something that an environment cannot hold.
    #[error("{0}; write JSON or YAML instead")]
    Env(#[from] EnvError),
}

/// `NAME='value'` lines: names as [`env_name`] makes them, values as texts.
pub fn env_file<'a>(
    entries: impl IntoIterator<Item = (&'a str, &'a Value)>,
) -> Result<SecretBytes, ExportError> {
    let mut names: HashMap<String, &str> = HashMap::new();
    let mut lines = Vec::new();
    for (path, value) in entries {
        let name = env_name(path)?;
        if let Some(first) = names.insert(name.clone(), path) {
            let (first, second) = (first.to_owned(), path.to_owned());
            return Err(EnvError::Collision { name, first, second }.into());
        }
        lines.push((name, env_text(path, value)?));
    }
    Ok(sized(|out| {
        for (name, text) in &lines {
            text.expose(|text| put(out, &[name.as_bytes(), b"="], text));
        }
    }))
}

/// A value behind its name, quoted as little as can be read again.
fn put(out: &mut dyn Write, name: &[&[u8]], text: &[u8]) {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:@%+,-".contains(byte);
    for part in name {
        bytes(out, part);
    }
    if text.iter().all(plain) {
        bytes(out, text);
    } else if !text.contains(&b'\'') && !text.contains(&b'\r') {
        for part in [b"'", text, b"'"] {
            bytes(out, part);
        }
    } else {
        bytes(out, b"\"");
        for byte in text {
            match byte {
                b'\n' => bytes(out, b"\\n"),
                b'\r' => bytes(out, b"\\r"),
                b'\\' | b'"' | b'$' | b'`' => bytes(out, &[b'\\', *byte]),
                _ => bytes(out, &[*byte]),
            }
        }
        bytes(out, b"\"");
    }
    bytes(out, b"\n");
}

/// Into memory, where writing does not fail.
fn bytes(out: &mut dyn Write, bytes: &[u8]) {
    let _ = out.write_all(bytes);
}

/// An object, a secret a line, the values as they are.
pub fn json_file<'a>(entries: &(impl Clone + IntoIterator<Item = (&'a str, &'a Value)>)) -> SecretBytes {
    sized(|out| {
        bytes(out, b"{");
        let mut first = true;
        let mut begin = |out: &mut dyn Write, indent: &[u8]| {
            bytes(out, if std::mem::take(&mut first) { b"\n" } else { b",\n" });
            bytes(out, indent);
        };
        for (path, value) in entries.clone() {
            let Value::Json(json) = value else { continue };
            begin(out, b"  ");
            string(out, path);
            bytes(out, b": ");
            json.expose(|json| bytes(out, json));
        }
        let mut inner = true;
        for (path, value) in entries.clone() {
            let Value::Bytes(value) = value else { continue };
            if inner {
                begin(out, b"  ");
                string(out, BYTES_KEY);
                bytes(out, b": {");
            }
            bytes(out, if std::mem::take(&mut inner) { b"\n    " } else { b",\n    " });
            string(out, path);
            bytes(out, b": \"");
            base64(out, value);
            bytes(out, b"\"");
        }
        bytes(out, if inner { b"\n}\n" } else { b"\n  }\n}\n" });
    })
}

/// A mapping, a secret a line, the values as JSON, which YAML reads too.
pub fn yaml_file<'a>(entries: &(impl Clone + IntoIterator<Item = (&'a str, &'a Value)>)) -> SecretBytes {
    sized(|out| {
        let mut none = true;
        for (path, value) in entries.clone() {
            let Value::Json(json) = value else { continue };
            none = false;
            yaml_key(out, "", path);
            json.expose(|json| yaml_value(out, std::str::from_utf8(json).unwrap_or("null")));
            bytes(out, b"\n");
        }
        let mut first = true;
        for (path, value) in entries.clone() {
            let Value::Bytes(value) = value else { continue };
            none = false;
            if std::mem::take(&mut first) {
                bytes(out, b"\"//bytes\":\n");
            }
            yaml_key(out, "  ", path);
            bytes(out, b"\"");
            base64(out, value);
            bytes(out, b"\"\n");
        }
        if none {
            bytes(out, b"{}\n");
        }
    })
}

fn base64(out: &mut dyn Write, value: &SecretBytes) {
    value.expose(|value| {
        // a multiple of three, so that the pieces fit together
        for piece in value.chunks(3 * 1_024) {
            let mut text = data_encoding::BASE64.encode(piece);
            bytes(out, text.as_bytes());
            strongroom_secret::wipe(&mut text);
        }
    });
}

fn string(out: &mut dyn Write, text: &str) {
    // a text written into memory cannot fail
    let _ = serde_json::to_writer(out, text);
}

/// A key with its mark; one that is longer than YAML finds by itself is announced.
fn yaml_key(out: &mut dyn Write, indent: &str, key: &str) {
    bytes(out, indent.as_bytes());
    if key.len() > LONGEST_PLAIN_KEY {
        bytes(out, b"? ");
        yaml_string(out, key);
        bytes(out, b"\n");
        bytes(out, indent.as_bytes());
        bytes(out, b": ");
    } else {
        yaml_string(out, key);
        bytes(out, b": ");
    }
}

/// YAML allows 1,024 characters, and an escape has up to ten.
const LONGEST_PLAIN_KEY: usize = 100;

/// JSON as YAML on one line. Its nesting was bounded when it was read.
fn yaml_value(out: &mut dyn Write, json: &str) {
    match json.as_bytes().first() {
        Some(b'"') => {
            let mut text: String = serde_json::from_str(json).unwrap_or_default();
            yaml_string(out, &text);
            strongroom_secret::wipe(&mut text);
        }
        Some(b'{') => {
            bytes(out, b"{");
            let members = serde_json::from_str(json).map_or_else(|_| Vec::new(), |Members(members)| members);
            for (at, (name, value)) in members.iter().enumerate() {
                bytes(out, if at == 0 { b"" } else { b", " });
                let long = name.len() > LONGEST_PLAIN_KEY;
                bytes(out, if long { b"? " } else { b"" });
                yaml_string(out, name);
                bytes(out, b": ");
                yaml_value(out, value.get());
            }
            bytes(out, b"}");
        }
        Some(b'[') => {
            bytes(out, b"[");
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            for (at, value) in items.iter().enumerate() {
                bytes(out, if at == 0 { b"" } else { b", " });
                yaml_value(out, value.get());
            }
            bytes(out, b"]");
        }
        _ => bytes(out, json.as_bytes()),
    }
}

/// A text in double quotes; what YAML does not print is escaped.
fn yaml_string(out: &mut dyn Write, text: &str) {
    bytes(out, b"\"");
    for char in text.chars() {
        let mut buffer = String::new();
        match char {
            '"' => buffer.push_str("\\\""),
            '\\' => buffer.push_str("\\\\"),
            '\n' => buffer.push_str("\\n"),
            ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' => {
                buffer.push(char);
            }
            // a text written into memory cannot fail
            _ => drop(write!(buffer, "\\U{:08x}", u32::from(char))),
        }
        bytes(out, buffer.as_bytes());
    }
    bytes(out, b"\"");
}
