//! `[listener.NAME]`: what the server opens.

use super::super::reader::{Reader, Section};
use super::super::{Address, Door, Fault, Listener, SocketAccess, Tls, Transport, border, units};
use super::refuse;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

/// Where clients of the convection door look for it.
const CONVECTION_SOCKET: &str = "convection.secrets.sock";
const CONVECTION_PORT: u16 = 9670;
const CONVECTION_WEB_PORT: u16 = 9671;
/// Where members' programs look for the attribute authority.
const CYBEX_PORT: u16 = 5002;

pub(super) fn listeners<'t>(
    reader: &mut Reader<'t>,
    root: &mut Section<'t>,
    run_dir: &Path,
) -> Vec<Listener> {
    let all = reader.section(root, "listener");
    reader
        .named_sections(all)
        .into_iter()
        .filter_map(|(name, section)| listener(reader, &name, section, run_dir))
        .collect()
}

fn listener<'t>(
    reader: &mut Reader<'t>,
    name: &str,
    mut section: Section<'t>,
    run_dir: &Path,
) -> Option<Listener> {
    if let Err(fault) = units::listener_name(name) {
        reader.report(section.place(), section.path(), fault);
    }
    let spoken = reader.text(&mut section, "door", spoken).unwrap_or(Spoken::Native);
    if spoken != Spoken::Convection {
        refuse(reader, &mut section, &["transport"], "with this door");
    }
    if spoken != Spoken::Cybex {
        refuse(reader, &mut section, &["plaintext"], "with this door, which always speaks TLS");
    }
    let opening = match spoken {
        Spoken::Convection => Some(convection_opening(reader, &mut section, run_dir)),
        Spoken::Native => {
            reader.required(&mut section, "address", units::address).map(|address| (Door::Native, address))
        }
        Spoken::Cybex => {
            let usual = Address::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, CYBEX_PORT)));
            let address = reader.text(&mut section, "address", units::address);
            Some((Door::Cybex, address.unwrap_or(usual)))
        }
    };
    let built = opening.map(|(door, address)| {
        let base = Listener { door, ..Listener::native(name, address) };
        opened(reader, &mut section, base)
    });
    if built.is_some() {
        reader.close(&section);
    }
    built
}

/// The rest of a listener, by where it listens.
fn opened<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>, base: Listener) -> Listener {
    match base.address {
        Address::Tcp(_) => {
            let tls =
                if base.door == Door::Cybex { optional_tls(reader, section) } else { tls(reader, section) };
            refuse(reader, section, &["socket_mode", "socket_owner", "socket_group"], "on a TCP listener");
            let border = border::border(reader, section);
            // there is no header in which a proxy could name the client of a request
            let stream = base.door == Door::Convection(Transport::Stream);
            if stream && !border.proxy_protocol && !border.trusted_proxies.is_empty() {
                let key = format!("{}.trusted_proxies", section.path());
                reader.report_key(&key, Fault::OutOfPlace { when: "without proxy_protocol on a stream" });
            }
            let listener = Listener { tls, border, ..base };
            if listener.is_readable_on_the_way() && listener.tls != (Tls::Off { declared: true }) {
                reader.report_key(&format!("{}.address", section.path()), Fault::Plaintext);
            }
            listener
        }
        Address::Unix(_) => {
            let socket = socket(reader, section);
            refuse(reader, section, &border::KEYS, "on a socket");
            if base.has_tls() {
                return Listener { socket, tls: tls(reader, section), ..base };
            }
            refuse(reader, section, &["tls", "tls_cert", "tls_key", "tls_names", "plaintext"], "on a socket");
            Listener { socket, ..base }
        }
    }
}

/// What is spoken, before it is known what carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Native,
    Convection,
    Cybex,
}

fn spoken(text: &str) -> Result<Spoken, Fault> {
    match text {
        "native" => Ok(Spoken::Native),
        "convection" => Ok(Spoken::Convection),
        "cybex" => Ok(Spoken::Cybex),
        _ => Err(Fault::NotOneOf { allowed: "native, convection, cybex" }),
    }
}

/// The three ways in which the convection client comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Unix,
    Tcp,
    WebSocket,
}

fn way(text: &str) -> Result<Way, Fault> {
    match text {
        "unix" => Ok(Way::Unix),
        "tcp" => Ok(Way::Tcp),
        "websocket" => Ok(Way::WebSocket),
        _ => Err(Fault::NotOneOf { allowed: "unix, tcp, websocket" }),
    }
}

