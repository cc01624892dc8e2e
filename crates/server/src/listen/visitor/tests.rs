//! Who is taken for whom, and who is turned away.

use super::*;
use strongroom_model::Entrance;

fn way(peer: &str, border: Border) -> Way {
    let origin = Origin::Network(Client { address: peer.parse().unwrap(), via: None, entrance: Entrance(1) });
    Way {
        origin,
        may_forward: true,
        border: Arc::new(ArcSwap::from_pointee(border)),
        pace: Pace::new(None),
        names: Arc::new(Names::of(["localhost"])),
        local: Some([192, 0, 2, 1].into()),
        certificate: Some(ShownCertificate([1; 32])),
        client: None,
    }
}

fn behind_a_proxy() -> Border {
    let trusted_proxies = vec!["10.0.0.0/24".parse().unwrap()];
    let addresses = vec!["203.0.113.0/24".parse().unwrap()];
    Border { addresses, trusted_proxies, ..Border::default() }
}

fn request(method: &str, fields: &[(&str, &str)]) -> Request<()> {
    let builder = Request::builder().method(method).uri("/api");
    fields.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(()).unwrap()
}

fn code(way: &Way, fields: &[(&str, &str)]) -> Option<Code> {
    way.visitor(&request("POST", fields)).err().map(|turned| turned.code)
}

#[test]
fn a_listed_proxy_names_the_client_and_both_are_kept() {
    let way = way("10.0.0.2", behind_a_proxy());
    let visitor = |field: &str| way.visitor(&request("GET", &[("host", "localhost"), ("forwarded", field)]));
    assert_eq!(visitor("for=203.0.113.7").unwrap().to_string(), "203.0.113.7 via 10.0.0.2");
    assert_eq!(
        visitor("for=1.1.1.1, for=203.0.113.7, for=10.0.0.9").unwrap().address(),
        Some([203, 0, 113, 7].into())
    );
    assert_eq!(visitor("for=1.1.1.1").unwrap_err().code, Code::AddressRefused, "the floor is for clients");
    assert_eq!(visitor("for=unknown").unwrap_err(), Turned::malformed("Forwarded names no address"));
    let nobody = way.visitor(&request("GET", &[("host", "localhost")])).unwrap_err();
    assert_eq!(nobody, Turned::malformed("a listed proxy names no client in Forwarded"));
}

#[test]
fn forwarded_from_anyone_else_is_refused_and_x_forwarded_for_means_nothing() {
    let plain = way("203.0.113.7", Border::default());
    assert_eq!(
        code(&plain, &[("host", "localhost"), ("forwarded", "for=1.1.1.1")]),
        Some(Code::UntrustedProxy)
    );
    let listed = way("203.0.113.7", behind_a_proxy());
    assert_eq!(
        code(&listed, &[("host", "localhost"), ("forwarded", "for=1.1.1.1")]),
        Some(Code::UntrustedProxy)
    );
    let announced = Way { may_forward: false, ..way("10.0.0.2", behind_a_proxy()) };
    assert_eq!(
        code(&announced, &[("host", "localhost"), ("forwarded", "for=203.0.113.7")]),
        Some(Code::UntrustedProxy)
    );
    let local = Way { origin: Origin::Local { uid: 0 }, local: None, ..way("10.0.0.2", Border::default()) };
    assert_eq!(code(&local, &[("host", "x"), ("forwarded", "for=203.0.113.7")]), Some(Code::UntrustedProxy));
    let lied = plain.visitor(&request("GET", &[("host", "localhost"), ("x-forwarded-for", "1.1.1.1")]));
    assert_eq!(lied.unwrap().to_string(), "203.0.113.7");
}

#[test]
fn requests_are_for_this_server_or_misdirected() {
    let way = way("203.0.113.7", Border::default());
    for host in ["localhost", "LocalHost:8200", "192.0.2.1", "192.0.2.1:1"] {
        assert_eq!(code(&way, &[("host", host)]), None, "{host}");
    }
    for host in ["evil.example", "192.0.2.2", "[::1]", "localhost.evil.example"] {
        assert_eq!(code(&way, &[("host", host)]), Some(Code::Misdirected), "{host}");
    }
    for fields in [
        &[][..],
        &[("host", "")],
        &[("host", "a@localhost")],
        &[("host", "localhost"), ("host", "localhost")],
    ] {
        assert_eq!(code(&way, fields), Some(Code::InvalidRequest), "{fields:?}");
    }
}

#[test]
fn names_that_are_configured_stand_in_place_of_all_others() {
    let names = Some(Names::of(["vault.example.org"]));
    let way = way("203.0.113.7", Border { names, ..Border::default() });
    assert_eq!(code(&way, &[("host", "vault.example.org:8200")]), None);
    assert_eq!(code(&way, &[("host", "localhost")]), Some(Code::Misdirected));
    assert_eq!(code(&way, &[("host", "192.0.2.1")]), Some(Code::Misdirected));
    let local = Way { local: None, origin: Origin::Local { uid: 7 }, ..way };
    assert_eq!(code(&local, &[("host", "anything")]), None, "a socket is reached by its path");
    assert_eq!(code(&local, &[("host", "any thing")]), Some(Code::InvalidRequest));
}

