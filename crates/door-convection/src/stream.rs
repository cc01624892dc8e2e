//! The protocol over a stream: requests are found in what comes, answers go out whole.

use crate::ConvectionDoor;
use crate::fault::Fault;
use crate::request::MAX_REQUEST_BYTES;
use crate::scan::{CLOSE, Flaw, Progress, Scanner};
use crate::session::Session;
use crate::wiped::make_room;
use std::pin::pin;
use std::time::Duration;
use strongroom_model::Origin;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// What may be the end of a request is, if nothing follows for so long.
const MOMENT: Duration = Duration::from_millis(200);
/// Of what begins no request so much is looked at.
const MAX_WORD_BYTES: usize = 64;
/// A silent connection holds no more room than this.
const SMALL_BYTES: usize = 512;
/// What has begun gets at least so much, and as much again each time that it is more.
const MORE_BYTES: usize = 2 << 10;
const LARGE_BYTES: usize = 16 << 10;
/// Of a request that is refused for its size so much is let go of, for so long, so that its answer is not lost.
const UNREAD_BYTES: usize = 16 << 20;
pub(crate) const UNREAD_PATIENCE: Duration = Duration::from_secs(2);
/// To tell the other side that this is the end.
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Between two requests.
    pub idle: Duration,
    /// From a request's first byte to its last.
    pub arrival: Duration,
    /// Until it has taken an answer.
    pub unread: Duration,
    /// Until there is an answer.
    pub answer: Duration,
}

/// One connection, as the server knows it.
pub struct Visit {
    /// Who is at the other end.
    pub origin: Origin,
    /// How long they may take.
    pub terms: Terms,
    /// Whether they may ask now; if not, why not, in words for them.
    pub may_ask: Box<dyn Fn() -> Result<(), &'static str> + Send + Sync>,
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Visit({})", self.origin)
    }
}

/// What was heard.
enum Heard {
    Request(Zeroizing<Vec<u8>>),
    /// What is answered, and the conversation goes on.
    Flawed(Fault, String),
    /// What is answered, and that is the end.
    Lost(Fault, String),
    End,
}

impl ConvectionDoor {
    /// Serves one connection to its end; told to stop, it ends after the request that it is about.
    pub async fn serve<IO>(&self, mut io: IO, visit: &Visit, stop: impl Future<Output = ()> + Send)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let session = self.session(visit.origin);
        let mut stop = pin!(stop);
        loop {
            let heard = tokio::select! {
                biased;
                () = &mut stop => Heard::End,
                heard = hear(&mut io, session.awaits_proof(), &visit.terms) => heard,
            };
            let (answer, last) = match heard {
                Heard::Request(text) => (session.answer_within(text, visit).await, false),
                Heard::Flawed(fault, word) => (Some(session.refuse_at(&word, fault).await), false),
                Heard::Lost(fault, word) => (Some(session.refuse_at(&word, fault).await), true),
                Heard::End => break,
            };
            let Some(answer) = answer else { continue };
            if !tell(&mut io, &answer, visit.terms.unread).await {
                break;
            }
            if last {
                let _ = timeout(FAREWELL, io.shutdown()).await;
                let _ = timeout(UNREAD_PATIENCE, let_go(&mut io)).await;
                break;
            }
        }
        session.end().await;
        let _ = timeout(FAREWELL, io.shutdown()).await;
    }
}

impl Session {
    /// Answers, if the client may ask now and within the time there is.
    pub(crate) async fn answer_within(
        &self,
        text: Zeroizing<Vec<u8>>,
        visit: &Visit,
    ) -> Option<Zeroizing<Vec<u8>>> {
        if text.is_empty() || text.as_slice() == CLOSE {
            return None;
        }
        if let Err(why) = (visit.may_ask)() {
            return Some(self.refuse(Fault::exception("PermissionError", why)));
        }
        match timeout(visit.terms.answer, self.answer(text)).await {
            Ok(answer) => answer,
            Err(_) => Some(self.refuse(Fault::late())),
        }
    }
}

/// Writes an answer in one go: within 16 KiB it is one record of TLS, as clients that read once expect.
async fn tell<IO: AsyncWrite + Unpin>(io: &mut IO, answer: &[u8], patience: Duration) -> bool {
    let telling = async {
        io.write_all(answer).await?;
        io.flush().await
    };
    matches!(timeout(patience, telling).await, Ok(Ok(())))
}

