//! The convection protocol over TLS on one kept connection: a text, and one JSON object that ends with its result.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;

use crate::Outcome;
use crate::http::Answer;

/// The original needs half a minute and more for one write to a large store.
const PATIENCE: Duration = Duration::from_mins(5);
/// What every answer ends with: the messages, the result and the answer itself.
const END: &[u8] = b"]}}";
/// Nothing here is answered with more.
const MOST: usize = 1 << 20;

/// One connection.
pub(crate) struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    pub(crate) fn open(config: &Arc<ClientConfig>, address: &str) -> Outcome<Self> {
        let host = address.rsplit_once(':').map_or(address, |pair| pair.0).to_owned();
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let session = ClientConnection::new(Arc::clone(config), ServerName::try_from(host)?)?;
        Ok(Self(StreamOwned::new(session, socket)))
    }

    /// Says a whole request, and waits for the whole answer. Its status is that of an HTTP answer that would say the
    /// same: 200 or 400.
    pub(crate) fn ask(&mut self, request: &str) -> io::Result<Answer> {
        self.0.write_all(request.as_bytes())?;
        self.0.flush()?;
        let (mut body, mut bytes) = (Vec::new(), [0; 16 * 1024]);
        while !body.ends_with(END) {
            let count = self.0.read(&mut bytes)?;
            if count == 0 || body.len() > MOST {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            body.extend_from_slice(bytes.get(..count).unwrap_or_default());
        }
        let status = if is_success(&body) { 200 } else { 400 };
        Ok(Answer { status, body })
    }
}

/// The result comes last, so that no value before it is mistaken for it.
fn is_success(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.rsplit_once("\"result\": ").is_some_and(|(_, result)| result.starts_with("{\"state\": true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_result_counts() {
        assert!(is_success(br#"{"locked": true, "result": {"state": true, "messages": []}}"#));
        assert!(!is_success(br#"{"result": {"state": false, "messages": ["\"state\": true"]}}"#));
        assert!(!is_success(br#"{"secret": {"state": true}, "result": {"state": false, "messages": []}}"#));
        assert!(!is_success(b"nonsense"));
    }
}
