//! HTTP/2 has the limits of HTTP/1.1, and its own floods cost a connection and nothing else.

use crate::support::{World, ask, quick, within};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use strongroom_server::config::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

type Sender = SendRequest<BoxBody<Bytes, Infallible>>;

/// A body that never comes.
struct Never;

impl Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

async fn client(world: &World) -> Sender {
    let stream = world.connect_with(b"h2").await;
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    sender
}

fn full(body: impl Into<Bytes>) -> BoxBody<Bytes, Infallible> {
    Full::new(body.into()).boxed()
}

async fn asked(sender: &mut Sender, request: Request<BoxBody<Bytes, Infallible>>) -> Response<Incoming> {
    within(sender.send_request(request)).await.unwrap()
}

async fn text(answer: Response<Incoming>) -> (u16, String) {
    let status = answer.status().as_u16();
    let body = within(answer.into_body().collect()).await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn get(path: &str) -> http::request::Builder {
    Request::get(format!("https://localhost{path}"))
}

#[tokio::test]
async fn what_is_too_large_too_long_or_too_much_is_answered() {
    let world = World::start(Limits { body_bytes: 1_000, ..Limits::default() });
    let mut sender = client(&world).await;
    let post = || Request::post("https://localhost/echo");
    let (status, body) = text(asked(&mut sender, post().body(full(vec![b'x'; 1_001])).unwrap()).await).await;
    assert!(status == 413 && body.contains("\"too_large\""), "{status} {body}");
    assert_eq!(text(asked(&mut sender, post().body(full(vec![b'x'; 1_000])).unwrap()).await).await.0, 200);
    let long = get(&format!("/{}", "p".repeat(5_000))).body(full("")).unwrap();
    let (status, body) = text(asked(&mut sender, long).await).await;
    assert!(status == 414 && body.contains("\"path_too_long\""), "{status} {body}");
    let many = (0..70).fold(get("/hello"), |request, number| request.header(format!("x-{number}"), "y"));
    let (status, body) = text(asked(&mut sender, many.body(full("")).unwrap()).await).await;
    assert!(status == 431 && body.contains("\"headers_too_large\""), "{status} {body}");
    let large = get("/hello").header("x-filler", "x".repeat(20 << 10)).body(full("")).unwrap();
    assert_eq!(asked(&mut sender, large).await.status(), 431);
    assert_eq!(text(asked(&mut sender, get("/hello").body(full("")).unwrap()).await).await.0, 200);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back_in_both_protocols() {
    let requests_per_second_per_address = NonZeroU32::new(1);
    let world = World::start(Limits { requests_per_second_per_address, ..Limits::default() });
    let mut sender = client(&world).await;
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(asked(&mut sender, get("/hello").body(full("")).unwrap()).await);
    }
    let refused = answers.pop().unwrap();
    assert_eq!(answers.remove(0).status(), 200);
    assert_eq!(refused.headers()["retry-after"], "1");
    let (status, body) = text(refused).await;
    assert!(status == 429 && body.contains("\"too_many_requests\""), "{status} {body}");
    let mut http1 = world.connect().await;
    let statuses = [ask(&mut http1, "/hello").await.0, ask(&mut http1, "/hello").await.0];
    assert!(statuses.contains(&429), "connections share what their address may: {statuses:?}");
    let elsewhere = world.secure(world.tcp_from("127.0.0.9").await, b"http/1.1").await;
    assert_eq!(ask(&mut elsewhere.unwrap(), "/hello").await.0, 200);
    let mut local = world.connect_unix().await;
    for _ in 0..5 {
        assert_eq!(ask(&mut local, "/hello").await.0, 200, "the operator gets in");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::start(quick());
    let mut sender = client(&world).await;
    let silent = Request::post("https://localhost/echo").body(Never.boxed()).unwrap();
    let (status, body) = text(asked(&mut sender, silent).await).await;
    assert!(status == 408 && body.contains("\"timeout\""), "{status} {body}");
    assert_eq!(text(asked(&mut sender, get("/hello").body(full("")).unwrap()).await).await.0, 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_unknown_and_others_go_on() {
    let world = World::start(Limits { request_timeout: Duration::from_millis(200), ..Limits::default() });
    let mut sender = client(&world).await;
    let slow = sender.clone().send_request(get("/slow").body(full("")).unwrap());
    assert_eq!(text(asked(&mut sender, get("/hello").body(full("")).unwrap()).await).await.0, 200);
    let answer = within(slow).await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "1");
    let (status, body) = text(answer).await;
    assert!(status == 503 && body.contains("\"outcome_unknown\""), "{status} {body}");
}

// below: frames by hand, as no client sends them

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET https://localhost` in HPACK, without a table of its own.
fn head(path: &str) -> Vec<u8> {
    let literal =
        |index: u8, text: &str| [&[index, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [&[0x82, 0x87][..], &literal(4, path), &literal(1, "localhost")].concat()
}

/// A connection that has said hello.
async fn raw(world: &World) -> TlsStream<TcpStream> {
    let mut stream = world.connect_with(b"h2").await;
    let hello = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &[])].concat();
    stream.write_all(&hello).await.unwrap();
    stream
}

/// Kinds and, where it has one, the error code of each frame that comes until the end.
async fn frames(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<(u8, u32)> {
    let mut frames = Vec::new();
    let mut head = [0; 9];
    while within(stream.read_exact(&mut head)).await.is_ok() {
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        if within(stream.read_exact(&mut payload)).await.is_err() {
            break;
        }
        let code_at = if head[3] == GOAWAY { 4 } else { 0 };
        let code = payload.get(code_at..code_at + 4);
        let code = code.map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
        frames.push((head[3], code));
    }
    frames
}

/// The server is as it was.
async fn unharmed(world: &World) {
    let mut sender = client(world).await;
    assert_eq!(text(asked(&mut sender, get("/hello").body(full("")).unwrap()).await).await.0, 200);
}

/// CVE-2023-44487.
#[tokio::test]
async fn streams_that_are_opened_and_reset_in_a_flood_end_the_connection() {
    let world = World::start(Limits::default());
    let mut stream = raw(&world).await;
    let burst: Vec<u8> = (0..2_000_u32)
        .flat_map(|number| {
            let id = 2 * number + 1;
            let open = frame(HEADERS, END_HEADERS | END_STREAM, id, &head("/slow"));
            [open, frame(RST_STREAM, 0, id, &8_u32.to_be_bytes())].concat()
        })
        .collect();
    let _ = stream.write_all(&burst).await;
    let frames = frames(&mut stream).await;
    assert!(frames.contains(&(GOAWAY, ENHANCE_YOUR_CALM)), "{frames:?}");
    let begun = world.begun.available_permits();
    assert!(begun < 500, "{begun} of 2000 were begun");
    unharmed(&world).await;
}

/// CVE-2024-27316.
#[tokio::test]
async fn a_header_block_without_an_end_ends_the_connection() {
    let world = World::start(Limits::default());
    let stream = raw(&world).await;
    let (mut read, mut write) = tokio::io::split(stream);
    let flood = async move {
        let field = [&[0x00, 0x03][..], b"x-y", &[0x7f, 0x81, 0x7d], &[b'z'; 16_000]].concat();
        let mut sent = 0_usize;
        let mut next = frame(HEADERS, END_STREAM, 1, &head("/hello"));
        while sent < 64 << 20 && write.write_all(&next).await.is_ok() {
            sent += next.len();
            next = frame(CONTINUATION, 0, 1, &field);
        }
        sent
    };
    let (frames, sent) = tokio::join!(frames(&mut read), within(flood));
    assert!(sent < 16 << 20, "{sent} bytes were taken");
    assert!(frames.iter().any(|(kind, code)| *kind == GOAWAY && *code != 0), "{frames:?}");
    unharmed(&world).await;
}

#[tokio::test]
async fn pings_and_settings_whose_answers_nobody_reads_end_the_connection() {
    for next in [frame(PING, 0, 0, &[7; 8]), frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])] {
        let world = World::start(quick());
        let mut stream = raw(&world).await;
        let many = next.repeat(1_000);
        let mut sent = 0_usize;
        // answers pile up until neither side's buffer takes more; then the deaf end is let go
        while within(stream.write_all(&many)).await.is_ok() {
            sent += many.len();
            assert!(sent < 256 << 20, "{sent} bytes of them were taken");
        }
        while world.listeners.open_connections() > 0 {
            tokio::task::yield_now().await;
        }
        unharmed(&world).await;
    }
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused() {
    let world = World::start(Limits { http2_streams: 2, ..Limits::default() });
    let mut stream = raw(&world).await;
    for id in [1, 3] {
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, id, &head("/slow"))).await.unwrap();
        world.slow_request_begins().await;
    }
    stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 5, &head("/slow"))).await.unwrap();
    let mut seen = Vec::new();
    let mut frame = [0; 9];
    while !seen.contains(&(RST_STREAM, REFUSED_STREAM)) {
        within(stream.read_exact(&mut frame)).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, frame[0], frame[1], frame[2]]) as usize];
        within(stream.read_exact(&mut payload)).await.unwrap();
        let code = payload.get(..4).map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
        seen.push((frame[3], code));
    }
    assert_eq!(world.begun.available_permits(), 0, "the third was not begun");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let idle_timeout = Duration::from_millis(300);
    let world = World::start(Limits { idle_timeout, ..Limits::default() });
    let stream = raw(&world).await;
    let (mut read, mut write) = tokio::io::split(stream);
    let dribble = async move {
        let _ = write.write_all(&frame(HEADERS, END_STREAM, 1, &head("/hello"))).await;
        // a client that goes on dawdling is no less idle
        while write.write_all(&frame(CONTINUATION, 0, 1, &[])).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let (_, ()) = tokio::join!(frames(&mut read), within(dribble));
    unharmed(&world).await;
}