/// Reads one request.
async fn hear<IO: AsyncRead + Unpin>(io: &mut IO, proof: bool, terms: &Terms) -> Heard {
    let mut heard = Zeroizing::new(Vec::with_capacity(SMALL_BYTES));
    match timeout(terms.idle, io.read_buf(&mut *heard)).await {
        Ok(Ok(length)) if length > 0 => {}
        _ => return Heard::End,
    }
    let scanner = if proof { Scanner::of_proof() } else { Scanner::new() };
    // in a box of its own, so that a silent connection does not hold its room
    let arriving = Box::pin(arrive(io, scanner, proof, heard));
    timeout(terms.arrival, arriving).await.unwrap_or_else(|_| Heard::Lost(Fault::late(), String::new()))
}

/// Reads on until the request has ended, one way or another.
async fn arrive<IO: AsyncRead + Unpin>(
    io: &mut IO,
    mut scanner: Scanner,
    proof: bool,
    mut heard: Zeroizing<Vec<u8>>,
) -> Heard {
    let mut progress = scanner.push(&heard);
    loop {
        let may_be_whole = match progress {
            // more than was asked for is another matter to who judges it, and no request
            Progress::Whole(_) if proof => return Heard::Request(shown(heard)),
            Progress::Whole(length) => return whole(io, heard, length).await,
            Progress::Broken(flaw) => return flawed(io, flaw, &heard).await,
            Progress::Perhaps => true,
            Progress::More => false,
        };
        let seen = heard.len();
        make_room(&mut heard, seen.max(MORE_BYTES));
        let patience = if may_be_whole { MOMENT } else { Duration::MAX };
        match timeout(patience, io.read_buf(&mut *heard)).await.map(Result::unwrap_or_default) {
            Ok(0) | Err(_) if may_be_whole => return Heard::Request(heard),
            // who hangs up in the middle may yet hear what was wrong with it
            Ok(0) | Err(_) => {
                return Heard::Lost(Fault::malformed("the request ends too early"), word_of(&heard));
            }
            Ok(_) => progress = scanner.push(heard.get(seen..).unwrap_or_default()),
        }
    }
}

/// What was shown as a proof, without blanks behind it.
fn shown(mut heard: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    while heard.last().is_some_and(u8::is_ascii_whitespace) {
        heard.pop();
    }
    heard
}

/// A request, and nothing behind it but blanks: it takes turns with its answer.
async fn whole<IO: AsyncRead + Unpin>(io: &mut IO, mut heard: Zeroizing<Vec<u8>>, length: usize) -> Heard {
    let behind = heard.get(length..).unwrap_or_default();
    if behind.iter().all(u8::is_ascii_whitespace) {
        heard.truncate(length);
        return Heard::Request(heard);
    }
    flawed(io, Flaw::Json { at: length }, &heard).await
}

/// The word that something begins with, be it a request or not: what the network's rules are asked about.
fn word_of(begun: &[u8]) -> String {
    let word = begun.split(|byte| *byte == b' ').next().unwrap_or_default();
    String::from_utf8_lossy(word.get(..MAX_WORD_BYTES).unwrap_or(word)).into_owned()
}

/// What belongs to something that is no request is let go of: when nothing follows any more, the next may come.
async fn flawed<IO: AsyncRead + Unpin>(io: &mut IO, flaw: Flaw, begun: &[u8]) -> Heard {
    let (word, mut heard) = (word_of(begun), begun.len());
    let fault = match flaw {
        Flaw::Command => Fault(vec!["Invalid Command".to_owned(), flaw.to_string()]),
        Flaw::Large => return Heard::Lost(Fault::too_large(), word),
        Flaw::Json { .. } | Flaw::Deep { .. } => Fault::malformed(&flaw.to_string()),
    };
    let mut dropped = Zeroizing::new(vec![0; LARGE_BYTES]);
    loop {
        match timeout(MOMENT, io.read(&mut dropped)).await {
            Ok(Ok(length)) if length > 0 => heard += length,
            Ok(_) => return Heard::Lost(fault, word),
            Err(_) => return Heard::Flawed(fault, word),
        }
        if heard > MAX_REQUEST_BYTES {
            return Heard::Lost(fault, word);
        }
    }
}

/// Lets go of what still comes.
pub(crate) async fn let_go<IO: AsyncRead + Unpin>(io: &mut IO) {
    let (mut dropped, mut left) = (vec![0; LARGE_BYTES], UNREAD_BYTES);
    while let Ok(length) = io.read(&mut dropped).await {
        if length == 0 || length >= left {
            return;
        }
        left -= length;
    }
}
