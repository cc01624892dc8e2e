//! The configuration of collector and query: the original's YAML file as it is, and what was added to it.
//!
//! What a program has a section of its own for (`policy`, `inputs`, `fields`, `debug`) is given to it as a tree with lines.

mod error;
mod section;

pub use error::{ConfigError, Fault};
pub use section::Section;

use crate::http::Url;
use crate::yaml::{self, Node};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_crypto::PublicKey;
use strongroom_secret::SecretBytes;

/// What collector and query are told.
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The attribute authority.
    pub kms: Url,
    /// Its signing key, if it is pinned here.
    pub public_key: Option<PublicKey>,
    /// The exchange.
    pub exchange: Url,
    /// How often a post fails before the collector warns; it never gives up.
    pub max_post_retries: u32,
    /// A token of the member; not needed once it is enrolled.
    pub access_key: Option<SecretBytes>,
    /// For the proxies before both servers.
    pub basic_auth: Option<BasicAuth>,
    /// What TLS trusts and shows.
    pub tls: Tls,
    /// The folder of keys.
    pub secrets: PathBuf,
    /// The original's backlog of the listener.
    pub web_conn_listen: Option<String>,
    /// Threads that encrypt.
    pub enc_worker_threads: Option<usize>,
    /// Bounds of a batch.
    pub batch: BatchLimits,
    /// Where records wait for the exchange.
    pub spool: SpoolConfig,
    /// The policy, for the collector.
    pub policy: Option<Node>,
    /// Where records come from, for the collector.
    pub inputs: Option<Node>,
    /// How fields are indexed, for collector and query.
    pub fields: Option<Node>,
    /// The original's switches, for the collector.
    pub debug: Option<Node>,
    /// What stands in the file and has no effect: line, key, and why.
    pub ignored: Vec<Ignored>,
}

/// What the proxies ask for.
pub struct BasicAuth {
    /// The user.
    pub user: String,
    /// Its password.
    pub pass: SecretBytes,
}

/// Trust in TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM of the authorities to trust in place of the system's.
    pub ca: Option<PathBuf>,
    /// PEM of a certificate that is shown,
    pub client_cert: Option<PathBuf>,
    /// and of its key.
    pub client_key: Option<PathBuf>,
}

/// When a batch ends; it also ends with its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// The most records.
    pub max_records: u32,
    /// The longest time from its first record to its last.
    pub max_age: Duration,
}

/// The spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolConfig {
    /// Its folder.
    pub folder: PathBuf,
    /// The most bytes that wait in it; then inputs are held back.
    pub max_bytes: u64,
    /// What is left free on its file system.
    pub keep_free_bytes: u64,
}

/// Something without effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Its line.
    pub line: u64,
    /// Its key.
    pub key: String,
    /// Why it has none.
    pub why: &'static str,
}

impl Config {
    /// Reads a file. `secrets` is where the command line says that keys lie.
    pub fn read(path: &Path, secrets: Option<&Path>) -> Result<Self, ConfigError> {
        let io = |source| ConfigError::Io { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(io)?;
        let most = u64::try_from(yaml::MAX_FILE_BYTES).unwrap_or(u64::MAX);
        let read = file.take(most + 1).read_to_end(&mut bytes);
        let bytes = SecretBytes::new(bytes);
        read.map_err(io)?;
        bytes.expose(|bytes| match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text, path, secrets),
            Err(_) => Err(ConfigError::at(path, 1, Fault::NotUtf8)),
        })
    }

    /// Reads a text that stands in a file.
    pub fn parse(text: &str, path: &Path, secrets: Option<&Path>) -> Result<Self, ConfigError> {
        let tell = |(line, fault)| ConfigError::at(path, line, fault);
        let root = yaml::read(text).map_err(tell)?;
        let home = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut reading = Reading { home, ignored: Vec::new() };
        reading.root(root, path, secrets).map_err(tell)
    }
}

struct Reading {
    home: PathBuf,
    ignored: Vec<Ignored>,
}

type At = (u64, Fault);

