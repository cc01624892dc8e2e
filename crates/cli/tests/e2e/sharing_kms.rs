//! The key management server of the sharing system as its manual's lines meet it: curl, two folders, a proxy.

use crate::clock;
use crate::home::{Done, Home};
use crate::served::after;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_crypto::{KemSecretKey, PrivateKey, generate_ed25519_pkcs8, private_key_pem};

pub(crate) const JWT: &str = "FLASK_JWT_SECRET_KEY: 8f1e0c3b5a7d92f4e6081b3c5d7f9a0b\n";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A running key management server with its folders in a home.
pub(crate) struct Kms {
    child: Child,
    pub(crate) address: String,
    pub(crate) said: String,
    _out: BufReader<ChildStdout>,
}

/// The command that starts one.
fn command(home: &Home, config: &str, more: &[&str]) -> Command {
    command_at(home, "127.0.0.1:0", config, more)
}

fn command_at(home: &Home, bind: &str, config: &str, more: &[&str]) -> Command {
    let config = home.file("config.yaml", config);
    let mut command = home.command(&["kms", "--bind", bind, "--config"]);
    command.arg(config).args(more);
    command
}

/// What a start says that is refused.
fn refused(home: &Home, config: &str, more: &[&str]) -> String {
    let output = command(home, config, more).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it ran: {said}");
    said
}

impl Kms {
    pub(crate) fn start(home: &Home, config: &str) -> Self {
        Self::start_at(home, "127.0.0.1:0", config)
    }

