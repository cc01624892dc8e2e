//! The questions of a setup, and files of answers to them.
//!
//! The keys are the original's, in its order, with its defaults; keys of our own are marked. An answer is kept as the text
//! that a person would type, checked when it is given.

use crate::fields::{Fault, FileError, Findings, Section, yes_no};
use crate::{quoted, time};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use strongroom_import::{Item, Writing};

/// What may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user's or a group's name.
    Account,
    /// A path; `~` is the home of who runs the setup.
    Path,
    /// A path, or nothing.
    PathOrNothing,
    /// Yes or no.
    YesNo,
    /// A whole number.
    Number {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// The size of an RSA key.
    KeySize,
    /// An IP address.
    Ip,
    /// A time, such as `1h`.
    Time,
    /// Addresses and networks with commas between them, or nothing.
    Networks,
}

/// A question.
pub struct Question {
    /// Its key in a file of answers.
    pub key: &'static str,
    /// What a person is asked.
    pub text: &'static str,
    /// What may be answered.
    pub kind: Kind,
    /// What an empty line means.
    default: Usual,
    /// Whether it has a meaning, after the answers so far.
    when: fn(&Answers) -> bool,
}

enum Usual {
    /// Always the same.
    Is(&'static str),
    /// After the answers so far and what is on this machine.
    Of(fn(&Answers, &dyn Machine) -> String),
}

/// What the defaults of some questions look at.
pub trait Machine {
    /// Whether a file is there; the path may begin with `~`.
    fn has(&self, path: &str) -> bool;
}

/// The default places of the server's certificate and key.
const CERT: &str = "/etc/convection-secrets/certs/cert.pem";
const KEY: &str = "/etc/convection-secrets/certs/key.pem";
const PORTS: Kind = Kind::Number { least: 1, most: 65_535 };

const fn ask(key: &'static str, text: &'static str, kind: Kind, default: &'static str) -> Question {
    Question { key, text, kind, default: Usual::Is(default), when: always }
}

const fn ask_when(
    key: &'static str,
    text: &'static str,
    kind: Kind,
    default: &'static str,
    when: fn(&Answers) -> bool,
) -> Question {
    Question { key, text, kind, default: Usual::Is(default), when }
}

fn always(_: &Answers) -> bool {
    true
}

fn on_a_network(answers: &Answers) -> bool {
    answers.yes("use_network") || answers.yes("use_websocket")
}

fn with_recovery(answers: &Answers) -> bool {
    answers.yes("initialize") && answers.yes("use_recovery")
}

/// Every question, in the order in which they are asked: a default looks at answers above it only.
pub const QUESTIONS: &[Question] = &[
    ask("server_user_name", "User that the server runs as", Kind::Account, "convection_sm"),
    ask("server_group_name", "Its group", Kind::Account, "convection_sm"),
    ask("create_server_user", "Create them if they are not there", Kind::YesNo, "Yes"),
    ask("server_config_root", "Folder of the server's configuration folder", Kind::Path, "/etc/"),
    ask("server_log_file", "The server's log file", Kind::Path, "/var/log/convection-secrets.log"),
    ask(
        "client_config_file",
        "Configuration file of the client",
        Kind::Path,
        "~/.local/convection-secrets.client.toml",
    ),
    ask(
        "client_log_file",
        "Log file of the original's client",
        Kind::Path,
        "~/convection-secrets-client.log",
    ),
    ask("secrets_dir", "Folder that secrets are stored in", Kind::Path, "/var/secrets/"),
    Question { default: Usual::Of(pid_dir), ..ask("pid_dir", "Folder of the PID file", Kind::Path, "") },
    ask("generated_key_size", "Bits of RSA keys that are generated", Kind::KeySize, "4096"),
    Question { default: Usual::Of(socket_path), ..ask("socket_path", "The local socket", Kind::Path, "") },
    Question {
        default: Usual::Of(generate_tls),
        ..ask("generate_tls", "Make an authority and a certificate", Kind::YesNo, "")
    },
    ask("tls_cert", "The server's certificate", Kind::Path, CERT),
    ask("tls_key", "Its private key", Kind::Path, KEY),
    ask("tls_ca", "The authority that clients trust", Kind::PathOrNothing, ""),
    ask("use_network", "Listen on the network", Kind::YesNo, "No"),
    ask("use_websocket", "Listen for WebSockets", Kind::YesNo, "No"),
    ask_when("listen_ip", "Address to listen on", Kind::Ip, "127.0.0.1", on_a_network),
    ask_when("listen_port", "Port", PORTS, "9670", |answers| answers.yes("use_network")),
    ask_when("websocket_port", "Port for WebSockets", PORTS, "9671", |answers| answers.yes("use_websocket")),
    ask_when(
        "network_allow",
        "Networks that may send every command (none: only what is built in, from this host)",
        Kind::Networks,
        "",
        on_a_network,
    ),
    ask("keydb_key_count", "Keys of a keyset", Kind::Number { least: 1, most: 1_000 }, "5"),
    ask("token_max_expire", "Longest life of a token", Kind::Time, "1h"),
    ask("install_service", "Install a service of systemd's", Kind::YesNo, "Yes"),
    ask_when("service_dir", "Folder of systemd's units", Kind::Path, "/etc/systemd/system/", |answers| {
        answers.yes("install_service")
    }),
    ask("initialize", "Start the server and initialise it", Kind::YesNo, "Yes"),
    ask_when(
        "num_unlock_keys",
        "Unlock keys to make; any one of them unlocks",
        Kind::Number { least: 1, most: 255 },
        "5",
        |answers| answers.yes("initialize"),
    ),
    ask("generate_root_key", "Generate the key pair of root", Kind::YesNo, "Yes"),
    ask("root_private_key", "Root's private key", Kind::Path, "~/convection_sm.root.key"),
    ask("root_public_key", "Root's public key", Kind::Path, "~/convection_sm.root.pub"),
    ask_when(
        "use_recovery",
        "Create a user recovery with the rights of root",
        Kind::YesNo,
        "Yes",
        |answers| answers.yes("initialize"),
    ),
    ask_when("generate_recovery_key", "Generate the key pair of recovery", Kind::YesNo, "Yes", with_recovery),
    ask_when(
        "recovery_private_key",
        "Recovery's private key",
        Kind::Path,
        "~/convection_sm.recovery.key",
        with_recovery,
    ),
    ask_when(
        "recovery_public_key",
        "Recovery's public key",
        Kind::Path,
        "~/convection_sm.recovery.pub",
        with_recovery,
    ),
    ask_when("create_auth_file", "Write an AuthFile for root", Kind::YesNo, "No", |answers| {
        answers.yes("initialize")
    }),
    ask_when("auth_file", "The AuthFile", Kind::Path, "~/.local/convection-secrets.auth.toml", |answers| {
        answers.yes("initialize") && answers.yes("create_auth_file")
    }),
];

/// The original's default is a folder in which only root may make files.
fn pid_dir(answers: &Answers, _: &dyn Machine) -> String {
    let root = answers.text("server_user_name") == "root";
    if root { "/var/run/" } else { "/var/run/convection-secrets/" }.to_owned()
}

/// Beside the PID file where the original's default is out of the server's reach.
fn socket_path(answers: &Answers, _: &dyn Machine) -> String {
    if answers.text("server_user_name") == "root" {
        crate::DEFAULT_SOCKET.to_owned()
    } else {
        format!("{}/convection.secrets.sock", answers.text("pid_dir").trim_end_matches('/'))
    }
}

/// A server without a certificate serves nobody, so one is made where there is none.
fn generate_tls(answers: &Answers, machine: &dyn Machine) -> String {
    let place = |key: &str, default: &'static str| match answers.get(key) {
        Some(path) => machine.has(path),
        None => machine.has(default),
    };
    if place("tls_cert", CERT) && place("tls_key", KEY) { "No" } else { "Yes" }.to_owned()
}

