//! Questions to one server over HTTP/1.1: bounded in size and time, with the proxy's password and the member's token.
//!
//! Connections are kept. One that the server closed meanwhile is found before anything is sent on it, or, where the
//! question may be asked twice, by asking again.

mod connect;
mod error;
mod lines;
mod url;

pub use error::HttpError;
pub use lines::Lines;
pub use url::{Url, UrlError};

use crate::config::{BasicAuth, Tls};
use bytes::{Buf as _, Bytes};
use connect::Connector;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Mutex;
use std::time::Duration;
use strongroom_secret::{SecretBytes, WipedBytes};
use strongroom_sharing::{Refusal, TOKEN_HEADER};

/// The largest answer that is read into memory, unless something else is said.
pub(crate) const MAX_ANSWER_BYTES: usize = 64 << 20;
/// The largest refusal that is read.
const MAX_REFUSAL_BYTES: usize = 64 << 10;
/// Connections that are kept.
const MAX_IDLE: usize = 8;

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, and for each next piece of a long one.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_mins(1) }
    }
}

/// A question.
pub(crate) struct Ask<'a> {
    method: Method,
    path: &'static str,
    query: String,
    body: Bytes,
    token: Option<&'a SecretBytes>,
    accept: Option<&'static str>,
    /// Whether it may be asked twice.
    repeatable: bool,
}

impl<'a> Ask<'a> {
    /// A `GET`; it may be asked twice.
    pub(crate) fn get(path: &'static str) -> Self {
        let body = Bytes::new();
        Self {
            method: Method::GET,
            path,
            query: String::new(),
            body,
            token: None,
            accept: None,
            repeatable: true,
        }
    }

    /// A `POST` of a wire type.
    pub(crate) fn post(path: &'static str, body: &impl Serialize) -> Self {
        let mut bytes = Vec::with_capacity(4096);
        // a wire type is made of texts and numbers: writing it into memory cannot fail
        let _ = serde_json::to_writer(&mut bytes, body);
        let body = Bytes::from_owner(WipedBytes::new(bytes));
        Self { method: Method::POST, body, repeatable: false, ..Self::get(path) }
    }

    /// The same with a token.
    pub(crate) fn with(self, token: &'a SecretBytes) -> Self {
        Self { token: Some(token), ..self }
    }

    /// The same, which may be asked twice.
    pub(crate) fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// The same with a query, of unreserved characters.
    pub(crate) fn query(self, query: String) -> Self {
        Self { query, ..self }
    }

    /// The same with another media type for the answer.
    pub(crate) fn accept(self, media_type: &'static str) -> Self {
        Self { accept: Some(media_type), ..self }
    }
}

/// A connection to send on.
type Sender = SendRequest<Full<Bytes>>;
/// The task that reads and writes a connection.
type Connection = tokio::task::JoinHandle<Result<(), hyper::Error>>;

/// One server.
pub struct Server {
    url: Url,
    connector: Connector,
    basic: Option<HeaderValue>,
    patience: Patience,
    idle: Mutex<Vec<Sender>>,
}

impl Server {
    /// A server at an address.
    pub fn new(
        url: &Url,
        tls: &Tls,
        basic: Option<&BasicAuth>,
        patience: Patience,
    ) -> Result<Self, HttpError> {
        let connector = Connector::new(url, tls)?;
        if url.is_in_clear() {
            tracing::warn!("passwords and tokens for {url} can be read on the way: it is not https");
        }
        let basic = basic.map(basic_header).transpose()?;
        Ok(Self { url: url.clone(), connector, basic, patience, idle: Mutex::default() })
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether it answers `up`.
    pub async fn is_up(&self) -> Result<(), HttpError> {
        let body = self.bytes(Ask::get("/"), 64).await?;
        let up = body.expose(|bytes| bytes.trim_ascii() == b"up");
        if up { Ok(()) } else { Err(self.strange("/", "not `up`".to_owned())) }
    }

    /// Asks, and reads the answer as a wire type.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, HttpError> {
        let asked = ask.path;
        let body = self.bytes(ask, MAX_ANSWER_BYTES).await?;
        self.read(asked, &body)
    }

