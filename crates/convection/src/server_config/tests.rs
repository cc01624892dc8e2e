//! From the original's words to ours.

use super::*;

const FULL: &str = r#"pid_dir = "/run/cs"

[service]
socket_path = "/run/cs/c.sock"
socket_owner = "convection_sm"
socket_group = "secrets"
use_network = true
use_websocket = true
tls_cert = "./cert.pem"
tls_key = "~/key.pem"
tls_ca = ""
tls_password = ""
log_file = "/var/log/cs.log"

[service.network]
listen_ip = "10.0.0.1"
listen_port = 9000

[[service.network.acl]]
type = "allow"
ip_address = ["10.0.0.0/8", "127.0.0.1"]
commands = ["*"]

[[service.network.acl]]
type = "deny"
ip_address = "10.9.9.9"
commands = ["get_secret"]

[service.websocket]
listen_port = 9001

[config]
path = "/srv/../var/secrets/"

[config.manager]
keydb_key_count = 7

[config.manager.authentication]
token_max_expire = "1d12h"
"#;

fn base() -> Base<'static> {
    Base { folder: Path::new("/srv/dir"), home: Some(Path::new("/home/me")) }
}

#[test]
fn a_whole_configuration_is_said_in_our_words() {
    let config = ServerConfig::read(Writing::Toml, FULL.as_bytes()).unwrap();
    let want = r#"[server]
data_dir = "/var/secrets"
run_dir = "/var/secrets/run"
pid_file = "/run/cs/convection-secrets.pid"
log_file = "/var/log/cs.log"
log = "info"

[tokens]
max_ttl = "129600s"
default_ttl = "28800s"

[listener.local]
address = "unix:/run/cs/c.native.sock"
socket_group = "secrets"

[listener.convection]
door = "convection"
address = "unix:/run/cs/c.sock"
socket_owner = "convection_sm"
socket_group = "secrets"
tls_cert = "/srv/dir/cert.pem"
tls_key = "/home/me/key.pem"

[listener.convection-network]
door = "convection"
address = "10.0.0.1:9000"
nacl = "convection"
tls_cert = "/srv/dir/cert.pem"
tls_key = "/home/me/key.pem"

[listener.convection-websocket]
door = "convection"
address = "127.0.0.1:9001"
transport = "websocket"
nacl = "convection"
tls_cert = "/srv/dir/cert.pem"
tls_key = "/home/me/key.pem"

[nacl.convection]
[[nacl.convection.rules]]
type = "allow"
addresses = ["10.0.0.0/8", "127.0.0.1"]
commands = ["*"]
[[nacl.convection.rules]]
type = "deny"
addresses = ["10.9.9.9"]
commands = ["get_secret"]
"#;
    assert_eq!(config.to_toml(base(), "info"), want);
}

#[test]
fn what_is_written_is_read_the_same() {
    let config = ServerConfig::read(Writing::Toml, FULL.as_bytes()).unwrap();
    assert_eq!(ServerConfig::read(Writing::Toml, config.original_toml().as_bytes()).unwrap(), config);
    let bare = ServerConfig::read(Writing::Json, b"{}").unwrap();
    assert_eq!(ServerConfig::read(Writing::Toml, bare.original_toml().as_bytes()).unwrap(), bare);
}

#[test]
fn an_empty_configuration_has_the_originals_defaults_and_no_network() {
    for (writing, text) in [(Writing::Json, "{}"), (Writing::Yaml, ""), (Writing::Toml, "")] {
        let config = ServerConfig::read(writing, text.as_bytes()).unwrap();
        assert_eq!(config.pid_file(base()), Path::new("/var/run/convection-secrets/convection-secrets.pid"));
        assert_eq!(config.socket_path, "/var/run/convection.secrets.sock");
        assert_eq!((config.network, config.websocket, &config.tls), (None, None, &None));
        assert_eq!(config.data_dir(base()), Path::new("/srv/dir/config/secrets"));
        assert_eq!(config.token_max_expire, Duration::from_mins(10));
        let toml = config.to_toml(base(), "warn");
        assert!(!toml.contains("nacl") && !toml.contains("websocket"), "{toml}");
    }
}

#[test]
fn a_network_without_rules_has_the_built_in_ones_alone() {
    let config = ServerConfig::read(Writing::Yaml, b"service: {use_network: yes}").unwrap();
    let toml = config.to_toml(base(), "info");
    assert!(toml.contains("address = \"127.0.0.1:9670\"\nnacl = \"convection\""), "{toml}");
    assert!(toml.ends_with("[nacl.convection]\nrules = []\n"), "{toml}");
}

#[test]
fn every_fault_is_named_with_its_line() {
    let text = r#"{"pid_dir": 5.5,
"service": {
"use_netwrok": true,
"tls_cert": "/c.pem",
"tls_password": "hunter2",
"network": {"listen_port": 99999,
"acl": [{"type": "perhaps", "ip_address": [], "commands": ["*"]},
{"type": "allow", "ip_address": ["10.0.0.1"]}, 7]}},
"config": {"manager": {"authentication": {"token_max_expire": "soon"}}}}"#;
    let error = ServerConfig::read(Writing::Json, text.as_bytes()).unwrap_err().to_string();
    let want = "line 1: pid_dir: must be a text, is a number or a moment
line 2: service.tls_key: is missing
line 3: service.use_netwrok: unknown key
line 5: service.tls_password: a key with a password is not read; decrypt it, mode 0600
line 6: service.network.listen_port: must be a port from 1 to 65535
line 7: service.network.acl.1.type: must be allow or deny
line 7: service.network.acl.1.ip_address: must be a list of at least one text
line 8: service.network.acl.3: must be a table, is a whole number
line 8: service.network.acl.2.commands: is missing
line 9: config.manager.authentication.token_max_expire: must be a time such as 10m, 1h or 1d12h";
    assert_eq!(error, want);
    let (config, findings) = ServerConfig::look(Writing::Json, text.as_bytes()).unwrap();
    assert_eq!((findings.len(), config.socket_group.as_str()), (10, "root"));
}
