//! TLS between the sharing system's parts: certificates of members at the exchange, and the exchange's database.

use crate::sharing_world::{Running, World, certificate, free_port, issuer, post};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const COLLECTS: &str = "inputs: [{http: '127.0.0.1:0'}]\nbatch: {max_secs: 1}\npolicy:\n  default: {abe_pol: ANALYST}\n  \
                        index: {exact: [src_ip]}\n";

/// A configuration by which a member shows a certificate, or none.
fn config(world: &World, ca: &str, shown: Option<&[String; 2]>, more: &str) -> String {
    let shown =
        shown.map(|[cert, key]| format!(", client_cert: '{cert}', client_key: '{key}'")).unwrap_or_default();
    format!(
        "kms: {{url: '{}'}}\nbackend_server: {{url: 'https://127.0.0.1:{}', max_post_retries: 0}}\n\
         tls: {{ca: '{ca}'{shown}}}\n{more}",
        world.kms.address, world.port
    )
}

#[test]
fn a_certificate_that_the_exchange_does_not_take_is_told_and_loses_nothing() {
    let world = World::new();
    let (ours, theirs) = (issuer("ours"), issuer("theirs"));
    let ca = world.home.file("ca.pem", ours.pem()).display().to_string();
    let [cert, key] = certificate(&world.home, &ours, "exchange", &["127.0.0.1"], "exchange", false);
    let _exchange =
        world.exchange(&["--store", "records", "--tls-cert", &cert, "--tls-key", &key, "--client-ca", &ca]);
    let reader = world.member("query", "johndoe", &["ANALYST"], &config(&world, &ca, None, ""));
    let north = world.member("collector", "north", &["SENDER"], &config(&world, &ca, None, COLLECTS));
    // [the member's, another authority's, one that was good once]
    let three = |id: &str, name: &str| {
        [(&ours, "right", false), (&theirs, "foreign", false), (&ours, "old", true)].map(
            |(by, kind, expired)| certificate(&world.home, by, &format!("{name}-{kind}"), &[], id, expired),
        )
    };
    let (sends, reads) = (three(&north, "north"), three(&reader, "johndoe"));
    let tell = |own: Option<&[String; 2]>, reader: Option<&[String; 2]>| {
        world.configure("north", &config(&world, &ca, own, COLLECTS));
        world.configure("johndoe", &config(&world, &ca, reader, ""));
    };
    let send = |count: usize| {
        let (collector, url) = world.collector("north");
        for _ in 0..count {
            assert_eq!(post(&url, "{\"src_ip\":\"203.0.113.7\"}"), 202, "taken, whatever the exchange says");
        }
        collector
    };
    // by token, and by certificate
    tell(None, None);
    let collector = send(5);
    world.finds("johndoe", "src_ip=203.0.113.7", 5);
    collector.stop();
    tell(Some(&sends[0]), Some(&reads[0]));
    let collector = send(5);
    world.finds("johndoe", "src_ip=203.0.113.7", 10);
    collector.stop();
    for (at, why, found) in [(1, "UnknownCA", 15), (2, "CertificateExpired", 20)] {
        tell(Some(&sends[at]), Some(&reads[at]));
        let mut collector = send(5);
        collector.says(&format!("does not take the certificate that tls.client_cert names: {why}"));
        assert!(collector.stop().contains("5 wait for the exchange"));
        let told = world.query("johndoe", &[], "src_ip=203.0.113.7").refused();
        assert!(told.contains("does not take the certificate") && told.contains(why), "{told}");
        // put right
        tell(Some(&sends[0]), Some(&reads[0]));
        let collector = send(0);
        world.finds("johndoe", "src_ip=203.0.113.7", found);
        collector.stop();
    }
}

/// A PostgreSQL that speaks TLS and nothing else over the network.
struct Postgres {
    bin: PathBuf,
    data: PathBuf,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Postgres {
    /// None where none is installed, which is said.
    fn start(cert: &str, key: &str) -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok();
        let bins = versions.into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
        let Some(bin) = bins.filter(|bin| bin.join("initdb").is_file()).max() else {
            println!(
                "SKIPPED: PostgreSQL is not installed (Debian: postgresql): no database was spoken to by TLS"
            );
            return None;
        };
        let dir = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        std::fs::copy(cert, dir.path().join("server.crt")).unwrap();
        std::fs::copy(key, dir.path().join("server.key")).unwrap();
        let own = Command::new("chown").args(["-R", "nobody"]).arg(dir.path()).status();
        assert!(own.unwrap().success() || !rustix::process::geteuid().is_root());
        let (data, port) = (dir.path().join("data"), free_port());
        let started = Self { bin, data, port, _dir: dir };
        started.run("initdb", &["-U", "sharing", "-A", "trust", "-N", "-E", "UTF8"]);
        let rules = "hostnossl all all 127.0.0.1/32 reject\nhostssl all all 127.0.0.1/32 trust\n";
        std::fs::write(started.data.join("pg_hba.conf"), rules).unwrap();
        started.serve("on");
        Some(started)
    }

