//! Inputs before a sink in memory, over real sockets of this machine.

use super::*;
use crate::intake::SinkError;
use crate::intake::tests::{Memory, world};
use crate::record::{MAX_RECORD_BYTES, RecordError};
use crate::settings::Format;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) struct World {
    pub(crate) sink: Arc<Memory>,
    pub(crate) stopper: crate::intake::Stopper,
    pub(crate) inputs: Inputs,
}

pub(crate) fn started(kind: InputKind) -> World {
    let (sink, intake, stopper, stop) = world();
    let inputs = Inputs::start(&[Input { line: 1, kind, tls: None }], &intake, &stop).unwrap();
    World { sink, stopper, inputs }
}

pub(crate) fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

impl World {
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.inputs.addresses()[0].1).await.unwrap()
    }

    /// Sends, ends, and waits for the other side's end; what it said.
    pub(crate) async fn send(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect().await;
        // who is refused in the middle is not listened to any more
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        said
    }

    pub(crate) async fn stopped(mut self) -> Arc<Memory> {
        self.stopper.stop();
        self.inputs.ended().await;
        self.sink
    }
}

/// So many records, one a line.
pub(crate) fn lines(count: usize) -> String {
    let all: Vec<String> = (0..count).map(|number| format!("{{\"a\":{number}}}\n")).collect();
    all.concat()
}

#[tokio::test]
async fn one_object_a_connection_is_a_record_however_it_is_broken_into_lines() {
    let world = started(InputKind::Tcp(any()));
    for text in ["{\"a\":1}", "{\"a\":2}\n", "{\n  \"a\": 3,\n  \"b\": [1,\n2]\n}", "  \n{\"a\":4}"] {
        assert!(world.send(text.as_bytes()).await.is_empty());
    }
    let texts = world.stopped().await.texts();
    assert_eq!(texts, ["{\"a\":1}", "{\"a\":2}", "{\n  \"a\": 3,\n  \"b\": [1,\n2]\n}", "{\"a\":4}"]);
}

#[tokio::test]
async fn lines_are_records_and_a_bad_one_stops_no_other() {
    let world = started(InputKind::Tcp(any()));
    world.send(b"{\"a\":1}\n\n{\"a\":\n{\"a\":1,\"a\":2}\n7\n{\"a\":3}\r\n{\"a\":4}").await;
    let sink = world.stopped().await;
    assert_eq!(sink.texts(), ["{\"a\":1}", "{\"a\":3}", "{\"a\":4}"]);
    assert!(matches!(
        sink.reasons().as_slice(),
        [RecordError::Json(_), RecordError::Json(_), RecordError::NoObject]
    ));
}

