//! The AuthFile: what a user proves themselves with, and the token that this gave.
//!
//! The token is written into the file and taken out of it again; all else in it stays as its owner wrote it, comments,
//! order and form. What cannot be kept so (a table in one line) is written anew, in the same writing.

use crate::fields::{FileError, Findings, Section};
use std::fmt::Write as _;
use strongroom_import::{Item, Writing, read_tree};
use strongroom_secret::SecretBytes;

/// The key of the token.
const TOKEN: &str = "auth_token";
/// Every key, in the order of those that a file does not have yet.
const KEYS: [&str; 5] = ["private_key", "public_key", "access_key_id", "key_password", TOKEN];

/// What an AuthFile says.
#[derive(Debug)]
pub struct AuthFile {
    /// The file of the private key.
    pub private_key: Option<String>,
    /// The file of the public key.
    pub public_key: Option<String>,
    /// The access key's id.
    pub access_key_id: Option<String>,
    /// What the private key is encrypted with.
    pub key_password: Option<SecretBytes>,
    /// The token, if one was written.
    pub auth_token: Option<SecretBytes>,
}

impl AuthFile {
    /// Names of files, without their ending, in the folders that are searched.
    pub const FILE: &str = "convection-secrets.auth";

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// Everything that is wrong with it, unknown keys included; never a value.
    pub fn read(writing: Writing, bytes: &[u8]) -> Result<Self, FileError> {
        let mut findings = Findings::default();
        let mut document = Section::document(writing, bytes)?;
        let mut secret = |document: &mut Section, name: &str| {
            document.value(name, "a text", &mut findings, |item| match item {
                Item::Text(text) => Ok(SecretBytes::new(text.as_str().as_bytes().to_vec())),
                item => Err(item),
            })
        };
        let key_password = secret(&mut document, "key_password").filter(|password| !password.is_empty());
        let auth_token = secret(&mut document, TOKEN).filter(|token| !token.is_empty());
        let file = Self {
            private_key: document.text("private_key", &mut findings).filter(|path| !path.is_empty()),
            public_key: document.text("public_key", &mut findings).filter(|path| !path.is_empty()),
            access_key_id: document.text("access_key_id", &mut findings).filter(|id| !id.is_empty()),
            key_password,
            auth_token,
        };
        document.close(&mut findings);
        findings.or(file)
    }

    /// The text of a new file, TOML, that names a key and holds no secret.
    pub fn of_key(private_key: &str, access_key_id: &str) -> String {
        let (key, id) = (crate::quoted(private_key), crate::quoted(access_key_id));
        format!("private_key = {key}\naccess_key_id = {id}\n")
    }

    /// The file's text with this token in it, or with none.
    ///
    /// # Errors
    /// If the text is no AuthFile.
    pub fn with_token(
        writing: Writing,
        bytes: &[u8],
        token: Option<&SecretBytes>,
    ) -> Result<SecretBytes, FileError> {
        let before = Self::read(writing, bytes)?;
        let wanted = Self { auth_token: token.map(copied), ..before };
        let text = SecretBytes::new(bytes.to_vec());
        let edited =
            text.expose(|bytes| std::str::from_utf8(bytes).ok().map(|text| wanted.edited(writing, text)));
        if let Some(edited) = edited.flatten()
            && edited.expose(|bytes| Self::read(writing, bytes)).is_ok_and(|read| read.same_as(&wanted))
        {
            return Ok(edited);
        }
        let members = read_tree(writing, bytes)?;
        let place = |key: &str| members.iter().position(|member| member.name == key).unwrap_or(usize::MAX);
        let mut keys = KEYS;
        keys.sort_by_key(|key| place(key));
        Ok(wanted.written(writing, &keys))
    }

    /// The text with one line exchanged, added or gone. JSON has no lines of its own, and is written anew.
    fn edited(&self, writing: Writing, text: &str) -> Option<SecretBytes> {
        if writing == Writing::Json {
            return None;
        }
        let line = self.auth_token.as_ref().map(|token| line_of(writing, TOKEN, token));
        let is_token = |line: &str| {
            let name = line.trim_start().split([':', '=']).next().unwrap_or_default();
            name.trim().trim_matches(['"', '\'']) == TOKEN
        };
        let mut out = String::with_capacity(text.len() + 1_024);
        let mut pending = line;
        for old in text.split_inclusive('\n') {
            let begins_table = writing == Writing::Toml && old.trim_start().starts_with('[');
            if (is_token(old) || begins_table)
                && let Some(new) = pending.take()
            {
                new.expose(|new| out.push_str(&String::from_utf8_lossy(new)));
            }
            if !is_token(old) {
                out.push_str(old);
            }
        }
        if let Some(new) = pending.take() {
            if !out.is_empty() && !out.ends_with('\n') {
                out.push('\n');
            }
            new.expose(|new| out.push_str(&String::from_utf8_lossy(new)));
        }
        Some(SecretBytes::new(out.into_bytes()))
    }

