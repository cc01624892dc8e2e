//! The server as a process: configuration, signals, readiness, and what it will not start on.

use crate::client::{Answer, Wire};
use crate::clock;
use crate::home::{Done, Home};
use crate::served::{Served, production};
use crate::site::Site;
use rustix::process::Signal;
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

#[test]
fn a_bad_configuration_is_told_line_by_line_and_not_started() {
    let home = Home::new();
    let good = home.file("good.toml", production(&home, ""));
    home.run(&["config", "check", good.to_str().unwrap()]).ok();
    let text = production(&home, "[limits]\nconections = 5\n\n[tokens]\ndefault_ttl = \"99d\"\n");
    let line = 1 + text.lines().position(|line| line.starts_with("conections")).unwrap();
    let bad = home.file("bad.toml", text);
    let said = home.run(&["config", "check", bad.to_str().unwrap()]).refused();
    assert!(said.contains(&format!("bad.toml:{line}:1: limits.conections: unknown key")), "{said}");
    assert!(said.contains("tokens.default_ttl"), "everything at once: {said}");
    let started = home.run(&["server", "-c", bad.to_str().unwrap()]).refused();
    assert!(started.contains("limits.conections"), "{started}");
    assert!(!home.join("data").exists(), "nothing was made");
    home.run(&["server", "-c", "/nonexistent/strongroom.toml"]).refused();
}

#[test]
fn a_configuration_to_check_is_named_once() {
    let home = Home::new();
    let file = home.file("good.toml", production(&home, "")).display().to_string();
    for good in [&["config", "check", &file][..], &["config", "check", "-c", &file]] {
        assert!(home.run(good).ok().contains("is good"));
    }
    for bad in [&["config", "check"][..], &["config", "check", &file, "-c", &file]] {
        let done = home.run(bad);
        assert!(done.code == Some(2) && done.err.contains("Usage:"), "{done:?}");
    }
}

/// A command line of the unit, with the binary under test and a configuration of the test's.
fn of_unit(home: &Home, key: &str, config: &Path) -> Done {
    let unit = include_str!("../../../../deploy/strongroom.service");
    let line = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap();
    let mut words = line.split(' ');
    assert_eq!(words.next(), Some("/usr/bin/strongroom"));
    let config = config.to_str().unwrap();
    let arguments = words.map(|word| if word == "/etc/strongroom/strongroom.toml" { config } else { word });
    let arguments: Vec<&str> = arguments.collect();
    assert!(arguments.contains(&config), "{line}");
    home.run(&arguments)
}

#[test]
fn the_command_lines_of_the_unit_are_understood() {
    let home = Home::new();
    let good = home.file("good.toml", production(&home, ""));
    let bad = home.file("bad.toml", production(&home, "[limits]\nconections = 5\n"));
    of_unit(&home, "ExecStartPre", &good).ok();
    for key in ["ExecStartPre", "ExecStart"] {
        // that the file's finding is told shows that the line itself has none
        assert!(of_unit(&home, key, &bad).refused().contains("limits.conections: unknown key"), "{key}");
    }
}

#[test]
fn term_and_int_end_it_in_good_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = Home::new();
        let served = Served::dev(&home);
        let client = served.client();
        let mut kept = client.connect();
        kept.ask(&client.request("GET /health", &[], b"")).ok();
        let (socket, log) = (served.socket.clone(), served.log.clone());
        let began = clock::now();
        let ended = served.stop(signal);
        assert_eq!(ended.code(), Some(0), "{}", std::fs::read_to_string(log).unwrap());
        assert!(began.elapsed() < Duration::from_secs(20), "an idle connection does not hold it up");
        assert!(!socket.exists() || std::os::unix::net::UnixStream::connect(&socket).is_err());
        let served = Served::dev(&home);
        let trail = home.run(&["login"]).code;
        assert_eq!((trail, served.client().health().status), (Some(0), 200));
        assert!(home.run(&["audit", "tail"]).ok().contains("operator.stop"));
    }
}

