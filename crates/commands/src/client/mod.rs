//! The native API's client: HTTP/1.1 over TLS or the local socket. A connection a request, for a command rarely asks
//! twice; those that ask for many secrets keep their connections.
//!
//! A write carries a request id, which is its idempotency key. If the connection is lost, or the server says that
//! it does not know the outcome, the same id asks again; nothing else is ever repeated.

mod ask;
mod connect;
mod error;
mod lines;

pub(crate) use ask::Ask;
pub(crate) use error::{ClientError, Refusal};
pub(crate) use lines::Lines;

use crate::context::{Address, Target};
use bytes::{Buf as _, Bytes};
use connect::Connector;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use std::sync::Mutex;
use std::time::Duration;
use strongroom_ambient::Ambient;
use strongroom_api::{Access, MeantServer, REQUEST_ID_HEADER};
use strongroom_model::RequestId;
use strongroom_secret::SecretBytes;

/// The largest answer that is read into memory.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// The largest problem that is read.
const MAX_PROBLEM_BYTES: usize = 1024 * 1024;
/// How often a write is asked again.
const REPEATS: u32 = 3;

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For a connection.
    pub(crate) connect: Duration,
    /// For an answer, and for each next piece of a long one.
    pub(crate) answer: Duration,
    /// Before a write is asked again; doubles.
    pub(crate) repeat: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_mins(1),
            repeat: Duration::from_millis(200),
        }
    }
}

/// A whole answer; what it says may be secret.
#[derive(Debug)]
pub(crate) struct Answer {
    body: SecretBytes,
}

impl Answer {
    /// The body, for the length of a closure.
    pub(crate) fn expose<R>(&self, use_bytes: impl FnOnce(&[u8]) -> R) -> R {
        self.body.expose(use_bytes)
    }

    /// The body as a wire type.
    pub(crate) fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, ClientError> {
        Ok(self.body.expose(|bytes| serde_json::from_slice(bytes))?)
    }
}

/// A client of one server.
pub(crate) struct Client {
    connector: Connector,
    token: Option<SecretBytes>,
    ambient: Ambient,
    patience: Patience,
    /// Connections whose last answer was read to its end, if any are kept.
    idle: Option<Mutex<Vec<Sender>>>,
}

/// A connection to send on.
type Sender = SendRequest<Full<Bytes>>;

impl Client {
    /// A client; the token goes with what needs one.
    pub(crate) fn new(
        address: &Address,
        target: &Target,
        token: Option<SecretBytes>,
        ambient: Ambient,
    ) -> Result<Self, ClientError> {
        let connector = Connector::new(address, target)?;
        Ok(Self { connector, token, ambient, patience: Patience::default(), idle: None })
    }

    /// Keeps connections for the next request. One that the server has closed meanwhile is told by `lost`, which is why
    /// only what may be asked again is asked so.
    pub(crate) fn keep_connections(&mut self) {
        self.idle = Some(Mutex::default());
    }

