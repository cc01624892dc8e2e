//! `inputs`: where records come from.

use super::Wrong;
use super::policy::list;
use crate::policy::{PolicyFault, PolicyFileError};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use strongroom_member::{Fault, Node, Section};

/// Where the original's clients send to.
const USUAL_PORT: u16 = 6000;
/// Most inputs.
const MAX_INPUTS: usize = 64;

/// One place that records come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The line of the configuration.
    pub line: u64,
    /// What it is.
    pub kind: InputKind,
    /// Spoken under TLS with these files.
    pub tls: Option<TlsFiles>,
}

/// What an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputKind {
    /// One JSON object a connection, or lines of them.
    Tcp(SocketAddr),
    /// `POST` of objects, arrays and lines.
    Http(SocketAddr),
    /// Syslog over TCP: RFC 6587, both framings.
    SyslogTcp(SocketAddr),
    /// Syslog over UDP: RFC 5426.
    SyslogUdp(SocketAddr),
    /// A file that grows.
    File {
        /// Where it is.
        path: PathBuf,
        /// What its lines are.
        format: Format,
    },
    /// Standard input, to its end.
    Stdin(Format),
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Lines of JSON objects.
    #[default]
    Json,
    /// Lines of syslog.
    Syslog,
    /// Lines of anything: a record with `message`.
    Text,
    /// One STIX 2.1 bundle.
    Stix,
    /// MISP events.
    Misp,
}

/// PEM files of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Its certificate and those above it.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Who issues the certificates that senders must show.
    pub client_ca: Option<PathBuf>,
}

/// An address that nothing can be bound to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// A name.
    #[error("localhost is a name and no interface: use 127.0.0.1")]
    Localhost,
    /// Neither address nor port.
    #[error(
        "{text:?} is not [ADDRESS:]PORT, such as 6000 or 127.0.0.1:6000; write the interface's address, not its name"
    )]
    NoAddress {
        /// What it is.
        text: String,
    },
}

impl Format {
    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "json" => Self::Json,
            "syslog" => Self::Syslog,
            "text" => Self::Text,
            "stix" => Self::Stix,
            "misp" => Self::Misp,
            _ => return None,
        })
    }
}

impl Input {
    /// What there is where the configuration names no input.
    pub fn usual() -> Self {
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), USUAL_PORT);
        Self { line: 0, kind: InputKind::Tcp(address), tls: None }
    }

    /// The address that it listens at.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.kind {
            InputKind::Tcp(address)
            | InputKind::Http(address)
            | InputKind::SyslogTcp(address)
            | InputKind::SyslogUdp(address) => Some(address),
            InputKind::File { .. } | InputKind::Stdin(_) => None,
        }
    }

    /// Whether records travel to it in clear, over more than this machine.
    pub fn is_exposed(&self) -> bool {
        self.tls.is_none() && self.address().is_some_and(|address| !address.ip().is_loopback())
    }
}

/// `[ADDRESS:]PORT`; without an address on this machine alone.
pub fn bind_address(text: &str) -> Result<SocketAddr, BindError> {
    if text.split(':').next().is_some_and(|host| host.eq_ignore_ascii_case("localhost")) {
        return Err(BindError::Localhost);
    }
    let port = text.parse::<u16>().ok().map(|port| (IpAddr::from(Ipv4Addr::LOCALHOST), port).into());
    port.or_else(|| text.parse().ok()).ok_or_else(|| BindError::NoAddress { text: text.to_owned() })
}

pub(super) fn read(node: Option<Node>, home: &Path) -> Result<Vec<Input>, Wrong> {
    let Some(node) = node else { return Ok(vec![Input::usual()]) };
    let line = node.line;
    let inputs: Vec<Input> =
        list(Some(node), "inputs")?.into_iter().map(|node| input(node, home)).collect::<Result<_, _>>()?;
    if inputs.len() > MAX_INPUTS {
        return Err(wrong(line, "at most 64 inputs"));
    }
    let stdins = inputs.iter().filter(|input| matches!(input.kind, InputKind::Stdin(_))).count();
    if stdins > 1 {
        return Err(wrong(line, "stdin once"));
    }
    Ok(inputs)
}

fn wrong(line: u64, wanted: &'static str) -> Wrong {
    PolicyFileError { line, place: "inputs", fault: PolicyFault::Expected { wanted } }.into()
}

/// What an address makes.
type Kind = fn(SocketAddr) -> InputKind;

fn input(node: Node, home: &Path) -> Result<Input, Wrong> {
    let mut section = Section::of("inputs", node)?;
    let line = section.line();
    let mut kinds = Vec::new();
    let listeners: [(&str, Kind); 4] = [
        ("tcp", InputKind::Tcp),
        ("http", InputKind::Http),
        ("syslog_tcp", InputKind::SyslogTcp),
        ("syslog_udp", InputKind::SyslogUdp),
    ];
    for (key, kind) in listeners {
        if let Some((line, text)) = section.text(key)? {
            let address = bind_address(&text).map_err(|error| {
                Wrong::Policy(PolicyFileError { line, place: "inputs", fault: PolicyFault::Bind(error) })
            })?;
            kinds.push(kind(address));
        }
    }
    let format = section.text("format")?;
    let format =
        format.map(|(line, name)| Format::named(&name).ok_or_else(|| wrong(line, FORMATS))).transpose()?;
    if let Some(path) = section.path("file", home)? {
        kinds.push(InputKind::File { path, format: format.unwrap_or_default() });
    }
    if section.flag("stdin")? == Some(true) {
        kinds.push(InputKind::Stdin(format.unwrap_or_default()));
    }
    let tls = tls(&mut section, home)?;
    section.finish()?;
    let [kind] = <[InputKind; 1]>::try_from(kinds)
        .map_err(|_| wrong(line, "one of tcp, http, syslog_tcp, syslog_udp, file, stdin in each input"))?;
    let is_stream = matches!(kind, InputKind::Tcp(_) | InputKind::Http(_) | InputKind::SyslogTcp(_));
    if tls.is_some() && !is_stream {
        return Err(wrong(line, "cert and key only with tcp, http and syslog_tcp"));
    }
    if format.is_some() && !matches!(kind, InputKind::File { .. } | InputKind::Stdin(_)) {
        return Err(wrong(line, "format only with file and stdin"));
    }
    Ok(Input { line, kind, tls })
}

const FORMATS: &str = "json, syslog, text, stix or misp";

fn tls(section: &mut Section, home: &Path) -> Result<Option<TlsFiles>, Wrong> {
    let (cert, key) = (section.path("cert", home)?, section.path("key", home)?);
    let client_ca = section.path("client_ca", home)?;
    match (cert, key) {
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key, client_ca })),
        (None, None) if client_ca.is_none() => Ok(None),
        _ => Err(Wrong::Key(section.line(), Fault::HalfOfTwo { one: "cert", other: "key" })),
    }
}