    /// The file anew, its keys in this order.
    fn written(&self, writing: Writing, keys: &[&str]) -> SecretBytes {
        let value = |key: &str| match key {
            "private_key" => {
                self.private_key.as_ref().map(|text| SecretBytes::new(text.clone().into_bytes()))
            }
            "public_key" => self.public_key.as_ref().map(|text| SecretBytes::new(text.clone().into_bytes())),
            "access_key_id" => {
                self.access_key_id.as_ref().map(|id| SecretBytes::new(id.clone().into_bytes()))
            }
            "key_password" => self.key_password.as_ref().map(copied),
            _ => self.auth_token.as_ref().map(copied),
        };
        let lines = keys.iter().filter_map(|key| value(key).map(|value| line_of(writing, key, &value)));
        let lines: Vec<SecretBytes> = lines.collect();
        let mut out = Vec::with_capacity(lines.iter().map(SecretBytes::len).sum::<usize>() + 64);
        if writing == Writing::Json {
            out.extend_from_slice(b"{\n");
        }
        for (at, line) in lines.iter().enumerate() {
            line.expose(|line| out.extend_from_slice(line));
            if writing == Writing::Json {
                out.pop();
                out.extend_from_slice(if at + 1 == lines.len() { b"\n" } else { b",\n" });
            }
        }
        if writing == Writing::Json {
            out.extend_from_slice(b"}\n");
        }
        SecretBytes::new(out)
    }

    fn same_as(&self, other: &Self) -> bool {
        let same = |left: &Option<SecretBytes>, right: &Option<SecretBytes>| match (left, right) {
            (None, None) => true,
            (Some(left), Some(right)) => bool::from(strongroom_secret::ct_eq(left, right)),
            _ => false,
        };
        self.private_key == other.private_key
            && self.public_key == other.public_key
            && self.access_key_id == other.access_key_id
            && same(&self.key_password, &other.key_password)
            && same(&self.auth_token, &other.auth_token)
    }
}

fn copied(secret: &SecretBytes) -> SecretBytes {
    secret.expose(|bytes| SecretBytes::new(bytes.to_vec()))
}

/// A key and its text, as a line. What all three writings quote alike is JSON's form of a text.
fn line_of(writing: Writing, key: &str, value: &SecretBytes) -> SecretBytes {
    value.expose(|bytes| {
        let mut quoted = crate::quoted(&String::from_utf8_lossy(bytes));
        let mut line = String::with_capacity(quoted.len() + key.len() + 16);
        // a text written into memory cannot fail
        let _ = match writing {
            Writing::Toml => writeln!(line, "{key} = {quoted}"),
            Writing::Yaml => writeln!(line, "{key}: {quoted}"),
            Writing::Json => writeln!(line, "  \"{key}\": {quoted}"),
        };
        strongroom_secret::wipe(&mut quoted);
        SecretBytes::new(line.into_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(writing: Writing, text: &str, token: Option<&str>) -> String {
        let token = token.map(|token| SecretBytes::new(token.as_bytes().to_vec()));
        let made = AuthFile::with_token(writing, text.as_bytes(), token.as_ref()).unwrap();
        made.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn a_token_comes_and_goes_and_all_else_stays() {
        let toml =
            "# mine\nprivate_key = \"~/.local/k\" # there\naccess_key_id = \"ab\"\nkey_password = 'p\\w'\n";
        let yaml = "# mine\nprivate_key: ~/.local/k # there\naccess_key_id: \"ab\"\nkey_password: 'p\\w'\n";
        for (writing, text, line) in
            [(Writing::Toml, toml, "auth_token = \"t1\"\n"), (Writing::Yaml, yaml, "auth_token: \"t1\"\n")]
        {
            let kept = with(writing, text, Some("t1"));
            assert_eq!(kept, format!("{text}{line}"));
            let again = with(writing, &kept, Some("t2"));
            assert_eq!(again, format!("{text}{}", line.replace("t1", "t2")));
            assert_eq!(with(writing, &again, None), text);
            assert_eq!(with(writing, text, None), text, "nothing to take out");
            assert_eq!(with(writing, text.trim_end(), Some("t1")), kept, "without a last line's end");
        }
    }

    #[test]
    fn json_keeps_its_entries() {
        let text = "{\"access_key_id\": \"ab\", \"private_key\": \"/k\", \"auth_token\": null}";
        let kept = with(Writing::Json, text, Some("t\"1"));
        assert_eq!(
            kept,
            "{\n  \"access_key_id\": \"ab\",\n  \"private_key\": \"/k\",\n  \"auth_token\": \"t\\\"1\"\n}\n"
        );
        assert_eq!(
            with(Writing::Json, &kept, None),
            "{\n  \"access_key_id\": \"ab\",\n  \"private_key\": \"/k\"\n}\n"
        );
        assert_eq!(with(Writing::Json, "{}", None), "{\n}\n");
    }

    #[test]
    fn what_has_no_lines_is_written_anew() {
        let text = "{private_key: /k, auth_token: old}";
        assert_eq!(with(Writing::Yaml, text, Some("new")), "private_key: \"/k\"\nauth_token: \"new\"\n");
        let folded = "private_key: /k\nauth_token: >-\n  old\n";
        assert_eq!(with(Writing::Yaml, folded, Some("new")), "private_key: \"/k\"\nauth_token: \"new\"\n");
        let long = "private_key = '''\n/k'''\nauth_token = '''old'''\n";
        assert_eq!(
            with(Writing::Toml, long, Some("new")),
            "private_key = '''\n/k'''\nauth_token = \"new\"\n"
        );
    }

    #[test]
    fn a_fault_names_no_value() {
        for (writing, text, fault) in [
            (Writing::Toml, "auth_tokn = 'hunter2'", "line 1: auth_tokn: unknown key"),
            (Writing::Yaml, "key_password: 5", "line 1: key_password: must be a text, is a whole number"),
            (
                Writing::Json,
                "{\"private_key\": [\"hunter2\"]}",
                "line 1: private_key: must be a text, is a list",
            ),
        ] {
            let error = AuthFile::read(writing, text.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, fault);
        }
    }
}
