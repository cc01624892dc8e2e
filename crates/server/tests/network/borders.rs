//! Where clients are, for whom proxies speak, and under which name: over real sockets, from real addresses.

use crate::support::{World, answer, ask, quick, send, until_closed, within};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::{IpAddr, Ipv6Addr};
use strongroom_model::Network;
use strongroom_server::config::{Border, Limits};
use tokio::net::TcpStream;

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// A header of the PROXY protocol, by hand.
fn announcing(client: &str) -> Vec<u8> {
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    match client.parse().unwrap() {
        IpAddr::V4(v4) => {
            [&signature[..], &[0x21, 0x11, 0, 12], &v4.octets(), &[10, 0, 0, 2, 0xc0, 0, 0x20, 8]].concat()
        }
        IpAddr::V6(v6) => {
            let to = Ipv6Addr::LOCALHOST.octets();
            [&signature[..], &[0x21, 0x21, 0, 36], &v6.octets(), &to, &[0xc0, 0, 0x20, 8]].concat()
        }
    }
}

const ITSELF: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";

fn behind_a_proxy() -> Border {
    let trusted_proxies = networks(&["127.0.0.2"]);
    let addresses = networks(&["203.0.113.0/24", "2001:db8::/32"]);
    Border { proxy_protocol: true, trusted_proxies, addresses, ..Border::default() }
}

#[tokio::test]
async fn peers_outside_the_floor_are_dropped_before_tls() {
    let addresses = networks(&["127.0.0.2", "127.0.0.64/26", "::1"]);
    let world = World::at("[::]:0", Border { addresses, ..Border::default() }, Limits::default());
    // a socket of IPv6 sees IPv4 addresses mapped
    for source in ["127.0.0.2", "127.0.0.65", "::1"] {
        let tcp = world.tcp_from(source).await;
        let mut stream = world.secure(tcp, b"http/1.1").await.unwrap();
        assert_eq!(ask(&mut stream, "/origin").await, (200, source.to_owned()));
    }
    for source in ["127.0.0.1", "127.0.0.3", "127.0.0.128"] {
        let mut tcp = world.tcp_from(source).await;
        assert_eq!(until_closed(&mut tcp).await, b"", "{source}: not a byte is answered");
    }
}

#[tokio::test]
async fn a_floor_that_is_reloaded_holds_for_open_connections_and_new_ones() {
    let world = World::start(Limits::default());
    let mut open = world.connect().await;
    assert_eq!(ask(&mut open, "/hello").await.0, 200);
    world
        .border
        .store(std::sync::Arc::new(Border { addresses: networks(&["127.0.0.2"]), ..Border::default() }));
    let (status, body) = ask(&mut open, "/hello").await;
    assert_eq!(status, 403);
    assert!(body.contains("\"address_refused\""), "{body}");
    let mut new = world.tcp_from("127.0.0.1").await;
    assert_eq!(until_closed(&mut new).await, b"");
    let mut inside = world.secure(world.tcp_from("127.0.0.2").await, b"http/1.1").await.unwrap();
    assert_eq!(ask(&mut inside, "/hello").await.0, 200);
}

#[tokio::test]
async fn a_listed_proxy_announces_the_client_before_tls() {
    let world = World::behind(behind_a_proxy(), Limits::default());
    for client in ["203.0.113.7", "2001:db8::7"] {
        for protocol in [&b"http/1.1"[..], b"h2"] {
            let mut tcp = world.tcp_from("127.0.0.2").await;
            send(&mut tcp, announcing(client)).await;
            let stream = world.secure(tcp, protocol).await.unwrap();
            let (status, origin) = asked(stream, "/origin").await;
            assert_eq!((status, origin), (200, format!("{client} via 127.0.0.2")));
        }
    }
}

/// Asks over whichever protocol was agreed on.
async fn asked(mut stream: tokio_rustls::client::TlsStream<TcpStream>, path: &str) -> (u16, String) {
    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return ask(&mut stream, path).await;
    }
    let request = http::Request::get(format!("https://localhost{path}"));
    asked_of(stream, request).await
}

