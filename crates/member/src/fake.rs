//! An authority and any HTTP server, for tests: what they answer is the test's to say.

use data_encoding::{BASE64, HEXLOWER};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_abe::{AttributeSet, MasterKey};
use strongroom_ambient::Ambient;
use strongroom_blindindex::IndexRoot;
use strongroom_crypto::{KemPublicKey, PrivateKey};
use strongroom_envelope::{IndexBundle, KeyBundle, Purpose, Recipient, Signed, attributes_at, wrap};
use strongroom_sharing::authority::{Manifest, MemberOf, RegisterKeys};
use strongroom_sharing::{MemberId, SignedText};

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET /path?query`.
    pub line: String,
    /// In small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Lines of the head.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// After how many bytes of the body the connection is cut.
    pub cut: Option<usize>,
}

impl Response {
    /// An answer in JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes(), cut: None }
    }

    /// A refusal.
    pub fn refused(status: u16, error: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error": error, "message": "as the test wants it" }))
    }

    /// What a proxy says without its password.
    pub fn of_proxy(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: b"<html>401</html>".to_vec(), cut: None }
    }
}

/// A server on a port of this host; it ends with the process.
pub struct Http {
    /// Where.
    pub address: SocketAddr,
}

impl Http {
    /// Starts one.
    pub fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = answer.clone();
                // a client that goes away ends its thread
                std::thread::spawn(move || drop(serve(&stream, &*answer)));
            }
        });
        Ok(Self { address })
    }

    /// As an address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve(stream: &TcpStream, answer: &dyn Fn(&Request) -> Response) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader)? {
        let response = answer(&request);
        let mut head =
            format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n", response.status, response.body.len());
        for (name, value) in &response.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        let mut writer = stream;
        writer.write_all(head.as_bytes())?;
        let body = response.body.get(..response.cut.unwrap_or(response.body.len())).unwrap_or_default();
        writer.write_all(body)?;
        if response.cut.is_some() {
            return stream.shutdown(std::net::Shutdown::Both);
        }
    }
    Ok(())
}

fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Request>> {
    let mut request = Request::default();
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let text = line.trim_end();
        if text.is_empty() {
            let length =
                request.headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            request.body = vec![0; length];
            reader.read_exact(&mut request.body)?;
            return Ok(Some(request));
        }
        match text.split_once(": ") {
            Some((name, value)) if !request.line.is_empty() => {
                request.headers.insert(name.to_ascii_lowercase(), value.to_owned());
            }
            _ => text.trim_end_matches(" HTTP/1.1").clone_into(&mut request.line),
        }
        line.clear();
    }
    Ok(None)
}

/// What an authority knows; a test changes it as it goes.
pub struct Known {
    /// Its epoch.
    pub epoch: u64,
    /// Added to the present time in manifests; seconds.
    pub issued_off_secs: i64,
    /// How old a manifest may be; seconds.
    pub max_age_secs: u64,
    /// What the one member has.
    pub attributes: Vec<String>,
    /// Its keys, when it is enrolled.
    pub keys: Option<(KemPublicKey, String)>,
    /// What was asked, in order.
    pub asked: Vec<String>,
    /// Heads that were posted.
    pub heads: Vec<SignedText>,
    /// Answers in place of its own, by the beginning of the request's line; each is given once.
    pub instead: Vec<(String, Response)>,
    /// Given for ever, to whatever is asked.
    pub down: Option<Response>,
    /// Signs manifests.
    pub signer: PrivateKey,
}

/// An authority with one member, whose password is `password` and whose token is `token`.
pub struct FakeAuthority {
    /// What it knows.
    pub known: Mutex<Known>,
    /// Its master key.
    pub master: MasterKey,
    root: IndexRoot,
    /// Its member.
    pub member: MemberId,
    ambient: Ambient,
}

impl FakeAuthority {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// Where this host has no port for it.
    #[expect(clippy::expect_used, reason = "only tests call it")]
    pub fn start(attributes: &[&str]) -> (Arc<Self>, Http) {
        let ambient = Ambient::system();
        let seed: [u8; 32] = ambient.random();
        let known = Known {
            epoch: 1,
            issued_off_secs: 0,
            max_age_secs: 900,
            attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
            keys: None,
            asked: Vec::new(),
            heads: Vec::new(),
            instead: Vec::new(),
            down: None,
            signer: PrivateKey::ed25519_from_seed(&seed).expect("any seed is a key"),
        };
        let authority = Arc::new(Self {
            known: Mutex::new(known),
            master: MasterKey::generate(&ambient, 1).expect("one use is allowed"),
            root: IndexRoot::generate(&ambient),
            member: MemberId([7; 16]),
            ambient,
        });
        let own = authority.clone();
        let http = Http::start(move |request| own.answer(request)).expect("a port of this host");
        (authority, http)
    }

    /// What it knows.
    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Response {
        let mut known = self.known();
        known.asked.push(request.line.clone());
        if let Some(down) = &known.down {
            return down.clone();
        }
        let instead = known.instead.iter().position(|(begin, _)| request.line.starts_with(begin));
        if let Some(at) = instead {
            return known.instead.remove(at).1;
        }
        let line = request.line.split('?').next().unwrap_or_default();
        match line {
            "GET /get/manifest" => self.manifest(&known),
            "POST /token" => {
                Response::json(200, &serde_json::json!({"access_token": "token", "expires_in": 900}))
            }
            "POST /user/keys" => register(&mut known, &request.body),
            "POST /heads" => {
                known.heads.extend(serde_json::from_slice::<SignedText>(&request.body).ok());
                Response::json(201, &serde_json::json!({}))
            }
            _ if request.headers.get("x-authorization").map(String::as_str) != Some("Bearer token") => {
                Response::refused(401, "unauthenticated")
            }
            "GET /user/me" => self.me(&known),
            "GET /get/key/cpabe-pk" => self.public(&known),
            "POST /get/key/cpabe-sk" => self.member_keys(&known, &request.line),
            "POST /get/key/index" => self.index_keys(&known),
            _ => Response::refused(404, "not_found"),
        }
    }

    fn manifest(&self, known: &Known) -> Response {
        let now = self.ambient.now().0 / 1000 + known.issued_off_secs;
        let signing_keys = known.keys.iter().map(|(_, key)| key.clone()).collect();
        let manifest = Manifest {
            authority: HEXLOWER.encode(self.master.public().digest()),
            signing_key: known.signer.public_key().map(|key| BASE64.encode(key.spki())).unwrap_or_default(),
            epoch: known.epoch,
            epoch_since: 0,
            issued_at: u64::try_from(now).unwrap_or(0),
            max_age_secs: known.max_age_secs,
            token_keys: BTreeMap::new(),
            members: vec![MemberOf { id: self.member, signing_keys, active: true, replaced: Vec::new() }],
            revoked: Vec::new(),
            ended_before: BTreeMap::new(),
            ended: BTreeSet::new(),
        };
        let signed = Signed::sign(&manifest, &known.signer, "strongroom sharing manifest v1");
        match signed {
            Ok(signed) => Response::json(200, &serde_json::json!(signed.text())),
            Err(_) => Response::refused(500, "internal"),
        }
    }

    fn me(&self, known: &Known) -> Response {
        let me = serde_json::json!({
            "logged_in_as": "alice", "id": self.member, "admin": false, "attributes": known.attributes,
            "enrolled": known.keys.is_some(),
        });
        Response::json(200, &me)
    }

    fn public(&self, known: &Known) -> Response {
        let spki = known.signer.public_key().map(|key| BASE64.encode(key.spki())).unwrap_or_default();
        let key = BASE64.encode(self.master.public().as_bytes());
        Response::json(200, &serde_json::json!({"cpabe_pk": key, "signing_key": spki}))
    }

    fn member_keys(&self, known: &Known, line: &str) -> Response {
        let asked = line.split_once("epochs=").map(|(_, list)| list).unwrap_or_default();
        let asked = asked.split(',').filter_map(|epoch| epoch.parse::<u64>().ok());
        let mut bundle = KeyBundle::default();
        let names = known.attributes.iter().map(String::as_str);
        let Ok(attributes) = AttributeSet::parse(names) else { return Response::refused(500, "internal") };
        for epoch in asked.filter(|epoch| *epoch <= known.epoch) {
            let Ok(at) = attributes_at(&attributes, epoch) else { continue };
            bundle.epochs.insert(epoch, self.master.member_key(&self.ambient, &at).to_bytes());
        }
        bundle.rights = strongroom_abe::RightSecrets::none().to_bytes();
        let epochs: Vec<u64> = bundle.epochs.keys().copied().collect();
        self.wrapped(known, Purpose::MemberKeys, &epochs, &bundle.to_bytes())
    }

    fn index_keys(&self, known: &Known) -> Response {
        let mut bundle = IndexBundle::default();
        bundle.epochs.insert(known.epoch, self.root.collector_epoch(&self.member.to_string(), known.epoch));
        self.wrapped(known, Purpose::IndexKeys, &[known.epoch], &bundle.to_bytes())
    }

    fn wrapped(
        &self,
        known: &Known,
        purpose: Purpose,
        epochs: &[u64],
        secret: &strongroom_secret::SecretBytes,
    ) -> Response {
        let Some((to, _)) = &known.keys else { return Response::refused(409, "not_enrolled") };
        let recipient = Recipient { purpose, member: self.member, authority: *self.master.public().digest() };
        let sealed = BASE64.encode(&wrap(&self.ambient, to, &recipient, secret));
        Response::json(200, &serde_json::json!({"epochs": epochs, "sealed": sealed}))
    }
}

fn register(known: &mut Known, body: &[u8]) -> Response {
    let Ok(keys) = serde_json::from_slice::<RegisterKeys>(body) else {
        return Response::refused(400, "malformed");
    };
    if keys.password.into_secret().expose(|bytes| bytes != b"password") {
        return Response::refused(401, "unauthenticated");
    }
    if known.keys.is_some() && !keys.replace {
        return Response::refused(409, "enrolled");
    }
    let wrap_key = BASE64.decode(keys.wrap_key.as_bytes()).ok();
    let Some(wrap_key) = wrap_key.and_then(|bytes| KemPublicKey::from_bytes(&bytes).ok()) else {
        return Response::refused(400, "malformed");
    };
    known.keys = Some((wrap_key, keys.signing_key));
    Response::json(201, &serde_json::json!({}))
}
