//! HTTP/1.1 over TLS on one kept connection: as much of it as a load needs.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use crate::Outcome;

/// A server that is silent for so long is gone.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);

/// Trusts one authority's file and nothing else.
pub(crate) fn trust(authority: &Path) -> Outcome<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority)? {
        roots.add(certificate?)?;
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// One connection.
pub(crate) struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    buffer: Vec<u8>,
    head: String,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    /// Connects; `header` goes with every request.
    pub(crate) fn open(config: &Arc<ClientConfig>, address: &str, header: &str) -> Outcome<Self> {
        let host = address.rsplit_once(':').map_or(address, |pair| pair.0).to_owned();
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(SILENCE))?;
        let session = ClientConnection::new(Arc::clone(config), ServerName::try_from(host)?)?;
        let head = format!(" HTTP/1.1\r\nHost: {address}\r\n{header}\r\n");
        Ok(Self { stream: StreamOwned::new(session, socket), buffer: Vec::new(), head })
    }

    /// Asks, and waits for the whole answer.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let content = match body.len() {
            0 => String::new(),
            length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
        };
        let request = format!("{method} {path}{}{content}\r\n{body}", self.head);
        self.stream.write_all(request.as_bytes())?;
        self.stream.flush()?;
        let head = self.head()?;
        let body = self.body(&head)?;
        Ok(Answer { status: status(&head)?, body })
    }

    fn head(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = self.take(end + 4);
                return Ok(String::from_utf8_lossy(&head).to_ascii_lowercase());
            }
            self.more()?;
        }
    }

    fn body(&mut self, head: &str) -> io::Result<Vec<u8>> {
        if field(head, "transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            return self.chunks();
        }
        let length = field(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        self.exactly(length)
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.trim().split(';').next().and_then(|size| usize::from_str_radix(size, 16).ok());
            let size = size.ok_or_else(|| io::Error::other("a chunk without its size"))?;
            body.extend(self.exactly(size)?);
            self.exactly(2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                return Ok(String::from_utf8_lossy(&self.take(end + 2)).into_owned());
            }
            self.more()?;
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.more()?;
        }
        Ok(self.take(length))
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(length.min(self.buffer.len()));
        std::mem::replace(&mut self.buffer, rest)
    }

    fn more(&mut self) -> io::Result<()> {
        let mut bytes = [0; 16 * 1024];
        let count = self.stream.read(&mut bytes)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(bytes.get(..count).unwrap_or_default());
        Ok(())
    }
}

fn status(head: &str) -> io::Result<u16> {
    let word = head.split_whitespace().nth(1).and_then(|word| word.parse().ok());
    word.ok_or_else(|| io::Error::other("no status line"))
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.filter(|(field, _)| *field == name).map(|(_, value)| value.trim()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let head = "http/1.1 204 no content\r\ncontent-length: 17\r\n\r\n";
        assert_eq!(status(head).unwrap(), 204);
        assert_eq!(field(head, "content-length"), Some("17"));
        assert_eq!(field(head, "transfer-encoding"), None);
        assert!(status("nonsense").is_err());
    }
}
