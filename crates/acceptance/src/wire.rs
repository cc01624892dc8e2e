//! A proxy before the exchange that looks at each byte in both directions.

use crate::fault::Outcome;
use crate::needles::Needles;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes that are passed on at once.
const PIECE: usize = 64 << 10;

/// What was seen on the way.
#[derive(Debug, Default)]
struct Seen {
    found: BTreeMap<String, u64>,
    bytes: u64,
}

/// The proxy; it lives as long as the process.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    /// Where it listens.
    pub(crate) port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl Wire {
    /// Begins to pass on to a port of loopback.
    pub(crate) fn tap(to: u16, needles: Arc<Needles>) -> Outcome<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let wire = Self { port: listener.local_addr()?.port(), seen: Arc::default() };
        let seen = wire.seen.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (seen, needles) = (seen.clone(), needles.clone());
                thread::spawn(move || connect(client, to, &needles, &seen));
            }
        });
        Ok(wire)
    }

    /// What was found so far, and in how many bytes.
    pub(crate) fn found(&self) -> (Vec<(String, u64)>, u64) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.found.clone().into_iter().collect(), seen.bytes)
    }
}

/// A server that is not there now ends the client's connection, as without a proxy.
fn connect(client: TcpStream, to: u16, needles: &Arc<Needles>, seen: &Arc<Mutex<Seen>>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { return };
    let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else { return };
    let (other_needles, other_seen) = (needles.clone(), seen.clone());
    let back = thread::spawn(move || pass(from_server, client, &other_needles, &other_seen));
    pass(from_client, server, needles, seen);
    // a panic there has told of itself
    let _ = back.join();
}

fn pass(mut from: TcpStream, mut to: TcpStream, needles: &Needles, seen: &Mutex<Seen>) {
    let mut search = needles.search();
    let mut piece = vec![0; PIECE];
    while let Ok(count) = from.read(&mut piece) {
        let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
        search.feed(read);
        if to.write_all(read).is_err() {
            break;
        }
    }
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.bytes += search.bytes();
    for (name, count) in search.found() {
        *seen.found.entry(name.to_owned()).or_default() += count;
    }
    drop(seen);
    // one of the two may be gone already
    let _ = (from.shutdown(Shutdown::Read), to.shutdown(Shutdown::Write));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::until;
    use std::time::Duration;

    #[test]
    fn what_goes_by_arrives_and_is_seen() {
        let mut needles = Needles::default();
        needles.add("word", b"a plain value");
        let behind = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let wire = Wire::tap(behind.local_addr().unwrap().port(), Arc::new(needles)).unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", wire.port)).unwrap();
        client.write_all(b"here is a plain value").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut served = behind.accept().unwrap().0;
        let mut got = String::new();
        served.read_to_string(&mut got).unwrap();
        assert_eq!(got, "here is a plain value");
        drop(served);
        until("the search", Duration::from_secs(10), || !wire.found().0.is_empty()).unwrap();
        assert_eq!(wire.found(), (vec![("word".to_owned(), 1)], 21));
    }
}
