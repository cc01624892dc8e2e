//! `[audit]` and `[audit.syslog]`.

use super::{DAY, refuse, within};
use crate::config::reader::{Reader, Section};
use crate::config::{Audit, Fault, Syslog, SyslogAddress, units};
use std::time::Duration;

/// Facilities by their usual names (RFC 5424, table 1); 10 is security, as 4 is.
const FACILITIES: [(&str, u8); 13] = [
    ("daemon", 3),
    ("auth", 4),
    ("authpriv", 10),
    ("audit", 13),
    ("alert", 14),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];
const FACILITY_NAMES: &str = "daemon, auth, authpriv, audit, alert, local0 to local7";
const DEFAULT_FACILITY: u8 = 10;
const DEFAULT_PORTS: [(&str, u16); 3] = [("udp", 514), ("tcp", 601), ("tls", 6514)];

pub(super) fn audit<'t>(reader: &mut Reader<'t>, root: &mut Section<'t>) -> Audit {
    let mut section = reader.section(root, "audit");
    let mut audit = Audit::default();
    let from = &mut section;
    let (second, years) = (Duration::from_secs(1), DAY * 36_600);
    let interval = reader.text(from, "checkpoint_interval", within(Duration::from_secs(10), DAY * 7));
    audit.checkpoint_interval = interval.unwrap_or(audit.checkpoint_interval);
    audit.checkpoint_file = reader.text(from, "checkpoint_file", units::absolute);
    audit.keep_entries = reader.number(from, "keep_entries", 100..=u64::MAX >> 1);
    audit.keep_age = reader.text(from, "keep_age", within(second, years));
    audit.archive_dir = reader.text(from, "archive_dir", units::absolute);
    let entries = reader.number(from, "segment_entries", 100..=10_000_000);
    audit.segment_entries = entries.unwrap_or(audit.segment_entries);
    let age = reader.text(from, "segment_age", within(second, DAY * 366));
    audit.segment_age = age.unwrap_or(audit.segment_age);
    audit.syslog = syslog(reader, from);
    reader.close(&section);
    audit
}

fn syslog<'t>(reader: &mut Reader<'t>, audit: &mut Section<'t>) -> Option<Syslog> {
    let wanted = audit.contains("syslog");
    let mut section = reader.section(audit, "syslog");
    if !wanted {
        return None;
    }
    let from = &mut section;
    let address = reader.required(from, "address", address);
    let facility = reader.text(from, "facility", facility);
    let plain = reader.text(from, "resources", resources);
    let tls = matches!(address, Some(SyslogAddress::Tls(_)) | None);
    if !tls {
        refuse(reader, from, &["ca_file"], "without tls:");
    }
    let ca_file = if tls { reader.required(from, "ca_file", units::absolute) } else { None };
    reader.close(&section);
    Some(Syslog {
        address: address?,
        facility: facility.unwrap_or(DEFAULT_FACILITY),
        plain_resources: plain.unwrap_or(false),
        ca_file,
    })
}

fn facility(text: &str) -> Result<u8, Fault> {
    let known = FACILITIES.iter().find(|(name, _)| *name == text);
    known.map(|(_, number)| *number).ok_or(Fault::NotOneOf { allowed: FACILITY_NAMES })
}

fn resources(text: &str) -> Result<bool, Fault> {
    match text {
        "plain" => Ok(true),
        "sealed" => Ok(false),
        _ => Err(Fault::NotOneOf { allowed: "plain, sealed" }),
    }
}

/// `unix:/dev/log`, `udp:HOST`, `tcp:HOST:PORT`, `tls:[::1]:6514`.
fn address(text: &str) -> Result<SyslogAddress, Fault> {
    let (kind, place) = text.split_once(':').ok_or(Fault::NotASyslogAddress)?;
    if kind == "unix" {
        return units::absolute(place).map(SyslogAddress::Unix);
    }
    let known = DEFAULT_PORTS.iter().find(|(name, _)| *name == kind);
    let (_, port) = known.ok_or(Fault::NotASyslogAddress)?;
    let place = host_and_port(place, *port).ok_or(Fault::NotASyslogAddress)?;
    Ok(match kind {
        "udp" => SyslogAddress::Udp(place),
        "tcp" => SyslogAddress::Tcp(place),
        _ => SyslogAddress::Tls(place),
    })
}

fn host_and_port(text: &str, default: u16) -> Option<String> {
    if let Ok(address) = text.parse::<std::net::SocketAddr>() {
        return Some(address.to_string());
    }
    if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>() {
        return Some(std::net::SocketAddr::new(address, default).to_string());
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, default),
    };
    units::host_name(host).ok().map(|host| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_are_named_by_kind_host_and_port() {
        let good = [
            ("unix:/dev/log", "unix:/dev/log"),
            ("udp:logs.example.org", "udp:logs.example.org:514"),
            ("tcp:logs.example.org:1514", "tcp:logs.example.org:1514"),
            ("tls:10.0.0.1", "tls:10.0.0.1:6514"),
            ("tls:[::1]:1", "tls:[::1]:1"),
            ("tcp:::1", "tcp:[::1]:601"),
        ];
        for (text, shown) in good {
            assert_eq!(address(text).map(|address| address.to_string()).as_deref(), Ok(shown), "{text}");
        }
        for text in ["", "udp", "udp:", "http:host", "tcp:host:port", "tcp:a b", "unix:log", "tcp:h:0x1"] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