/// What carries it, and where; each tells the other if only one of them stands.
fn convection_opening<'t>(
    reader: &mut Reader<'t>,
    section: &mut Section<'t>,
    run_dir: &Path,
) -> (Door, Address) {
    let way = reader.text(section, "transport", way);
    let address = reader.text(section, "address", units::address);
    let way = way.unwrap_or(match &address {
        Some(Address::Tcp(_)) => Way::Tcp,
        Some(Address::Unix(_)) | None => Way::Unix,
    });
    let local = |port| Address::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let usual = match way {
        Way::Unix => Address::Unix(run_dir.join(CONVECTION_SOCKET)),
        Way::Tcp => local(CONVECTION_PORT),
        Way::WebSocket => local(CONVECTION_WEB_PORT),
    };
    let address = address.unwrap_or(usual);
    if matches!(address, Address::Unix(_)) != (way == Way::Unix) {
        let key = format!("{}.transport", section.path());
        reader.report_key(&key, Fault::OutOfPlace { when: "with this address" });
    }
    let transport = if way == Way::WebSocket { Transport::WebSocket } else { Transport::Stream };
    (Door::Convection(transport), address)
}

/// A certificate, if one is spoken of; else plain HTTP, which on the network must have been declared.
fn optional_tls<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>) -> Tls {
    if ["tls", "tls_cert", "tls_key", "tls_names"].into_iter().any(|key| section.contains(key)) {
        refuse(reader, section, &["plaintext"], "beside a certificate");
        return tls(reader, section);
    }
    let word = |text: &str| match text {
        "declared" => Ok(true),
        _ => Err(Fault::NotOneOf { allowed: "declared" }),
    };
    Tls::Off { declared: reader.text(section, "plaintext", word).unwrap_or(false) }
}

fn tls<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>) -> Tls {
    let word = |text: &str| match text {
        "own" => Ok(false),
        "files" => Ok(true),
        _ => Err(Fault::NotOneOf { allowed: "own, files" }),
    };
    let written = section.contains("tls_cert") || section.contains("tls_key");
    let from_files = reader.text(section, "tls", word).unwrap_or(written);
    if from_files {
        refuse(reader, section, &["tls_names"], "where the certificate comes from files");
        let cert = reader.required(section, "tls_cert", units::absolute).unwrap_or_default();
        let key = reader.required(section, "tls_key", units::absolute).unwrap_or_default();
        Tls::Files { cert, key }
    } else {
        refuse(reader, section, &["tls_cert", "tls_key"], "beside tls = \"own\"");
        Tls::Own { names: reader.list(section, "tls_names", units::host_name).unwrap_or_default() }
    }
}