/// Answers, each checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    given: BTreeMap<&'static str, String>,
}

impl Answers {
    /// Reads a file of answers.
    ///
    /// # Errors
    /// Everything that is wrong with it, unknown keys included.
    pub fn read(writing: Writing, bytes: &[u8]) -> Result<Self, FileError> {
        let mut findings = Findings::default();
        let mut document = Section::document(writing, bytes)?;
        let mut answers = Self::default();
        for question in QUESTIONS {
            let line = document.line_of(question.key);
            let text =
                document.value(question.key, question.kind.expected(), &mut findings, |item| match &item {
                    Item::Text(text) => Ok(text.as_str().to_owned()),
                    Item::Integer(number) => Ok(number.to_string()),
                    Item::Flag(flag) => Ok(if *flag { "Yes" } else { "No" }.to_owned()),
                    _ => Err(item),
                });
            if let Some(Err(fault)) = text.map(|text| answers.set(question, &text)) {
                findings.add(line, question.key, fault);
            }
        }
        document.close(&mut findings);
        findings.or(answers)
    }

    /// Takes an answer.
    ///
    /// # Errors
    /// If it is none to this question; it says what would be one.
    pub fn set(&mut self, question: &Question, text: &str) -> Result<(), Fault> {
        let fault = || Fault::Meaningless(question.kind.expected());
        let answer = question.kind.accepted(text.trim()).ok_or_else(fault)?;
        self.given.insert(question.key, answer);
        Ok(())
    }

