//! Clients that are many, slow, silent, gone, or no clients at all.

use crate::client::{Client, Wire};
use crate::clock;
use crate::served::Served;
use crate::shared::World;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::time::Duration;

const CROWD: usize = 10_000;

/// As many descriptors as the system lets this process have.
fn raise_descriptors() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    maximum.unwrap_or(u64::MAX)
}

/// A connection from another address of this host, so that the crowd's share is not the test's own.
fn tcp_from(source: Ipv4Addr, target: SocketAddr) -> TcpStream {
    let descriptor = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&descriptor, &SocketAddrV4::new(source, 0)).unwrap();
    connect(&descriptor, &target).unwrap();
    TcpStream::from(descriptor)
}

/// A connection with its handshake done and an answer read: idle, as a client of a pool is.
fn idle(client: &Client, source: Ipv4Addr) -> TcpStream {
    let name = ServerName::try_from("localhost").unwrap();
    let tls = ClientConnection::new(Arc::clone(&client.tls), name).unwrap();
    let mut stream = StreamOwned::new(tls, tcp_from(source, client.address));
    stream.conn.complete_io(&mut stream.sock).unwrap();
    stream.sock
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_waiting() {
    let descriptors = raise_descriptors();
    let crowd = if descriptors > 10_200 {
        CROWD
    } else {
        println!("SKIPPED: only {descriptors} descriptors: the crowd is smaller");
        usize::try_from(descriptors).unwrap() / 2
    };
    let world = World::new();
    let store = world.store("crowded");
    let before = world.served.memory_kib();
    let client = world.served.client();
    let began = clock::now();
    let gather = |part: u8, count: usize| {
        let client = client.clone();
        move || (0..count).map(|_| idle(&client, Ipv4Addr::new(127, 0, 0, part))).collect::<Vec<_>>()
    };
    let held: Vec<TcpStream> = std::thread::scope(|scope| {
        let halves = [scope.spawn(gather(2, crowd / 2)), scope.spawn(gather(3, crowd - crowd / 2))];
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let gathered = began.elapsed();
    let asked = clock::now();
    store.put("amid", r#"{"value":1}"#).ok();
    let served_in = asked.elapsed();
    store.unharmed(&["amid"]);
    let after = world.served.memory_kib();
    println!(
        "{} idle connections in {gathered:.1?}; a write amid them took {served_in:.1?}; \
         the server grew from {before} to {after} KiB, {} KiB a connection",
        held.len(),
        (after.saturating_sub(before)) / held.len() as u64,
    );
    let open = client.send("GET /metrics", &[], b"").text();
    let gauge =
        open.lines().find(|line| line.starts_with("strongroom_connections_open{listener=\"main\"")).unwrap();
    let open: usize = gauge.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(open >= crowd / 100 * 99, "the crowd was not kept: {gauge}");
    assert!(served_in < Duration::from_secs(5), "{served_in:?}");
    drop(held);
    store.unharmed(&["amid"]);
}

#[test]
fn handshakes_that_stay_half_open_are_given_up() {
    let site = crate::site::Site::ready("[limits]\nhandshake_timeout_secs = 3\n");
    let client = site.client();
    let mut silent: Vec<TcpStream> = (0..50).map(|_| client.tcp()).collect();
    let mut begun: Vec<TcpStream> = (0..50).map(|_| client.tcp()).collect();
    for stream in &mut begun {
        // the beginning of a record that announces more than ever comes
        stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").unwrap();
    }
    client.post("/stores", r#"{"name":"meanwhile"}"#).ok();
    let waiting = clock::now();
    for stream in silent.iter_mut().chain(&mut begun) {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut bytes = Vec::new();
        let ended = stream.read_to_end(&mut bytes);
        assert!(
            ended.is_ok() || ended.is_err_and(|fault| fault.kind() == std::io::ErrorKind::ConnectionReset)
        );
    }
    assert!(waiting.elapsed() < Duration::from_secs(20));
    client.get("/stores/meanwhile").ok();
}

#[test]
fn a_head_and_a_body_that_only_trickle_in_are_given_up_with_a_word() {
    let world = crate::site::Site::ready("[limits]\nheader_timeout_secs = 2\nbody_timeout_secs = 2\n");
    let client = world.client();
    client.post("/stores", r#"{"name":"slow"}"#).ok();
    let trickle = |mut wire: Wire, bytes: &'static [u8]| {
        move || {
            for byte in bytes.iter().cycle().take(200) {
                if wire.write(&[*byte]).is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(100));
                if wire.has_news() {
                    break;
                }
            }
            wire.answer()
        }
    };
    let head = client.connect();
    let mut body = client.connect();
    let line = "PUT /api/v1/stores/slow/secrets/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n";
    body.write(format!("{line}authorization: Bearer {}\r\n\r\n", client.token()).as_bytes()).unwrap();
    let began = clock::now();
    let (head, body) = std::thread::scope(|scope| {
        let head =
            scope.spawn(trickle(head, b"GET /health HTTP/1.1\r\nx-slow: xxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
        let body = scope.spawn(trickle(body, b"x"));
        client.post("/stores", r#"{"name":"meanwhile"}"#).ok();
        (head.join().unwrap().unwrap(), body.join().unwrap().unwrap())
    });
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!((head.status, body.status), (408, 408));
    client.get("/stores/slow/secrets/a").is(404, "not_found");
    assert_eq!(client.health().status, 200);
}

#[test]
fn a_client_that_hangs_up_in_a_write_leaves_it_whole_or_undone() {
    let world = World::shared();
    let store = world.store("hang-up");
    let value = format!("{{\"value\":\"{}\"}}", "v".repeat(100_000));
    let mut further = Vec::new();
    for number in 0..30 {
        let path = format!("{number:02}");
        let line = format!("PUT /api/v1{}", store.path(&path));
        let request = store.client.request(&line, &[("content-type", "application/json")], value.as_bytes());
        // ever more of it, the last third whole
        let cut = (request.len() * (number + 1) / 20).min(request.len());
        let mut wire = store.client.connect();
        wire.write(&request[..cut]).unwrap();
        drop(wire);
        if cut == request.len() {
            further.push(path);
        }
    }
    let began = clock::now();
    // a write whose client is gone goes on by itself
    while store.names().len() < further.len() + 1 && began.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
    for name in store.names().iter().filter(|name| *name != "keep") {
        assert!(further.contains(name), "{name} was cut off and yet written");
        assert!(store.get(name).text().starts_with(&value[..value.len() - 1]), "{name} is not whole");
    }
    let names = store.names();
    let names: Vec<&str> = names.iter().filter(|name| *name != "keep").map(String::as_str).collect();
    assert!(!names.is_empty());
    store.unharmed(&names);
}

#[test]
fn garbage_and_plain_http_get_an_answer_or_an_end() {
    let world = World::shared();
    let store = world.store("garbage");
    let client = &store.client;
    let mut plain = client.tcp();
    plain.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let said = Wire::over(plain).rest();
    assert!(!said.starts_with(b"HTTP/1.1 200"), "TLS is not optional");
    let good = client.request("GET /health", &[], b"");
    for garbage in [
        b"GARBAGE\r\n\r\n".as_slice(),
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /health HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /health HTTP/1.1\r\nx\x00y: 1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut wire = client.connect();
        wire.write(&[&good, garbage, &good].concat()).unwrap();
        assert_eq!(wire.answer().unwrap().status, 200, "what came before the garbage is served");
        let rest = wire.rest();
        let text = String::from_utf8_lossy(&rest);
        assert!(rest.is_empty() || text.starts_with("HTTP/1.1 "), "{text}");
    }
    let mut noise = client.tcp();
    noise.write_all(&[0xa5; 4_096]).unwrap();
    Wire::over(noise).rest();
    store.unharmed(&[]);
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let world = World::shared();
    let store = world.store("pipeline");
    let client = &store.client;
    let write = |number: u32| {
        let line = format!("PUT /api/v1{}", store.path("counter"));
        client.request(
            &line,
            &[("content-type", "application/json")],
            format!("{{\"value\":{number}}}").as_bytes(),
        )
    };
    let mut wire = client.connect();
    wire.write(&(1..=20).flat_map(write).collect::<Vec<u8>>()).unwrap();
    for number in 1..=20 {
        assert_eq!(wire.answer().unwrap().ok()["version"], number);
    }
    assert_eq!(store.get("counter").ok()["value"], 20);
    store.unharmed(&["counter"]);
}

#[test]
fn requests_may_be_smuggled_nowhere() {
    let world = World::shared();
    let store = world.store("smuggling");
    let token = store.client.token();
    let line = format!("PUT /api/v1{}", store.path("smuggled"));
    let both = format!(
        "POST /api/v1/unlock HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n\
         {line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-length: 11\r\n\r\n{{\"value\":1}}"
    );
    let mut wire = store.client.connect();
    wire.write(both.as_bytes()).unwrap();
    let answers = String::from_utf8_lossy(&wire.rest()).matches("HTTP/1.1 ").count();
    assert!(answers <= 2, "{answers} answers to at most two requests");
    store.get("keep").ok();
    assert!(Served::client(&world.served).health().status == 200);
}
