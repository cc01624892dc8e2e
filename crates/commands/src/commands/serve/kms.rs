//! `strongroom kms`: the key management server of the sharing system, from its two folders and the original's one line.

use crate::args::KmsArgs;
use crate::commands::keys;
use crate::error::CliError;
use crate::{output, state};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use strongroom_convection::auth_file::AuthFile;
use strongroom_import::{Item, MAX_DOCUMENT_BYTES, Writing, read_tree};
use strongroom_secret::{SecretBytes, bytes_eq};
use strongroom_server::config::Config;
use strongroom_server::{
    FirstTime, KMS_ROOT_KEY, KMS_STORE, KMS_UNLOCK_KEY, KmsOptions, KmsReady, ServerError, private_folder,
};

/// What keys of members' tokens are derived with, as the original calls it.
const JWT_SECRET: &str = "FLASK_JWT_SECRET_KEY";
/// What else may be said, and where it stands in a server's configuration.
const KEYS: [(&str, &str); 9] = [
    ("tls_cert", "listener.kms"),
    ("tls_key", "listener.kms"),
    ("plaintext", "listener.kms"),
    (PROXIES, "listener.kms"),
    ("log", "server"),
    ("epoch_every", "sharing"),
    ("manifest_max_age", "sharing"),
    ("token_ttl", "sharing"),
    ("token_rate", "sharing"),
];
/// Proxies that name the client: the one of them that is a list, written with commas.
const PROXIES: &str = "trusted_proxies";
/// Who operates it from this host: an AuthFile that names the operator's key.
const OPERATOR: &str = "operator.toml";
/// The unlock key that opens the data on the day on which the key of auto-unlock is lost.
const UNLOCK_KEYS: &str = "unlock-keys.txt";

/// What is wrong with the configuration of a key management server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KmsConfigError {
    /// It cannot be read at all.
    #[error("{path}: line {fault}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What, and in which line.
        fault: strongroom_import::ImportError,
    },
    /// A key or its value.
    #[error("{path}: line {line}: {key}: {fault}", path = path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The key, or what stands in its place.
        key: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Two secrets.
    #[error("FLASK_JWT_SECRET_KEY is one thing in {path} and another in the environment; say it once", path = path.display())]
    TwoSecrets {
        /// The file.
        path: PathBuf,
    },
}

pub(in crate::commands) fn kms(args: &KmsArgs) -> Result<(), CliError> {
    let secrets = absolute(&args.secrets)?;
    let db = absolute(&args.db)?;
    let said = match &args.config {
        Some(path) => Said::read(path)?,
        None => Said::default(),
    };
    let jwt_secret = said.secret_or_of_environment(args.config.as_deref())?;
    private_folder(&secrets)?;
    private_folder(&db)?;
    let text = said.translated(args, &secrets, &db);
    let config = Config::of_text(&text, "strongroom kms").map_err(ServerError::from)?;
    let options = KmsOptions { config, jwt_secret, db: db.clone(), secrets: secrets.clone() };
    let keep = |first: &FirstTime| keep(&secrets, first).map_err(ServerError::first);
    let tell = |ready: KmsReady| greet(&secrets, &db, &ready).map_err(ServerError::first);
    Ok(strongroom_server::kms(&options, keep, tell)?)
}

fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    let path = std::path::absolute(path).map_err(CliError::file(path))?;
    // of its components, so that a slash at the end makes no difference
    Ok(path.components().collect())
}

/// Leaves the operator their key's name and the unlock key, for their eyes only.
fn keep(secrets: &Path, first: &FirstTime) -> Result<(), CliError> {
    let key = secrets.join(KMS_ROOT_KEY);
    let operator = AuthFile::of_key(&key.to_string_lossy(), &first.access_key_id);
    state::write_private(&secrets.join(OPERATOR), &SecretBytes::new(operator.into_bytes()))?;
    let mut lines = String::new();
    for key in &first.unlock_keys {
        let mut line = keys::key_text(key);
        let _ = writeln!(lines, "{line}");
        strongroom_secret::wipe(&mut line);
    }
    Ok(state::write_private(&secrets.join(UNLOCK_KEYS), &SecretBytes::new(lines.into_bytes()))?)
}

fn greet(secrets: &Path, db: &Path, ready: &KmsReady) -> Result<(), CliError> {
    let scheme = if ready.tls { "https" } else { "http" };
    output::line(&format!("Strongroom's key management server is at {scheme}://{}", ready.address))?;
    output::line(&format!("  data     {}", db.display()))?;
    output::line(&format!("  secrets  {}", secrets.display()))?;
    if ready.first {
        let key = secrets.join(UNLOCK_KEYS);
        output::line(&format!(
            "A new authority was made. Keep {} elsewhere: it opens the data if the secrets folder is lost.",
            key.display()
        ))?;
    }
    output::line(&format!(
        "An administrator: strongroom attributes add-admin --secrets {} --db {}",
        secrets.display(),
        db.display()
    ))
}