    /// The next question that has a meaning and no answer.
    pub fn next(&self) -> Option<&'static Question> {
        QUESTIONS.iter().find(|question| !self.given.contains_key(question.key) && (question.when)(self))
    }

    /// An answer, if it was given.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.given.get(key).map(String::as_str)
    }

    /// An answer, or nothing.
    pub fn text(&self, key: &str) -> &str {
        self.get(key).unwrap_or_default()
    }

    /// Whether it was answered with yes.
    pub fn yes(&self, key: &str) -> bool {
        self.get(key) == Some("Yes")
    }

    /// A number; 0 where none was given.
    pub fn number(&self, key: &str) -> u64 {
        self.get(key).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// A file of these answers.
    pub fn to_text(&self, writing: Writing) -> String {
        let given = QUESTIONS.iter().filter_map(|question| Some((question, self.get(question.key)?)));
        let lines: Vec<String> = given
            .map(|(question, answer)| {
                let plain = matches!(question.kind, Kind::Number { .. } | Kind::KeySize);
                let value = if plain { answer.to_owned() } else { quoted(answer) };
                match writing {
                    Writing::Toml => format!("{} = {value}", question.key),
                    Writing::Yaml => format!("{}: {value}", question.key),
                    Writing::Json => format!("  \"{}\": {value}", question.key),
                }
            })
            .collect();
        let mut text = lines.join(if writing == Writing::Json { ",\n" } else { "\n" });
        if writing == Writing::Json {
            text = format!("{{\n{text}\n}}");
        }
        text.push('\n');
        text
    }
}

impl Question {
    /// What an empty line means, after the answers so far.
    pub fn default(&self, answers: &Answers, machine: &dyn Machine) -> String {
        match self.default {
            Usual::Is(text) => text.to_owned(),
            Usual::Of(find) => find(answers, machine),
        }
    }
}

impl Kind {
    /// What belongs here, for people.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Account => "a name of lower-case letters, digits, _ and -, at most 32",
            Self::Path | Self::PathOrNothing => "a path that begins with / or ~/",
            Self::YesNo => "yes or no",
            Self::Number { most: 65_535, .. } => "a port from 1 to 65535",
            Self::Number { most: 255, .. } => "a number from 1 to 255",
            Self::Number { .. } => "a number from 1 to 1000",
            Self::KeySize => "2048, 3072 or 4096",
            Self::Ip => "an IP address",
            Self::Time => "a time such as 10m, 1h or 1d12h",
            Self::Networks => "addresses and networks with commas between them",
        }
    }

    fn accepted(self, text: &str) -> Option<String> {
        let good = match self {
            Self::Account => is_account(text),
            Self::Path => is_path(text),
            Self::PathOrNothing => text.is_empty() || is_path(text),
            Self::YesNo => return yes_no(text).map(|yes| if yes { "Yes" } else { "No" }.to_owned()),
            Self::Number { least, most } => {
                text.parse().is_ok_and(|number: u64| (least..=most).contains(&number))
            }
            Self::KeySize => matches!(text, "2048" | "3072" | "4096"),
            Self::Ip => text.parse::<std::net::IpAddr>().is_ok(),
            Self::Time => time::read(text).is_some_and(|time| !time.is_zero()),
            Self::Networks => text.is_empty() || text.split(',').all(|one| is_network(one.trim())),
        };
        good.then(|| text.to_owned())
    }
}

/// What `useradd` takes everywhere.
fn is_account(text: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    text.len() <= 32
        && text.bytes().next().is_some_and(first)
        && text.bytes().all(|byte| first(byte) || byte.is_ascii_digit() || byte == b'-')
}

/// From the root or from home, on one line.
fn is_path(text: &str) -> bool {
    (text.starts_with('/') || text.starts_with("~/")) && !text.chars().any(char::is_control)
}

fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let most = match address.parse() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

/// One line about each question, for documentation.
pub fn table() -> String {
    let mut out = String::from("| key | question | kind |\n|---|---|---|\n");
    for Question { key, text, kind, .. } in QUESTIONS {
        // a text written into memory cannot fail
        let _ = writeln!(out, "| `{key}` | {text} | {} |", kind.expected());
    }
    out
}

#[cfg(test)]
mod tests;
