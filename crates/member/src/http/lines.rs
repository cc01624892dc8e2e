//! A long answer, line by line.

use super::{HttpError, Sender};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::time::Duration;

/// The longest line of a stream.
const MAX_LINE_BYTES: usize = 8 << 20;

/// Lines of a long answer, one after another; each is bounded.
pub struct Lines {
    body: Incoming,
    rest: Vec<u8>,
    at: usize,
    ended: bool,
    /// The connection lives as long as its sender.
    _sender: Sender,
    server: String,
    answer: Duration,
}

impl Lines {
    pub(super) fn of(body: Incoming, sender: Sender, server: String, answer: Duration) -> Self {
        Self { body, rest: Vec::new(), at: 0, ended: false, _sender: sender, server, answer }
    }

    /// The next line without its end; none at the end of the answer.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        loop {
            let unread = self.rest.get(self.at..).unwrap_or_default();
            if let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                let line = unread.get(..end).unwrap_or_default().to_vec();
                self.at += end + 1;
                return Ok(Some(line));
            }
            if unread.len() > MAX_LINE_BYTES {
                return Err(HttpError::TooLarge { server: self.server.clone(), most: MAX_LINE_BYTES });
            }
            if self.ended {
                let last = unread.to_vec();
                (self.rest, self.at) = (Vec::new(), 0);
                return Ok(Some(last).filter(|last| !last.is_empty()));
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), HttpError> {
        self.rest.drain(..self.at);
        self.at = 0;
        let frame = tokio::time::timeout(self.answer, self.body.frame()).await;
        let late = |_| HttpError::NoAnswer { server: self.server.clone(), seconds: self.answer.as_secs() };
        let Some(frame) = frame.map_err(late)? else {
            self.ended = true;
            return Ok(());
        };
        let frame = frame.map_err(|source| HttpError::Lost { server: self.server.clone(), source })?;
        if let Ok(piece) = frame.into_data() {
            self.rest.extend_from_slice(&piece);
        }
        Ok(())
    }
}
