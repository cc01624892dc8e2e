//! The protocol over a WebSocket (RFC 6455): a message is a request, and a message is its answer.

use crate::ConvectionDoor;
use crate::fault::Fault;
use crate::request::MAX_REQUEST_BYTES;
use crate::session::Session;
use crate::stream::{FAREWELL, Terms, UNREAD_PATIENCE, Visit, let_go};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, Response, StatusCode};
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use zeroize::Zeroizing;

/// A silent connection holds no more room than this.
const BUFFER_BYTES: usize = 4 << 10;

/// Judges the request that opens a WebSocket, and keeps who made it.
struct Opening<'v, A> {
    admit: A,
    visit: &'v mut Option<Visit>,
}

impl<A: FnOnce(&Request<()>) -> Result<Visit, u16>> Callback for Opening<'_, A> {
    fn on_request(self, request: &Request<()>, answer: Response<()>) -> Result<Response<()>, ErrorResponse> {
        match (self.admit)(request) {
            Ok(visit) => {
                *self.visit = Some(visit);
                Ok(answer)
            }
            Err(status) => {
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
                Err(refusal)
            }
        }
    }
}

/// What was heard.
enum Heard {
    Request(Message),
    /// What cannot be a request: what is answered, and the code that the end is told with.
    Lost(Fault, CloseCode),
    End,
}

impl ConvectionDoor {
    /// Serves one connection to its end, from the HTTP request that makes a WebSocket of it. `admit` says who makes that
    /// request, or with which status it is refused. Told to stop, it ends after the request that it is about.
    pub async fn serve_web<IO, A>(
        &self,
        io: IO,
        terms: Terms,
        admit: A,
        stop: impl Future<Output = ()> + Send,
    ) where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
        A: FnOnce(&Request<()>) -> Result<Visit, u16> + Send + Unpin,
    {
        let mut visit = None;
        let opening = Opening { admit, visit: &mut visit };
        let opening = tokio_tungstenite::accept_hdr_async_with_config(io, opening, Some(bounds()));
        let mut socket = match timeout(terms.arrival, Box::pin(opening)).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => return tracing::debug!(%error, "no WebSocket"),
            Err(_) => return tracing::debug!("no WebSocket in time"),
        };
        let Some(visit) = visit else { return };
        let session = self.session(visit.origin);
        let told = converse(&mut socket, &session, &visit, stop).await;
        session.end().await;
        let code = told.unwrap_or(CloseCode::Away);
        let farewell = CloseFrame { code, reason: "".into() };
        let _ = timeout(FAREWELL, socket.close(Some(farewell))).await;
        if told.is_some() {
            let _ = timeout(UNREAD_PATIENCE, let_go(socket.get_mut())).await;
        }
        let _ = timeout(FAREWELL, socket.get_mut().shutdown()).await;
    }
}

fn bounds() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_REQUEST_BYTES))
        .max_frame_size(Some(MAX_REQUEST_BYTES))
}

/// Requests and answers in turn; at the end the code to tell, if something was wrong.
async fn converse<IO: AsyncRead + AsyncWrite + Unpin + Send>(
    socket: &mut WebSocketStream<IO>,
    session: &Session,
    visit: &Visit,
    stop: impl Future<Output = ()> + Send,
) -> Option<CloseCode> {
    let mut stop = pin!(stop);
    loop {
        let heard = tokio::select! {
            biased;
            () = &mut stop => return None,
            heard = timeout(visit.terms.idle, hear(socket)) => heard.unwrap_or(Heard::End),
        };
        let (answer, text, end) = match heard {
            Heard::Request(message) => {
                let text = message.is_text();
                let asked = Zeroizing::new(Vec::from(message.into_data()));
                (session.answer_within(asked, visit).await, text, None)
            }
            Heard::Lost(fault, code) => (Some(session.refuse(fault)), true, Some(code)),
            Heard::End => return None,
        };
        if let Some(answer) = answer {
            // an answer is ASCII
            let answer = match (text, std::str::from_utf8(&answer)) {
                (true, Ok(text)) => Message::text(text),
                _ => Message::binary(answer.to_vec()),
            };
            if !matches!(timeout(visit.terms.unread, socket.send(answer)).await, Ok(Ok(()))) {
                return None;
            }
        }
        if end.is_some() {
            return end;
        }
    }
}

/// Waits for a message that is a request; pings are answered on the way.
async fn hear<IO: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<IO>) -> Heard {
    loop {
        match socket.next().await {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => return Heard::Request(message),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Heard::End,
            Some(Err(Error::Capacity(_))) => return Heard::Lost(Fault::too_large(), CloseCode::Size),
            Some(Err(Error::Utf8(_))) => return Heard::Lost(Fault::not_utf8(), CloseCode::Invalid),
            Some(Err(error)) => {
                tracing::debug!(%error, "a WebSocket ended early");
                return Heard::End;
            }
        }
    }
}
