//! Who makes a request, for whom, and under which name: asked of each request before any door sees it.
//!
//! What is turned away here was no operation: it has an answer, a count, and no entry in the trail.

#[cfg(test)]
mod tests;

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