#[tokio::test]
async fn a_page_that_has_a_browser_post_to_the_raw_port_puts_nothing_in() {
    let world = started(InputKind::Tcp(any()));
    world.send(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://page.example\r\n\r\n{\"a\":1}\n").await;
    world.send(b"{\"a\":2}\n").await;
    let sink = world.stopped().await;
    assert_eq!(sink.texts(), ["{\"a\":2}"]);
    assert!(matches!(sink.reasons().as_slice(), [RecordError::NoObject]));
}

#[tokio::test]
async fn the_close_comes_after_all_is_durable() {
    let world = started(InputKind::Tcp(any()));
    world.sink.failures.lock().unwrap().extend([SinkError::Full, SinkError::Full]);
    let lines = lines(2000);
    world.send(lines.as_bytes()).await;
    assert_eq!(world.sink.texts().len(), 2000);
}

#[tokio::test]
async fn what_is_no_record_is_kept_with_its_reason() {
    let world = started(InputKind::Tcp(any()));
    for text in ["{\"a\":", "GET / HTTP/1.1\r\n\r\n", "[]", "\u{0}\u{1}"] {
        world.send(text.as_bytes()).await;
    }
    world.send(&vec![b'{'; MAX_RECORD_BYTES + 100_000]).await;
    world.send(b"").await;
    let sink = world.stopped().await;
    assert!(sink.texts().is_empty());
    assert_eq!(sink.reasons().len(), 5);
    assert_eq!(sink.reasons().last(), Some(&RecordError::TooLong));
    assert!(sink.rejected.lock().unwrap()[0].0.starts_with("tcp 127.0.0.1:0 from 127.0.0.1"));
}

#[tokio::test]
async fn connections_of_one_address_are_bounded() {
    let world = started(InputKind::Tcp(any()));
    let mut open = Vec::new();
    for _ in 0..super::listen::MAX_OF_ONE {
        open.push(world.connect().await);
    }
    let mut over = world.connect().await;
    assert_eq!(over.read(&mut [0; 1]).await.unwrap_or(0), 0);
    open.pop();
    // the place that was given up is there again
    while !world.sink.texts().contains(&"{\"a\":1}".to_owned()) {
        world.send(b"{\"a\":1}").await;
    }
}

#[tokio::test]
async fn the_end_finishes_what_is_in_flight_and_takes_nobody_else() {
    let mut world = started(InputKind::Tcp(any()));
    let address = world.inputs.addresses()[0].1;
    let mut stream = world.connect().await;
    stream.write_all(b"{\"a\":1}\n{\"a\":2}\n{\"a\"").await.unwrap();
    while world.sink.texts().len() < 2 {
        tokio::task::yield_now().await;
    }
    world.stopper.stop();
    stream.write_all(b":3}").await.unwrap();
    stream.shutdown().await.unwrap();
    world.inputs.ended().await;
    assert_eq!(world.sink.texts().len(), 3);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_sender_that_never_ends_does_not_keep_the_collector() {
    let mut world = started(InputKind::Tcp(any()));
    let stream = world.connect().await;
    let sender = tokio::spawn(async move {
        let mut stream = stream;
        let mut sent = 0;
        while stream.write_all(b"{\"a\":1}\n").await.is_ok() {
            sent += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        sent
    });
    while world.sink.texts().is_empty() {
        tokio::task::yield_now().await;
    }
    world.stopper.stop();
    tokio::time::timeout(Duration::from_secs(30), world.inputs.ended()).await.unwrap();
    let sent: usize = sender.await.unwrap();
    assert!(world.sink.texts().len() <= sent);
    assert!(world.sink.reasons().iter().all(|reason| *reason == RecordError::Unfinished));
}

#[tokio::test]
async fn syslog_is_read_in_both_framings() {
    let world = started(InputKind::SyslogTcp(any()));
    world.send(b"12 <13>Use it.\n<13>another\n<13>last").await;
    world.send(b"<13>1 - h a - - - new\n").await;
    world.send(b"99999 <13>x").await;
    world.send(b"20 <13>cut").await;
    let sink = world.stopped().await;
    assert_eq!(sink.texts().len(), 4, "{:?}", sink.texts());
    assert_eq!(sink.reasons(), [RecordError::TooLong, RecordError::Unfinished]);
}

#[tokio::test]
async fn datagrams_are_records() {
    let world = started(InputKind::SyslogUdp(any()));
    let socket = tokio::net::UdpSocket::bind(any()).await.unwrap();
    let to = world.inputs.addresses()[0].1;
    for message in [b"<13>one".as_slice(), b"\xff", b"", b"<13>two"] {
        socket.send_to(message, to).await.unwrap();
    }
    let sink = world.sink.clone();
    tokio::time::timeout(Duration::from_secs(20), async {
        while sink.texts().len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let sink = world.stopped().await;
    assert_eq!(sink.reasons(), [RecordError::Text { at: 0 }]);
}

#[tokio::test]
async fn a_text_that_is_read_to_its_end_is_all_delivered() {
    let (sink, intake, _stopper, stop) = world();
    let place = Place { intake, stop, name: "standard input".into() };
    let lines = lines(1500);
    reader::read(lines.as_bytes(), Format::Json, &place, "s").await.unwrap();
    assert_eq!(sink.texts().len(), 1500);
    reader::read(b"plain \"text\"\n".as_slice(), Format::Text, &place, "s").await.unwrap();
    assert_eq!(sink.texts().last().unwrap(), "{\"message\":\"plain \\\"text\\\"\"}");
    let bundle = br#"{"type":"bundle","objects":[{"type":"tool"},{"type":"malware"}]}"#;
    reader::read(bundle.as_slice(), Format::Stix, &place, "s").await.unwrap();
    assert_eq!(sink.texts().len(), 1503);
    reader::read(b"{}".as_slice(), Format::Misp, &place, "s").await.unwrap();
    assert!(matches!(sink.reasons().as_slice(), [RecordError::Shape { .. }]));
}