    /// It refuses to run as root.
    fn run(&self, program: &str, more: &[&str]) {
        let program = self.bin.join(program);
        let mut command = Command::new(&program);
        if rustix::process::geteuid().is_root() {
            command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
        }
        command.arg("-D").arg(&self.data).args(more).current_dir("/");
        let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(done.unwrap().success(), "{more:?}");
    }

    fn serve(&self, ssl: &str) {
        let at = self.data.parent().unwrap().display();
        let options = format!(
            "-k {at} -p {} -c listen_addresses=127.0.0.1 -c ssl={ssl} -c ssl_cert_file={at}/server.crt \
             -c ssl_key_file={at}/server.key",
            self.port
        );
        self.run("pg_ctl", &["-l", &format!("{at}/log"), "-w", "-o", &options, "start"]);
    }

    fn stop(&self) {
        self.run("pg_ctl", &["-m", "immediate", "stop"]);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn a_database_is_spoken_to_by_tls_and_only_if_it_is_the_right_one() {
    let world = World::new();
    let (ours, theirs) = (issuer("ours"), issuer("theirs"));
    let ca = world.home.file("db-ca.pem", ours.pem()).display().to_string();
    let other = world.home.file("other-ca.pem", theirs.pem()).display().to_string();
    let [cert, key] = certificate(&world.home, &ours, "db", &["localhost"], "db", false);
    let Some(database) = Postgres::start(&cert, &key) else { return };
    let url =
        |host: &str, tls: &str| format!("postgres://sharing:hunter2@{host}:{}/postgres?{tls}", database.port);
    let refused = |url: &str, trusted: Option<&str>| {
        let file = world.home.file("database", url);
        let mut command = world.home.command(&[]);
        if let Some(path) = trusted {
            command.env("PGSSLROOTCERT", path);
        }
        let mut running = world.exchange_of(command, &["--store-file", file.to_str().unwrap()]);
        running.says("error");
        let said = running.said();
        assert!(!said.contains("hunter2") && !said.contains("listening"), "{said}");
        said
    };
    let said = refused(&url("localhost", "sslmode=require"), Some(&other));
    assert!(said.contains("UnknownIssuer"), "another authority's: {said}");
    let said = refused(&url("127.0.0.1", "sslmode=verify-full"), Some(&ca));
    assert!(said.contains("not valid for name"), "the right authority, another name: {said}");
    let said = refused(&url("localhost", "sslmode=require"), Some("/nonexistent/ca.pem"));
    assert!(said.contains("/nonexistent/ca.pem"), "{said}");
    let said = refused(&url("localhost", "sslmode=disable"), None);
    assert!(said.contains("no encryption"), "the database takes nobody in clear: {said}");
    let said = refused(&url("localhost", "sslmode=allow"), None);
    assert!(said.contains("require, verify-full"), "{said}");
    used(&world, &url("localhost", &format!("sslmode=verify-full&sslrootcert={ca}")));
    database.stop();
    database.serve("off");
    let said = refused(&url("localhost", "sslmode=require"), Some(&ca));
    assert!(said.contains("server does not support TLS"), "{said}");
}

/// What a collector sends over such a database is found.
fn used(world: &World, url: &str) {
    let file = world.home.file("database", url);
    let store = ["--store-file", file.to_str().unwrap()];
    let exchange: Running = world.exchange(&store);
    let servers = format!(
        "kms: {{url: '{}'}}\nbackend_server: {{url: 'http://127.0.0.1:{}'}}\n",
        world.kms.address, world.port
    );
    world.member("query", "johndoe", &["ANALYST"], &servers);
    world.member("collector", "north", &["SENDER"], &format!("{servers}{COLLECTS}"));
    let (_collector, address) = world.collector("north");
    assert_eq!(post(&address, "{\"src_ip\":\"203.0.113.7\"}"), 202);
    world.finds("johndoe", "src_ip=203.0.113.7", 1);
    exchange.stop();
    let _again = world.exchange(&store);
    world.finds("johndoe", "src_ip=203.0.113.7", 1);
    assert!(!Path::new(&world.home.join("records")).exists());
}
