//! A configuration is understood whole or refused with every fault and its line.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail them")]

use std::fs::Permissions;
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;
use strongroom_server::config::{Address, Config, ConfigError, Fault, Findings, Limits, Place, Tls, Tokens};

fn findings(text: &str) -> Findings {
    match Config::parse(text, "test.toml") {
        Err(ConfigError::Invalid(findings)) => findings,
        other => panic!("findings, not {other:?}"),
    }
}

/// The only finding of a text.
fn fault(text: &str) -> (String, Fault) {
    let findings = findings(text);
    assert_eq!(findings.found.len(), 1, "{findings}");
    let finding = findings.found.into_iter().next().unwrap();
    (finding.key, finding.fault)
}

/// A text whose `[server]` is in order.
fn with(rest: &str) -> String {
    format!("[server]\ndata_dir = \"/var/lib/strongroom\"\n{rest}\n")
}

#[test]
fn every_key_is_read() {
    let text = r#"
[server]
data_dir = "/var/lib/strongroom"
run_dir = "/run/sr"
log = "warn,strongroom_server=debug"
reserve = "64MiB"
worker_threads = 3

[listener.main]
door = "native"
address = "0.0.0.0:8200"
tls = "own"
tls_names = ["vault.example.org", "10.0.0.1"]

[listener.files]
address = "[::1]:8201"
tls_cert = "/etc/tls.pem"
tls_key = "/etc/tls.key"

[listener.local]
address = "unix:/run/sr/s.sock"
socket_mode = "0600"
socket_group = "strongroom"

[limits]
connections = 100
connections_per_address = 10
body_bytes = "1MiB"
header_bytes = 8192
headers = 32
path_bytes = "2KiB"
handshake_timeout_secs = 1
header_timeout_secs = 2
body_timeout_secs = 3
idle_timeout_secs = 4
request_timeout_secs = 5
http2_streams = 6
requests_per_second_per_address = 7
requests_per_second_per_user = 8

[tokens]
default_ttl = "30m"
max_ttl = "2d"

[unlock.auto]
key_file = "/etc/strongroom/auto.key"

[audit]
checkpoint_interval = "5m"
checkpoint_file = "/mnt/elsewhere/checkpoints"
"#;
    let config = Config::parse(text, "test.toml").unwrap();
    assert_eq!(config.server.run_dir, Path::new("/run/sr"));
    assert_eq!(config.server.reserve_bytes, 64 << 20);
    assert_eq!(config.server.worker_threads, Some(3));
    let [files, local, main] = &config.listeners[..] else { panic!("three listeners") };
    assert_eq!(files.tls, Tls::Files { cert: "/etc/tls.pem".into(), key: "/etc/tls.key".into() });
    assert_eq!(local.address, Address::Unix("/run/sr/s.sock".into()));
    assert_eq!((local.socket.mode, local.socket.group.as_deref()), (0o600, Some("strongroom")));
    assert_eq!(main.tls, Tls::Own { names: vec!["vault.example.org".into(), "10.0.0.1".into()] });
    let seconds = Duration::from_secs;
    let limits = Limits {
        connections: 100,
        connections_per_address: 10,
        body_bytes: 1 << 20,
        header_bytes: 8_192,
        headers: 32,
        path_bytes: 2_048,
        handshake_timeout: seconds(1),
        header_timeout: seconds(2),
        body_timeout: seconds(3),
        body_pace: None,
        idle_timeout: seconds(4),
        request_timeout: seconds(5),
        http2_streams: 6,
        requests_per_second_per_address: NonZeroU32::new(7),
        requests_per_second_per_user: NonZeroU32::new(8),
    };
    assert_eq!(config.limits, limits);
    assert_eq!(
        config.tokens,
        Tokens { default_ttl: seconds(1_800), max_ttl: seconds(172_800), max_access_keys: 5 }
    );
    assert_eq!(config.auto_unlock.unwrap().key_file, Path::new("/etc/strongroom/auto.key"));
    assert_eq!(config.audit.checkpoint_interval, seconds(300));
    assert_eq!(config.audit.checkpoint_file.unwrap(), Path::new("/mnt/elsewhere/checkpoints"));
}

