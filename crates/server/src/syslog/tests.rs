//! Against real sockets: an engine's trail on one side, a receiver on the other.

use super::*;
use crate::config::SyslogAddress;
use std::io::Read as _;
use strongroom_ambient::Ambient;
use strongroom_gate::{Gate, GateOptions, Limits, RuleSet, Server};
use strongroom_model::{Caller, Origin, RequestId};
use strongroom_operator::Initialise;
use strongroom_store::{MemoryStore, SharedStore};

const PATIENCE: Duration = Duration::from_secs(20);

/// A trail that grows when it is told to.
struct Source {
    gate: Arc<Gate>,
    operator: Arc<Operator>,
    store: SharedStore,
    data: tempfile::TempDir,
}

impl Source {
    fn new() -> Self {
        Self::over(MemoryStore::new(strongroom_audit::link), tempfile::tempdir().unwrap())
    }

    fn over(store: SharedStore, data: tempfile::TempDir) -> Self {
        let gate = Gate::new(GateOptions {
            store: Arc::clone(&store),
            ambient: Ambient::system(),
            limits: Limits::default(),
            rules: RuleSet::built_in(1000),
        });
        let operator = Arc::new(Operator::new(Arc::clone(&gate), None));
        Self { gate, operator, store, data }
    }

    /// Leaves entries: refused initialisations, each from a place of its own, since one place's are counted.
    async fn grow(&self, from: u32, count: u32) {
        for at in from..from + count {
            let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + at);
            let caller = Caller::anonymous(Origin::network(address.into()), RequestId([7; 16]));
            self.gate.admit::<Initialise>(&caller, Server).await.unwrap_err();
        }
    }

    fn head(&self) -> u64 {
        self.store.trail_head().seq
    }

    fn export(&self, address: SyslogAddress, ca_file: Option<std::path::PathBuf>) -> Exporter {
        let config = Syslog { address, facility: 10, plain_resources: false, ca_file };
        let operator = Arc::clone(&self.operator);
        Exporter::start(operator, Ambient::system(), &config, self.data.path()).unwrap()
    }
}

/// The number that a message is about.
fn seq(message: &str) -> Option<u64> {
    let (_, rest) = message.split_once("[entry@32473 seq=\"")?;
    rest.split('"').next()?.parse().ok()
}

/// Takes counted messages apart.
fn counted(mut bytes: &[u8]) -> Vec<String> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ').expect("a count");
        let count: usize = std::str::from_utf8(&bytes[..space]).unwrap().parse().expect("a number");
        let message = &bytes[space + 1..space + 1 + count];
        messages.push(String::from_utf8(message.to_vec()).unwrap());
        bytes = &bytes[space + 1 + count..];
    }
    messages
}

async fn accept(listener: std::net::TcpListener) -> (std::net::TcpListener, std::net::TcpStream) {
    let accepted = tokio::task::spawn_blocking(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        (listener, stream)
    });
    accepted.await.unwrap()
}