    /// The same, with another patience.
    #[cfg(test)]
    pub(crate) fn patient(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The server that proofs are signed for, and the certificate that it showed last, if any.
    pub(crate) fn meant(&self) -> (MeantServer, Option<[u8; 32]>) {
        self.connector.meant()
    }

    /// A new request id.
    pub(crate) fn request_id(&self) -> String {
        RequestId(self.ambient.uuid_v7()).to_string()
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, ClientError> {
        let request = self.request_id();
        self.ask_as(&ask, &request).await
    }

    /// Asks under a request id.
    pub(crate) async fn ask_as(&self, ask: &Ask, request: &str) -> Result<Answer, ClientError> {
        let mut pause = self.patience.repeat;
        let mut attempts = 1;
        let mut doubt = false;
        loop {
            let error = match self.attempt(ask, request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // once in doubt, only an answer to the write itself ends it: a server that restarts says neither
            if !error.leaves_doubt() && (!doubt || error.settles()) {
                return Err(error);
            }
            let waited = matches!(error, ClientError::AnswerTimeout { .. });
            if !ask.repeatable() || attempts > REPEATS || waited {
                return Err(in_doubt(ask, error, request, attempts));
            }
            doubt = true;
            tokio::time::sleep(pause).await;
            pause *= 2;
            attempts += 1;
        }
    }

    async fn attempt(&self, ask: &Ask, request: &str) -> Result<Answer, ClientError> {
        let (response, sender) = self.begin(ask, request).await?;
        let answer = Answer { body: self.collect(response.into_body(), request, MAX_ANSWER_BYTES).await? };
        self.keep(sender);
        Ok(answer)
    }

    /// Asks, and gives the answer's bytes away as they come.
    pub(crate) async fn stream(
        &self,
        ask: Ask,
        mut sink: impl FnMut(&[u8]) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let request = self.request_id();
        // the connection lives as long as its sender
        let (response, _sender) = self.begin(&ask, &request).await?;
        let mut body = response.into_body();
        while let Some(piece) = self.piece(&mut body, &request).await? {
            sink(&piece)?;
        }
        Ok(())
    }

    /// Sends, and reads as far as the status; what is no success becomes an error.
    async fn begin(&self, ask: &Ask, request: &str) -> Result<(Response<Incoming>, Sender), ClientError> {
        let mut sender = self.sender(request).await?;
        let send = sender.send_request(self.request(ask, request)?);
        let lost = |source| ClientError::Lost { source, request: request.to_owned() };
        let response = self.in_time(send, request).await?.map_err(lost)?;
        if response.status().is_success() {
            return Ok((response, sender));
        }
        let refusal = self.refusal(response, request).await;
        self.keep(sender);
        Err(refusal)
    }

    /// A connection: one that was kept, or a new one.
    async fn sender(&self, request: &str) -> Result<Sender, ClientError> {
        while let Some(mut kept) = self.kept() {
            if kept.ready().await.is_ok() {
                return Ok(kept);
            }
        }
        let stream = self.connector.connect(self.patience.connect).await?;
        let lost = |source| ClientError::Lost { source, request: request.to_owned() };
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        // ends when the answer has been read; its error reaches the reader of the body as well
        tokio::spawn(connection);
        Ok(sender)
    }

    fn kept(&self) -> Option<Sender> {
        self.idle.as_ref()?.lock().ok()?.pop()
    }

    fn keep(&self, sender: Sender) {
        let idle = self.idle.as_ref().filter(|_| !sender.is_closed());
        if let Some(mut idle) = idle.and_then(|idle| idle.lock().ok()) {
            idle.push(sender);
        }
    }

    fn request(&self, ask: &Ask, request: &str) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut builder = Request::builder()
            .method(ask.method())
            .uri(ask.uri())
            .header(header::HOST, self.connector.host())
            .header(header::USER_AGENT, concat!("strongroom/", env!("CARGO_PKG_VERSION")))
            .header(REQUEST_ID_HEADER, request);
        for (name, value) in &ask.headers {
            builder = builder.header(name, value);
        }
        if let Some(bearer) = self.bearer(ask)? {
            builder = builder.header(header::AUTHORIZATION, bearer);
        }
        Ok(builder.body(Full::new(ask.body.clone()))?)
    }

    /// The token goes only where the table says that one is needed.
    fn bearer(&self, ask: &Ask) -> Result<Option<HeaderValue>, ClientError> {
        let Some(token) = self.token.as_ref().filter(|_| ask.endpoint.access() == Access::Token) else {
            return Ok(None);
        };
        let mut value = token.expose(|bytes| {
            let mut text = Vec::with_capacity(bytes.len() + 7);
            text.extend_from_slice(b"Bearer ");
            text.extend_from_slice(bytes);
            let value = HeaderValue::from_bytes(&text).map_err(http::Error::from);
            strongroom_secret::wipe(&mut text);
            value
        })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    async fn refusal(&self, response: Response<Incoming>, request: &str) -> ClientError {
        let status = response.status().as_u16();
        let body = match self.collect(response.into_body(), request, MAX_PROBLEM_BYTES).await {
            Ok(body) => body,
            Err(error) => return error,
        };
        match body.expose(|bytes| serde_json::from_slice::<Refusal>(bytes)) {
            Ok(mut refusal) => {
                refusal.request_id.get_or_insert_with(|| request.to_owned());
                ClientError::Refused(refusal)
            }
            Err(_) => ClientError::NotOurs { address: self.connector.address().clone(), status },
        }
    }

    async fn collect(
        &self,
        mut body: Incoming,
        request: &str,
        max: usize,
    ) -> Result<SecretBytes, ClientError> {
        let hinted = usize::try_from(hyper::body::Body::size_hint(&body).lower()).unwrap_or(usize::MAX);
        if hinted > max {
            return Err(ClientError::TooLarge { max });
        }
        let mut bytes = Vec::with_capacity(hinted);
        while let Some(piece) = self.piece(&mut body, request).await? {
            if bytes.len() + piece.len() > max {
                strongroom_secret::wipe(&mut bytes);
                return Err(ClientError::TooLarge { max });
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(SecretBytes::new(bytes))
    }

    async fn piece(&self, body: &mut Incoming, request: &str) -> Result<Option<Bytes>, ClientError> {
        loop {
            let Some(frame) = self.in_time(body.frame(), request).await? else { return Ok(None) };
            let frame = frame.map_err(|source| ClientError::Lost { source, request: request.to_owned() })?;
            if let Some(piece) = frame.into_data().ok().filter(bytes::Bytes::has_remaining) {
                return Ok(Some(piece));
            }
        }
    }

    async fn in_time<T>(&self, work: impl Future<Output = T>, request: &str) -> Result<T, ClientError> {
        tokio::time::timeout(self.patience.answer, work).await.map_err(|_| ClientError::AnswerTimeout {
            seconds: self.patience.answer.as_secs(),
            request: request.to_owned(),
        })
    }
}

/// What is said in the end: of a read just the error, of a write that it may have happened.
fn in_doubt(ask: &Ask, source: ClientError, request: &str, attempts: u32) -> ClientError {
    if ask.method() == http::Method::GET {
        return source;
    }
    ClientError::Unknown { source: Box::new(source), request: request.to_owned(), attempts }
}

#[cfg(test)]
mod tests;
