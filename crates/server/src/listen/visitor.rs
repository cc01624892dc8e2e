//! Who makes a request, for whom, and under which name: asked of each request before any door sees it.
//!
//! What is turned away here was no operation: it has an answer, a count, and no entry in the trail.

use super::forwarded;
use crate::config::Border;
use crate::names::{Authority, Host, Names};
use crate::rate::Pace;
use arc_swap::ArcSwap;
use http::header::{FORWARDED, HOST, ORIGIN};
use http::{Method, Request, Version};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use strongroom_api::Code;
use strongroom_door_native::ShownCertificate;
use strongroom_model::{Client, Origin, subscriber};

/// What a browser says of the page that a request comes from.
const FETCH_SITE: &str = "sec-fetch-site";
const METRICS: &str = "/metrics";
const HEALTH: &str = "/health";
/// What a proxy is told that has its clients' requests look like its own.
const NAMELESS: &str = "a listed proxy names no client in Forwarded";
/// What a page's origin leaves out.
const HTTPS_PORT: u16 = 443;

/// What is known of a connection.
pub(super) struct Way {
    /// Who is at its other end: as the kernel says, or a proxy of the PROXY protocol.
    pub(super) origin: Origin,
    /// Whether a proxy that is listed may name the client of each request.
    pub(super) may_forward: bool,
    /// Whom the listener takes requests from.
    pub(super) border: Arc<ArcSwap<Border>>,
    /// How often each client may ask.
    pub(super) pace: Pace<IpAddr>,
    /// Names of the certificate and of this host.
    pub(super) names: Arc<Names>,
    /// The address that the client reached, where there is one.
    pub(super) local: Option<IpAddr>,
    /// The certificate that whoever is at its other end was shown.
    pub(super) certificate: Option<ShownCertificate>,
    /// The certificate that it showed, where one is asked for.
    pub(super) client: Option<ClientCertificate>,
}

/// The certificate that a client showed in the handshake, DER: an extension of its requests. Its issuer was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate(pub Arc<[u8]>);

/// Why a request is turned away.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Turned {
    pub(super) code: Code,
    pub(super) detail: Option<Cow<'static, str>>,
}

impl Turned {
    fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Code::InvalidRequest, detail: Some(detail.into()) }
    }
}

impl From<Code> for Turned {
    fn from(code: Code) -> Self {
        Self { code, detail: None }
    }
}

impl Way {
    /// Who makes a request, if it is taken at all.
    pub(super) fn visitor<B>(&self, request: &Request<B>) -> Result<Origin, Turned> {
        // reading is left to the browser, which shows a page of another site nothing
        let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        self.visitor_of(request, reads)
    }

    /// Who opens a WebSocket. A browser lets any page do that, and shows it everything.
    pub(super) fn page_visitor<B>(&self, request: &Request<B>) -> Result<Origin, Turned> {
        // whatever its path: it is no look at our health
        if !request.headers().contains_key(FORWARDED) && self.is_of_a_proxy(&self.border.load()) {
            return Err(Turned::malformed(NAMELESS));
        }
        self.visitor_of(request, false)
    }

    /// Whether a listed proxy is at the other end, who is to name the client of each request.
    fn is_of_a_proxy(&self, border: &Border) -> bool {
        self.may_forward && self.origin.address().is_some_and(|peer| border.trusts(peer))
    }

    fn visitor_of<B>(&self, request: &Request<B>, from_anywhere: bool) -> Result<Origin, Turned> {
        let border = self.border.load();
        let origin = self.origin_of(request, &border)?;
        if origin.address().is_some_and(|client| !border.admits(client)) {
            return Err(Code::AddressRefused.into());
        }
        if origin.address().is_some_and(|client| !self.pace.allows(&subscriber(client))) {
            return Err(Code::TooManyRequests.into());
        }
        let authority = authority(request)?;
        if !self.is_named(authority.host, &border) {
            return Err(Code::Misdirected.into());
        }
        if !from_anywhere && is_cross_site(request, authority) {
            return Err(Code::CrossSite.into());
        }
        let hidden = origin.address().is_some_and(|client| !border.shows_metrics(client));
        if hidden && request.uri().path() == METRICS {
            return Err(Code::UnknownRoute.into());
        }
        Ok(origin)
    }

    /// The certificate that a client was shown here, for whoever binds proofs to it: a client that a proxy names was shown
    /// the proxy's.
    pub(super) fn shown_to(&self, client: Origin) -> Option<ShownCertificate> {
        self.certificate.filter(|_| client == self.origin)
    }