/// The certificate that a fresh connection is shown.
fn shown(site: &Site) -> CertificateDer<'static> {
    let mut stream = site.served().client().stream();
    stream.conn.complete_io(&mut stream.sock).unwrap();
    stream.conn.peer_certificates().unwrap()[0].clone().into_owned()
}

fn openssl(arguments: &[&str], folder: &Home) {
    let done = Command::new("openssl").args(arguments).current_dir(folder.path()).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// A certificate of its own authority's, as `cert.pem` and `key.pem`.
fn issue(home: &Home) {
    let name = "subjectAltName=DNS:localhost,IP:127.0.0.1";
    let key = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl(
        &[&key[..], &["-keyout", "key.pem", "-out", "csr.pem", "-subj", "/CN=e2e", "-addext", name]].concat(),
        home,
    );
    let sign = ["x509", "-req", "-in", "csr.pem", "-CA", "data/tls/ca.pem", "-CAkey", "ca.key", "-days", "2"];
    openssl(&[&sign[..], &["-copy_extensions", "copy", "-out", "cert.pem"]].concat(), home);
    std::fs::set_permissions(home.join("key.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A home with an authority where the client looks for the server's.
fn authority(home: &Home) {
    std::fs::create_dir_all(home.join("data/tls")).unwrap();
    std::fs::set_permissions(home.join("data"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let root = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "ca.key",
    ];
    openssl(
        &[&root[..], &["-out", "data/tls/ca.pem", "-subj", "/CN=e2e authority", "-days", "2"]].concat(),
        home,
    );
}

#[test]
fn hup_swaps_the_certificate_and_keeps_connections() {
    let home = Home::new();
    authority(&home);
    issue(&home);
    let files = format!("tls_cert = \"{0}/cert.pem\"\ntls_key = \"{0}/key.pem\"\n", home.path().display());
    let config = production(&home, "")
        .replace("address = \"127.0.0.1:0\"\n", &format!("address = \"127.0.0.1:0\"\n{files}"));
    let mut site = Site::of(home, config);
    let before = shown(&site);
    let client = site.served().client();
    let mut kept = client.connect();
    let health = client.request("GET /health", &[], b"");
    assert_eq!(kept.ask(&health).status, 503, "not initialised yet");
    issue(&site.home);
    site.served().signal(Signal::HUP);
    let began = clock::now();
    while shown(&site) == before {
        assert!(began.elapsed() < Duration::from_secs(20), "the certificate was not swapped");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(kept.ask(&health).status, 503, "the old connection lives on");
    let after = shown(&site);
    site.home.file("cert.pem", "damaged");
    site.served().signal(Signal::HUP);
    while !site.served().log_text().contains("certificates were not reloaded") {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", site.served().log_text());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(shown(&site), after, "what was served goes on being served");
    assert_eq!(kept.ask(&health).status, 503);
    site.served.take().unwrap().stop(Signal::TERM);
}

/// The one-time token, in a home.
const INIT_TOKEN: &str = "run/init-token";

/// Initialises over the network with the token that lies in the run directory, without confirming.
fn initialise(site: &Site) -> Value {
    let public = std::fs::read_to_string(site.home.join("root.pub")).unwrap();
    let token = std::fs::read_to_string(site.home.join(INIT_TOKEN)).unwrap();
    let body = json!({ "num_keys": 3, "threshold": 1, "public_key": public });
    let made = install_with(site, &token, "init", &body).ok();
    assert_eq!(made["unlock_keys"].as_array().unwrap().len(), 3);
    made
}

fn install_with(site: &Site, token: &str, what: &str, body: &Value) -> Answer {
    let headers = [("x-init-token", token), ("content-type", "application/json")];
    site.served().client().send(&format!("POST /api/v1/{what}"), &headers, body.to_string())
}

#[test]
fn the_one_time_token_lives_until_the_initialisation_is_confirmed() {
    let mut site = Site::bare("");
    site.key_pair("ed25519");
    initialise(&site);
    let earlier = std::fs::read_to_string(site.home.join(INIT_TOKEN)).unwrap();
    site.restart();
    let made = initialise(&site);
    let token = std::fs::read_to_string(site.home.join(INIT_TOKEN)).unwrap();
    assert_ne!(earlier, token, "each start makes its own");
    let set = json!({ "set_id": made["set_id"] });
    install_with(&site, &earlier, "init/confirm", &set).is(403, "refused");
    // killed, it leaves its file, which the next start replaces
    site.served.take().unwrap().kill();
    assert!(site.home.join(INIT_TOKEN).exists());
    site.start();
    install_with(&site, &token, "init/confirm", &set).is(403, "refused");
    let token = std::fs::read_to_string(site.home.join(INIT_TOKEN)).unwrap();
    install_with(&site, &token, "init/confirm", &set).ok();
    let began = clock::now();
    clock::soon("the token's file goes", || !site.home.join(INIT_TOKEN).exists());
    println!("confirmation to the token's end {:?}", began.elapsed());
    install_with(&site, &token, "init/confirm", &set).is(403, "refused");
}

#[test]
fn unlocking_ends_the_one_time_token() {
    let mut site = Site::bare("");
    site.key_pair("ed25519");
    let made = initialise(&site);
    let token = std::fs::read_to_string(site.home.join(INIT_TOKEN)).unwrap();
    site.unlock_with(&[made["unlock_keys"][0].as_str().unwrap().to_owned()]).ok();
    clock::soon("the token's file goes", || !site.home.join(INIT_TOKEN).exists());
    site.served.take().unwrap().kill();
    // as of one that was killed right after it was unlocked
    site.home.file(INIT_TOKEN, &token);
    site.start();
    assert!(!site.home.join(INIT_TOKEN).exists());
    install_with(&site, &token, "init/confirm", &json!({ "set_id": made["set_id"] })).is(403, "refused");
}

#[test]
fn the_local_socket_speaks_the_same_api() {
    let site = Site::ready("");
    let client = site.client();
    let mut wire = Wire::unix(&site.served().socket);
    assert_eq!(wire.ask(&client.request("GET /api/v1/status", &[], b"")).ok()["state"], "unlocked");
    assert_eq!(wire.ask(&client.request("GET /api/v1/auth/token", &[], b"")).ok()["user"], "root");
    let nobody = site.served().client();
    wire.ask(&nobody.request("GET /api/v1/stores", &[], b"")).is(401, "unauthenticated");
    let mut garbage = Wire::unix(&site.served().socket);
    garbage.write(b"\x00\x01\x02 garbage\r\n\r\n").unwrap();
    assert!(garbage.rest().starts_with(b"HTTP/1.1 400"));
    assert_eq!(client.health().status, 200);
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let site = Site::ready("");
    let mut second = production(&site.home, "");
    second = second.replace("local.sock", "second.sock");
    let config = site.home.file("second.toml", second);
    let said = site.run(&["server", "-c", config.to_str().unwrap()]).refused();
    assert!(said.contains("data") && (said.contains("use") || said.contains("another")), "{said}");
    assert_eq!(site.served().client().health().status, 200);
    site.run(&["store", "create", "still-serving"]).ok();
}

#[test]
fn data_of_a_newer_format_is_not_touched() {
    let mut site = Site::ready("");
    site.stop();
    let database = site.home.join("data/strongroom.db");
    let file = std::fs::OpenOptions::new().write(true).read(true).open(&database).unwrap();
    // SQLite's user version, which is the store's format
    file.write_all_at(&2_u32.to_be_bytes(), 60).unwrap();
    let before = std::fs::read(&database).unwrap();
    let config = site.home.join("strongroom.toml");
    let said = site.run(&["server", "-c", config.to_str().unwrap()]).refused();
    assert!(said.contains("data directory has format 2, this version reads up to 1"), "{said}");
    assert!(std::fs::read(&database).unwrap() == before, "it was written to");
    file.write_all_at(&1_u32.to_be_bytes(), 60).unwrap();
    site.start();
    site.unlock();
    site.run(&["store", "list"]).ok();
}