    /// Reads an answer as a wire type.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        asked: &'static str,
        body: &SecretBytes,
    ) -> Result<T, HttpError> {
        body.expose(|bytes| serde_json::from_slice(bytes))
            .map_err(|error| self.strange(asked, error.to_string()))
    }

    /// Asks, and reads the whole answer; what is no success becomes an error.
    pub(crate) async fn bytes(&self, ask: Ask<'_>, most: usize) -> Result<SecretBytes, HttpError> {
        let (status, retry_after, body) = self.whole(ask, most).await?;
        if (200..300).contains(&status) { Ok(body) } else { Err(self.refusal(status, retry_after, &body)) }
    }

    /// Asks, and reads status and the whole answer.
    pub(crate) async fn whole(
        &self,
        ask: Ask<'_>,
        most: usize,
    ) -> Result<(u16, Option<u64>, SecretBytes), HttpError> {
        let (response, sender) = self.begin(&ask).await?;
        let status = response.status().as_u16();
        let retry_after = retry_after(&response);
        let body = self.collect(response.into_body(), most).await?;
        self.keep(sender);
        Ok((status, retry_after, body))
    }

    /// Asks for lines.
    pub(crate) async fn lines(&self, ask: Ask<'_>) -> Result<Lines, HttpError> {
        let (response, sender) = self.begin(&ask).await?;
        let status = response.status().as_u16();
        if !response.status().is_success() {
            let retry_after = retry_after(&response);
            let body = self.collect(response.into_body(), MAX_REFUSAL_BYTES).await?;
            return Err(self.refusal(status, retry_after, &body));
        }
        let server = self.url.to_string();
        let answer = self.patience.answer;
        Ok(Lines::of(response.into_body(), sender, server, answer))
    }

    /// Sends, and reads as far as the head of the answer.
    async fn begin(&self, ask: &Ask<'_>) -> Result<(Response<Incoming>, Sender), HttpError> {
        while let Some(mut kept) = self.kept() {
            if kept.ready().await.is_err() {
                continue;
            }
            match self.send(&mut kept, ask).await {
                Ok(response) => return Ok((response, kept)),
                // the server may have closed it in that moment
                Err(HttpError::Lost { .. }) if ask.repeatable => {}
                Err(error) => return Err(error),
            }
        }
        let (mut sender, connection) = self.connect().await?;
        match self.send(&mut sender, ask).await {
            Ok(response) => Ok((response, sender)),
            Err(lost @ HttpError::Lost { .. }) => Err(self.end_of(connection).await.unwrap_or(lost)),
            Err(error) => Err(error),
        }
    }

    async fn connect(&self) -> Result<(Sender, Connection), HttpError> {
        let stream = self.connector.connect(self.patience.connect).await?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|source| self.lost(source))?;
        // ends when the answer has been read; its error reaches the reader of the body as well
        Ok((sender, tokio::spawn(connection)))
    }

    /// What ended a new connection, which may have been before anything was asked on it: then only it knows.
    async fn end_of(&self, connection: Connection) -> Option<HttpError> {
        let ended = tokio::time::timeout(self.patience.connect, connection).await.ok()?.ok()?;
        ended.err().map(|source| self.lost(source))
    }

    async fn send(&self, sender: &mut Sender, ask: &Ask<'_>) -> Result<Response<Incoming>, HttpError> {
        let send = sender.send_request(self.request(ask)?);
        let answer = tokio::time::timeout(self.patience.answer, send).await;
        answer.map_err(|_| self.no_answer())?.map_err(|source| self.lost(source))
    }

    fn request(&self, ask: &Ask<'_>) -> Result<Request<Full<Bytes>>, HttpError> {
        let mut builder = Request::builder()
            .method(ask.method.clone())
            .uri(format!("{}{}{}", self.url.base, ask.path, ask.query))
            .header(header::HOST, self.url.authority())
            .header(header::ACCEPT, ask.accept.unwrap_or("application/json"))
            .header(header::USER_AGENT, concat!("strongroom/", env!("CARGO_PKG_VERSION")));
        if ask.method == Method::POST {
            builder = builder.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(basic) = &self.basic {
            builder = builder.header(header::AUTHORIZATION, basic);
        }
        if let Some(token) = ask.token {
            builder = builder.header(TOKEN_HEADER, sensitive(b"Bearer ", token)?);
        }
        Ok(builder.body(Full::new(ask.body.clone()))?)
    }

    async fn collect(&self, mut body: Incoming, most: usize) -> Result<SecretBytes, HttpError> {
        let too_large = || HttpError::TooLarge { server: self.url.to_string(), most };
        let hinted = usize::try_from(hyper::body::Body::size_hint(&body).lower()).unwrap_or(usize::MAX);
        if hinted > most {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(hinted);
        while let Some(piece) = self.piece(&mut body).await? {
            if bytes.len() + piece.len() > most {
                strongroom_secret::wipe(&mut bytes);
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(SecretBytes::new(bytes))
    }

    async fn piece(&self, body: &mut Incoming) -> Result<Option<Bytes>, HttpError> {
        loop {
            let frame = tokio::time::timeout(self.patience.answer, body.frame()).await;
            let Some(frame) = frame.map_err(|_| self.no_answer())? else { return Ok(None) };
            let frame = frame.map_err(|source| self.lost(source))?;
            if let Some(piece) = frame.into_data().ok().filter(bytes::Bytes::has_remaining) {
                return Ok(Some(piece));
            }
        }
    }

    /// What a server says when it says no. A 401 that is not in our words is the proxy's.
    pub(crate) fn refusal(&self, status: u16, retry_after: Option<u64>, body: &SecretBytes) -> HttpError {
        let server = self.url.to_string();
        match body.expose(|bytes| serde_json::from_slice::<Refusal>(bytes)) {
            Ok(refusal) => HttpError::Refused { server, status, refusal, retry_after },
            Err(_) if matches!(status, 401 | 403) => HttpError::Proxy { server, status },
            Err(_) if status == 413 => HttpError::BodyLimit { server },
            Err(_) => HttpError::Status { server, status },
        }
    }

    fn kept(&self) -> Option<Sender> {
        self.idle.lock().ok()?.pop()
    }

    fn keep(&self, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        if let Ok(mut idle) = self.idle.lock()
            && idle.len() < MAX_IDLE
        {
            idle.push(sender);
        }
    }

    fn lost(&self, source: hyper::Error) -> HttpError {
        let server = self.url.to_string();
        match error::alert_below(&source) {
            Some(alert) => HttpError::Certificate { server, alert },
            None => HttpError::Lost { server, source },
        }
    }

    fn no_answer(&self) -> HttpError {
        HttpError::NoAnswer { server: self.url.to_string(), seconds: self.patience.answer.as_secs() }
    }

    pub(crate) fn strange(&self, asked: &'static str, why: String) -> HttpError {
        HttpError::Strange { server: self.url.to_string(), asked, why }
    }
}

fn retry_after(response: &Response<Incoming>) -> Option<u64> {
    response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

fn basic_header(basic: &BasicAuth) -> Result<HeaderValue, HttpError> {
    let mut text = Vec::with_capacity(basic.user.len() + 1 + basic.pass.len());
    text.extend_from_slice(basic.user.as_bytes());
    text.push(b':');
    basic.pass.expose(|pass| text.extend_from_slice(pass));
    let text = SecretBytes::new(text);
    let encoded = text.expose(|text| SecretBytes::new(data_encoding::BASE64.encode(text).into_bytes()));
    sensitive(b"Basic ", &encoded)
}

fn sensitive(scheme: &[u8], secret: &SecretBytes) -> Result<HeaderValue, HttpError> {
    let mut text = Vec::with_capacity(scheme.len() + secret.len());
    text.extend_from_slice(scheme);
    secret.expose(|bytes| text.extend_from_slice(bytes.trim_ascii()));
    let value = HeaderValue::from_bytes(&text).map_err(http::Error::from);
    strongroom_secret::wipe(&mut text);
    let mut value = value?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
