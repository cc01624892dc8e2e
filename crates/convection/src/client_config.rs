//! The client's configuration: where the server is, and whom to trust.

use crate::fields::{Fault, FileError, Findings, Section};
use std::net::IpAddr;
use strongroom_import::Writing;

/// What a client's file says under `global.secrets.client`; what is not there has the original's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// Whether to go over the network in place of the socket.
    pub use_network: bool,
    /// The authority that the server's certificate must come from; empty if none is named.
    pub tls_ca: String,
    /// The server's socket.
    pub socket_path: String,
    /// Its address.
    pub target_ip: IpAddr,
    /// Its port.
    pub target_port: u16,
    /// Where the original's client logs; nothing is logged there by this one.
    pub log_file: Option<String>,
}

impl ClientConfig {
    /// Names of files, without their ending, in the folders that are searched.
    pub const FILE: &str = "convection-secrets.client";

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// Everything that is wrong with it, unknown keys included.
    pub fn read(writing: Writing, bytes: &[u8]) -> Result<Self, FileError> {
        let mut findings = Findings::default();
        let mut document = Section::document(writing, bytes)?;
        let mut global = document.section("global", &mut findings);
        let mut secrets = global.section("secrets", &mut findings);
        let mut client = secrets.section("client", &mut findings);
        let mut network = client.section("network", &mut findings);
        let mut reporting = global.section("reporting", &mut findings);
        let mut log = reporting.section("log", &mut findings);
        // the original's own logging, which nobody needs to change to come here
        let _ = (log.text("level", &mut findings), log.text("file", &mut findings));
        let config = Self {
            use_network: client.flag("use_network", &mut findings).unwrap_or(false),
            tls_ca: client.text("tls_ca", &mut findings).unwrap_or_default(),
            socket_path: client
                .text("socket_path", &mut findings)
                .unwrap_or_else(|| crate::DEFAULT_SOCKET.to_owned()),
            target_ip: ip(&mut network, "target_ip", &mut findings).unwrap_or(crate::LOOPBACK),
            target_port: port(&mut network, "target_port", &mut findings).unwrap_or(crate::DEFAULT_PORT),
            log_file: client.text("log_file", &mut findings),
        };
        for section in [log, reporting, network, client, secrets, global, document] {
            section.close(&mut findings);
        }
        findings.or(config)
    }

    /// As a TOML file that the original's client reads too.
    pub fn to_toml(&self) -> String {
        use crate::quoted;
        use std::fmt::Write as _;
        // a text written into memory cannot fail
        let mut text = format!(
            "[global.secrets.client]\nuse_network = {}\ntls_ca = {}\nsocket_path = {}\n",
            self.use_network,
            quoted(&self.tls_ca),
            quoted(&self.socket_path)
        );
        if let Some(file) = &self.log_file {
            let _ = writeln!(text, "log_file = {}", quoted(file));
        }
        let _ = write!(
            text,
            "\n[global.secrets.client.network]\ntarget_ip = {}\ntarget_port = {}\n",
            quoted(&self.target_ip.to_string()),
            self.target_port
        );
        text
    }
}

pub(crate) fn ip(section: &mut Section, name: &str, findings: &mut Findings) -> Option<IpAddr> {
    let (line, path) = (section.line_of(name), section.path(name));
    let text = section.text(name, findings)?;
    let found = text.parse().ok();
    if found.is_none() {
        findings.add(line, &path, Fault::Meaningless("an IP address"));
    }
    found
}

pub(crate) fn port(section: &mut Section, name: &str, findings: &mut Findings) -> Option<u16> {
    section.number(name, "a port from 1 to 65535", 1..=65_535, findings).and_then(|port| port.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_minimal_configuration_is_read() {
        let text = "[global.secrets.client]\nuse_network = false\ntls_ca = \"/etc/convection-secrets/certs/ca.pem\"\n\
                    socket_path = \"/var/run/convection.secrets.sock\"\n";
        let config = ClientConfig::read(Writing::Toml, text.as_bytes()).unwrap();
        assert_eq!(config.tls_ca, "/etc/convection-secrets/certs/ca.pem");
        assert_eq!(config.socket_path, "/var/run/convection.secrets.sock");
        assert_eq!((config.use_network, config.target_port), (false, 9670));
        assert_eq!(ClientConfig::read(Writing::Toml, config.to_toml().as_bytes()).unwrap(), config);
    }

    #[test]
    fn every_fault_is_named_with_its_line() {
        let text = "global:\n  secrets:\n    client:\n      use_network: maybe\n      tls_cb: x\n      network:\n        \
                    target_ip: nowhere\n        target_port: 0\n";
        let error = ClientConfig::read(Writing::Yaml, text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            error,
            "line 4: global.secrets.client.use_network: must be yes or no, is a text\n\
             line 5: global.secrets.client.tls_cb: unknown key\n\
             line 7: global.secrets.client.network.target_ip: must be an IP address\n\
             line 8: global.secrets.client.network.target_port: must be a port from 1 to 65535"
        );
    }

    #[test]
    fn an_empty_file_is_the_default() {
        let config = ClientConfig::read(Writing::Json, b"{}").unwrap();
        assert_eq!(config.socket_path, crate::DEFAULT_SOCKET);
        assert_eq!(config.target_ip, crate::LOOPBACK);
    }
}
