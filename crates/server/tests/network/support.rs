//! A small server on loopback, and clients for it.

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::Extension;
use axum::routing::{get, post};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_model::Origin;
use strongroom_server::config::{self, Address, Border, Limits};
use strongroom_server::listen::{Listener, Listeners};
use strongroom_server::tls::{TlsHandle, TlsSource};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) listeners: Listeners,
    /// What the TCP listener takes requests by, now.
    pub(crate) border: Arc<ArcSwap<Border>>,
    pub(crate) tls: Arc<TlsHandle>,
    pub(crate) tcp: SocketAddr,
    pub(crate) socket: PathBuf,
    /// One permit lets one `/slow` request end.
    pub(crate) gate: Arc<Semaphore>,
    /// One permit for each `/slow` request that has begun.
    pub(crate) begun: Arc<Semaphore>,
}

impl World {
    pub(crate) fn start(limits: Limits) -> Self {
        Self::behind(Border::default(), limits)
    }

    /// With a border, at an address of this host's that is not everybody's.
    pub(crate) fn behind(border: Border, limits: Limits) -> Self {
        Self::at("127.0.0.1:0", border, limits)
    }

    pub(crate) fn at(address: &str, border: Border, limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let names = NAMES.map(str::to_owned).to_vec();
        let source = TlsSource::Own { dir: dir.path().join("tls"), names };
        let tls = Arc::new(TlsHandle::open(&Ambient::system(), source).unwrap());
        let (gate, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let router = router(Arc::clone(&gate), Arc::clone(&begun));
        let mut listeners = Listeners::new(limits);
        let socket = dir.path().join("s.sock");
        let unix = config::Listener::native("local", Address::Unix(socket.clone()));
        listeners.serve(Listener::bind(&unix, None).unwrap(), router.clone());
        let any = config::Listener::native("main", Address::Tcp(address.parse().unwrap()));
        let any = config::Listener { border, ..any };
        let tcp = Listener::bind(&any, Some(Arc::clone(&tls))).unwrap();
        let border = tcp.border();
        let Address::Tcp(address) = *tcp.address() else { panic!("a TCP listener") };
        listeners.serve(tcp, router);
        Self { dir, listeners, border, tls, tcp: address, socket, gate, begun }
    }

    pub(crate) async fn connect(&self) -> TlsStream<TcpStream> {
        self.connect_with(b"http/1.1").await
    }

    pub(crate) async fn connect_with(&self, protocol: &[u8]) -> TlsStream<TcpStream> {
        let tcp = TcpStream::connect(self.tcp).await.unwrap();
        self.secure(tcp, protocol).await.unwrap()
    }

    /// TCP from another address of this host.
    pub(crate) async fn tcp_from(&self, source: &str) -> TcpStream {
        let source: IpAddr = source.parse().unwrap();
        let (socket, loopback) = match source {
            IpAddr::V4(_) => (TcpSocket::new_v4().unwrap(), Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(_) => (TcpSocket::new_v6().unwrap(), IpAddr::from(Ipv6Addr::LOCALHOST)),
        };
        socket.bind((source, 0).into()).unwrap();
        within(socket.connect((loopback, self.tcp.port()).into())).await.unwrap()
    }

    /// Makes TLS of TCP.
    pub(crate) async fn secure(&self, tcp: TcpStream, protocol: &[u8]) -> io::Result<TlsStream<TcpStream>> {
        let ca = CertificateDer::from_pem_file(self.dir.path().join("tls/ca.pem")).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(ca).unwrap();
        let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        within(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await
    }

    pub(crate) async fn connect_unix(&self) -> UnixStream {
        UnixStream::connect(&self.socket).await.unwrap()
    }

    /// Waits until a `/slow` request is in flight.
    pub(crate) async fn slow_request_begins(&self) {
        within(self.begun.acquire()).await.unwrap().forget();
    }
}

fn router(gate: Arc<Semaphore>, begun: Arc<Semaphore>) -> Router {
    let slow = move || async move {
        begun.add_permits(1);
        gate.acquire().await.unwrap().forget();
        "done"
    };
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/origin", get(|Extension(origin): Extension<Origin>| async move { origin.to_string() }))
        .route("/echo", post(|body: axum::body::Bytes| async move { body.len().to_string() }))
        .route("/slow", get(slow))
}

/// Limits with times that a test can wait for.
pub(crate) fn quick() -> Limits {
    let short = Duration::from_millis(300);
    Limits { handshake_timeout: short, header_timeout: short, body_timeout: short, ..Limits::default() }
}

/// No test waits for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("in time")
}

pub(crate) async fn send(stream: &mut (impl AsyncWrite + Unpin), text: impl AsRef<[u8]>) {
    stream.write_all(text.as_ref()).await.unwrap();
    stream.flush().await.unwrap();
}

/// Reads an answer with a `content-length`: its status and its body.
pub(crate) async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> (u16, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within(stream.read_u8()).await.expect("an answer"));
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    within(stream.read_exact(&mut body)).await.unwrap();
    (status, String::from_utf8(body).unwrap())
}

pub(crate) async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), path: &str) -> (u16, String) {
    send(stream, format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
    answer(stream).await
}

/// Reads to the end of the stream, however it ends.
pub(crate) async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = within(stream.read_to_end(&mut bytes)).await;
    bytes
}
