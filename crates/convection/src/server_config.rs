//! The server's configuration, and what it says in the words of `strongroom.toml`.
//!
//! The original's files need no rewriting: the server reads them at each start and at each reload, and [`ServerConfig::to_toml`]
//! is what it then runs on. What the original takes and this program does not is a fault with its line, never passed
//! over in silence.

use crate::client_config::{ip, port};
use crate::fields::{Fault, FileError, Finding, Findings, Section};
use crate::{quoted, time};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;
use strongroom_import::Writing;

/// The least and the most that a token may be allowed to live here.
const TOKEN_LIFE: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_hours(366 * 24);
/// How long a token lives if nobody says so.
const USUAL_TOKEN_LIFE: Duration = Duration::from_hours(8);

/// What a server's file says; what is not there has the original's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Where the server's process leaves its number.
    pub pid_dir: String,
    /// The local socket.
    pub socket_path: String,
    /// Its owner.
    pub socket_owner: String,
    /// Its group.
    pub socket_group: String,
    /// The network socket, if it is used.
    pub network: Option<SocketAddr>,
    /// The WebSocket, if it is used.
    pub websocket: Option<SocketAddr>,
    /// Who may ask for what over the network, in the order of the file.
    pub acl: Vec<NetworkRule>,
    /// Certificate and key; without them the server's own authority makes both.
    pub tls: Option<TlsFiles>,
    /// The authority that clients trust; the server itself does not need it.
    pub tls_ca: String,
    /// Where to log, besides standard error.
    pub log_file: Option<String>,
    /// Where everything is stored.
    pub path: String,
    /// How many keys a keyset had: here each has one that writes, and all that are needed to read.
    pub keydb_key_count: u64,
    /// The longest life of a token.
    pub token_max_expire: Duration,
}

/// Files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate's.
    pub cert: String,
    /// The key's.
    pub key: String,
}

/// One rule of a network ACL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRule {
    /// Allows, or denies.
    pub allow: bool,
    /// To these addresses and networks.
    pub addresses: Vec<String>,
    /// These commands; `*` is all.
    pub commands: Vec<String>,
}

/// What paths are relative to.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The working directory, as the original has it.
    pub folder: &'a Path,
    /// What `~` stands for.
    pub home: Option<&'a Path>,
}

impl ServerConfig {
    /// The folder that is looked for in each place.
    pub const FOLDER: &str = "convection-secrets";
    /// The file's name, without its ending.
    pub const FILE: &str = "convection-secrets";