/// Everything up to the stream's end.
async fn to_the_end(mut stream: std::net::TcpStream) -> Vec<String> {
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    });
    counted(&read.await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datagrams_carry_every_entry_once_and_a_restart_goes_on() {
    let source = Source::new();
    let receiver = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = SyslogAddress::Udp(receiver.local_addr().unwrap().to_string());
    source.grow(0, 30).await;
    let mut next = 1;
    for round in 1..=2 {
        let exporter = source.export(address.clone(), None);
        // the follower's own entry comes last
        let last = 31 * round;
        while next <= last {
            let mut message = vec![0; 4_096];
            let length = tokio::time::timeout(PATIENCE, receiver.recv(&mut message)).await.unwrap().unwrap();
            let message = String::from_utf8(message[..length].to_vec()).unwrap();
            assert_eq!(seq(&message), Some(next), "{message}");
            assert!(message.starts_with("<8") && message.contains(">1 20"), "{message}");
            next += 1;
        }
        exporter.finish().await;
        source.grow(100 * u32::try_from(round).unwrap(), 30).await;
    }
    assert_eq!(next, 63);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_is_taken_up_again_and_loses_nothing() {
    let source = Source::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = SyslogAddress::Tcp(listener.local_addr().unwrap().to_string());
    source.grow(0, 300).await;
    let exporter = source.export(address, None);
    let (listener, mut first) = accept(listener).await;
    let broken = tokio::task::spawn_blocking(move || {
        let mut some = [0; 2_000];
        first.read_exact(&mut some).unwrap();
        // unread bytes are left: the connection is reset
        drop(first);
    });
    broken.await.unwrap();
    let (_listener, second) = accept(listener).await;
    source.grow(1_000, 50).await;
    let head = source.head();
    let reader = tokio::spawn(to_the_end(second));
    exporter.finish().await;
    let messages = reader.await.unwrap();
    let numbers: Vec<u64> = messages.iter().filter_map(|message| seq(message)).collect();
    assert_eq!(numbers, (1..=head).collect::<Vec<_>>(), "from the first on: nothing had settled");
    let position = std::fs::read_to_string(source.data.path().join("syslog-position")).unwrap();
    assert!(position.starts_with(&format!("strongroom-syslog-1 {head} ")), "{position}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_receiver_the_server_goes_on_and_nothing_counts_as_delivered() {
    let source = Source::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = SyslogAddress::Tcp(closed.local_addr().unwrap().to_string());
    drop(closed);
    let exporter = source.export(address, None);
    let delivered = exporter.delivered();
    source.grow(0, 50).await;
    assert_eq!((source.head() >= 50, delivered()), (true, 0));
    exporter.finish().await;
    assert_eq!(delivered(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trail_that_was_put_back_is_told() {
    let source = Source::new();
    let receiver = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = SyslogAddress::Udp(receiver.local_addr().unwrap().to_string());
    source.grow(0, 10).await;
    let line = format!("strongroom-syslog-1 9000 {} 0\n", "ab".repeat(32));
    std::fs::write(source.data.path().join("syslog-position"), line).unwrap();
    let exporter = source.export(address, None);
    let mut message = vec![0; 4_096];
    let length = tokio::time::timeout(PATIENCE, receiver.recv(&mut message)).await.unwrap().unwrap();
    let message = String::from_utf8(message[..length].to_vec()).unwrap();
    assert!(message.contains(" put_back [trail@32473 exported=\"9000\""), "{message}");
    exporter.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_proves_the_receiver_and_another_authority_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let ambient = Ambient::system();
    let names = ["127.0.0.1".to_owned()];
    let own = crate::tls::ensure_own(&ambient, &folder.path().join("own"), &names).unwrap();
    let other = crate::tls::ensure_own(&ambient, &folder.path().join("other"), &names).unwrap();
    let handle = crate::tls::TlsHandle::open(
        &ambient,
        crate::tls::TlsSource::Files { cert: own.cert.clone(), key: own.key.clone() },
    )
    .unwrap();
    let source = Source::new();
    source.grow(0, 20).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = SyslogAddress::Tls(listener.local_addr().unwrap().to_string());
    let acceptor = tokio_rustls::TlsAcceptor::from(handle.current());
    let strange = source.export(address.clone(), Some(other.ca));
    let (stream, _) = tokio::time::timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    assert!(acceptor.accept(stream).await.is_err(), "the exporter turns away what it does not trust");
    assert_eq!(strange.delivered()(), 0);
    strange.finish().await;
    let trusting = source.export(address, Some(own.ca));
    let (stream, _) = tokio::time::timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut stream = acceptor.accept(stream).await.unwrap();
    let reader = tokio::spawn(async move {
        let mut bytes = Vec::new();
        // the end may come without TLS's own farewell
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes).await;
        counted(&bytes)
    });
    trusting.finish().await;
    let numbers: Vec<u64> = reader.await.unwrap().iter().filter_map(|message| seq(message)).collect();
    assert_eq!(numbers, (1..=source.head()).collect::<Vec<_>>());
}
