//! The exchange as a process: its options, its members, kill -9 and a full disk.

use crate::home::Home;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strongroom_abe::{MasterKey, RightKeys};
use strongroom_ambient::Ambient;
use strongroom_blindindex::Token;
use strongroom_crypto::{PrivateKey, generate_ed25519_pkcs8};
use strongroom_envelope::{Batch, Chain, PlainField, PolicyAndSuite, PolicySet, Signed, Suite, kid};
use strongroom_sharing::MemberId;
use strongroom_sharing::authority::{Manifest, MemberOf};

fn now() -> u64 {
    u64::try_from(Ambient::system().now().0 / 1_000).unwrap()
}

fn new_key() -> PrivateKey {
    generate_ed25519_pkcs8().unwrap().expose(PrivateKey::from_pkcs8).unwrap()
}

fn spki(key: &PrivateKey) -> String {
    BASE64.encode(key.public_key().unwrap().spki())
}

/// An authority that has a manifest and nothing else.
struct Authority {
    key: PrivateKey,
    address: SocketAddr,
    said: Arc<Mutex<String>>,
}

impl Authority {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let text = Arc::clone(&said);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut line = String::from("-");
                while !line.trim().is_empty() {
                    line.clear();
                    if stream.read_line(&mut line).unwrap_or(0) == 0 {
                        break;
                    }
                }
                let body = text.lock().unwrap().clone();
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = stream.get_mut().write_all((head + &body).as_bytes());
            }
        });
        Self { key: new_key(), address, said }
    }

    fn say(&self, collectors: &[&Collector], revoked: &[MemberId]) {
        let members = collectors.iter().map(|collector| MemberOf {
            id: collector.id,
            signing_keys: vec![spki(&collector.key)],
            active: true,
            replaced: Vec::new(),
        });
        let manifest = Manifest {
            authority: "00".repeat(32),
            signing_key: spki(&self.key),
            epoch: 1,
            epoch_since: now(),
            issued_at: now(),
            max_age_secs: 900,
            token_keys: BTreeMap::from([(kid(&self.key.public_key().unwrap()), spki(&self.key))]),
            members: members.collect(),
            revoked: revoked.to_vec(),
            ended_before: BTreeMap::new(),
            ended: BTreeSet::new(),
        };
        let signed = Signed::sign(&manifest, &self.key, "strongroom sharing manifest v1").unwrap();
        *self.said.lock().unwrap() = serde_json::to_string(&signed.into_text()).unwrap();
    }

    fn token(&self, member: MemberId, admin: bool) -> String {
        let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let head = part(json!({ "alg": "EdDSA", "kid": kid(&self.key.public_key().unwrap()) }));
        let claims = json!({
            "iss": "strongroom", "sub": member, "adm": admin, "iat": now(), "exp": now() + 900, "jti": "01".repeat(16),
        });
        let signed = format!("{head}.{}", part(claims));
        let signature = BASE64URL_NOPAD.encode(&self.key.sign(signed.as_bytes()).unwrap());
        format!("{signed}.{signature}")
    }
}

/// A collector that signs records.
struct Collector {
    id: MemberId,
    key: PrivateKey,
    header: String,
    batch: Batch,
    chain: Chain,
}

impl Collector {
    fn new(id: u8) -> Self {
        let (ambient, id) = (Ambient::system(), MemberId([id; 16]));
        let master = MasterKey::generate(&ambient, 1).unwrap();
        let policy = PolicyAndSuite { policy: "ANALYST".parse().unwrap(), suite: Suite::Pairing };
        let set = PolicySet::prepare(master.public(), 1, &[policy], &RightKeys::default()).unwrap();
        let (batch, header) = Batch::begin(&ambient, id, &set).unwrap();
        let header = BASE64.encode(&header.to_bytes());
        Self { id, key: new_key(), header, batch, chain: Chain::new(id) }
    }

