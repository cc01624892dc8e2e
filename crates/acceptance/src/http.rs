//! As much of HTTP/1.1 as servers on loopback need to be asked: one request a connection.

use crate::fault::{Fault, Outcome};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The largest answer.
const MOST_BYTES: u64 = 64 << 20;

/// A server, and who asks.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// Its port on loopback.
    pub(crate) port: u16,
    /// The member's token.
    pub(crate) token: Option<String>,
}

/// What it said.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// What came with it.
    pub(crate) body: Vec<u8>,
}

impl Site {
    /// A server that is asked without a token.
    pub(crate) const fn at(port: u16) -> Self {
        Self { port, token: None }
    }

    /// The same, asked by a member.
    pub(crate) fn by(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Reads.
    pub(crate) fn get(&self, path: &str) -> Outcome<Answer> {
        self.ask("GET", path, &[])
    }

    /// Sends a body of JSON.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Outcome<Answer> {
        self.ask("POST", path, body.to_string().as_bytes())
    }

    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Outcome<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let token =
            self.token.as_ref().map_or(String::new(), |token| format!("X-Authorization: Bearer {token}\r\n"));
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{token}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.take(MOST_BYTES).read_to_end(&mut answer)?;
        read(&answer).ok_or_else(|| Fault::new(format!("{method} {path}: no HTTP answer")))
    }
}

impl Answer {
    /// The body, if the status is this one.
    pub(crate) fn with(self, status: u16) -> Outcome<Value> {
        if self.status != status {
            let said = String::from_utf8_lossy(&self.body);
            return Err(Fault::new(format!("status {} in place of {status}: {said}", self.status)));
        }
        Ok(serde_json::from_slice(&self.body).unwrap_or(Value::Null))
    }
}

fn read(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?.to_ascii_lowercase();
    let status = head.strip_prefix("http/1.1 ")?.get(..3)?.parse().ok()?;
    let rest = answer.get(end + 4..)?;
    let body = if head.contains("transfer-encoding: chunked") { joined(rest)? } else { rest.to_vec() };
    Some(Answer { status, body })
}

/// The body that came in chunks.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(rest.get(..end)?).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_and_in_chunks() {
        let plain = read(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        assert_eq!((plain.status, plain.body.as_slice()), (201, &b"{}"[..]));
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nup\n\r\n1\r\n!\r\n0\r\n\r\n";
        assert_eq!(read(chunked).unwrap().body, b"up\n!");
        assert!(read(b"HTTP/1.1 200 OK\r\n").is_none());
        assert!(read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nup").is_none());
    }
}
