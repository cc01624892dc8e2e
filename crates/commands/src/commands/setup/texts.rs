//! The texts of files, as they follow from the answers.

use super::plan::Site;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use strongroom_convection::client_config::ClientConfig;
use strongroom_convection::server_config::{NetworkRule, PID_FILE, ServerConfig, TlsFiles};
use strongroom_convection::{DEFAULT_PORT, LOOPBACK, time};

/// Where clients find the authority's certificate.
pub(super) fn client_authority(site: &Site) -> PathBuf {
    site.path("client_config_file").with_file_name("convection-secrets.ca.pem")
}

/// The file with the number of the server's process.
pub(super) fn pid_file(site: &Site) -> PathBuf {
    site.path("pid_dir").join(PID_FILE)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The address that the server listens on, and its port for a question's answer.
fn listener(site: &Site, wanted: &str, port: &str) -> Option<SocketAddr> {
    let ip: IpAddr = site.answers.text("listen_ip").parse().unwrap_or(LOOPBACK);
    let port = u16::try_from(site.answers.number(port)).unwrap_or(DEFAULT_PORT);
    site.answers.yes(wanted).then_some(SocketAddr::new(ip, port))
}

/// What the server listens on, with the question that each port comes from.
pub(super) fn asked_ports(site: &Site) -> impl Iterator<Item = (&'static str, SocketAddr)> {
    let wanted = [("use_network", "listen_port"), ("use_websocket", "websocket_port")];
    wanted.into_iter().filter_map(|(wanted, port)| Some((port, listener(site, wanted, port)?)))
}

/// The addresses that the certificate must be good for, besides this host's.
pub(super) fn listens_on(site: &Site) -> Vec<SocketAddr> {
    asked_ports(site).map(|(_, address)| address).collect()
}

/// The server's configuration, in the original's words, so that its programs read it too.
pub(super) fn server_config(site: &Site) -> String {
    let answers = &site.answers;
    let networks = answers.text("network_allow").split(',').map(str::trim).filter(|one| !one.is_empty());
    let addresses: Vec<String> = networks.map(str::to_owned).collect();
    let rule = NetworkRule { allow: true, addresses, commands: vec!["*".to_owned()] };
    let authority = match answers.text("tls_ca") {
        "" if answers.yes("generate_tls") => text(&super::tls::authority(site)),
        "" => String::new(),
        _ => text(&site.path("tls_ca")),
    };
    ServerConfig {
        pid_dir: text(&site.path("pid_dir")),
        socket_path: text(&site.path("socket_path")),
        socket_owner: site.user().to_owned(),
        socket_group: site.group().to_owned(),
        network: listener(site, "use_network", "listen_port"),
        websocket: listener(site, "use_websocket", "websocket_port"),
        acl: if rule.addresses.is_empty() { Vec::new() } else { vec![rule] },
        tls: Some(TlsFiles { cert: text(&site.path("tls_cert")), key: text(&site.path("tls_key")) }),
        tls_ca: authority,
        log_file: Some(text(&site.path("server_log_file"))),
        path: text(&site.path("secrets_dir")),
        keydb_key_count: answers.number("keydb_key_count"),
        token_max_expire: time::read(answers.text("token_max_expire")).unwrap_or_default(),
    }
    .original_toml()
}

/// The client's configuration, in the original's words.
pub(super) fn client_config(site: &Site) -> String {
    let authority = match (site.answers.yes("generate_tls"), site.answers.text("tls_ca")) {
        (true, _) => text(&client_authority(site)),
        (false, "") => String::new(),
        (false, _) => text(&site.path("tls_ca")),
    };
    let network = listener(site, "use_network", "listen_port");
    ClientConfig {
        use_network: false,
        tls_ca: authority,
        socket_path: text(&site.path("socket_path")),
        target_ip: network.map_or(LOOPBACK, |address| address.ip()),
        target_port: network.map_or(DEFAULT_PORT, |address| address.port()),
        log_file: Some(text(&site.path("client_log_file"))),
    }
    .to_toml()
}