    pub(crate) fn start_at(home: &Home, bind: &str, config: &str) -> Self {
        let log = home.join("kms.log");
        let mut command = command_at(home, bind, config, &[]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("add-admin") {
            let heard = out.read_line(&mut said).unwrap();
            assert!(heard > 0, "it ended: {}", std::fs::read_to_string(&log).unwrap());
        }
        let address = after(&said, "key management server is at ");
        Self { child, address, said, _out: out }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn stop(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.child.wait().unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// A GET with a token.
    fn get(&self, path: &str, token: &str) -> Answer {
        curl(&["-H", &format!("X-Authorization: Bearer {token}"), &self.url(path)])
    }

    /// A POST of an object with a token.
    pub(crate) fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        let header = format!("X-Authorization: Bearer {token}");
        curl(&[
            "-H",
            &header,
            "-H",
            "Content-Type: application/json",
            "-d",
            &body.to_string(),
            &self.url(path),
        ])
    }

    fn login(&self, username: &str, password: &str) -> Answer {
        let body = json!({ "username": username, "password": password });
        curl(&["-d", &body.to_string(), &self.url("/login")])
    }

    fn token(&self, username: &str) -> String {
        self.login(username, PASSWORD).is(200)["access_token"].as_str().unwrap().to_owned()
    }

    /// A member with these attributes; its first token.
    pub(crate) fn member(&self, admin: &str, name: &str, attributes: &[&str]) -> String {
        let body = json!({ "username": name, "password": PASSWORD, "password2": PASSWORD, "attributes": attributes });
        self.post("/user/create", admin, &body).is(201)["access_token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Kms {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What curl heard.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// The body of an answer of this status, as JSON.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }

    /// A refusal of this status; its word.
    #[track_caller]
    fn refuses(&self, status: u16) -> String {
        let said = self.is(status);
        assert!(said["message"].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        assert_eq!(said.as_object().unwrap().len(), 2, "{self:?}");
        said["error"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn curl(arguments: &[&str]) -> Answer {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--noproxy", "*", "--max-time", "60", "-w", "\n%{http_code}"]).args(arguments);
    let output = curl.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    Answer { status: status.parse().unwrap(), body: body.to_owned() }
}

/// `add_admin.sh`, as it is run in the container.
fn add_admin(home: &Home, name: &str, password: &str) -> Done {
    let file = home.file("password", password);
    let path = |name: &str| home.join(name).display().to_string();
    let folders = ["--secrets", &path("secrets"), "--db", &path("db")];
    let words =
        [&["attributes", "add-admin", name][..], &folders, &["--password-file", file.to_str().unwrap()]];
    home.run(&words.concat())
}

/// An administrator's token.
pub(crate) fn administrator(home: &Home) -> String {
    let said = add_admin(home, "chief", PASSWORD).ok();
    token_of(&said)
}

/// The token among what `add-admin` prints.
fn token_of(said: &str) -> String {
    let token = said.split_whitespace().find(|word| word.matches('.').count() == 2 && word.len() > 100);
    token.unwrap_or_else(|| panic!("no token in {said}")).to_owned()
}

#[test]
fn the_manuals_lines_work_as_they_stand() {
    let home = Home::new();
    let kms = Kms::start(&home, JWT);
    assert!(kms.said.contains("A new authority was made"), "{}", kms.said);
    for line in [&[kms.address.as_str()][..], &["-u", "johndoe:AKk2345rtfxde5", &kms.address]] {
        let up = curl(line);
        assert_eq!((up.status, up.body.as_str()), (200, "up\n"));
    }
    let said = add_admin(&home, "head of/kms", PASSWORD).ok();
    assert!(said.contains("head_of__kms") && said.contains("admin"), "{said}");
    let again = add_admin(&home, "head of/kms", PASSWORD).ok();
    assert_ne!(token_of(&said), token_of(&again), "repeated, it logs in");
    add_admin(&home, "head of/kms", "another password entirely").refused();
    let admin = kms.token("head of/kms");
    assert_eq!(kms.get("/user/me", &admin).is(200)["logged_in_as"], "head_of__kms");

    let body = json!({ "username": "unr/north lab", "password": PASSWORD, "password2": PASSWORD,
        "attributes": ["cert", "Research"] });
    let made = kms.post("/user/create", &admin, &body).is(201);
    assert_eq!(made["username"], "unr__north_lab");
    assert_eq!(made["attributes"], json!(["CERT", "RESEARCH"]));
    assert_eq!(kms.post("/user/create", &admin, &body).refuses(409), "already_exists");
    let member = made["access_token"].as_str().unwrap();
    let me = kms.get("/user/me", member).is(200);
    assert_eq!((&me["logged_in_as"], &me["admin"]), (&json!("unr__north_lab"), &json!(false)));
    assert_eq!(kms.get("/get/attributes", member).is(200), json!({ "attributes": ["CERT", "RESEARCH"] }));

    // an administrator fetches public keys alone, and a member makes no member
    let public = kms.get("/get/key/cpabe-pk", &admin).is(200);
    assert_eq!(public, kms.get("/get/key/cpabe-pk", member).is(200));
    for ask in [kms.get("/get/key/cpabe-sk", &admin), kms.post("/get/key/cpabe-sk", &admin, &json!({}))] {
        assert_eq!(ask.refuses(403), "refused");
    }
    assert_eq!(kms.post("/user/create", member, &body).refuses(403), "refused");
    assert_eq!(
        kms.post("/user/rekey", member, &json!({ "username": "unr/north lab" })).refuses(403),
        "refused"
    );
    kms.post("/user/rekey", &admin, &json!({ "username": "unr/north lab" })).is(201);
    assert_eq!(kms.post("/user/rekey", &admin, &json!({ "username": "nobody" })).refuses(404), "not_found");

    for gone in ["/get/key/de", "/get/key/ore", "/get/range/ore"] {
        assert_eq!(kms.get(gone, member).refuses(410), "gone");
    }
    assert_eq!(kms.stop(Signal::INT).code(), Some(0));
}

/// Public keys of a member, as it registers them.
fn keys() -> (Value, KemSecretKey) {
    let wrap = KemSecretKey::generate(&Ambient::system());
    let pem = private_key_pem(&generate_ed25519_pkcs8().unwrap());
    let signer = PrivateKey::from_pem(&pem).unwrap().public_key().unwrap();
    let base64 = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
    let keys =
        json!({ "wrap_key": base64(&wrap.public_key().to_bytes()), "signing_key": base64(signer.spki()) });
    (keys, wrap)
}

fn with(mut object: Value, name: &str, value: impl Into<Value>) -> Value {
    object[name] = value.into();
    object
}

#[test]
fn keys_go_to_who_enrolled_and_a_stolen_token_enrols_nobody() {
    let home = Home::new();
    let kms = Kms::start(&home, JWT);
    let admin = administrator(&home);
    let token = kms.member(&admin, "north", &["CERT"]);
    assert_eq!(kms.get("/get/key/cpabe-sk", &token).refuses(409), "not_enrolled");
    let (mine, _) = keys();
    let (thiefs, _) = keys();
    let enrol = |keys: &Value, password: &str| {
        kms.post("/user/keys", &token, &with(keys.clone(), "password", password))
    };
    assert_eq!(enrol(&thiefs, "guessed password").refuses(401), "login");
    assert_eq!(kms.post("/user/keys", &token, &thiefs).refuses(400), "invalid_request");
    enrol(&mine, PASSWORD).is(200);
    assert_eq!(enrol(&thiefs, PASSWORD).refuses(409), "enrolled");
    let epoch = |asked: &Answer| asked.is(200)["epochs"].as_array().unwrap().len();
    assert_eq!(epoch(&kms.get("/get/key/cpabe-sk", &token)), 1);
    assert_eq!(epoch(&kms.post("/get/key/cpabe-sk?epochs=1", &token, &json!({}))), 1);
    assert!(epoch(&kms.post("/get/key/index", &token, &json!({}))) >= 1);
    // two answers are wrapped anew, and neither has a key in the open
    let (one, other) = (kms.get("/get/key/cpabe-sk", &token), kms.get("/get/key/cpabe-sk", &token));
    assert_ne!(one.is(200)["sealed"], other.is(200)["sealed"]);

    let manifest = curl(&[&kms.url("/get/manifest")]).is(200);
    assert!(manifest["payload"].is_string() && manifest["signature"].is_string());
    assert_eq!(kms.get("/heads", &token).is(200), json!([]));
    let named = json!({ "username": "north" });
    kms.post("/user/suspend", &admin, &named).is(200);
    for refused in [kms.get("/user/me", &token), kms.get("/get/key/cpabe-sk", &token)] {
        assert_eq!(refused.refuses(401), "unauthenticated");
    }
    assert_eq!(kms.login("north", PASSWORD).refuses(401), "login");
    kms.post("/user/resume", &admin, &named).is(200);
    let token = kms.token("north");
    kms.post("/logout", &token, &json!({})).is(200);
    assert_eq!(kms.get("/user/me", &token).refuses(401), "unauthenticated");
    kms.post("/user/delete", &admin, &named).is(200);
    assert_eq!(kms.login("north", PASSWORD).refuses(401), "login");
}

#[test]
fn unknown_users_and_wrong_passwords_are_one_answer() {
    let home = Home::new();
    let kms = Kms::start(&home, JWT);
    let admin = administrator(&home);
    kms.member(&admin, "north", &["CERT"]);
    let wrong = kms.login("north", "not its password");
    let bodies = ["nobody", "x\u{301}", "", "a\u{7}b"].map(|name| kms.login(name, "not its password"));
    assert_eq!(wrong.refuses(401), "login");
    for unknown in bodies {
        assert_eq!((unknown.status, &unknown.body), (401, &wrong.body));
    }
    let forged = format!("{}x", kms.token("north"));
    for bad in ["", "x", "a.b.c", &forged, "eyJhbGciOiJub25lIn0.e30."] {
        assert_eq!(kms.get("/user/me", bad).refuses(401), "unauthenticated");
    }
    let basic = curl(&["-u", "north:correct", &kms.url("/user/me")]);
    assert_eq!(basic.refuses(401), "unauthenticated", "Basic is the proxy's, and proves nothing here");
    let token = kms.token("north");
    let both =
        ["-u", "proxy:secret", "-H", &format!("X-Authorization: Bearer {token}"), &kms.url("/user/me")];
    assert_eq!(curl(&both).is(200)["logged_in_as"], "north");
}

#[test]
fn whatever_is_sent_has_an_answer_in_json() {
    let home = Home::new();
    let kms = Kms::start(&home, JWT);
    let login = |body: &str| curl(&["-d", body, &kms.url("/login")]);
    for bad in
        ["", "{", "[]", "null", "{\"username\":\"a\"}", "{\"username\":\"a\",\"password\":\"b\",\"admin\":1}"]
    {
        assert_eq!(login(bad).refuses(400), "invalid_request", "{bad}");
    }
    let deep = format!("{{\"username\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(login(&deep).refuses(400), "invalid_request");
    for bytes in [17 << 10, 1 << 20, 3 << 20] {
        let file = home.file("large", vec![b' '; bytes]);
        let large =
            curl(&["-H", "Expect:", "--data-binary", &format!("@{}", file.display()), &kms.url("/login")]);
        assert_eq!(large.refuses(413), "too_large");
    }
    let ask = |method: &str, path: &str| curl(&["-X", method, &kms.url(path)]);
    assert_eq!(ask("PUT", "/login").refuses(405), "method_not_allowed");
    assert_eq!(ask("GET", "/login").refuses(405), "method_not_allowed");
    assert_eq!(ask("DELETE", "/").refuses(405), "method_not_allowed");
    for path in ["/user", "/user/me/", "/%2e%2e/etc/passwd", "/api/v1/status", "/metrics"] {
        assert_eq!(ask("GET", path).refuses(404), "unknown_path", "{path}");
    }
    let lied = curl(&["-H", "Forwarded: for=203.0.113.7", &kms.url("/get/manifest")]);
    assert_eq!(lied.refuses(400), "untrusted_proxy");
    curl(&["-H", "X-Forwarded-For: 203.0.113.7", "-H", "Host: kms.example.org", &kms.url("/get/manifest")])
        .is(200);
    assert_eq!(curl(&[&kms.address]).body, "up\n", "it goes on");
}

#[test]
fn what_is_unsafe_to_listen_on_is_refused() {
    let home = Home::new();
    let localhost = home.run(&["kms", "--bind", "localhost:5002"]);
    assert!(localhost.code == Some(2) && localhost.err.contains("use 127.0.0.1"), "{localhost:?}");
    let exposed = home.run(&["kms", "--bind", "0.0.0.0:0"]).refused();
    assert!(exposed.contains("plaintext") && exposed.contains("certificate"), "{exposed}");
    for (weak, why) in [("short", "16"), ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "repeats")] {
        let said = refused(&home, &format!("FLASK_JWT_SECRET_KEY: {weak}\n"), &[]);
        assert!(
            said.contains("FLASK_JWT_SECRET_KEY") && said.contains(why) && !said.contains(weak),
            "{said}"
        );
    }
    let unknown = refused(&home, "FLASK_JWT_SECRET_KEY: x\nSQLALCHEMY: y\n", &[]);
    assert!(unknown.contains("line 2: SQLALCHEMY: unknown key"), "{unknown}");
    assert!(!home.join("db/store").exists(), "nothing was made");
}

#[test]
fn a_later_start_finds_everything_and_another_secret_ends_all_tokens() {
    let home = Home::new();
    let kms = Kms::start(&home, JWT);
    let admin = administrator(&home);
    let public = kms.get("/get/key/cpabe-pk", &admin).is(200);
    for name in ["auto-unlock.key", "root.key", "operator.toml", "unlock-keys.txt"] {
        let mode = std::fs::metadata(home.join("secrets").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{name}");
    }
    let before = folder(&home.join("secrets"));
    assert_eq!(kms.stop(Signal::TERM).code(), Some(0));
    let kms = Kms::start(&home, JWT);
    assert!(!kms.said.contains("new authority"), "{}", kms.said);
    assert_eq!(folder(&home.join("secrets")), before, "a later start changes nothing");
    assert_eq!(kms.get("/get/key/cpabe-pk", &admin).is(200), public, "the same authority, the same token");
    drop(kms);
    let kms = Kms::start(&home, "FLASK_JWT_SECRET_KEY: 00aa17bb29cc3bdd4dee5fff61007213\n");
    assert_eq!(kms.get("/user/me", &admin).refuses(401), "unauthenticated");
    let admin = kms.token("chief");
    assert_eq!(
        kms.get("/get/key/cpabe-pk", &admin).is(200),
        public,
        "keys are of the authority, not of the tokens"
    );
    drop(kms);
    let (key, aside) = (home.join("secrets/auto-unlock.key"), home.join("aside"));
    std::fs::rename(&key, &aside).unwrap();
    let said = refused(&home, JWT, &[]);
    assert!(said.contains("auto-unlock.key") && said.contains("No new authority"), "{said}");
    assert!(!key.exists());
    std::fs::write(&key, "strongroom-auto-unlock-key\n").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(refused(&home, JWT, &[]).contains("does not open"), "a key that is none opens nothing");
    std::fs::rename(&aside, &key).unwrap();
    std::fs::rename(home.join("db"), home.join("elsewhere")).unwrap();
    assert!(refused(&home, JWT, &[]).contains("bring the db folder back"));
    std::fs::remove_dir_all(home.join("db")).unwrap();
    std::fs::rename(home.join("elsewhere"), home.join("db")).unwrap();
    let kms = Kms::start(&home, "token_ttl: 1h\n");
    assert_eq!(kms.login("chief", PASSWORD).is(200)["expires_in"], 3_600);
}

/// Names and contents.
fn folder(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn a_first_start_that_is_killed_is_made_anew_by_the_next() {
    for pause in [0, 10, 25, 50, 80, 120, 200] {
        let home = Home::new();
        let mut first = command(&home, JWT, &[]);
        let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        clock::soon("it begins", || home.join("db").exists());
        std::thread::sleep(Duration::from_millis(pause));
        first.kill().unwrap();
        first.wait().unwrap();
        let whole = home.join("db/store").exists();
        let kms = Kms::start(&home, JWT);
        assert_eq!(kms.said.contains("new authority"), !whole, "after {pause} ms: {}", kms.said);
        assert!(!home.join("db/first-start").exists());
        administrator(&home);
    }
}

#[test]
fn what_is_in_flight_is_finished_when_it_is_told_to_stop() {
    let home = Home::new();
    let kms = Kms::start(&home, JWT);
    administrator(&home);
    let (url, body) = (kms.url("/login"), json!({ "username": "chief", "password": PASSWORD }).to_string());
    let asked = std::thread::spawn(move || curl(&["-d", &body, &url]));
    // hashing takes far longer than to hear the request
    clock::pause(Duration::from_millis(40));
    assert_eq!(kms.stop(Signal::INT).code(), Some(0));
    let answer = asked.join().unwrap();
    answer.is(200);
}

/// Killed when the test is over.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The example's server of the key management server, on other ports and files.
fn nginx_config(home: &Home, port: u16, upstream: &str) -> String {
    let example = include_str!("../../../../deploy/sharing/nginx/sharing.conf");
    let server = example.split("\nserver {").nth(1).unwrap();
    let server = server
        .replace("listen 5002 ssl", &format!("listen 127.0.0.1:{port} ssl"))
        .replace("http://127.0.0.1:5012", upstream)
        .replace("/etc/nginx", &home.path().display().to_string());
    let at = home.path().display();
    format!(
        "daemon off;\nmaster_process off;\nerror_log {at}/nginx.log;\npid {at}/nginx.pid;\nevents {{}}\nhttp {{\n\
         access_log off;\nclient_body_temp_path {at}/t1;\nproxy_temp_path {at}/t2;\nfastcgi_temp_path {at}/t3;\n\
         uwsgi_temp_path {at}/t4;\nscgi_temp_path {at}/t5;\nserver {{{server}\n}}\n"
    )
}

#[test]
fn behind_nginx_with_tls_and_basic_authentication_the_manuals_line_says_up() {
    let program = Path::new("/usr/sbin/nginx");
    if !program.is_file() {
        println!("SKIPPED: nginx is missing: no real proxy stands before the key management server");
        return;
    }
    let home = Home::new();
    let kms = Kms::start(&home, JWT);
    let admin = administrator(&home);
    let name = "subjectAltName=DNS:cybexp-priv.example.com";
    let make =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let names = ["-subj", "/CN=cybexp-priv.example.com", "-addext", name];
    let out = ["-keyout", "sharing.key", "-out", "sharing.pem"];
    openssl(&home, &[&make[..], &names, &out].concat());
    let hash = openssl(&home, &["passwd", "-apr1", "AKk2345rtfxde5"]);
    home.file("sharing.htpasswd", format!("johndoe:{hash}"));
    let port = free_port();
    let config = home.file("nginx.conf", nginx_config(&home, port, &kms.address));
    let log = File::create(home.join("nginx.out")).unwrap();
    let mut nginx = Command::new(program);
    nginx.arg("-p").arg(home.path()).arg("-c").arg(config).stdin(Stdio::null());
    let _proxy = Proxy(nginx.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    clock::soon("nginx listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let ca = home.join("sharing.pem").display().to_string();
    let resolve = format!("cybexp-priv.example.com:{port}:127.0.0.1");
    let over = |more: &[&str], user: &str, path: &str| {
        let url = format!("https://{user}cybexp-priv.example.com:{port}{path}");
        curl(&[&["--cacert", &ca, "--resolve", &resolve][..], more, &[&url]].concat())
    };
    let up = over(&[], "johndoe:AKk2345rtfxde5@", "");
    assert_eq!((up.status, up.body.as_str()), (200, "up\n"));
    assert_eq!(over(&[], "johndoe:wrong@", "").status, 401);
    assert_eq!(over(&[], "", "").status, 401, "the gatekeeper lets nobody else in");
    let header = format!("X-Authorization: Bearer {admin}");
    let me = over(&["-H", &header], "johndoe:AKk2345rtfxde5@", "/user/me");
    assert_eq!(me.is(200)["logged_in_as"], "chief", "both ways of authentication at once");
    drop(kms);
    assert_eq!(over(&[], "johndoe:AKk2345rtfxde5@", "").status, 502, "bad gateway: the module is down");
}

fn openssl(home: &Home, arguments: &[&str]) -> String {
    let done = Command::new("openssl").args(arguments).current_dir(home.path()).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}