#[test]
fn what_is_absent_is_default_and_closed() {
    let config = Config::parse(&with(""), "test.toml").unwrap();
    assert_eq!(config.listeners, []);
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.tokens, Tokens::default());
    assert_eq!(config.server.log, "info");
    assert_eq!(config.server.reserve_bytes, 256 << 20);
    assert_eq!(config.server.run_dir, Path::new("/run/strongroom"));
    assert_eq!(config.auto_unlock, None);
}

#[test]
fn the_default_for_a_directory_opens_loopback_and_a_socket() {
    let config = Config::default_for(Path::new("/data"));
    let addresses: Vec<String> =
        config.listeners.iter().map(|listener| listener.address.to_string()).collect();
    assert_eq!(addresses, ["unix:/data/run/strongroom.sock", "127.0.0.1:8200"]);
}

#[test]
fn unknown_keys_are_refused_with_their_place() {
    let text = "[server]\ndata_dir = \"/d\"\n  colour = 3\n\n[listener.main]\naddress = \"127.0.0.1:1\"\n\
                naddress = 1\n[sever]\n[unlock]\nmanual = true\n[unlock.auto]\nkey_file = \"/k\"\nx = 1\n";
    let found: Vec<(String, usize, usize)> = findings(text)
        .found
        .into_iter()
        .inspect(|finding| assert_eq!(finding.fault, Fault::Unknown))
        .map(|finding| (finding.key, finding.place.line, finding.place.column))
        .collect();
    let expected = [
        ("server.colour", 3, 3),
        ("listener.main.naddress", 7, 1),
        ("sever", 8, 2),
        ("unlock.manual", 10, 1),
        ("unlock.auto.x", 13, 1),
    ];
    assert_eq!(found, expected.map(|(key, line, column)| (key.to_owned(), line, column)));
    assert!(findings(text).to_string().starts_with("test.toml:3:3: server.colour: unknown key\n"));
}

#[test]
fn all_findings_are_told_at_once_in_the_order_of_their_lines() {
    let text = "[server]\nreserve = \"lots\"\nworker_threads = 0\n[listener.main]\naddress = \"nowhere\"\n\
                [limits]\nheaders = \"many\"\n[tokens]\ndefault_ttl = \"8\"\n";
    let lines: Vec<(usize, String)> =
        findings(text).found.into_iter().map(|finding| (finding.place.line, finding.key)).collect();
    let expected = [
        (1, "server.data_dir"),
        (2, "server.reserve"),
        (3, "server.worker_threads"),
        (5, "listener.main.address"),
        (7, "limits.headers"),
        (9, "tokens.default_ttl"),
    ];
    assert_eq!(lines, expected.map(|(line, key)| (line, key.to_owned())));
}