async fn asked_of(
    stream: tokio_rustls::client::TlsStream<TcpStream>,
    request: http::request::Builder,
) -> (u16, String) {
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let request = request.body(Full::<bytes::Bytes>::default()).unwrap();
    let answer = within(sender.send_request(request)).await.unwrap();
    let status = answer.status().as_u16();
    let body = within(answer.into_body().collect()).await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn nobody_but_a_listed_proxy_announces_anyone() {
    let world = World::behind(behind_a_proxy(), quick());
    for source in ["127.0.0.1", "127.0.0.3"] {
        let mut tcp = world.tcp_from(source).await;
        let _ = tokio::io::AsyncWriteExt::write_all(&mut tcp, &announcing("203.0.113.7")).await;
        assert_eq!(until_closed(&mut tcp).await, b"");
    }
    let mut outside = world.tcp_from("127.0.0.2").await;
    send(&mut outside, announcing("198.51.100.7")).await;
    assert_eq!(until_closed(&mut outside).await, b"", "the floor is the client's");
}

#[tokio::test]
async fn a_proxy_that_says_nothing_wrong_things_or_too_much_is_dropped() {
    let world = World::behind(behind_a_proxy(), quick());
    let header = announcing("203.0.113.7");
    let unspecified = [&ITSELF[..12], &[0x21, 0, 0, 0]].concat();
    let endless = [&ITSELF[..12], &[0x21, 0x11, 0xff, 0xff], &[0; 8_000]].concat();
    for bytes in [
        &b""[..],
        &header[..5],
        &header[..20],
        b"PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00\x00",
        b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n",
        &unspecified,
        &endless,
    ] {
        let mut tcp = world.tcp_from("127.0.0.2").await;
        let _ = tokio::io::AsyncWriteExt::write_all(&mut tcp, bytes).await;
        assert_eq!(until_closed(&mut tcp).await, b"", "{bytes:?}");
    }
    while world.listeners.open_connections() > 0 {
        tokio::task::yield_now().await;
    }
    let mut good = world.tcp_from("127.0.0.2").await;
    send(&mut good, header).await;
    let mut stream = world.secure(good, b"http/1.1").await.unwrap();
    assert_eq!(ask(&mut stream, "/hello").await.0, 200);
}

#[tokio::test]
async fn a_proxy_asks_after_our_health_for_itself() {
    let listed = Border { addresses: networks(&["203.0.113.0/24", "127.0.0.2"]), ..behind_a_proxy() };
    let world = World::behind(listed, quick());
    let mut tcp = world.tcp_from("127.0.0.2").await;
    send(&mut tcp, ITSELF).await;
    let mut stream = world.secure(tcp, b"http/1.1").await.unwrap();
    assert_eq!(ask(&mut stream, "/origin").await, (200, "127.0.0.2".to_owned()));

    let world = World::behind(behind_a_proxy(), quick());
    let mut tcp = world.tcp_from("127.0.0.2").await;
    send(&mut tcp, ITSELF).await;
    assert_eq!(until_closed(&mut tcp).await, b"", "a proxy outside the floor has nothing to ask for itself");
}

#[tokio::test]
async fn connections_by_a_proxy_count_for_their_clients() {
    let limits = Limits { connections_per_address: 1, ..Limits::default() };
    let world = World::behind(behind_a_proxy(), limits);
    let open = |client: &'static str| async {
        let mut tcp = world.tcp_from("127.0.0.2").await;
        send(&mut tcp, announcing(client)).await;
        world.secure(tcp, b"http/1.1").await
    };
    let mut first = open("203.0.113.7").await.unwrap();
    assert_eq!(ask(&mut first, "/hello").await.0, 200);
    assert!(open("203.0.113.7").await.is_err(), "one client has one");
    let mut other = open("203.0.113.8").await.unwrap();
    assert_eq!(ask(&mut other, "/hello").await.0, 200);
}

fn forwarding() -> Border {
    Border { trusted_proxies: networks(&["127.0.0.2"]), ..Border::default() }
}

