//! The convection door's protocol as a client speaks it: over its socket, TCP and a WebSocket.

use crate::client::{Client, Stream};
use crate::home::Home;
use crate::served::after;
use crate::site::Site;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

const PATIENCE: Duration = Duration::from_mins(1);

/// The door on all three, and everything open to this host.
pub(crate) const OPEN: &str = r#"
[listener.sock]
door = "convection"
address = "unix:HOME/convection.sock"

[listener.wire]
door = "convection"
address = "127.0.0.1:0"
nacl = "here"

[listener.web]
door = "convection"
transport = "websocket"
address = "127.0.0.1:0"
nacl = "here"

[nacl.here]
rules = [{ type = "allow", addresses = ["loopback"], actions = ["*"] }]
"#;

/// One connection.
pub(crate) enum Talk {
    Stream(Box<dyn Stream>),
    Web(Box<WebSocket<StreamOwned<ClientConnection, TcpStream>>>),
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Unix,
    Tcp,
    Web,
}

pub(crate) const WAYS: [Way; 3] = [Way::Unix, Way::Tcp, Way::Web];

/// Where a listener of the server's is.
pub(crate) fn address_of(site: &Site, listener: &str) -> SocketAddr {
    let text = site.served().log_text();
    let mark = format!("listener=\"{listener}\"");
    let line = text.lines().rfind(|line| line.contains("listening") && line.contains(&mark)).unwrap();
    after(line, "address=").parse().unwrap()
}

fn tls(client: &Client) -> ClientConnection {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    ClientConnection::new(Arc::clone(&client.tls), name).unwrap()
}

pub(crate) fn over_tcp(site: &Site, listener: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let tcp = TcpStream::connect(address_of(site, listener)).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_nodelay(true).unwrap();
    StreamOwned::new(tls(&site.served().client()), tcp)
}

pub(crate) fn over_unix(site: &Site) -> StreamOwned<ClientConnection, UnixStream> {
    let socket = UnixStream::connect(site.home.join("convection.sock")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    StreamOwned::new(tls(&site.served().client()), socket)
}

impl Talk {
    pub(crate) fn begin(site: &Site, way: Way) -> Self {
        match way {
            Way::Unix => Self::Stream(Box::new(over_unix(site))),
            Way::Tcp => Self::Stream(Box::new(over_tcp(site, "wire"))),
            Way::Web => {
                let address = address_of(site, "web");
                let stream = over_tcp(site, "web");
                let opened = tokio_tungstenite::tungstenite::client(format!("wss://{address}/any"), stream);
                Self::Web(Box::new(opened.unwrap().0))
            }
        }
    }

    pub(crate) fn say(&mut self, text: &[u8]) {
        match self {
            Self::Stream(stream) => {
                // whoever is refused early need not be listened to
                let _ = stream.write_all(text).and_then(|()| stream.flush());
            }
            Self::Web(socket) => {
                let message = match std::str::from_utf8(text) {
                    Ok(text) => Message::text(text),
                    Err(_) => Message::binary(text.to_vec()),
                };
                let _ = socket.send(message);
            }
        }
    }

    /// One answer, however long.
    pub(crate) fn hear(&mut self) -> Value {
        match self {
            Self::Stream(stream) => {
                let mut heard = Vec::new();
                let mut piece = vec![0; 1 << 16];
                loop {
                    let length = stream.read(&mut piece).unwrap();
                    assert!(length > 0, "it hung up after {:?}", String::from_utf8_lossy(&heard));
                    heard.extend_from_slice(&piece[..length]);
                    if let Ok(value) = serde_json::from_slice(&heard) {
                        return value;
                    }
                }
            }
            // a text is answered with a text, bytes with bytes
            Self::Web(socket) => loop {
                match socket.read().unwrap() {
                    Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                    Message::Binary(bytes) => return serde_json::from_slice(&bytes).unwrap(),
                    _ => {}
                }
            },
        }
    }

    pub(crate) fn raw(&mut self, text: &[u8]) -> Value {
        self.say(text);
        self.hear()
    }

    pub(crate) fn ask(&mut self, command: &str, fields: &Value) -> Value {
        self.raw(format!("{command} {fields}").as_bytes())
    }

    /// What `authorize` decrypts, with the key in a home.
    pub(crate) fn challenge(&mut self, home: &Home, key: &str, id: &str) -> String {
        let answer = self.ask("authorize", &json!({ "access_key_id": id, "expire_time": "30m" }));
        assert_eq!(messages(&answer), ["Auth Initiated"], "{answer}");
        decrypt(home, key, answer["response"].as_str().unwrap())
    }

    /// A token, by both steps.
    pub(crate) fn authorize(&mut self, home: &Home, key: &str, id: &str) -> Credential {
        let token = self.challenge(home, key, id);
        let answer = self.raw(token.as_bytes());
        assert_eq!((&answer["result"]["state"], messages(&answer)), (&json!(true), vec!["Authorized"]));
        Credential { id: id.to_owned(), token }
    }
}

/// What stands in every request that needs a token.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Credential {
    /// The fields with the credential among them.
    pub(crate) fn with(&self, mut fields: Value) -> Value {
        fields["access_key_id"] = json!(self.id);
        fields["auth_token"] = json!(self.token);
        // what the command line sends beside
        fields["verbose"] = json!(false);
        fields["config"] = json!("client.toml");
        fields
    }
}

pub(crate) fn messages(answer: &Value) -> Vec<&str> {
    answer["result"]["messages"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// Asserts that it succeeded.
#[track_caller]
pub(crate) fn done(answer: Value) -> Value {
    assert_eq!(answer["result"]["state"], true, "{answer}");
    answer
}

/// Asserts that it failed; its first message.
#[track_caller]
pub(crate) fn failed(answer: &Value) -> String {
    assert_eq!(answer["result"]["state"], false, "{answer}");
    messages(answer).join("|")
}

/// The hexadecimal digits of what was encrypted to a private key of OpenSSL's.
fn decrypt(home: &Home, key: &str, response: &str) -> String {
    home.file("response.b64", response);
    let script = format!(
        "openssl base64 -d -A -in response.b64 | openssl pkeyutl -decrypt -inkey {key} -pkeyopt rsa_padding_mode:oaep \
         -pkeyopt rsa_oaep_md:sha512 -pkeyopt rsa_mgf1_md:sha512"
    );
    let done = Command::new("sh").args(["-c", &script]).current_dir(home.path()).output().unwrap();
    assert!(done.status.success() && done.stdout.len() == 16, "{done:?}");
    done.stdout.iter().fold(String::new(), |mut text, byte| {
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
        text
    })
}

/// A site whose root has an RSA key and that one of five unlock keys unlocks, initialised by way of the door; root's
/// credential.
pub(crate) fn site() -> (Site, Vec<String>, Credential) {
    site_with(OPEN)
}

/// The same with these listeners.
pub(crate) fn site_with(listeners: &str) -> (Site, Vec<String>, Credential) {
    let site = Site::bare(listeners);
    site.key_pair("rsa");
    let public = std::fs::read_to_string(site.home.join("root.pub")).unwrap();
    let mut talk = Talk::begin(&site, Way::Unix);
    let fields = json!({ "num_keys": "5", "root_public_key": public, "input_type": "auto" });
    let made = done(talk.ask("initialize", &fields));
    let keys: Vec<String> =
        made["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect();
    done(talk.ask("unlock", &json!({ "unlock_key": keys[0] })));
    let credential = talk.authorize(&site.home, "root.key", made["root_access_key_id"].as_str().unwrap());
    (site, keys, credential)
}