#[test]
fn each_fault_has_its_type() {
    let bounds = |least: &str, most: &str| Fault::OutOfBounds { least: least.into(), most: most.into() };
    let wrong = |expected, found| Fault::WrongType { expected, found };
    let listener = |rest: &str| with(&format!("[listener.a]\n{rest}"));
    let tcp = |rest: &str| listener(&format!("address = \"127.0.0.1:1\"\n{rest}"));
    let unix = |rest: &str| listener(&format!("address = \"unix:/s\"\n{rest}"));
    let table = [
        ("[server]".to_owned(), "server.data_dir", Fault::Missing),
        ("[server]\ndata_dir = \"var\"".to_owned(), "server.data_dir", Fault::NotAbsolute),
        ("[server]\ndata_dir = 7".to_owned(), "server.data_dir", wrong("a string", "integer")),
        ("[server]\ndata_dir = \"/a/../b\"".to_owned(), "server.data_dir", Fault::NotAbsolute),
        (with("log = \"a=b=c\""), "server.log", Fault::NotAFilter),
        (with("reserve = \"1MB\""), "server.reserve", Fault::NotASize),
        (with("reserve = true"), "server.reserve", wrong("a size", "boolean")),
        (with("reserve = 5"), "server.reserve", bounds("1MiB", "64GiB")),
        (with("worker_threads = -1"), "server.worker_threads", bounds("1", "512")),
        (with("worker_threads = 1.5"), "server.worker_threads", wrong("a whole number", "float")),
        (
            with("listener = 1").replace("\nlistener", "\n[listener]\na"),
            "listener.a",
            wrong("a table", "integer"),
        ),
        (with("[limits]\nheader_bytes = 9999999"), "limits.header_bytes", bounds("8KiB", "1MiB")),
        (with("[limits]\nidle_timeout_secs = 0"), "limits.idle_timeout_secs", bounds("1", "3600")),
        (
            with("[limits]\npath_bytes = \"32KiB\""),
            "limits.path_bytes",
            Fault::MoreThan { other: "limits.header_bytes" },
        ),
        (with("[tokens]\nmax_ttl = \"1y\""), "tokens.max_ttl", Fault::NotADuration),
        (with("[tokens]\nmax_ttl = \"900d\""), "tokens.max_ttl", bounds("1m", "366d")),
        (
            with("[tokens]\ndefault_ttl = \"2d\""),
            "tokens.default_ttl",
            Fault::MoreThan { other: "tokens.max_ttl" },
        ),
        (with("[unlock.auto]"), "unlock.auto.key_file", Fault::Missing),
        (
            with("[unlock.auto]\nkey_file = \"/var/lib/strongroom/k\""),
            "unlock.auto.key_file",
            Fault::InsideDataDir,
        ),
        (
            with("[audit]\ncheckpoint_file = \"/var/lib/strongroom/c\""),
            "audit.checkpoint_file",
            Fault::InsideDataDir,
        ),
        (listener(""), "listener.a.address", Fault::Missing),
        (listener("address = \"localhost:1\""), "listener.a.address", Fault::Localhost),
        (listener("address = \"nowhere:1\""), "listener.a.address", Fault::NotAnAddress),
        (tcp("door = \"back\""), "listener.a.door", Fault::NotOneOf { allowed: "native, convection, cybex" }),
        (tcp("tls = \"none\""), "listener.a.tls", Fault::NotOneOf { allowed: "own, files" }),
        (tcp("tls_cert = \"/c\""), "listener.a.tls_key", Fault::Missing),
        (tcp("tls_names = [\"a b\"]"), "listener.a.tls_names", Fault::NotAHostName),
        (tcp("tls_names = [1]"), "listener.a.tls_names", wrong("a string", "integer")),
        (tcp("tls_names = \"a\""), "listener.a.tls_names", wrong("a list of strings", "string")),
        (
            tcp("socket_mode = \"0660\""),
            "listener.a.socket_mode",
            Fault::OutOfPlace { when: "on a TCP listener" },
        ),
        (unix("socket_mode = \"0666\""), "listener.a.socket_mode", Fault::NotAMode),
        (unix("tls = \"own\""), "listener.a.tls", Fault::OutOfPlace { when: "on a socket" }),
        (
            tcp("tls = \"own\"\ntls_key = \"/k\""),
            "listener.a.tls_key",
            Fault::OutOfPlace { when: "beside tls = \"own\"" },
        ),
        (with("[listener.Main]\naddress = \"127.0.0.1:1\""), "listener.Main", Fault::NotAListenerName),
        (
            tcp("[listener.b]\naddress = \"127.0.0.1:1\""),
            "listener.b.address",
            Fault::AddressTaken { other: "a".into() },
        ),
    ];
    for (text, key, expected) in table {
        assert_eq!(fault(&text), (key.to_owned(), expected), "{text}");
    }
}

#[test]
fn what_is_no_toml_is_told_by_its_place_and_nothing_else_is() {
    let found = findings("[server]\ndata_dir = \"/d\nlog = \"info\"\n").found;
    assert!(!found.is_empty());
    assert!(found.iter().all(|finding| matches!(finding.fault, Fault::Syntax(_))), "{found:?}");
    assert_eq!(found[0].place.line, 2);
    let twice = findings("[server]\ndata_dir = \"/d\"\ndata_dir = \"/e\"\n").found;
    assert!(matches!(&twice[..], [finding] if finding.place == Place { line: 3, column: 1 }), "{twice:?}");
}

#[test]
fn columns_count_characters() {
    let found = findings("[server]\ndata_dir = \"/d\"\n\"ü\".x = 1\n[a.\"ß\"]\n").found;
    let places: Vec<Place> = found.iter().map(|finding| finding.place).collect();
    assert_eq!(places, [Place { line: 3, column: 1 }, Place { line: 4, column: 2 }]);
}

