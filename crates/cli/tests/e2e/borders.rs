//! Where clients are, for whom proxies speak, and under which name, against the real binary from real addresses.

use crate::client::{Answer, Client, Wire};
use crate::clock;
use crate::served::after;
use crate::shared::World;
use crate::site::Site;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustix::process::Signal;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use strongroom_api::{Access, Endpoint};

const JSON: (&str, &str) = ("content-type", "application/json");

/// TCP from another address of this host.
fn tcp_from(source: &str, port: u16) -> TcpStream {
    let source: IpAddr = source.parse().unwrap();
    let (family, loopback): (_, IpAddr) = match source {
        IpAddr::V4(_) => (AddressFamily::INET, Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(_) => (AddressFamily::INET6, Ipv6Addr::LOCALHOST.into()),
    };
    let descriptor = socket(family, SocketType::STREAM, None).unwrap();
    bind(&descriptor, &SocketAddr::new(source, 0)).unwrap();
    connect(&descriptor, &SocketAddr::new(loopback, port)).unwrap();
    let tcp = TcpStream::from(descriptor);
    tcp.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    tcp
}

/// A TLS connection over TCP on which something has perhaps been said.
fn secured(client: &Client, tcp: TcpStream) -> Wire {
    let name = ServerName::try_from("localhost").unwrap();
    let tls = ClientConnection::new(Arc::clone(&client.tls), name).unwrap();
    Wire::over(StreamOwned::new(tls, tcp))
}

/// One request from another address of this host.
fn ask_from(client: &Client, source: &str, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut wire = secured(client, tcp_from(source, client.address.port()));
    wire.ask(&client.request(line, headers, body.as_bytes()))
}

/// Whether a connection from there ends without a byte.
fn is_dropped(client: &Client, source: &str) -> bool {
    let mut bytes = Vec::new();
    let ended = tcp_from(source, client.address.port()).read_to_end(&mut bytes);
    ended.is_ok() && bytes.is_empty()
}

/// A client of another listener of the server's, with the operator's token if there is one.
fn client_of(site: &Site, listener: &str) -> Client {
    let text = site.served().log_text();
    let mark = format!("listener=\"{listener}\"");
    let line = text.lines().rfind(|line| line.contains("listening") && line.contains(&mark)).unwrap();
    let address: SocketAddr = after(line, "address=").parse().unwrap();
    let reached = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port());
    let client = Client::new(&format!("https://{reached}"), &site.served().authority);
    let token = std::fs::read_to_string(site.home.join(".local/state/strongroom/tokens/site"));
    token.map_or_else(|_| client.clone(), |token| client.with_token(token.trim()))
}

/// The last entries: action, verdict, origin, rule.
fn trail(client: &Client) -> Vec<(String, String, String, String)> {
    let entries = client.get("/audit/entries?tail=true&limit=50").ok();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let line = |entry: &Value| {
        (text(entry, "action"), text(entry, "outcome"), text(entry, "origin"), text(entry, "rule"))
    };
    entries["entries"].as_array().unwrap().iter().map(line).collect()
}

const EDGE: &str = r#"
[listener.edge]
address = "[::]:0"
nacl = "edge"
metrics_addresses = ["127.0.0.2"]

[nacl.edge]
rules = [
  { type = "allow", addresses = ["127.0.0.2", "::1"], actions = ["secret.*", "token.*", "store.*"] },
  { type = "allow", addresses = ["127.0.0.3"], actions = ["*"] },
  { type = "deny", addresses = ["127.0.0.3"], actions = ["secret.get"] },
]
"#;