    /// The client that a listed proxy names; else whoever is at the other end. A proxy that is not listed is told, so that
    /// nobody believes that its clients are told apart; so is one that is listed and names nobody, for all its clients would
    /// have its own rights. Only its looks at our health are its own.
    fn origin_of<B>(&self, request: &Request<B>, border: &Border) -> Result<Origin, Turned> {
        let headers = request.headers();
        if !headers.contains_key(FORWARDED) {
            return if self.is_of_a_proxy(border) && !matches!(request.uri().path(), HEALTH | METRICS) {
                Err(Turned::malformed(NAMELESS))
            } else {
                Ok(self.origin)
            };
        }
        let proxy = match self.origin {
            Origin::Network(peer) if self.may_forward && border.trusts(peer.address) => peer,
            _ => return Err(Code::UntrustedProxy.into()),
        };
        let fields: Option<Vec<&str>> =
            headers.get_all(FORWARDED).iter().map(|value| value.to_str().ok()).collect();
        let fields = fields.ok_or_else(|| Turned::malformed("Forwarded is not ASCII"))?;
        let client = forwarded::client(&fields.join(","), |address| border.trusts(address));
        let address = client.map_err(|fault| Turned::malformed(fault.to_string()))?;
        Ok(Origin::Network(Client { address, via: Some(proxy.address), entrance: proxy.entrance }))
    }

    /// Whether a host is this server. On a local socket any is: nobody is lured there by a name.
    fn is_named(&self, host: Host<'_>, border: &Border) -> bool {
        let Some(local) = self.local else { return true };
        match &border.names {
            Some(names) => names.has(host),
            None => self.names.has(host) || host == Host::Address(local),
        }
    }
}

/// Whom a request is for: `:authority`, or `Host`, which HTTP/1 cannot do without.
fn authority<B>(request: &Request<B>) -> Result<Authority<'_>, Turned> {
    let mut fields = request.headers().get_all(HOST).iter();
    let field = fields.next().map(|value| value.to_str().unwrap_or_default());
    if fields.next().is_some() {
        return Err(Turned::malformed("Host stands twice"));
    }
    let target = request.uri().authority().map(http::uri::Authority::as_str);
    let parse = |text| Authority::parse(text).ok_or_else(|| Turned::malformed("Host is malformed"));
    let field = field.map(parse).transpose()?;
    let target = target.map(parse).transpose()?;
    match (target, field) {
        (Some(target), Some(field)) if target != field => {
            Err(Turned::malformed("Host is not that of the request's target"))
        }
        (_, Some(field)) => Ok(field),
        (Some(target), None) if request.version() == Version::HTTP_2 => Ok(target),
        (_, None) => Err(Turned::malformed("Host is missing")),
    }
}

/// Whether a page of another site asks.
fn is_cross_site<B>(request: &Request<B>, authority: Authority<'_>) -> bool {
    let headers = request.headers();
    let site = headers.get_all(FETCH_SITE).iter();
    let origin = headers.get_all(ORIGIN).iter();
    site.into_iter().any(|site| site != "same-origin" && site != "none")
        || origin.into_iter().any(|origin| !is_of(origin.as_bytes(), authority))
}

/// Whether a page's origin is this very server.
fn is_of(origin: &[u8], authority: Authority<'_>) -> bool {
    let page = std::str::from_utf8(origin).ok().and_then(|origin| origin.strip_prefix("https://"));
    let port = |of: Authority<'_>| of.port.unwrap_or(HTTPS_PORT);
    page.and_then(Authority::parse)
        .is_some_and(|page| page.host == authority.host && port(page) == port(authority))
}

#[cfg(test)]
mod tests {
    use super::*;
    use strongroom_model::Entrance;

    fn way(peer: &str, border: Border) -> Way {
        let origin =
            Origin::Network(Client { address: peer.parse().unwrap(), via: None, entrance: Entrance(1) });
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
        let visitor =
            |field: &str| way.visitor(&request("GET", &[("host", "localhost"), ("forwarded", field)]));
        assert_eq!(visitor("for=203.0.113.7").unwrap().to_string(), "203.0.113.7 via 10.0.0.2");
        assert_eq!(
            visitor("for=1.1.1.1, for=203.0.113.7, for=10.0.0.9").unwrap().address(),
            Some([203, 0, 113, 7].into())
        );
        assert_eq!(
            visitor("for=1.1.1.1").unwrap_err().code,
            Code::AddressRefused,
            "the floor is for clients"
        );
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
        let local =
            Way { origin: Origin::Local { uid: 0 }, local: None, ..way("10.0.0.2", Border::default()) };
        assert_eq!(
            code(&local, &[("host", "x"), ("forwarded", "for=203.0.113.7")]),
            Some(Code::UntrustedProxy)
        );
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
        let plain =
            Way { names: Arc::clone(&every), certificate: None, ..way("127.0.0.1", Border::default()) };
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
}
