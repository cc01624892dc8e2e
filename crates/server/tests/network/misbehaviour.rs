//! Clients that are slow, silent, deaf, too many or plainly wrong cost little and stop nobody.

use crate::support::{World, answer, ask, quick, send, until_closed, within};
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::num::NonZeroU32;
use std::time::Duration;
use strongroom_server::config::{BodyPace, Limits};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

#[tokio::test]
async fn heads_that_are_too_large_are_answered() {
    let world = World::start(Limits::default());
    let mut stream = world.connect().await;
    let filler = "x".repeat(20 << 10);
    send(&mut stream, format!("GET /hello HTTP/1.1\r\nhost: localhost\r\nx-filler: {filler}\r\n\r\n")).await;
    assert_eq!(answer(&mut stream).await.0, 431);

    let fields: String = ["x-field: y\r\n"; 70].concat();
    let mut stream = world.connect().await;
    send(&mut stream, format!("GET /hello HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n")).await;
    let (status, body) = answer(&mut stream).await;
    assert_eq!(status, 431);
    assert!(body.contains("\"headers_too_large\""), "{body}");

    let (status, body) = ask(&mut stream, &format!("/{}", "p".repeat(5_000))).await;
    assert_eq!(status, 414, "the connection lives on");
    assert!(body.contains("\"path_too_long\""), "{body}");
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_by_their_head_or_at_the_limit() {
    let world = World::start(Limits { body_bytes: 1_000, ..Limits::default() });
    let mut stream = world.connect().await;
    send(&mut stream, "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1001\r\n\r\n").await;
    let (status, body) = answer(&mut stream).await;
    assert_eq!(status, 413);
    assert!(body.contains("\"too_large\""), "{body}");

    let mut stream = world.connect().await;
    let chunk = "c".repeat(600);
    send(&mut stream, "POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").await;
    send(&mut stream, format!("258\r\n{chunk}\r\n258\r\n{chunk}\r\n0\r\n\r\n")).await;
    assert_eq!(answer(&mut stream).await.0, 413);

    let mut stream = world.connect().await;
    let body = "b".repeat(1_000);
    send(
        &mut stream,
        format!("POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{body}"),
    )
    .await;
    assert_eq!(answer(&mut stream).await, (200, "1000".to_owned()));
}

#[tokio::test]
async fn garbage_is_answered_and_plain_http_on_a_tls_port_is_closed() {
    let world = World::start(quick());
    let mut stream = world.connect().await;
    send(&mut stream, "\0\x01garbage\r\n\r\n").await;
    assert_eq!(answer(&mut stream).await.0, 400);
    let mut plain = TcpStream::connect(world.tcp).await.unwrap();
    send(&mut plain, "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let bytes = until_closed(&mut plain).await;
    assert!(!bytes.starts_with(b"HTTP"), "nothing is served in the clear");
    assert_eq!(ask(&mut world.connect().await, "/hello").await.0, 200);
}

#[tokio::test]
async fn a_dawdling_head_is_cut_off_while_others_are_served() {
    let world = World::start(quick());
    let mut dawdler = world.connect().await;
    send(&mut dawdler, "GET /hello HTTP/1.1\r\nhost: ").await;
    assert_eq!(ask(&mut world.connect().await, "/hello").await.0, 200);
    let bytes = until_closed(&mut dawdler).await;
    assert!(bytes.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&bytes));
}

#[tokio::test]
async fn a_head_sent_byte_by_byte_is_cut_off_too() {
    let world = World::start(quick());
    let (mut read, mut write) = tokio::io::split(world.connect().await);
    let drip = tokio::spawn(async move {
        let head = "GET /hello HTTP/1.1\r\n".bytes().chain(std::iter::repeat(b'x'));
        for byte in head {
            if tokio::io::AsyncWriteExt::write_all(&mut write, &[byte]).await.is_err() {
                break;
            }
            let _ = tokio::io::AsyncWriteExt::flush(&mut write).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let bytes = until_closed(&mut read).await;
    assert!(bytes.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&bytes));
    drip.abort();
}

#[tokio::test]
async fn a_half_open_handshake_is_closed() {
    let world = World::start(quick());
    let mut silent = TcpStream::connect(world.tcp).await.unwrap();
    let mut half = TcpStream::connect(world.tcp).await.unwrap();
    send(&mut half, [0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await;
    assert_eq!(until_closed(&mut silent).await, b"");
    until_closed(&mut half).await;
    while world.listeners.open_connections() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::start(quick());
    let mut stream = world.connect().await;
    send(&mut stream, "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf").await;
    let (status, body) = answer(&mut stream).await;
    assert_eq!(status, 408);
    assert!(body.contains("\"timeout\""), "{body}");
    until_closed(&mut stream).await;
}

#[tokio::test]
async fn idle_connections_are_closed_in_time_and_busy_ones_are_not() {
    let idle_timeout = Duration::from_millis(300);
    let world = World::start(Limits { idle_timeout, ..Limits::default() });
    let mut busy = world.connect().await;
    send(&mut busy, "GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    world.slow_request_begins().await;
    let mut fresh = world.connect().await;
    let mut used = world.connect_unix().await;
    assert_eq!(ask(&mut used, "/hello").await.0, 200);
    let http2 = world.connect_with(b"h2").await;
    let (sender, connection) = hyper::client::conn::http2::handshake::<_, _, Empty<bytes::Bytes>>(
        TokioExecutor::new(),
        TokioIo::new(http2),
    )
    .await
    .unwrap();
    assert_eq!(until_closed(&mut fresh).await, b"");
    assert_eq!(until_closed(&mut used).await, b"");
    let _ = within(connection).await;
    drop(sender);
    // twice the idle time has gone by
    let mut second = world.connect().await;
    until_closed(&mut second).await;
    world.gate.add_permits(1);
    assert_eq!(answer(&mut busy).await, (200, "done".to_owned()));
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_unknown() {
    let world = World::start(Limits { request_timeout: Duration::from_millis(100), ..Limits::default() });
    let (status, body) = ask(&mut world.connect().await, "/slow").await;
    assert_eq!(status, 503);
    assert!(body.contains("\"outcome_unknown\""), "{body}");
}

#[tokio::test]
async fn connections_over_the_cap_are_closed_and_the_operator_gets_in() {
    let world = World::start(Limits { connections: 2, ..Limits::default() });
    let mut first = world.connect().await;
    let mut second = world.connect().await;
    assert_eq!(ask(&mut first, "/hello").await.0, 200);
    assert_eq!(ask(&mut second, "/hello").await.0, 200);
    let mut third = TcpStream::connect(world.tcp).await.unwrap();
    assert_eq!(until_closed(&mut third).await, b"");
    assert_eq!(ask(&mut world.connect_unix().await, "/hello").await.0, 200);
    drop(first);
    while world.listeners.open_connections() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&mut world.connect().await, "/hello").await.0, 200);
}

#[tokio::test]
async fn one_address_has_a_cap_of_its_own() {
    let world = World::start(Limits { connections_per_address: 1, ..Limits::default() });
    let mut first = world.connect().await;
    assert_eq!(ask(&mut first, "/hello").await.0, 200);
    let mut second = TcpStream::connect(world.tcp).await.unwrap();
    assert_eq!(until_closed(&mut second).await, b"");
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_let_go() {
    let world = World::start(quick());
    let mut deaf = world.connect_unix().await;
    // answers pile up until neither side's buffer takes more
    let request = "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1_000);
    while tokio::io::AsyncWriteExt::write_all(&mut deaf, request.as_bytes()).await.is_ok() {}
    let mut rest = Vec::new();
    let _ = within(deaf.read_to_end(&mut rest)).await;
    while world.listeners.open_connections() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_large_body_has_time_as_long_as_it_keeps_coming() {
    let body_pace =
        Some(BodyPace { bytes_per_second: NonZeroU32::new(100).unwrap(), longest: Duration::from_secs(20) });
    let world = World::start(Limits { body_pace, ..quick() });
    let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2000\r\n\r\n";
    let (mut steady, mut stalled) = (world.connect().await, world.connect().await);
    // worth fifteen seconds more
    send(&mut steady, format!("{head}{}", "b".repeat(1_500))).await;
    send(&mut stalled, format!("{head}b")).await;
    assert_eq!(answer(&mut stalled).await.0, 408);
    send(&mut steady, "b".repeat(500)).await;
    assert_eq!(answer(&mut steady).await, (200, "2000".to_owned()));
}