#[tokio::test]
async fn a_listed_proxy_forwards_in_both_protocols_and_nobody_else_does() {
    let world = World::behind(forwarding(), Limits::default());
    let field = "for=203.0.113.7;proto=https";
    for (source, expected) in
        [("127.0.0.2", (200, "203.0.113.7 via 127.0.0.2")), ("127.0.0.3", (400, "\"untrusted_proxy\""))]
    {
        let mut http1 = world.secure(world.tcp_from(source).await, b"http/1.1").await.unwrap();
        send(&mut http1, format!("GET /origin HTTP/1.1\r\nhost: localhost\r\nforwarded: {field}\r\n\r\n"))
            .await;
        let (status, body) = answer(&mut http1).await;
        assert!(status == expected.0 && body.contains(expected.1), "{source}: {status} {body}");
        let (status, body) = ask(&mut http1, "/origin").await;
        let (kept, told) = if expected.0 == 200 { (400, "names no client") } else { (200, source) };
        assert!(status == kept && body.contains(told), "the connection lives on: {status} {body}");

        let http2 = world.secure(world.tcp_from(source).await, b"h2").await.unwrap();
        let request = http::Request::get("https://localhost/origin").header("forwarded", field);
        let (status, body) = asked_of(http2, request).await;
        assert!(status == expected.0 && body.contains(expected.1), "{source}: {status} {body}");
    }
    let mut unix = world.connect_unix().await;
    send(&mut unix, format!("GET /origin HTTP/1.1\r\nhost: localhost\r\nforwarded: {field}\r\n\r\n")).await;
    assert_eq!(answer(&mut unix).await.0, 400, "nor on the local socket, where the kernel vouches");
}

#[tokio::test]
async fn a_malformed_field_of_a_listed_proxy_is_told() {
    let world = World::behind(forwarding(), Limits::default());
    let mut stream = world.secure(world.tcp_from("127.0.0.2").await, b"http/1.1").await.unwrap();
    for field in ["for=2001:db8::7", "for=unknown", "garbage"] {
        send(&mut stream, format!("GET /origin HTTP/1.1\r\nhost: localhost\r\nforwarded: {field}\r\n\r\n"))
            .await;
        let (status, body) = answer(&mut stream).await;
        assert_eq!(status, 400, "{field}");
        assert!(body.contains("\"invalid_request\"") && body.contains("Forwarded"), "{body}");
    }
    let two = "forwarded: for=1.1.1.1\r\nforwarded: for=203.0.113.7";
    send(&mut stream, format!("GET /origin HTTP/1.1\r\nhost: localhost\r\n{two}\r\n\r\n")).await;
    assert_eq!(
        answer(&mut stream).await,
        (200, "203.0.113.7 via 127.0.0.2".to_owned()),
        "fields are one list"
    );
}

#[tokio::test]
async fn a_request_for_another_site_is_misdirected_in_both_protocols() {
    let world = World::start(Limits::default());
    let mut http1 = world.connect().await;
    for (host, status, code) in [
        ("host: evil.example\r\n", 421, "\"misdirected\""),
        ("host: localhost.evil.example:8200\r\n", 421, "\"misdirected\""),
        ("", 400, "Host is missing"),
        ("host: localhost\r\nhost: localhost\r\n", 400, "Host stands twice"),
        ("host: local host\r\n", 400, "Host is malformed"),
        ("host: a@localhost\r\n", 400, "Host is malformed"),
        ("host: localhost\r\n", 200, "hello"),
        ("host: 127.0.0.1:1\r\n", 200, "hello"),
    ] {
        send(&mut http1, format!("GET /hello HTTP/1.1\r\n{host}\r\n")).await;
        let (got, body) = answer(&mut http1).await;
        assert!(got == status && body.contains(code), "{host}: {got} {body}");
    }
    for (host, expected) in [("evil.example", 421), ("localhost:1", 200), ("127.0.0.1", 200)] {
        let request = http::Request::get(format!("https://{host}/hello"));
        assert_eq!(asked_of(world.connect_with(b"h2").await, request).await.0, expected, "{host}");
    }
    let differing = http::Request::get("https://localhost/hello").header("host", "evil.example");
    assert_eq!(asked_of(world.connect_with(b"h2").await, differing).await.0, 400);
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_in_both_protocols() {
    let world = World::start(Limits::default());
    let mut http1 = world.connect().await;
    for (origin, status) in [("https://evil.example", 403), ("null", 403), ("https://localhost", 200)] {
        let request = format!(
            "POST /echo HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\ncontent-length: 0\r\n\r\n"
        );
        send(&mut http1, request).await;
        assert_eq!(answer(&mut http1).await.0, status, "{origin}");
        let request = http::Request::post("https://localhost/echo").header("origin", origin);
        assert_eq!(asked_of(world.connect_with(b"h2").await, request).await.0, status, "{origin}");
    }
}