/// What the configuration says.
#[derive(Default)]
struct Said {
    jwt_secret: Option<SecretBytes>,
    values: Vec<(&'static str, &'static str, String)>,
}

impl Said {
    fn read(path: &Path) -> Result<Self, CliError> {
        let bytes = std::fs::read(path).map_err(CliError::file(path))?;
        let bytes = SecretBytes::new(bytes);
        bytes.expose(|bytes| match Writing::of(path) {
            Some(writing) => Self::of_document(path, writing, bytes),
            None => Self::of_lines(path, bytes),
        })
    }

    fn of_document(path: &Path, writing: Writing, bytes: &[u8]) -> Result<Self, CliError> {
        let members = read_tree(writing, bytes)
            .map_err(|fault| KmsConfigError::Unreadable { path: path.to_owned(), fault })?;
        let mut said = Self::default();
        for member in members {
            let wrong = |fault| Self::wrong(path, member.node.line, &member.name, fault);
            let number;
            let text = match &member.node.item {
                Item::Text(text) => text.as_str(),
                // digits alone, or with an e among them, are no text in these languages
                Item::Other(text) => text,
                Item::Integer(value) if member.name != JWT_SECRET => {
                    number = value.to_string();
                    &number
                }
                Item::Null => continue,
                _ => return Err(wrong("must be a text: put it in quotes")),
            };
            said.take(&member.name, text).map_err(wrong)?;
        }
        Ok(said)
    }