    fn records(&mut self, count: usize, bytes: usize) -> Vec<String> {
        let value = format!("\"{}\"", "x".repeat(bytes));
        let field = PlainField { label: [1; 16], name: "payload", value: value.as_bytes(), policy: 0 };
        let mut sealed = Vec::new();
        for _ in 0..count {
            let mut out = Vec::new();
            self.batch.seal(&mut self.chain, &self.key, &[field], &[Token([7; 16])], &mut out).unwrap();
            sealed.push(BASE64.encode(&out));
        }
        sealed
    }

    fn body(&self, records: &[String]) -> Value {
        json!({ "headers": [self.header], "records": records })
    }
}

/// A running exchange.
struct Exchange {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

fn command(home: &Home, authority: &Authority, store: &Path) -> Command {
    let mut command = home.command(&["exchange", "--listen", "127.0.0.1:0", "--store"]);
    let url = format!("http://{}", authority.address);
    let key = home.file("authority.pub", spki(&authority.key));
    command.arg(store).args(["--authority", &url, "--authority-key"]).arg(key);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

impl Exchange {
    fn start(home: &Home, authority: &Authority, store: &Path) -> Self {
        Self::start_with(home, authority, store, &[])
    }

    fn start_with(home: &Home, authority: &Authority, store: &Path, more: &[&str]) -> Self {
        let log = home.join("exchange.log");
        let mut command = command(home, authority, store);
        let mut child = command.args(more).stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
        let mut tries = 0;
        let address = loop {
            let text = std::fs::read_to_string(&log).unwrap();
            // a line is there when its end is
            let line = text.lines().find(|line| line.contains("listening") && line.contains("address="));
            if let Some(line) = line.filter(|_| text.ends_with('\n')) {
                let (_, rest) = line.split_once("address=").unwrap();
                break rest.split_whitespace().next().unwrap().parse().unwrap();
            }
            assert!(child.try_wait().unwrap().is_none() && tries < 3_000, "it does not start: {text}");
            tries += 1;
            std::thread::sleep(Duration::from_millis(20));
        };
        Self { child, address, log }
    }

    /// Asks; nothing where there was no whole answer.
    fn try_ask(&self, method: &str, path: &str, token: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: any.example\r\nconnection: close\r\ncontent-length: {}\r\n\
             authorization: Basic dTpw\r\nx-authorization: Bearer {token}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + body).as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    }

    fn ask(&self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.try_ask(method, path, token, &body.to_string()).expect("an answer");
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    fn heads(&self, token: &str) -> Value {
        self.ask("GET", "/sync/heads", token, &Value::Null).1
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn stop(mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn question() -> Value {
    json!({ "where": { "any": ["07".repeat(16)] }, "count": true })
}

#[test]
fn records_are_taken_found_and_still_there_after_signals_and_a_new_start() {
    let (home, authority, mut one) = (Home::new(), Authority::start(), Collector::new(1));
    authority.say(&[&one], &[]);
    let (token, store) = (authority.token(one.id, false), home.join("store"));
    let records = one.records(5, 100);
    for signal in [Signal::INT, Signal::TERM] {
        let exchange = Exchange::start(&home, &authority, &store);
        assert_eq!(exchange.ask("GET", "/", "", &Value::Null), (200, Value::String("up\n".to_owned())));
        let (status, said) = exchange.ask("POST", "/add/enc-data", &token, &one.body(&records));
        assert!(status == 201 && said["next"] == 6, "{status} {said}");
        assert_eq!(exchange.ask("POST", "/query", &token, &question()), (200, json!({ "count": 5 })));
        assert_eq!(exchange.ask("POST", "/query", &authority.token(one.id, true), &question()).0, 403);
        assert_eq!(exchange.ask("POST", "/query", "nothing", &question()).0, 401);
        let log = exchange.log.clone();
        assert!(exchange.stop(signal).success());
        let text = std::fs::read_to_string(log).unwrap();
        assert!(!text.contains(&token) && !text.contains(&records[0][..30]), "{text}");
    }
    // without an authority the last word counts; who is suspended in a newer one is nobody
    authority.say(&[&one], &[one.id]);
    let exchange = Exchange::start(&home, &authority, &store);
    assert_eq!(exchange.ask("POST", "/query", &token, &question()).0, 401);
}

#[test]
fn a_new_collector_sends_at_once_and_unknown_ones_cannot_make_it_ask_all_the_time() {
    let (home, authority) = (Home::new(), Authority::start());
    authority.say(&[], &[]);
    let exchange = Exchange::start(&home, &authority, &home.join("store"));
    let mut one = Collector::new(1);
    authority.say(&[&one], &[]);
    let (token, records) = (authority.token(one.id, false), one.records(1, 10));
    let mut statuses = Vec::new();
    for _ in 0..100 {
        let (status, _) = exchange.ask("POST", "/add/enc-data", &token, &one.body(&records));
        statuses.push(status);
        if status == 201 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    // the authority was asked at the start: not again within five seconds, and then long before the minute
    assert!(statuses.ends_with(&[201]) && statuses.starts_with(&[403]), "{statuses:?}");
}

#[test]
fn what_was_acknowledged_outlives_kill_9_in_the_middle() {
    let (home, authority, mut one) = (Home::new(), Authority::start(), Collector::new(1));
    authority.say(&[&one], &[]);
    let (token, store) = (authority.token(one.id, false), home.join("store"));
    let records = one.records(400, 200);
    let (mut acknowledged, mut round) = (0_usize, 0_u64);
    while acknowledged < records.len() {
        let exchange = Exchange::start(&home, &authority, &store);
        let heads = exchange.heads(&token);
        let kept = usize::try_from(heads[0]["sequence"].as_u64().unwrap_or(0)).unwrap();
        assert!(kept >= acknowledged, "{acknowledged} were acknowledged, {kept} are there");
        let pid = exchange.child.id();
        let delay = Duration::from_millis(3 + round * 17 % 90);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(delay);
            let _ = kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::KILL);
        });
        // from before the end: what is there already is only said to be
        let mut at = kept.saturating_sub(3);
        while at < records.len() {
            let end = records.len().min(at + 7);
            let body = one.body(&records[at..end]).to_string();
            let Some((status, said)) = exchange.try_ask("POST", "/add/enc-data", &token, &body) else {
                break;
            };
            assert_eq!(status, 201, "{said}");
            acknowledged = acknowledged.max(end);
            at = end;
        }
        killer.join().unwrap();
        exchange.kill();
        round += 1;
        assert!(round < 200, "no progress");
    }
    assert!(round > 1, "it was never killed in the middle");
    let exchange = Exchange::start(&home, &authority, &store);
    assert_eq!(exchange.ask("POST", "/query", &token, &question()), (200, json!({ "count": 400 })));
}

#[test]
fn a_full_disk_takes_nothing_loses_nothing_and_goes_on_afterwards() {
    let home = Home::new();
    let disk = home.join("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(&disk).output();
    if !mounted.is_ok_and(|done| done.status.success()) {
        println!("SKIPPED: a small disk cannot be mounted here: a full disk is untested");
        return;
    }
    let (authority, mut one) = (Authority::start(), Collector::new(1));
    authority.say(&[&one], &[]);
    let token = authority.token(one.id, false);
    let filler = disk.join("filler");
    std::fs::write(&filler, vec![1; 2 << 20]).unwrap();
    let exchange = Exchange::start(&home, &authority, &disk.join("store"));
    let records = one.records(60, 100_000);
    let mut kept = 0;
    let refusal = loop {
        let (status, said) = exchange.ask("POST", "/add/enc-data", &token, &one.body(&records[kept..=kept]));
        if status != 201 {
            break (status, said);
        }
        kept += 1;
    };
    assert_eq!((refusal.0, &refusal.1["error"]), (507, &json!("disk_full")), "{kept}");
    assert!(kept > 5);
    let count = json!({ "count": kept });
    assert_eq!(exchange.ask("POST", "/query", &token, &question()), (200, count.clone()), "reading goes on");
    std::fs::remove_file(&filler).unwrap();
    let (status, _) = exchange.ask("POST", "/add/enc-data", &token, &one.body(&records[kept..=kept]));
    assert_eq!(status, 201);
    exchange.kill();
    let exchange = Exchange::start(&home, &authority, &disk.join("store"));
    assert_eq!(exchange.ask("POST", "/query", &token, &question()), (200, json!({ "count": kept + 1 })));
    drop(exchange);
    // lazily: whoever still holds a file there is about to end
    let _ = Command::new("umount").arg("-l").arg(&disk).output();
}

/// Writes a certificate of an authority and its key; gives their paths.
fn certificate(home: &Home, by: &CertifiedIssuer<'_, KeyPair>, names: &[&str], common: &str) -> [String; 2] {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    let key = KeyPair::generate().unwrap();
    let pem = params.signed_by(&key, by).unwrap().pem();
    let random: [u8; 4] = Ambient::system().random();
    let name = BASE64URL_NOPAD.encode(&random);
    let files =
        [home.file(&format!("{name}.crt"), pem), home.file(&format!("{name}.key"), key.serialize_pem())];
    files.map(|path| path.display().to_string())
}

fn issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[test]
fn a_member_may_show_a_certificate_in_place_of_a_token() {
    let (home, authority, one) = (Home::new(), Authority::start(), Collector::new(1));
    authority.say(&[&one], &[]);
    let (ours, theirs) = (issuer(), issuer());
    let ca = home.file("ca.pem", ours.pem()).display().to_string();
    let [cert, key] = certificate(&home, &ours, &["127.0.0.1"], "exchange");
    let options = ["--tls-cert", &cert, "--tls-key", &key, "--client-ca", &ca];
    let exchange = Exchange::start_with(&home, &authority, &home.join("store"), &options);
    let url = format!("https://{}/query", exchange.address);
    let question = question().to_string();
    let ask = |shown: Option<&[String; 2]>| {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "--noproxy",
            "*",
            "--max-time",
            "60",
            "-w",
            "\n%{http_code}",
            "--cacert",
            &ca,
            &url,
        ]);
        curl.args(["-d", &question]);
        if let Some([cert, key]) = shown {
            curl.args(["--cert", cert, "--key", key]);
        }
        let text = String::from_utf8(curl.output().unwrap().stdout).unwrap();
        text.rsplit_once('\n').map(|(_, status)| status.to_owned()).unwrap_or_default()
    };
    let id = one.id.to_string();
    assert_eq!(ask(Some(&certificate(&home, &ours, &[], &id))), "200");
    assert_eq!(ask(None), "401");
    assert_eq!(ask(Some(&certificate(&home, &ours, &[], "north"))), "401", "a name is no id");
    assert_eq!(ask(Some(&certificate(&home, &ours, &[], &"0a".repeat(16)))), "401", "nobody has this id");
    assert_eq!(ask(Some(&certificate(&home, &theirs, &[], &id))), "000", "of another authority");
}

#[test]
fn options_that_would_leave_it_open_are_refused_with_what_to_say_instead() {
    let (home, authority) = (Home::new(), Authority::start());
    let url = format!("http://{}", authority.address);
    let with = |more: &[&str]| {
        let all = [&["exchange", "--store", "store", "--authority", &url], more].concat();
        home.run(&all).refused()
    };
    assert!(with(&["--listen", "localhost:5001"]).contains("use 127.0.0.1"));
    assert!(with(&["--listen", "0.0.0.0:5001"]).contains("plaintext"));
    assert!(with(&["--tls-cert", "c.pem"]).contains("go together"));
    assert!(with(&["--config", "/nonexistent.toml"]).contains("/nonexistent.toml"));
    let file = home.file("exchange.toml", "listen = \"127.0.0.1:0\"\nretention = 3\n");
    let said = with(&["--config", file.to_str().unwrap()]);
    assert!(said.contains("line 2") && said.contains("retention"), "{said}");
    let nothing = home.run(&["exchange", "--store", "store"]).refused();
    assert!(nothing.contains("authority"), "{nothing}");
}