#[test]
fn network_rules_hold_for_each_address_and_leave_entries() {
    let site = Site::ready(EDGE);
    let main = site.client();
    main.post("/stores", r#"{"name":"web"}"#).ok();
    main.put("/stores/web/secrets/a", r#"{"value":1}"#).ok();
    let edge = client_of(&site, "edge");
    let get = |source: &str| ask_from(&edge, source, "GET /api/v1/stores/web/secrets/a", &[], "");
    for source in ["127.0.0.2", "::1"] {
        assert_eq!(get(source).ok()["value"], 1, "{source}");
    }
    for (source, rule) in [
        ("127.0.0.3", "nacl edge rule 3"),
        ("127.0.0.1", "nacl edge: no rule allows it"),
        ("127.0.0.4", "nacl edge: no rule allows it"),
    ] {
        get(source).is(403, "refused");
        let refused = trail(&main).into_iter().rfind(|(action, ..)| action == "secret.get").unwrap();
        let expected = ("secret.get", "refused", source, rule);
        let (action, verdict, origin, rule) = &refused;
        assert_eq!((action.as_str(), verdict.as_str(), origin.as_str(), rule.as_str()), expected);
    }
    let put =
        |source: &str| ask_from(&edge, source, "PUT /api/v1/stores/web/secrets/b", &[JSON], r#"{"value":2}"#);
    put("127.0.0.3").ok();
    put("127.0.0.1").is(403, "refused");
    let challenge = r#"{"access_key_id":"x"}"#;
    let prove = |source: &str| ask_from(&edge, source, "POST /api/v1/token/challenge", &[JSON], challenge);
    assert_ne!(prove("127.0.0.1").status, 403, "a host may log in to itself");
    assert!(site.run(&["audit", "verify", "--output", "json"]).json()["ok"] == true);

    let metrics = |source: &str| ask_from(&edge, source, "GET /metrics", &[], "");
    assert_eq!(metrics("127.0.0.2").status, 200);
    metrics("127.0.0.3").is(404, "unknown_route");
    assert_eq!(ask_from(&edge, "127.0.0.4", "GET /health", &[], "").status, 200, "health is no operation");
}

#[test]
fn no_endpoint_is_open_to_an_address_that_no_rule_names() {
    let site = Site::ready(BEHIND);
    let edge = client_of(&site, "forwarded");
    let strange = edge.with_token("sr.t.0000000000000000000000000000000000000000000000000000000000000000");
    let from_outside = |client: &Client, line: &str, body: &str| {
        ask_from(client, "127.0.0.2", line, &[JSON, ("forwarded", "for=198.51.100.9")], body)
    };
    let mut asked = 0;
    for endpoint in Endpoint::ALL.iter().copied().filter(|endpoint| endpoint.access() == Access::Token) {
        let path: Vec<&str> =
            endpoint.path().split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        let line = format!("{} /api/v1{}", endpoint.method().as_str(), path.join("/"));
        let answer = from_outside(&strange, &line, "");
        // a token that is none is 401 wherever the network lets it be looked at
        assert_eq!(answer.status, 403, "{line}: {}", answer.text());
        asked += 1;
    }
    assert!(asked > 20, "{asked}");
    let key = &site.keys[0];
    from_outside(&edge, "POST /api/v1/unlock", &format!(r#"{{"unlock_key":"{key}"}}"#)).is(403, "refused");
}

/// Writes another configuration, and waits until it is read.
fn reload(site: &Site, change: impl Fn(&str) -> String) {
    let path = site.home.join("strongroom.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, change(&text)).unwrap();
    let count = || site.served().log_text().matches("reloaded").count();
    let before = count();
    site.served().signal(Signal::HUP);
    let began = clock::now();
    while count() == before {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", site.served().log_text());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn rules_and_floors_are_reloaded_and_a_bad_text_changes_nothing() {
    let site = Site::ready(EDGE);
    site.client().post("/stores", r#"{"name":"web"}"#).ok();
    let edge = client_of(&site, "edge");
    let line = "GET /api/v1/stores";
    let mut open = secured(&edge, tcp_from("127.0.0.2", edge.address.port()));
    let mut again = || open.ask(&edge.request(line, &[], b""));
    assert_eq!(again().status, 200);
    reload(&site, |text| text.replace(r#"["127.0.0.2", "::1"]"#, r#"["127.0.0.5"]"#));
    again().is(403, "refused");
    assert_eq!(ask_from(&edge, "127.0.0.5", line, &[], "").status, 200);
    reload(&site, |text| text.replace("\"deny\"", "\"perhaps\""));
    assert_eq!(ask_from(&edge, "127.0.0.5", line, &[], "").status, 200, "the present rules stay");
    reload(&site, |text| {
        let text = text.replace("\"perhaps\"", "\"deny\"");
        text.replace("nacl = \"edge\"", "nacl = \"edge\"\naddresses = [\"127.0.0.5\"]")
    });
    assert_eq!(ask_from(&edge, "127.0.0.5", line, &[], "").status, 200);
    assert!(is_dropped(&edge, "127.0.0.2"));
    again().is(403, "address_refused");
    assert!(!site.served().log_text().contains("section=\"listener\""), "nothing waits for the next start");
}

#[test]
fn the_floor_holds_while_locked() {
    let site = Site::bare("[listener.edge]\naddress = \"127.0.0.1:0\"\naddresses = [\"127.0.0.2\"]\n");
    let edge = client_of(&site, "edge");
    assert!(is_dropped(&edge, "127.0.0.1"));
    assert!(is_dropped(&edge, "127.0.0.3"));
    let inside = ask_from(&edge, "127.0.0.2", "GET /api/v1/status", &[], "");
    assert_eq!(inside.ok()["state"], "uninitialised");
}

#[test]
fn a_request_for_another_site_or_from_a_page_of_one_has_no_effect_and_no_entry() {
    let world = World::shared();
    let store = world.store("rebound");
    let line = format!("PUT /api/v1{}", store.path("x"));
    let body = r#"{"value":1}"#;
    let request = |host: &str, more: &str| {
        format!(
            "{line} HTTP/1.1\r\n{host}{more}authorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            store.client.token(),
            body.len()
        )
    };
    for (host, more, status, code) in [
        ("host: rebound.evil.example:8200\r\n", "", 421, "misdirected"),
        ("", "", 400, "invalid_request"),
        ("host: localhost\r\nhost: localhost\r\n", "", 400, "invalid_request"),
        ("host: \"localhost\"\r\n", "", 400, "invalid_request"),
        ("host: localhost\r\n", "origin: https://evil.example\r\n", 403, "cross_site"),
        ("host: localhost\r\n", "sec-fetch-site: cross-site\r\n", 403, "cross_site"),
        ("host: localhost\r\n", "forwarded: for=203.0.113.7\r\n", 400, "untrusted_proxy"),
    ] {
        let mut wire = store.client.connect();
        wire.ask(request(host, more).as_bytes()).is(status, code);
    }
    store.get("x").is(404, "not_found");
    let entries = trail(&store.client);
    let puts = entries.iter().filter(|(action, ..)| action == "secret.put");
    assert!(puts.clone().all(|(_, outcome, ..)| outcome == "done"), "{entries:?}");
    let lied = request("host: localhost\r\n", "x-forwarded-for: 203.0.113.7\r\nx-real-ip: 203.0.113.7\r\n");
    store.client.connect().ask(lied.as_bytes()).ok();
    let put = trail(&store.client).into_iter().rfind(|(action, ..)| action == "secret.put").unwrap();
    assert_eq!(put.2, "127.0.0.1", "X-Forwarded-For means nothing");
    store.unharmed(&["x"]);
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let site = Site::ready("[limits]\nrequests_per_second_per_user = 1\n");
    let client = site.client();
    let answers: Vec<Answer> = (0..6).map(|_| client.get("/stores")).collect();
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(refused.len() >= 3, "{answers:?}");
    for answer in refused {
        answer.is(429, "too_many_requests");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(client.health().status, 200);
}

#[test]
fn a_listener_that_anybody_may_reach_is_warned_of() {
    let home = crate::home::Home::new();
    let text = crate::served::production(&home, "[listener.open]\naddress = \"0.0.0.0:0\"\n");
    let file = home.file("strongroom.toml", text);
    let done = home.run(&["config", "check", file.to_str().unwrap()]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("listener.open.address: is reachable from the network"), "{done:?}");
}

const BEHIND: &str = r#"
[listener.announced]
address = "127.0.0.1:0"
proxy_protocol = true
trusted_proxies = ["127.0.0.2"]
nacl = "behind"

[listener.forwarded]
address = "127.0.0.1:0"
trusted_proxies = ["127.0.0.2"]
nacl = "behind"

[nacl.behind]
rules = [{ type = "allow", addresses = ["127.0.0.7", "203.0.113.7"], actions = ["*"] }]
"#;

#[test]
fn the_clients_address_is_the_proxys_word_only_if_the_proxy_is_listed() {
    let site = Site::ready(BEHIND);
    let main = site.client();
    let header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\x7f\0\0\x01\xc0\0\x20\x08";
    let announced = client_of(&site, "announced");
    let said = |source: &str| {
        let mut tcp = tcp_from(source, announced.address.port());
        let _ = tcp.write_all(header);
        tcp
    };
    let request = announced.request("GET /api/v1/stores", &[], b"");
    assert_eq!(secured(&announced, said("127.0.0.2")).ask(&request).status, 200);
    let mut liar = said("127.0.0.3");
    let mut bytes = Vec::new();
    assert!(liar.read_to_end(&mut bytes).is_err() || bytes.is_empty(), "not a byte is answered");

    let forwarded = client_of(&site, "forwarded");
    let field = ("forwarded", "for=203.0.113.7;proto=https");
    let ask = |source: &str, fields: &[(&str, &str)]| {
        ask_from(&forwarded, source, "GET /api/v1/stores", fields, "")
    };
    assert_eq!(ask("127.0.0.2", &[field]).status, 200);
    ask("127.0.0.2", &[]).is(400, "invalid_request");
    ask("127.0.0.7", &[field]).is(400, "untrusted_proxy");
    let origins: Vec<(String, String)> = trail(&main)
        .into_iter()
        .filter(|(action, _, origin, _)| action == "store.list" && origin.contains("127.0.0"))
        .map(|(_, verdict, origin, _)| (verdict, origin))
        .collect();
    let expected = [("released", "203.0.113.7 via 127.0.0.2"), ("released", "203.0.113.7 via 127.0.0.2")];
    let seen: Vec<(&str, &str)> =
        origins.iter().map(|(verdict, origin)| (verdict.as_str(), origin.as_str())).collect();
    assert_eq!(seen, expected);
    let metrics = main.send("GET /metrics", &[], b"").text();
    let dropped = "strongroom_connections_dropped_total{listener=\"announced\",reason=\"untrusted_proxy\"} 1";
    assert!(metrics.contains(dropped), "{metrics}");
    assert!(metrics.contains("strongroom_requests_turned_away_total{reason=\"untrusted_proxy\"} 1"));
}

/// A real proxy, ended by its id.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nobody has.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_real_proxy_speaks_for_its_clients_in_both_ways() {
    let program = Path::new("/usr/sbin/haproxy");
    if !program.is_file() {
        println!("SKIPPED: haproxy is missing: no real proxy stands before a listener");
        return;
    }
    let site = Site::ready(BEHIND);
    let (announced, forwarded) = (client_of(&site, "announced"), client_of(&site, "forwarded"));
    let (tcp, http) = (free_port(), free_port());
    let config = format!(
        "defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n\
         listen announced\n  mode tcp\n  bind 127.0.0.1:{tcp}\n  \
         server s 127.0.0.1:{} source 127.0.0.2 send-proxy-v2 check check-send-proxy inter 100\n\
         listen forwarded\n  mode http\n  bind 127.0.0.1:{http}\n  \
         http-request set-header Forwarded \"for=%[src]\"\n  \
         server s 127.0.0.1:{} source 127.0.0.2 ssl verify required ca-file {} sni str(localhost) alpn h2,http/1.1\n",
        announced.address.port(),
        forwarded.address.port(),
        site.served().authority.display(),
    );
    let file = site.home.file("haproxy.cfg", config);
    let log = std::fs::File::create(site.home.join("haproxy.log")).unwrap();
    let mut command = Command::new(program);
    command.args(["-db", "-f"]).arg(file).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let _proxy = Proxy(command.spawn().unwrap());
    let began = clock::now();
    while TcpStream::connect(("127.0.0.1", http)).is_err() {
        let log = || std::fs::read_to_string(site.home.join("haproxy.log")).unwrap();
        assert!(began.elapsed() < Duration::from_secs(30), "{}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let request = announced.request("GET /api/v1/stores", &[], b"");
    assert_eq!(secured(&announced, tcp_from("127.0.0.7", tcp)).ask(&request).status, 200);
    secured(&announced, tcp_from("127.0.0.8", tcp)).ask(&request).is(403, "refused");
    assert_eq!(Wire::over(tcp_from("127.0.0.7", http)).ask(&request).status, 200);
    Wire::over(tcp_from("127.0.0.8", http)).ask(&request).is(403, "refused");
    let origins: Vec<(String, String)> = trail(&site.client())
        .into_iter()
        .filter(|(action, _, origin, _)| action == "store.list" && origin.contains("via"))
        .map(|(_, verdict, origin, _)| (verdict, origin))
        .collect();
    let both = |verdict: &str, client: &str| (verdict.to_owned(), format!("{client} via 127.0.0.2"));
    let once = [both("released", "127.0.0.7"), both("refused", "127.0.0.8")];
    assert_eq!(origins, [&once[..], &once].concat());
}