#[test]
fn files_are_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let write = |name: &str, mode: u32| {
        let path = root.join(name);
        std::fs::write(&path, "x").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let (open, private) = (write("open.key", 0o640), write("private.key", 0o600));
    let data = root.join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, Permissions::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink(&data, root.join("alias")).unwrap();
    write("data/inside.key", 0o600);
    let alias = root.join("alias/inside.key").display().to_string();
    let file = root.join("config.toml");
    let load = |text: String| {
        std::fs::write(&file, text).unwrap();
        match Config::load(&file) {
            Ok(_) => Vec::new(),
            Err(ConfigError::Invalid(findings)) => findings.found,
            Err(other) => panic!("{other}"),
        }
    };
    let text = |data: &Path, cert: &str, key: &str, auto: &str, group: &str| {
        format!(
            "[server]\ndata_dir = \"{}\"\nrun_dir = \"{private}\"\n[listener.a]\naddress = \"127.0.0.1:1\"\n\
             tls_cert = \"{cert}\"\ntls_key = \"{key}\"\n[listener.b]\naddress = \"unix:/s\"\n\
             socket_group = \"{group}\"\n[unlock.auto]\nkey_file = \"{auto}\"\n[audit]\n\
             checkpoint_file = \"{}/absent/file\"\n",
            data.display(),
            root.display()
        )
    };
    let found = load(text(&data, "/absent", &open, &alias, "no-such-group"));
    let told: Vec<(usize, &str)> =
        found.iter().map(|finding| (finding.place.line, finding.key.as_str())).collect();
    let expected = [
        (2, "server.data_dir"),
        (3, "server.run_dir"),
        (6, "listener.a.tls_cert"),
        (7, "listener.a.tls_key"),
        (10, "listener.b.socket_group"),
        (12, "unlock.auto.key_file"),
        (14, "audit.checkpoint_file"),
    ];
    assert_eq!(told, expected, "{found:#?}");
    assert!(matches!(found[0].fault, Fault::WritableByOthers { mode: 0o777, .. }));
    assert!(matches!(found[1].fault, Fault::NotADirectory { .. }));
    assert!(matches!(found[2].fault, Fault::Inaccessible { .. }));
    assert!(matches!(found[3].fault, Fault::OpenToOthers { mode: 0o640, .. }));
    assert_eq!(found[5].fault, Fault::InsideDataDir);

    let good = text(&root.join("new"), &private, &private, &private, "root");
    let good = good.replace(&format!("run_dir = \"{private}\"\n"), "").replace("/absent/file", "/file");
    assert_eq!(load(good), []);
    assert!(matches!(
        load(text(&data, &root.display().to_string(), &open, &alias, "root"))[2].fault,
        Fault::NotAFile { .. }
    ));
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(Config::load(&directory.path().join("absent")), Err(ConfigError::Unreadable { .. })));
    let file = directory.path().join("large");
    std::fs::write(&file, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(matches!(Config::load(&file), Err(ConfigError::Oversized { .. })));
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    assert!(matches!(Config::load(&file), Err(ConfigError::Unreadable { .. })));
}

#[test]
fn the_example_is_in_order() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/strongroom.toml");
    let text = std::fs::read_to_string(example).unwrap();
    let config = Config::parse(&text, "strongroom.toml").unwrap();
    assert_eq!(config.listeners.len(), 2);
    // what stands there as a comment is the default, and is understood
    let uncommented: String = text
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let whole = Config::parse(&uncommented, "strongroom.toml").unwrap();
    assert_eq!((&whole.limits, whole.tokens), (&config.limits, config.tokens));
    let server = strongroom_server::config::Server {
        worker_threads: Some(2),
        log_file: Some("/var/log/strongroom.log".into()),
        pid_file: Some("/run/strongroom/strongroom.pid".into()),
        ..config.server
    };
    assert_eq!(whole.server, server);
}

#[test]
fn the_example_of_the_convection_door_is_in_order() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/convection.toml");
    let text = std::fs::read_to_string(example).unwrap();
    let config = Config::parse(&text, "convection.toml").unwrap();
    assert_eq!(config.listeners.len(), 5);
    assert_eq!(config.nacls.len(), 1);
    let uncommented = text.replace("#: ", "");
    assert_eq!(Config::parse(&uncommented, "convection.toml").unwrap().listeners.len(), 5);
}
