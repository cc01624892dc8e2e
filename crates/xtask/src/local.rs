//! A real server of ours on this machine, with a home of its own: what the bench and the demo drive.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::shell::{self, Running};
use crate::{Outcome, clock};

/// How long a server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is asked.
const POLL: Duration = Duration::from_millis(2);

/// The server, and the person who installed it.
pub(crate) struct Local {
    pub(crate) server: Running,
    pub(crate) url: String,
    pub(crate) client: Client,
    port: u16,
}

/// A person at the client, with a home of their own.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    binary: PathBuf,
    home: PathBuf,
}

impl Local {
    /// Starts `strongroom dev` in a fresh home.
    pub(crate) fn start(binary: &Path, home: &Path) -> Outcome<Self> {
        if home.exists() {
            std::fs::remove_dir_all(home)?;
        }
        std::fs::create_dir_all(home)?;
        let port = shell::free_port()?;
        let server = launch(binary, home, port)?;
        Ok(Self {
            server,
            url: format!("https://127.0.0.1:{port}"),
            client: Client { binary: binary.into(), home: home.into() },
            port,
        })
    }

    /// Starts it again on the same data, after [`Running::kill`].
    pub(crate) fn restart(&mut self) -> Outcome<()> {
        self.server = launch(&self.client.binary, &self.client.home, self.port)?;
        Ok(())
    }

    /// Waits until the server knows the client's token: its first start logs the client in, and a restart ends no token.
    pub(crate) fn ready(&mut self) -> Outcome<()> {
        let until = clock::now() + PATIENCE;
        loop {
            let attempt = self.client.cli(&["token", "lookup"]);
            if attempt.is_ok() {
                return Ok(());
            }
            if self.server.has_ended() || clock::now() > until {
                let log = std::fs::read_to_string(self.log()).unwrap_or_default();
                return Err(format!(
                    "no login: {}\n{log}",
                    attempt.err().map_or(String::new(), |error| error.to_string())
                )
                .into());
            }
            std::thread::sleep(POLL);
        }
    }

    /// What the server printed.
    pub(crate) fn log(&self) -> PathBuf {
        self.client.home.join("server.log")
    }
}

impl Client {
    /// Runs a command of the client; what it printed.
    pub(crate) fn cli<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Outcome<String> {
        let mut command = Command::new(&self.binary);
        at_home(&mut command, &self.home);
        shell::read(command.args(arguments))
    }

    /// Another person, who knows of the server what this one knows, and nothing else.
    pub(crate) fn person(&self, name: &str) -> Outcome<Self> {
        let home = self.home.join("people").join(name);
        let configuration = ".config/strongroom";
        std::fs::create_dir_all(home.join(configuration))?;
        let file = Path::new(configuration).join("config.toml");
        std::fs::copy(self.home.join(&file), home.join(&file))?;
        Ok(Self { binary: self.binary.clone(), home })
    }

    /// Where they keep their things.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The token that the client keeps.
    pub(crate) fn token(&self) -> Outcome<String> {
        let state = self.home.join(".local/state");
        for entry in walkdir::WalkDir::new(&state) {
            let entry = entry?;
            if entry.file_type().is_file() {
                let text = String::from_utf8_lossy(&std::fs::read(entry.path())?).trim().to_owned();
                if text.starts_with("sr.t1.") {
                    return Ok(text);
                }
            }
        }
        Err(format!("no token below {}", state.display()).into())
    }

    /// The authority that the server made and the client trusts.
    pub(crate) fn authority(&self) -> Outcome<PathBuf> {
        let text = std::fs::read_to_string(self.home.join(".config/strongroom/config.toml"))?;
        let table: toml::Table = text.parse()?;
        let contexts = table.get("context").and_then(toml::Value::as_table).into_iter().flatten();
        let file = contexts.filter_map(|(_, context)| context.get("cacert")).find_map(toml::Value::as_str);
        file.map(PathBuf::from).ok_or_else(|| "the client's configuration names no authority".into())
    }
}

fn launch(binary: &Path, home: &Path, port: u16) -> Outcome<Running> {
    let mut command = Command::new(binary);
    at_home(&mut command, home);
    command.arg("dev").arg("--data").arg(home.join("data")).arg("--listen").arg(format!("127.0.0.1:{port}"));
    Running::start(&mut command, &home.join("server.log"))
}

/// Nothing of the person who runs this reaches the command.
fn at_home(command: &mut Command, home: &Path) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", home).current_dir(home);
}
