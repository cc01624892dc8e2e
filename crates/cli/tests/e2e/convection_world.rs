//! A server that the original's programs speak to: ours, or the original's own, which shows that the tests are right
//! about it.

use crate::clock;
use crate::drive::{Driver, original};
use crate::home::{Done, Home};
use crate::served::{Served, after, production};
use serde_json::Value;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long the original may take to listen: 5 s on a machine that has nothing else to do.
const PATIENCE: Duration = Duration::from_mins(2);

/// One server, and all that a client of it needs.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) driver: Driver,
    pub(crate) server: Server,
    /// The authority of the server's certificate.
    pub(crate) authority: PathBuf,
    /// `wss://HOST:PORT`.
    pub(crate) websocket: String,
    /// From the initialisation.
    pub(crate) keys: Vec<String>,
    /// Root's access key.
    pub(crate) root: String,
}

/// Whose server it is.
pub(crate) enum Server {
    Ours(Served),
    Theirs {
        /// Kept, so that it ends with this.
        _process: Ended,
    },
    /// It was stopped.
    None,
}

/// A process that ends with its owner.
pub(crate) struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ours: the door on a socket, on TCP and on a WebSocket. `HOME` is the home.
const LISTENERS: &str = r#"
[listener.convection]
door = "convection"
address = "unix:HOME/convection.sock"

[listener.convection-tcp]
door = "convection"
address = "127.0.0.1:0"
nacl = "convection"

[listener.convection-websocket]
door = "convection"
address = "127.0.0.1:0"
transport = "websocket"
nacl = "convection"

[nacl.convection]
rules = RULES
"#;

/// Everything, from this host.
pub(crate) const ALL: &str = r#"[{ type = "allow", addresses = ["127.0.0.1"], commands = ["*"] }]"#;

impl World {
    /// Ours, not initialised, with these rules for the network; nothing if the original is not installed.
    pub(crate) fn ours(rules: &str) -> Option<Self> {
        let home = Home::new();
        let driver = Driver::start(&home)?;
        let listeners = LISTENERS.replace("HOME", &home.path().display().to_string());
        let config = production(&home, &listeners.replace("RULES", rules));
        let served = Served::server(&home, &config);
        let address = |listener: &str| {
            let line = served.said.lines().rfind(|line| {
                line.contains("listening") && line.contains(&format!("listener=\"{listener}\""))
            });
            after(line.unwrap_or_else(|| panic!("no {listener} in {}", served.said)), "address=")
        };
        let (tcp, websocket) = (address("convection-tcp"), address("convection-websocket"));
        let authority = served.authority.clone();
        Some(Self::of(home, driver, Server::Ours(served), authority, &tcp, &websocket))
    }

    /// The original's own, for the same clients.
    pub(crate) fn theirs() -> Option<Self> {
        let home = Home::new();
        let driver = Driver::start(&home)?;
        let program = original("convection-secrets-manager")?;
        certificate(&home);
        let [tcp, websocket] = [free_port(), free_port()];
        let folder = home.join("server/convection-secrets");
        std::fs::create_dir_all(&folder).unwrap();
        // it makes none of its folders
        for folder in ["run", "storage"] {
            std::fs::create_dir_all(home.join(folder)).unwrap();
        }
        std::fs::write(folder.join("convection-secrets.toml"), theirs(&home, tcp, websocket)).unwrap();
        let log = File::create(home.join("theirs.log")).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(home.join("server")).arg("start").env("HOME", home.path());
        command.current_dir(home.path()).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap();
        let (tcp, websocket) = (format!("127.0.0.1:{tcp}"), format!("127.0.0.1:{websocket}"));
        let authority = home.join("cert.pem");
        let world =
            Self::of(home, driver, Server::Theirs { _process: Ended(child) }, authority, &tcp, &websocket);
        let began = clock::now();
        while world.client(&["status"]).code != Some(0) {
            assert!(began.elapsed() < PATIENCE, "the original does not listen");
        }
        Some(world)
    }

    fn of(
        home: Home,
        driver: Driver,
        server: Server,
        authority: PathBuf,
        tcp: &str,
        websocket: &str,
    ) -> Self {
        let (path, ca) = (home.path().display().to_string(), authority.display().to_string());
        let (ip, port) = tcp.split_once(':').unwrap();
        // the same keys, whether a socket is used or the network
        let client = |network: bool| {
            format!(
                "[global.secrets.client]\nuse_network = {network}\ntls_ca = \"{ca}\"\n\
                 socket_path = \"{path}/convection.sock\"\nlog_file = \"{path}/client.log\"\n\
                 [global.secrets.client.network]\ntarget_ip = \"{ip}\"\ntarget_port = {port}\n"
            )
        };
        home.file("convection-secrets.client.toml", client(false));
        home.file("library.toml", client(true));
        for name in ["root", "ann"] {
            key_pair(&home, name, 2048);
        }
        let websocket = format!("wss://{websocket}/any/path");
        let (keys, root) = (Vec::new(), String::new());
        Self { home, driver, server, authority, websocket, keys, root }
    }