impl Reading {
    fn root(&mut self, root: Node, path: &Path, secrets: Option<&Path>) -> Result<Config, At> {
        let mut all = Section::of("", root)?;
        let (kms, public_key) = self.kms(&mut all)?;
        let (exchange, max_post_retries) = exchange(&mut all)?;
        let told = all.path("secrets", &self.home)?;
        let secrets = secrets.map(Path::to_owned).or(told).unwrap_or_else(|| self.home.join("secrets"));
        let config = Config {
            path: path.to_owned(),
            kms,
            public_key,
            exchange,
            max_post_retries,
            access_key: all.secret("kms_access_key")?,
            basic_auth: basic_auth(&mut all)?,
            tls: self.tls(&mut all)?,
            web_conn_listen: all.word("web_conn_listen")?,
            enc_worker_threads: all
                .number("enc_worker_threads", 1, 1024)?
                .and_then(|n| usize::try_from(n).ok()),
            batch: batch(&mut all)?,
            spool: self.spool(&mut all, &secrets)?,
            secrets,
            policy: all.node("policy"),
            inputs: all.node("inputs"),
            fields: all.node("fields"),
            debug: all.node("debug"),
            ignored: Vec::new(),
        };
        if let Some(files) = all.node("key_files") {
            let why = "keys lie in the secrets folder under their own names";
            self.ignored.push(Ignored { line: files.line, key: "key_files".to_owned(), why });
        }
        all.finish()?;
        Ok(Config { ignored: std::mem::take(&mut self.ignored), ..config })
    }

    fn kms(&self, all: &mut Section) -> Result<(Url, Option<PublicKey>), At> {
        let mut kms = all.required_section("kms")?;
        let url = kms.url("url")?;
        let key = kms.text("public_key")?.map(|(line, text)| self.public_key(line, &text)).transpose()?;
        kms.finish()?;
        Ok((url, key))
    }

    /// PEM, or the name of a file with it.
    fn public_key(&self, line: u64, text: &str) -> Result<PublicKey, At> {
        let bad = |why: String| (line, Fault::PublicKey { why });
        if text.contains("-----BEGIN") {
            return PublicKey::from_pem(text.as_bytes()).map_err(|error| bad(error.to_string()));
        }
        let path = self.home.join(text);
        let pem = std::fs::read(&path).map_err(|error| bad(format!("{}: {error}", path.display())))?;
        PublicKey::from_pem(&pem).map_err(|error| bad(error.to_string()))
    }

    fn tls(&self, all: &mut Section) -> Result<Tls, At> {
        let Some(mut section) = all.section("tls")? else { return Ok(Tls::default()) };
        let tls = Tls {
            ca: section.path("ca", &self.home)?,
            client_cert: section.path("client_cert", &self.home)?,
            client_key: section.path("client_key", &self.home)?,
        };
        if tls.client_cert.is_some() != tls.client_key.is_some() {
            return Err((section.line(), Fault::HalfOfTwo { one: "client_cert", other: "client_key" }));
        }
        section.finish()?;
        Ok(tls)
    }

    fn spool(&self, all: &mut Section, secrets: &Path) -> Result<SpoolConfig, At> {
        let beside = secrets.join("spool");
        let usual = SpoolConfig { folder: beside, max_bytes: 8 << 30, keep_free_bytes: 64 << 20 };
        let Some(mut section) = all.section("spool")? else { return Ok(usual) };
        let spool = SpoolConfig {
            folder: section.path("folder", &self.home)?.unwrap_or(usual.folder),
            max_bytes: section.number("max_bytes", 1 << 20, 1 << 50)?.unwrap_or(usual.max_bytes),
            keep_free_bytes: section.number("keep_free_bytes", 0, 1 << 50)?.unwrap_or(usual.keep_free_bytes),
        };
        section.finish()?;
        Ok(spool)
    }
}

fn exchange(all: &mut Section) -> Result<(Url, u32), At> {
    let mut server = all.required_section("backend_server")?;
    let url = server.url("url")?;
    let retries = server.number("max_post_retries", 0, 1_000_000)?.unwrap_or(5);
    server.finish()?;
    Ok((url, u32::try_from(retries).unwrap_or(u32::MAX)))
}

fn basic_auth(all: &mut Section) -> Result<Option<BasicAuth>, At> {
    let Some(mut section) = all.section("basic_auth")? else { return Ok(None) };
    let line = section.line();
    let user = section.word("user")?;
    let pass = section.secret("pass")?;
    section.finish()?;
    match (user, pass) {
        (Some(user), Some(_)) if user.contains(':') => Err((line, Fault::Colon { key: "basic_auth.user" })),
        (Some(user), Some(pass)) => Ok(Some(BasicAuth { user, pass })),
        (None, None) => Ok(None),
        _ => Err((line, Fault::HalfOfTwo { one: "user", other: "pass" })),
    }
}

fn batch(all: &mut Section) -> Result<BatchLimits, At> {
    let usual = BatchLimits { max_records: 10_000, max_age: Duration::from_mins(5) };
    let Some(mut section) = all.section("batch")? else { return Ok(usual) };
    let records = section.number("max_records", 1, 1_000_000)?.and_then(|n| u32::try_from(n).ok());
    let age = section.number("max_secs", 1, 86_400)?.map(Duration::from_secs);
    section.finish()?;
    Ok(BatchLimits {
        max_records: records.unwrap_or(usual.max_records),
        max_age: age.unwrap_or(usual.max_age),
    })
}

#[cfg(test)]
mod tests;
