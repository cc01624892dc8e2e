//! The ports that the server will listen on: tried before anything is done, since its first start is the last step.

use super::SetupError;
use super::plan::{Site, Standing, Step};
use super::{initialise, texts};
use crate::error::CliError;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use strongroom_convection::server_config::native_socket;

pub(super) fn steps(site: &Site) -> Vec<Box<dyn Step>> {
    let asked = texts::asked_ports(site);
    asked.map(|(key, address)| Box::new(Port { key, address }) as Box<dyn Step>).collect()
}

/// One port, and the question that it comes from.
struct Port {
    key: &'static str,
    address: SocketAddr,
}

impl Step for Port {
    fn title(&self, _: &Site) -> String {
        format!("{} for the server", self.address)
    }

    /// A server that runs, or that this setup does not start, has or finds its ports by itself.
    fn look(&self, site: &Site) -> Result<Standing, SetupError> {
        let runs = || UnixStream::connect(native_socket(&site.path("socket_path"))).is_ok();
        if initialise::is_due(site) && !runs() {
            self.judge(site)?;
        }
        Ok(Standing::Done)
    }

    fn apply(&self, _: &Site) -> Result<(), CliError> {
        Ok(())
    }
}

impl Port {
    fn judge(&self, site: &Site) -> Result<(), SetupError> {
        let Self { key, address } = *self;
        if texts::asked_ports(site).any(|(other, same)| other != key && same == address) {
            return Err(SetupError::SamePort { address });
        }
        match TcpListener::bind(address) {
            Ok(_) => Ok(()),
            Err(source) if source.kind() == io::ErrorKind::AddrInUse => {
                Err(SetupError::PortTaken { address, key, holder: holder(address) })
            }
            Err(source) => Err(SetupError::Port { address, key, source }),
        }
    }
}

/// Who listens on an address, as `process 7 (nginx)`, where the system tells it.
fn holder(address: SocketAddr) -> Option<String> {
    let listening = |table: &str| {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        text.lines().find_map(|line| listens_on(line, address))
    };
    let socket = listening("/proc/net/tcp").or_else(|| listening("/proc/net/tcp6"))?;
    let wanted = format!("socket:[{socket}]");
    let has = |process: &std::fs::DirEntry| {
        let opened = std::fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        opened.filter_map(|file| file.path().read_link().ok()).any(|file| file.as_os_str() == wanted.as_str())
    };
    let is_process =
        |entry: &std::fs::DirEntry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit);
    let process = std::fs::read_dir("/proc").ok()?.flatten().filter(is_process).find(has)?;
    let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
    Some(format!("process {} ({})", process.file_name().to_string_lossy(), name.trim_end().escape_default()))
}

/// The socket's inode, if a line of the kernel's table of connections is of one that listens where `address` is.
fn listens_on(line: &str, address: SocketAddr) -> Option<u64> {
    /// `TCP_LISTEN`.
    const LISTENS: &str = "0A";
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (local, port) = fields.get(1)?.split_once(':')?;
    let everywhere = local.bytes().all(|digit| digit == b'0') || address.ip().is_unspecified();
    let here = everywhere || words(address.ip()) == local || words(mapped(address.ip())) == local;
    let is = here && *fields.get(3)? == LISTENS && u16::from_str_radix(port, 16) == Ok(address.port());
    fields.get(9).filter(|_| is)?.parse().ok()
}

/// An address as IPv6 writes it.
fn mapped(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().into(),
        IpAddr::V6(_) => ip,
    }
}

/// An address as the kernel's table shows it: words of four bytes, each a number of this machine's.
fn words(ip: IpAddr) -> String {
    let show = |bytes: &[u8]| {
        let words = bytes.as_chunks().0.iter();
        words.fold(String::new(), |text, word| format!("{text}{:08X}", u32::from_ne_bytes(*word)))
    };
    match ip {
        IpAddr::V4(ip) => show(&ip.octets()),
        IpAddr::V6(ip) => show(&ip.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_a_port_is_told_by_number_and_name() {
        for local in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(local) else { continue };
            let taken = SocketAddr::new(
                if local.starts_with('[') { [0, 0, 0, 0, 0, 0, 0, 1].into() } else { [127, 0, 0, 1].into() },
                listener.local_addr().unwrap().port(),
            );
            let held = holder(taken).unwrap();
            assert!(held.starts_with(&format!("process {} (", std::process::id())), "{local}: {held}");
        }
    }

    #[test]
    fn only_what_listens_at_the_same_address_and_port_is_meant() {
        let line =
            "  0: 0100007F:25C6 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 4711 1 0 100";
        let at = |text: &str| listens_on(line, text.parse().unwrap());
        // the table's words are numbers of the machine's order; this line is of a little-endian one
        if cfg!(target_endian = "little") {
            assert_eq!((at("127.0.0.1:9670"), at("127.0.0.2:9670")), (Some(4_711), None));
        }
        assert_eq!((at("0.0.0.0:9670"), at("0.0.0.0:9671")), (Some(4_711), None));
        let open = line.replace(" 0A ", " 01 ");
        assert_eq!(listens_on(&open, "0.0.0.0:9670".parse().unwrap()), None, "a connection is no listener");
        assert_eq!(listens_on("", "0.0.0.0:9670".parse().unwrap()), None);
    }
}