fn socket<'t>(reader: &mut Reader<'t>, section: &mut Section<'t>) -> SocketAccess {
    let mode = reader.text(section, "socket_mode", units::mode);
    let owner = reader.text(section, "socket_owner", |text| Ok(text.to_owned()));
    let group = reader.text(section, "socket_group", |text| Ok(text.to_owned()));
    SocketAccess { mode: mode.unwrap_or(SocketAccess::default().mode), owner, group }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parsed(listener: &str) -> Result<Listener, String> {
        let text = format!("[server]\ndata_dir = \"/d\"\nrun_dir = \"/r\"\n[listener.c]\n{listener}\n");
        let config = Config::parse(&text, "test").map_err(|fault| fault.to_string())?;
        Ok(config.listeners.into_iter().next().unwrap())
    }

    #[test]
    fn the_convection_door_is_where_its_clients_look_for_it() {
        let opened = |more: &str| {
            let listener = parsed(&format!("door = \"convection\"\n{more}")).unwrap();
            assert!(listener.has_tls());
            (listener.door, listener.address.to_string())
        };
        let (stream, web) = (Door::Convection(Transport::Stream), Door::Convection(Transport::WebSocket));
        assert_eq!(opened(""), (stream, "unix:/r/convection.secrets.sock".to_owned()));
        assert_eq!(opened("transport = \"tcp\""), (stream, "127.0.0.1:9670".to_owned()));
        assert_eq!(opened("transport = \"websocket\""), (web, "127.0.0.1:9671".to_owned()));
        assert_eq!(opened("address = \"10.0.0.1:1\""), (stream, "10.0.0.1:1".to_owned()));
        let own =
            "address = \"unix:/s\"\nsocket_owner = \"root\"\nsocket_group = \"0\"\ntls_names = [\"a.b\"]";
        assert_eq!(opened(own), (stream, "unix:/s".to_owned()));
    }

    #[test]
    fn the_cybex_door_is_plain_on_this_host_and_on_the_network_only_when_that_is_declared() {
        let opened = |more: &str| parsed(&format!("door = \"cybex\"\n{more}"));
        let usual = opened("").unwrap();
        assert_eq!((usual.door, usual.address.to_string()), (Door::Cybex, "127.0.0.1:5002".to_owned()));
        assert!(!usual.has_tls());
        for plain in ["address = \"[::1]:1\"", "address = \"[::ffff:127.0.0.1]:1\"", "address = \"unix:/s\""]
        {
            assert!(!opened(plain).unwrap().has_tls(), "{plain}");
        }
        for exposed in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[::ffff:10.0.0.1]:1"] {
            let address = format!("address = \"{exposed}\"");
            assert!(opened(&address).unwrap_err().contains("plaintext"), "{exposed}");
            assert!(!opened(&format!("{address}\nplaintext = \"declared\"")).unwrap().has_tls());
            assert!(opened(&format!("{address}\ntls_cert = \"/c\"\ntls_key = \"/k\"")).unwrap().has_tls());
            assert!(opened(&format!("{address}\ntls = \"own\"")).unwrap().has_tls());
        }
        assert!(opened("address = \"localhost:5002\"").unwrap_err().contains("use 127.0.0.1"));
    }

    #[test]
    fn plain_http_that_was_declared_is_warned_of() {
        let text =
            "[server]\ndata_dir = \"/d\"\n[listener.kms]\ndoor = \"cybex\"\naddress = \"10.0.0.1:1\"\n";
        let config = Config::parse(&format!("{text}plaintext = \"declared\"\n"), "test").unwrap();
        let faults: Vec<Fault> = config.warnings().into_iter().map(|finding| finding.fault).collect();
        assert_eq!(faults, [Fault::OpenToTheNetwork, Fault::DeclaredPlaintext]);
        let config =
            Config::parse(&format!("{text}tls = \"own\"\naddresses = [\"10.0.0.0/8\"]\n"), "test").unwrap();
        assert!(config.warnings().is_empty());
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        for listener in [
            "door = \"convection\"\ntransport = \"websocket\"\naddress = \"unix:/s\"",
            "door = \"convection\"\ntransport = \"unix\"\naddress = \"127.0.0.1:1\"",
            "door = \"convection\"\ntransport = \"pigeon\"",
            "door = \"convection\"\naddress = \"unix:/s\"\nnacl = \"x\"",
            "door = \"convection\"\ntransport = \"tcp\"\ntrusted_proxies = [\"127.0.0.1\"]",
            "door = \"convection\"\ntransport = \"tcp\"\ntrusted_proxies = [\"10.0.0.1\"]\nproxy_protocol = false",
            "door = \"native\"\ntransport = \"unix\"\naddress = \"unix:/s\"",
            "address = \"unix:/s\"\ntls_names = [\"a.b\"]",
            "door = \"native\"",
            "door = \"cybex\"\ntransport = \"tcp\"",
            "door = \"cybex\"\nplaintext = \"yes\"",
            "door = \"cybex\"\ntls = \"own\"\nplaintext = \"declared\"",
            "door = \"cybex\"\naddress = \"unix:/s\"\nplaintext = \"declared\"",
            "address = \"127.0.0.1:1\"\nplaintext = \"declared\"",
            "door = \"kms\"",
        ] {
            assert!(parsed(listener).is_err(), "{listener}");
        }
    }

    #[test]
    fn a_proxy_is_trusted_where_it_can_name_its_clients() {
        for more in ["transport = \"tcp\"\nproxy_protocol = true", "transport = \"websocket\""] {
            let listener = format!("door = \"convection\"\n{more}\ntrusted_proxies = [\"127.0.0.1\"]");
            assert!(parsed(&listener).is_ok(), "{listener}");
        }
    }

    #[test]
    fn on_the_network_the_convection_door_has_the_built_in_rules_at_least() {
        let config = |listener: &str| {
            let text = format!("[server]\ndata_dir = \"/d\"\n[listener.c]\n{listener}\n");
            let config = Config::parse(&text, "test").unwrap();
            config.nacl_of(&config.listeners[0])
        };
        assert!(config("door = \"convection\"\ntransport = \"tcp\"").is_some());
        assert!(config("door = \"convection\"").is_none(), "the kernel vouches for who comes there");
        assert!(config("address = \"127.0.0.1:1\"").is_none());
    }
}
