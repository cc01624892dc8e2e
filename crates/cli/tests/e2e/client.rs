//! HTTP as bytes over TLS or a local socket, so that nothing is too malformed to be sent.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use strongroom_api::MeantServer;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection of any kind.
pub(crate) trait Stream: Read + Write + Send {
    /// The TCP connection below, if there is one.
    fn tcp(&self) -> Option<&TcpStream>;
}

impl Stream for TcpStream {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

impl Stream for UnixStream {
    fn tcp(&self) -> Option<&TcpStream> {
        None
    }
}

impl Stream for StreamOwned<ClientConnection, TcpStream> {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(&self.sock)
    }
}

impl Stream for StreamOwned<ClientConnection, UnixStream> {
    fn tcp(&self) -> Option<&TcpStream> {
        None
    }
}

/// What knows a server, and perhaps has a token. Each question goes over a connection of its own.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
    token: Option<String>,
}

/// One connection.
pub(crate) struct Wire(Box<dyn Stream>);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: &str, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let address = address.strip_prefix("https://").unwrap().parse().unwrap();
        Self { address, tls: Arc::new(tls), token: None }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().unwrap()
    }

    /// TCP alone.
    pub(crate) fn tcp(&self) -> TcpStream {
        let tcp = TcpStream::connect(self.address).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp.set_write_timeout(Some(PATIENCE)).unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp
    }

    /// A TLS stream; the handshake comes with the first byte.
    pub(crate) fn stream(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name).unwrap(), self.tcp())
    }

    /// This server as proofs name it.
    pub(crate) fn meant(&self) -> MeantServer {
        let mut stream = self.stream();
        stream.conn.complete_io(&mut stream.sock).unwrap();
        let leaf = stream.conn.peer_certificates().unwrap()[0].clone();
        MeantServer::tls("localhost", &strongroom_crypto::sha256(&leaf))
    }

    pub(crate) fn connect(&self) -> Wire {
        Wire(Box::new(self.stream()))
    }

    /// A request's bytes.
    pub(crate) fn request(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut text = format!("{line} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
        if let Some(token) = &self.token
            && !headers.iter().any(|(name, _)| *name == "authorization")
        {
            text.extend(["authorization: Bearer ", token, "\r\n"]);
        }
        for (name, value) in headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        [text.as_bytes(), b"\r\n", body].concat()
    }

    /// Asks with a line such as `GET /health`.
    pub(crate) fn send(&self, line: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
        self.connect().ask(&self.request(line, headers, body.as_ref()))
    }

    /// Asks below `/api/v1`, without a body.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET /api/v1{path}"), &[], b"")
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send(&format!("DELETE /api/v1{path}"), &[], b"")
    }

    /// Posts JSON below `/api/v1`.
    pub(crate) fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send(&format!("POST /api/v1{path}"), &[("content-type", "application/json")], body)
    }

    /// Puts JSON below `/api/v1`.
    pub(crate) fn put(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send(&format!("PUT /api/v1{path}"), &[("content-type", "application/json")], body)
    }

    /// `/health`.
    pub(crate) fn health(&self) -> Answer {
        self.send("GET /health", &[], b"")
    }
}

impl Wire {
    pub(crate) fn unix(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(Box::new(stream))
    }

    pub(crate) fn over(stream: impl Stream + 'static) -> Self {
        Self(Box::new(stream))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// Whether the server has said something, unasked, or gone.
    pub(crate) fn has_news(&self) -> bool {
        let tcp = self.0.tcp().unwrap();
        tcp.set_nonblocking(true).unwrap();
        let news = tcp.peek(&mut [0]);
        tcp.set_nonblocking(false).unwrap();
        !news.is_err_and(|fault| fault.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends a request and reads its answer. A server may answer before it has read everything.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Answer {
        let sent = self.write(request);
        self.answer().unwrap_or_else(|fault| panic!("no answer: {fault}; sent: {sent:?}"))
    }

    /// Reads one answer.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let head = String::from_utf8_lossy(&self.until(b"\r\n\r\n")?).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        let body = if head.contains("transfer-encoding: chunked") {
            self.chunks()?
        } else {
            let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            self.exactly(length)?
        };
        Ok(Answer { status, head, body })
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n")?;
            let size = std::str::from_utf8(&line).unwrap().trim();
            let size = usize::from_str_radix(size, 16).unwrap();
            body.extend(self.exactly(size)?);
            self.exactly(2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end) {
            let mut byte = [0];
            self.0.read_exact(&mut byte)?;
            bytes.push(byte[0]);
        }
        Ok(bytes)
    }

    /// Everything until the server closes, however it does.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = self.0.read_to_end(&mut bytes);
        bytes
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(found, _)| *found == name).map(|(_, value)| value)
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }

    /// A header's value, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// What it says, if it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(matches!(self.status, 200 | 201 | 204), "{} {}", self.status, self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Asserts that it is a problem with this status and code, in the catalogue's form.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, code: &str) {
        let text = self.text();
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{text}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{text}");
        assert_eq!(problem["status"], status, "{text}");
        assert_eq!(problem["type"], format!("https://strongroom.invalid/problems/{code}"), "{text}");
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{text}");
    }
}