    /// Reads a file's bytes; also gives what was found wrong, so that who only wants to look can go on.
    ///
    /// # Errors
    /// If it is no document at all.
    pub fn look(writing: Writing, bytes: &[u8]) -> Result<(Self, Vec<Finding>), FileError> {
        let mut findings = Findings::default();
        let config = Self::from_document(Section::document(writing, bytes)?, &mut findings);
        findings.0.sort_by_key(|finding| finding.line);
        Ok((config, findings.0))
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// Everything that is wrong with it, unknown keys included.
    pub fn read(writing: Writing, bytes: &[u8]) -> Result<Self, FileError> {
        let (config, findings) = Self::look(writing, bytes)?;
        Findings(findings).or(config)
    }

    fn from_document(mut document: Section, findings: &mut Findings) -> Self {
        let mut service = document.section("service", findings);
        let mut network = service.section("network", findings);
        let mut websocket = service.section("websocket", findings);
        let mut stored = document.section("config", findings);
        let mut manager = stored.section("manager", findings);
        let mut authentication = manager.section("authentication", findings);
        let text = |section: &mut Section, name: &str, default: &str, findings: &mut Findings| {
            section.text(name, findings).unwrap_or_else(|| default.to_owned())
        };
        let use_network = service.flag("use_network", findings).unwrap_or(false);
        let use_websocket = service.flag("use_websocket", findings).unwrap_or(false);
        let at_network = listener(&mut network, crate::DEFAULT_PORT, findings);
        let at_websocket = listener(&mut websocket, crate::DEFAULT_WEBSOCKET_PORT, findings);
        let config = Self {
            pid_dir: text(&mut document, "pid_dir", "/var/run/convection-secrets/", findings),
            socket_path: text(&mut service, "socket_path", crate::DEFAULT_SOCKET, findings),
            socket_owner: text(&mut service, "socket_owner", "root", findings),
            socket_group: text(&mut service, "socket_group", "root", findings),
            network: use_network.then_some(at_network),
            websocket: use_websocket.then_some(at_websocket),
            acl: network
                .tables("acl", findings)
                .into_iter()
                .map(|rule| network_rule(rule, findings))
                .collect(),
            tls: tls(&mut service, findings),
            tls_ca: text(&mut service, "tls_ca", "", findings),
            log_file: service.text("log_file", findings),
            path: text(&mut stored, "path", "./config/secrets/", findings),
            keydb_key_count: manager
                .number("keydb_key_count", "a number from 1 to 1000", 1..=1_000, findings)
                .unwrap_or(5),
            token_max_expire: life(&mut authentication, findings).unwrap_or(Duration::from_mins(10)),
        };
        for section in [authentication, manager, stored, websocket, network, service, document] {
            section.close(findings);
        }
        config
    }

    /// The whole of `strongroom.toml` that does what this configuration asks for. Besides the listeners of the original it
    /// has the local socket of the native door beside their own, where this program's own commands find the server.
    pub fn to_toml(&self, base: Base<'_>, log: &str) -> String {
        let path = |text: &str| base.absolute(text).to_string_lossy().into_owned();
        let data = base.absolute(&self.path);
        let mut out = String::new();
        let mut say = |line: String| {
            out.push_str(&line);
            out.push('\n');
        };
        say("[server]".to_owned());
        say(format!("data_dir = {}", quoted(&data.to_string_lossy())));
        say(format!("run_dir = {}", quoted(&self.run_dir(base).to_string_lossy())));
        say(format!("pid_file = {}", quoted(&self.pid_file(base).to_string_lossy())));
        if let Some(file) = &self.log_file {
            say(format!("log_file = {}", quoted(&path(file))));
        }
        say(format!("log = {}", quoted(log)));
        let most = self.token_max_expire.clamp(*TOKEN_LIFE.start(), *TOKEN_LIFE.end());
        say(format!("\n[tokens]\nmax_ttl = \"{}s\"", most.as_secs()));
        say(format!("default_ttl = \"{}s\"", most.min(USUAL_TOKEN_LIFE).as_secs()));
        say(format!(
            "\n[listener.local]\naddress = {}\nsocket_group = {}",
            quoted(&format!("unix:{}", native_socket(&base.absolute(&self.socket_path)).display())),
            quoted(&self.socket_group)
        ));
        let tls = self.tls.as_ref().map_or_else(String::new, |files| {
            format!("\ntls_cert = {}\ntls_key = {}", quoted(&path(&files.cert)), quoted(&path(&files.key)))
        });
        say(format!(
            "\n[listener.convection]\ndoor = \"convection\"\naddress = {}\nsocket_owner = {}\nsocket_group = {}{tls}",
            quoted(&format!("unix:{}", path(&self.socket_path))),
            quoted(&self.socket_owner),
            quoted(&self.socket_group)
        ));
        for (name, address, more) in [
            ("convection-network", self.network, ""),
            ("convection-websocket", self.websocket, "\ntransport = \"websocket\""),
        ] {
            let Some(address) = address else { continue };
            say(format!(
                "\n[listener.{name}]\ndoor = \"convection\"\naddress = \"{address}\"{more}\nnacl = \"convection\"{tls}"
            ));
        }
        if self.network.or(self.websocket).is_some() {
            say(self.nacl());
        }
        out
    }

    fn nacl(&self) -> String {
        let mut out = "\n[nacl.convection]".to_owned();
        if self.acl.is_empty() {
            // the built-in rules alone, as the original has them
            out.push_str("\nrules = []");
        }
        for rule in &self.acl {
            let list =
                |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
            // a text written into memory cannot fail
            let _ = write!(
                out,
                "\n[[nacl.convection.rules]]\ntype = \"{}\"\naddresses = [{}]\ncommands = [{}]",
                if rule.allow { "allow" } else { "deny" },
                list(&rule.addresses),
                list(&rule.commands)
            );
        }
        out
    }

    /// Where the data lies.
    pub fn data_dir(&self, base: Base<'_>) -> PathBuf {
        base.absolute(&self.path)
    }

    /// Where the running server keeps what need not survive: below the data, where nobody else can enter.
    fn run_dir(&self, base: Base<'_>) -> PathBuf {
        self.data_dir(base).join("run")
    }

    /// The file with the number of the server's process.
    pub fn pid_file(&self, base: Base<'_>) -> PathBuf {
        base.absolute(&self.pid_dir).join(PID_FILE)
    }

    /// As a TOML file that the original's server reads too.
    pub fn original_toml(&self) -> String {
        let mut out = format!("pid_dir = {}\n\n[service]\n", quoted(&self.pid_dir));
        let mut say = |name: &str, value: String| {
            // a text written into memory cannot fail
            let _ = writeln!(out, "{name} = {value}");
        };
        say("socket_path", quoted(&self.socket_path));
        say("socket_owner", quoted(&self.socket_owner));
        say("socket_group", quoted(&self.socket_group));
        say("use_network", self.network.is_some().to_string());
        say("use_websocket", self.websocket.is_some().to_string());
        if let Some(files) = &self.tls {
            say("tls_cert", quoted(&files.cert));
            say("tls_key", quoted(&files.key));
        }
        say("tls_ca", quoted(&self.tls_ca));
        if let Some(file) = &self.log_file {
            say("log_file", quoted(file));
        }
        for (name, address) in [("network", self.network), ("websocket", self.websocket)] {
            let Some(address) = address else { continue };
            let _ = write!(
                out,
                "\n[service.{name}]\nlisten_ip = \"{}\"\nlisten_port = {}\n",
                address.ip(),
                address.port()
            );
            let rules: &[NetworkRule] = if name == "network" { &self.acl } else { &[] };
            for rule in rules {
                let list =
                    |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
                let _ = write!(
                    out,
                    "\n[[service.network.acl]]\ntype = \"{}\"\nip_address = [{}]\ncommands = [{}]\n",
                    if rule.allow { "allow" } else { "deny" },
                    list(&rule.addresses),
                    list(&rule.commands)
                );
            }
        }
        let _ = write!(
            out,
            "\n[config]\npath = {}\n\n[config.manager]\nkeydb_key_count = {}\n\n\
             [config.manager.authentication]\ntoken_max_expire = {}\n",
            quoted(&self.path),
            self.keydb_key_count,
            quoted(&time::written(self.token_max_expire))
        );
        out
    }
}

/// The local socket of the native door of a server whose convection socket is here.
pub fn native_socket(convection: &Path) -> PathBuf {
    convection.with_extension("native.sock")
}

/// The name of the file with the server's process number.
pub const PID_FILE: &str = "convection-secrets.pid";

impl Base<'_> {
    /// A path that means the same from everywhere.
    pub fn absolute(&self, text: &str) -> PathBuf {
        let path = match (text.strip_prefix('~'), self.home) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
                home.join(rest.trim_start_matches('/'))
            }
            _ => self.folder.join(text),
        };
        let mut plain = PathBuf::new();
        for part in path.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => {
                    plain.pop();
                }
                part => plain.push(part),
            }
        }
        plain
    }
}