    /// Whether it is ours: where the original is wrong, the two are told apart.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.server, Server::Ours(_))
    }

    pub(crate) fn served(&self) -> &Served {
        match &self.server {
            Server::Ours(served) => served,
            Server::Theirs { .. } | Server::None => panic!("this server is none of ours"),
        }
    }

    /// Unlocks. One of the original's keys in 64 begins with a hyphen: as a word of its own it would be an option.
    pub(crate) fn unlock(&self, key: &str) -> Done {
        self.client(&["unlock", &format!("--unlock-key={key}")])
    }

    /// The original's client, over the socket; it finds its configuration in its working folder.
    pub(crate) fn client(&self, arguments: &[&str]) -> Done {
        self.driver.client(arguments)
    }

    /// The same, as one who proves who they are by the AuthFile of this name.
    pub(crate) fn by(&self, person: &str, arguments: &[&str]) -> Done {
        let file = self.auth_file(person).display().to_string();
        self.client(&[arguments, &["-A", &file]].concat())
    }

    pub(crate) fn auth_file(&self, person: &str) -> PathBuf {
        self.home.join(&format!("{person}.auth.toml"))
    }

    /// The library, over TCP.
    pub(crate) fn by_library(&self, steps: &[(&str, Value)]) -> Vec<Value> {
        self.driver.by_library(&self.home.join("library.toml"), steps)
    }

    /// An AuthFile as a person writes it, before its first `authorize`.
    pub(crate) fn write_auth_file(&self, person: &str, access_key_id: &str) {
        let key = self.home.join(&format!("{person}.key"));
        let text = format!("private_key = \"{}\"\naccess_key_id = \"{access_key_id}\"\n", key.display());
        self.home.file(&format!("{person}.auth.toml"), text);
    }

    /// The original's server console initialises whichever server it is.
    pub(crate) fn initialise(&mut self) {
        let public = self.home.join("root.pub").display().to_string();
        let server = self.manager_configuration().display().to_string();
        let arguments = ["-c", &server, "initialize", "--num-keys", "3", "--public-key", &public];
        let said = self.driver.manager(&arguments).ok();
        self.keys = unlock_keys(&said);
        assert_eq!(self.keys.len(), 3, "{said}");
        self.root = after(&said, "Access Key ID: ").trim_end_matches('|').trim().to_owned();
        self.write_auth_file("root", &self.root);
    }

    /// Of the original's server: for ours, with our socket, and files where it insists on some.
    fn manager_configuration(&self) -> PathBuf {
        let folder = self.home.join("server");
        let file = folder.join("convection-secrets/convection-secrets.toml");
        if !file.is_file() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            let (home, ca) = (self.home.path().display(), self.authority.display());
            let text = format!(
                "pid_dir = \"{home}\"\n[service]\nsocket_path = \"{home}/convection.sock\"\ntls_ca = \"{ca}\"\n\
                 tls_cert = \"{ca}\"\ntls_key = \"{ca}\"\nlog_file = \"{home}/manager.log\"\n[config]\npath = \"{home}\"\n"
            );
            std::fs::write(file, text).unwrap();
        }
        folder
    }

    /// Unlocks, and authorises root with the AuthFile.
    pub(crate) fn ready(&mut self) {
        self.initialise();
        self.unlock(&self.keys[0]).ok();
        self.by("root", &["authorize"]).ok();
    }
}

/// The keys in a table as the original prints it: the rows below the heading.
pub(crate) fn unlock_keys(said: &str) -> Vec<String> {
    let cells = said.lines().filter_map(|line| line.strip_prefix('|')?.trim().strip_suffix('|'));
    let cells = cells.map(str::trim).skip_while(|cell| !cell.ends_with("Keys")).skip(1);
    cells.take_while(|cell| !cell.contains(' ')).map(str::to_owned).collect()
}

/// An RSA key pair of OpenSSL's: `NAME.key`, `NAME.pub`.
pub(crate) fn key_pair(home: &Home, name: &str, bits: u32) {
    let (private, public) = (home.join(&format!("{name}.key")), home.join(&format!("{name}.pub")));
    let bits = format!("rsa_keygen_bits:{bits}");
    openssl(&["genpkey", "-algorithm", "rsa", "-pkeyopt", &bits, "-out"], &[&private]);
    openssl(&["pkey", "-pubout", "-in"], &[&private, Path::new("-out"), &public]);
}

fn certificate(home: &Home) {
    let request =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout"];
    let (key, certificate) = (home.join("key.pem"), home.join("cert.pem"));
    openssl(&[&request[..], &names].concat(), &[&key, Path::new("-out"), &certificate]);
}

fn openssl(arguments: &[&str], paths: &[&Path]) {
    let done = Command::new("openssl").args(arguments).args(paths).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The original's configuration.
fn theirs(home: &Home, tcp: u16, websocket: u16) -> String {
    let home = home.path().display();
    format!(
        r#"pid_dir = "{home}/run/"
[service]
socket_path = "{home}/convection.sock"
use_network = true
use_websocket = true
tls_cert = "{home}/cert.pem"
tls_key = "{home}/key.pem"
tls_ca = "{home}/cert.pem"
log_file = "{home}/theirs.server.log"
[service.network]
listen_ip = "127.0.0.1"
listen_port = {tcp}
acl = [{{ type = "allow", ip_address = ["127.0.0.1"], commands = ["*"] }}]
[service.websocket]
listen_ip = "127.0.0.1"
listen_port = {websocket}
[config]
path = "{home}/storage"
[config.manager.authentication]
token_max_expire = "10m"
"#
    )
}