#[test]
fn without_a_certificate_any_name_will_do_that_is_not_excluded() {
    let every = Arc::new(Names::every());
    let plain = Way { names: Arc::clone(&every), certificate: None, ..way("127.0.0.1", Border::default()) };
    assert_eq!(code(&plain, &[("host", "kms.example.org")]), None);
    assert_eq!(code(&plain, &[("host", "a b")]), Some(Code::InvalidRequest));
    assert_eq!(
        code(&plain, &[("host", "kms.example.org"), ("origin", "https://evil.example")]),
        Some(Code::CrossSite)
    );
    let names = Some(Names::of(["kms.example.org"]));
    let bounded = Way { names: every, ..way("127.0.0.1", Border { names, ..Border::default() }) };
    assert_eq!(code(&bounded, &[("host", "evil.example")]), Some(Code::Misdirected));
}

#[test]
fn the_target_and_host_agree() {
    let way = way("203.0.113.7", Border::default());
    let ask = |uri: &str, version, host: Option<&str>| {
        let builder = Request::builder().uri(uri).version(version);
        let builder = host.into_iter().fold(builder, |builder, host| builder.header("host", host));
        way.visitor(&builder.body(()).unwrap()).err().map(|turned| turned.code)
    };
    let (h1, h2) = (Version::HTTP_11, Version::HTTP_2);
    assert_eq!(ask("https://localhost/", h2, None), None);
    assert_eq!(ask("https://localhost/", h2, Some("localhost")), None);
    assert_eq!(ask("https://localhost/", h2, Some("evil.example")), Some(Code::InvalidRequest));
    assert_eq!(ask("https://evil.example/", h2, None), Some(Code::Misdirected));
    assert_eq!(ask("/", h2, None), Some(Code::InvalidRequest));
    assert_eq!(ask("https://localhost/", h1, Some("localhost")), None);
    assert_eq!(ask("https://localhost/", h1, None), Some(Code::InvalidRequest));
    assert_eq!(ask("https://evil.example/", h1, Some("localhost")), Some(Code::InvalidRequest));
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let way = way("203.0.113.7", Border::default());
    let host = ("host", "localhost:8200");
    for fields in [
        &[host][..],
        &[host, ("origin", "https://localhost:8200")],
        &[host, ("sec-fetch-site", "same-origin")],
        &[host, ("sec-fetch-site", "none")],
    ] {
        assert_eq!(code(&way, fields), None, "{fields:?}");
    }
    for field in [
        ("origin", "https://evil.example"),
        ("origin", "http://localhost:8200"),
        ("origin", "https://localhost:3000"),
        ("origin", "https://localhost"),
        ("origin", "null"),
        ("origin", ""),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        assert_eq!(code(&way, &[host, field]), Some(Code::CrossSite), "{field:?}");
        let read = way.visitor(&request("GET", &[host, field]));
        assert!(read.is_ok(), "a browser does not show the answer: {field:?}");
    }
    assert_eq!(code(&way, &[("host", "localhost"), ("origin", "https://localhost:443")]), None);
}

#[test]
fn pages_of_other_sites_open_no_socket() {
    let way = way("203.0.113.7", Border::default());
    let open = |fields: &[(&str, &str)]| {
        let host = [("host", "localhost:9671")];
        let fields: Vec<_> = host.iter().chain(fields).copied().collect();
        way.page_visitor(&request("GET", &fields)).err().map(|turned| turned.code)
    };
    assert_eq!(open(&[]), None);
    assert_eq!(open(&[("origin", "https://localhost:9671")]), None);
    for origin in ["https://evil.example", "https://localhost:8200", "http://localhost:9671", "null"] {
        assert_eq!(open(&[("origin", origin)]), Some(Code::CrossSite), "{origin}");
    }
    assert_eq!(open(&[("sec-fetch-site", "cross-site")]), Some(Code::CrossSite));
}

#[test]
fn a_proxy_asks_for_itself_only_after_our_health() {
    let asked = |peer: &str, path: &str| {
        let way = way(peer, Border { addresses: Vec::new(), ..behind_a_proxy() });
        let request = Request::builder().uri(path).header("host", "localhost").body(()).unwrap();
        way.visitor(&request).map_err(|turned| turned.code)
    };
    assert_eq!(asked("10.0.0.2", "/health").unwrap().to_string(), "10.0.0.2");
    assert_eq!(asked("10.0.0.2", "/api/v1/status"), Err(Code::InvalidRequest));
    assert_eq!(asked("10.0.1.2", "/api/v1/status").unwrap().to_string(), "10.0.1.2");
}

#[test]
fn a_proxy_opens_no_socket_for_itself() {
    let open = |peer: &str, path: &str, named: bool| {
        let way = way(peer, Border { addresses: Vec::new(), ..behind_a_proxy() });
        let request = Request::builder().uri(path).header("host", "localhost");
        let request = if named { request.header("forwarded", "for=203.0.113.7") } else { request };
        way.page_visitor(&request.body(()).unwrap()).map_err(|turned| turned.code)
    };
    for path in ["/", "/health", "/metrics"] {
        assert_eq!(open("10.0.0.2", path, false), Err(Code::InvalidRequest), "{path}");
    }
    assert_eq!(open("10.0.0.2", "/", true).unwrap().to_string(), "203.0.113.7 via 10.0.0.2");
    assert_eq!(open("203.0.113.9", "/health", false).unwrap().to_string(), "203.0.113.9");
}

#[test]
fn metrics_are_not_there_for_others() {
    let metrics = |peer: &str| {
        let request = Request::builder().uri("/metrics").header("host", "localhost").body(()).unwrap();
        way(peer, Border::default()).visitor(&request).err().map(|turned| turned.code)
    };
    assert_eq!(metrics("127.0.0.1"), None);
    assert_eq!(metrics("::1"), None);
    assert_eq!(metrics("203.0.113.7"), Some(Code::UnknownRoute));
}
