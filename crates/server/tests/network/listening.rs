//! Listeners serve who asks, bind what they may, and stop in order.

use crate::support::{World, answer, ask, send, until_closed, within};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::time::Duration;
use strongroom_server::config::{self, Address, Limits};
use strongroom_server::listen::{ListenError, Listener};
use tokio::net::TcpStream;

#[tokio::test]
async fn http_1_and_2_are_served_over_tls() {
    let world = World::start(Limits::default());
    let mut http1 = world.connect().await;
    assert_eq!(http1.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(http1.get_ref().1.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(ask(&mut http1, "/hello").await, (200, "hello".to_owned()));
    assert_eq!(ask(&mut http1, "/origin").await, (200, "127.0.0.1".to_owned()), "on the same connection");

    let stream = world.connect_with(b"h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("https://localhost/hello").body(Empty::<bytes::Bytes>::new()).unwrap();
    let response = within(sender.send_request(request)).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
}

#[tokio::test]
async fn key_exchange_is_post_quantum_where_the_client_can() {
    let world = World::start(Limits::default());
    let stream = world.connect().await;
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
}

#[tokio::test]
async fn the_local_socket_knows_its_peer() {
    let world = World::start(Limits::default());
    let uid = rustix::process::getuid().as_raw();
    let mut stream = world.connect_unix().await;
    assert_eq!(ask(&mut stream, "/origin").await, (200, format!("local:{uid}")));
}

#[tokio::test]
async fn the_socket_is_for_owner_and_group_and_ends_with_the_server() {
    let world = World::start(Limits::default());
    let metadata = world.socket.symlink_metadata().unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o660);
    let left: Vec<_> =
        std::fs::read_dir(world.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing but the socket and the certificates: {left:?}");
    assert!(world.listeners.stop(Duration::from_secs(5)).await);
    assert!(!world.socket.exists());
}

#[tokio::test]
async fn a_dead_socket_is_replaced_a_live_one_and_a_file_are_not() {
    let world = World::start(Limits::default());
    let bind = |path: &std::path::Path| {
        Listener::bind(&config::Listener::native("second", Address::Unix(path.to_owned())), None)
    };
    assert!(matches!(bind(&world.socket), Err(ListenError::Answered { .. })));
    let dead = world.dir.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
    assert!(dead.exists());
    assert!(bind(&dead).is_ok());
    let file = world.dir.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    assert!(matches!(bind(&file), Err(ListenError::NotASocket { .. })));
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
}

#[tokio::test]
async fn a_taken_port_and_a_missing_certificate_are_told() {
    let world = World::start(Limits::default());
    let taken = config::Listener::native("second", Address::Tcp(world.tcp));
    assert!(matches!(Listener::bind(&taken, Some(world.tls.clone())), Err(ListenError::Bind { .. })));
    assert!(matches!(Listener::bind(&taken, None), Err(ListenError::WithoutTls { .. })));
}

#[tokio::test]
async fn stopping_finishes_what_was_begun_and_takes_nothing_new() {
    let world = World::start(Limits::default());
    let mut idle = world.connect().await;
    let mut busy = world.connect().await;
    send(&mut busy, "GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    world.slow_request_begins().await;
    let tcp = world.tcp;
    let stopping = tokio::spawn(world.listeners.stop(Duration::from_secs(10)));
    assert_eq!(until_closed(&mut idle).await, b"", "idle connections end at once");
    assert!(TcpStream::connect(tcp).await.is_err(), "the port is closed");
    assert!(!stopping.is_finished());
    world.gate.add_permits(1);
    let text = String::from_utf8(until_closed(&mut busy).await).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with("done"), "{text}");
    assert!(within(stopping).await.unwrap(), "everything ended by itself");
}

#[tokio::test]
async fn stopping_does_not_wait_beyond_its_deadline() {
    let world = World::start(Limits::default());
    let mut busy = world.connect().await;
    send(&mut busy, "GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    world.slow_request_begins().await;
    assert!(!within(world.listeners.stop(Duration::from_millis(50))).await);
    assert_eq!(until_closed(&mut busy).await, b"");
}

/// Longer than a connection keeps its buffers for nothing.
const SILENCE: Duration = Duration::from_millis(1_300);

#[tokio::test]
async fn a_connection_that_was_silent_for_a_while_is_served_again() {
    let world = World::start(Limits::default());
    let (mut tls, mut unix) = (world.connect().await, world.connect_unix().await);
    let mut unasked = world.connect().await;
    for round in 0..2 {
        assert_eq!(ask(&mut tls, "/hello").await, (200, "hello".to_owned()), "round {round}");
        assert_eq!(ask(&mut unix, "/hello").await, (200, "hello".to_owned()), "round {round}");
        tokio::time::sleep(SILENCE).await;
    }
    assert_eq!(ask(&mut unasked, "/hello").await.0, 200);
    assert_eq!(world.listeners.open_connections(), 3);
}

#[tokio::test]
async fn half_a_head_sent_ahead_is_kept_while_the_rest_is_waited_for() {
    let world = World::start(Limits::default());
    let mut stream = world.connect().await;
    send(&mut stream, "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\nGET /ori").await;
    assert_eq!(answer(&mut stream).await.0, 200);
    tokio::time::sleep(SILENCE).await;
    send(&mut stream, "gin HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!(answer(&mut stream).await, (200, "127.0.0.1".to_owned()));
}

#[tokio::test]
async fn a_slow_answer_outlasts_every_silence() {
    let world = World::start(Limits::default());
    let mut stream = world.connect().await;
    send(&mut stream, "GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    world.slow_request_begins().await;
    tokio::time::sleep(SILENCE).await;
    world.gate.add_permits(1);
    assert_eq!(answer(&mut stream).await, (200, "done".to_owned()));
}

#[tokio::test]
async fn a_body_in_two_halves_with_a_silence_between_arrives_whole() {
    let world = World::start(Limits::default());
    let mut stream = world.connect().await;
    send(&mut stream, "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8\r\n\r\nhalf").await;
    tokio::time::sleep(SILENCE).await;
    send(&mut stream, "half").await;
    assert_eq!(answer(&mut stream).await, (200, "8".to_owned()));
}

#[tokio::test]
async fn a_silent_connection_ends_when_the_server_stops() {
    let world = World::start(Limits::default());
    let mut stream = world.connect().await;
    assert_eq!(ask(&mut stream, "/hello").await.0, 200);
    tokio::time::sleep(SILENCE).await;
    assert!(within(world.listeners.stop(Duration::from_secs(10))).await);
    assert_eq!(until_closed(&mut stream).await, b"");
}

#[tokio::test]
async fn a_silence_beyond_the_idle_time_ends_a_connection_that_gave_its_buffers_back() {
    let world = World::start(Limits { idle_timeout: SILENCE, ..Limits::default() });
    let mut stream = world.connect().await;
    assert_eq!(ask(&mut stream, "/hello").await.0, 200);
    assert_eq!(until_closed(&mut stream).await, b"");
}