    /// `NAME=VALUE`, as containers and shells take them.
    fn of_lines(path: &Path, bytes: &[u8]) -> Result<Self, CliError> {
        let wrong = |line, key: &str, fault| Self::wrong(path, line, key, fault);
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return Err(wrong(1, "the file", "is larger than 1 MiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| wrong(1, "the file", "is no UTF-8"))?;
        let mut said = Self::default();
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let pair = text.strip_prefix("export ").unwrap_or(text).split_once('=');
            let (name, value) = pair.ok_or_else(|| wrong(line, "the line", "is no NAME=VALUE"))?;
            let value = value.trim();
            let quoted =
                ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
            said.take(name.trim(), quoted.unwrap_or(value))
                .map_err(|fault| wrong(line, name.trim(), fault))?;
        }
        Ok(said)
    }

    fn wrong(path: &Path, line: u64, key: &str, fault: &'static str) -> CliError {
        // what should have been a key may be a secret in the wrong place
        let known = key == JWT_SECRET || KEYS.iter().any(|(name, _)| *name == key);
        let plain =
            known || (key.len() <= 32 && key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_'));
        let key = if plain { key.to_owned() } else { "the line".to_owned() };
        KmsConfigError::Wrong { path: path.to_owned(), line, key, fault }.into()
    }

    fn take(&mut self, name: &str, text: &str) -> Result<(), &'static str> {
        if name == JWT_SECRET {
            let secret = SecretBytes::new(text.as_bytes().to_vec());
            return self.jwt_secret.replace(secret).map_or(Ok(()), |_| Err("stands twice"));
        }
        let (name, section) = KEYS.iter().find(|(known, _)| *known == name).ok_or("unknown key")?;
        if self.values.iter().any(|(known, ..)| known == name) {
            return Err("stands twice");
        }
        self.values.push((name, section, text.to_owned()));
        Ok(())
    }

    fn secret_or_of_environment(&self, path: Option<&Path>) -> Result<Option<SecretBytes>, KmsConfigError> {
        let of_environment = std::env::var(JWT_SECRET).ok().filter(|text| !text.is_empty());
        let of_environment = of_environment.map(|text| SecretBytes::new(text.into_bytes()));
        let copy = |secret: &SecretBytes| secret.expose(|bytes| SecretBytes::new(bytes.to_vec()));
        match (&self.jwt_secret, of_environment) {
            (Some(one), Some(other)) if !one.expose(|one| other.expose(|other| bytes_eq(one, other))) => {
                Err(KmsConfigError::TwoSecrets { path: path.unwrap_or(Path::new("")).to_owned() })
            }
            (Some(secret), _) => Ok(Some(copy(secret))),
            (None, other) => Ok(other),
        }
    }

    /// The configuration of a server, in its own words: every check is the server's.
    fn translated(&self, args: &KmsArgs, secrets: &Path, db: &Path) -> String {
        let path = |path: PathBuf| quoted(&path.to_string_lossy());
        let (store, run) = (path(db.join(KMS_STORE)), path(db.join("run")));
        let socket = quoted(&format!("unix:{}", db.join("run/strongroom.sock").display()));
        let section = |wanted: &str| {
            let mut lines = String::new();
            for (name, section, text) in &self.values {
                let number = *name == "token_rate"
                    && text.bytes().all(|byte| byte.is_ascii_digit())
                    && !text.is_empty();
                if *section == wanted {
                    let value = match *name {
                        PROXIES => text.split(',').map(str::trim).collect::<serde_json::Value>().to_string(),
                        _ if number => text.clone(),
                        _ => quoted(text),
                    };
                    let _ = writeln!(lines, "{name} = {value}");
                }
            }
            if wanted == "listener.kms" && args.plaintext.is_some() && !lines.contains("plaintext = ") {
                lines.push_str("plaintext = \"declared\"\n");
            }
            lines
        };
        format!(
            "[server]\ndata_dir = {store}\nrun_dir = {run}\nreserve = \"64MiB\"\n{}\n[listener.kms]\ndoor = \"cybex\"\n\
             address = \"{}\"\n{}\n[listener.local]\naddress = {socket}\n\n[unlock.auto]\nkey_file = {}\n\n[sharing]\n{}",
            section("server"),
            args.bind,
            section("listener.kms"),
            path(secrets.join(KMS_UNLOCK_KEY)),
            section("sharing"),
        )
    }
}

/// As TOML writes a text: JSON's escapes are among its own.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Said, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Said::read(&path).map_err(|error| error.to_string())
    }

    fn secret(said: &Said) -> String {
        said.jwt_secret.as_ref().unwrap().expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn the_secret_is_read_from_yaml_and_from_lines() {
        let hex = "8f1e0c3b5a7d92f4e6081b3c5d7f9a0b";
        for (name, text) in [
            ("config.yaml", format!("# KMS\nFLASK_JWT_SECRET_KEY: {hex}\n")),
            ("config.yml", format!("FLASK_JWT_SECRET_KEY: \"{hex}\"\n")),
            ("config.json", format!("{{\"FLASK_JWT_SECRET_KEY\": \"{hex}\"}}")),
            ("kms.env", format!("# KMS\n\nexport FLASK_JWT_SECRET_KEY='{hex}'\r\n")),
            ("config", format!("FLASK_JWT_SECRET_KEY={hex}")),
        ] {
            assert_eq!(secret(&read(name, &text).unwrap()), hex, "{name}");
        }
        let digits = "12345678901234567890123456789012";
        let said = read("config.yaml", &format!("FLASK_JWT_SECRET_KEY: {digits}\n"));
        assert!(said.as_ref().map_or_else(|fault| fault.contains("quotes"), |said| secret(said) == digits));
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_line_and_without_its_value() {
        for (name, text, line) in [
            ("c.yaml", "log: info\nFLASK_SECRET: hunter2\n", "line 2: FLASK_SECRET"),
            ("c.env", "hunter2\n", "line 1: the line"),
            ("c.env", "log=info\nlog=debug\n", "line 2: log"),
            ("c.env", "hunter2hunter2=1\n", "line 1: the line"),
            ("c.yaml", "log: [hunter2]\n", "line 1: log"),
        ] {
            let said = read(name, text).err().unwrap();
            assert!(said.contains(line) && !said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn what_is_said_reaches_the_server() {
        let said = read("c.yaml", "token_rate: 7\ntoken_ttl: 1h\nplaintext: declared\n").unwrap();
        let args = KmsArgs {
            config: None,
            secrets: "/s".into(),
            db: "/d".into(),
            bind: "0.0.0.0:5000".parse().unwrap(),
            plaintext: None,
        };
        let text = said.translated(&args, Path::new("/s \"x\""), Path::new("/d"));
        let config = Config::parse(&text, "test").unwrap();
        assert_eq!(config.sharing.token_rate, 7);
        assert_eq!(config.auto_unlock.unwrap().key_file, Path::new("/s \"x\"/auto-unlock.key"));
        let behind = "token_rate: 7\nplaintext: declared\ntrusted_proxies: 127.0.0.1, 172.16.0.0/12\n";
        let text = read("c.yaml", behind).unwrap().translated(&args, Path::new("/s"), Path::new("/d"));
        let config = Config::parse(&text, "test").unwrap();
        let border = &config.listeners.iter().find(|listener| listener.name == "kms").unwrap().border;
        for (peer, trusted) in [("127.0.0.1", true), ("172.20.0.1", true), ("192.0.2.1", false)] {
            assert_eq!(border.trusts(peer.parse().unwrap()), trusted, "{peer}");
        }
        let bare = Said::default().translated(&args, Path::new("/s"), Path::new("/d"));
        assert!(Config::parse(&bare, "test").unwrap_err().to_string().contains("plaintext"));
        let declared = KmsArgs { plaintext: Some("declared".to_owned()), ..args };
        let bare = Said::default().translated(&declared, Path::new("/s"), Path::new("/d"));
        assert_eq!(Config::parse(&bare, "test").unwrap().listeners.len(), 2);
    }
}