fn listener(section: &mut Section, default: u16, findings: &mut Findings) -> SocketAddr {
    let address: IpAddr = ip(section, "listen_ip", findings).unwrap_or(crate::LOOPBACK);
    SocketAddr::new(address, port(section, "listen_port", findings).unwrap_or(default))
}

/// Both files or neither. The defaults of the original name files of the working directory, which is what nobody means.
fn tls(service: &mut Section, findings: &mut Findings) -> Option<TlsFiles> {
    let (line, path) = (service.line_of("tls_password"), service.path("tls_password"));
    if service.text("tls_password", findings).is_some_and(|password| !password.is_empty()) {
        findings.add(line, &path, Fault::NotDone("a key with a password is not read; decrypt it, mode 0600"));
    }
    let line = service.line();
    let cert = service.text("tls_cert", findings);
    let key = service.text("tls_key", findings);
    match (cert, key) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        (None, None) => None,
        (cert, _) => {
            let missing = if cert.is_some() { "tls_key" } else { "tls_cert" };
            findings.add(line, &service.path(missing), Fault::Missing);
            None
        }
    }
}

fn network_rule(mut section: Section, findings: &mut Findings) -> NetworkRule {
    let (line, path) = (section.line_of("type"), section.path("type"));
    let kind = section.text("type", findings);
    let allow = match kind.as_deref() {
        Some("allow") => true,
        Some("deny") => false,
        Some(_) => {
            findings.add(line, &path, Fault::Meaningless("allow or deny"));
            false
        }
        None => {
            findings.add(line, &path, Fault::Missing);
            false
        }
    };
    let mut texts = |name: &str| {
        let (line, path) = (section.line_of(name), section.path(name));
        let there = section.has(name);
        let texts = section.texts(name, findings).unwrap_or_default();
        if texts.is_empty() {
            findings.add(
                line,
                &path,
                if there { Fault::Meaningless("a list of at least one text") } else { Fault::Missing },
            );
        }
        texts
    };
    let (addresses, commands) = (texts("ip_address"), texts("commands"));
    section.close(findings);
    NetworkRule { allow, addresses, commands }
}

fn life(section: &mut Section, findings: &mut Findings) -> Option<Duration> {
    let (line, path) = (section.line_of("token_max_expire"), section.path("token_max_expire"));
    let text = section.text("token_max_expire", findings)?;
    let found = time::read(&text).filter(|life| !life.is_zero());
    if found.is_none() {
        findings.add(line, &path, Fault::Meaningless("a time such as 10m, 1h or 1d12h"));
    }
    found
}

#[cfg(test)]
mod tests;
