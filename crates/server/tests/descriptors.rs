//! A process without descriptors goes on accepting once it has some again. Alone in its binary: the limit is the
//! process's.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail them")]

use axum::Router;
use axum::routing::get;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use strongroom_server::config::{self, Address, Limits};
use strongroom_server::listen::{Listener, Listeners};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

async fn status(stream: &mut UnixStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut buffer = vec![0; 1_024];
    let length = stream.read(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..length]).chars().take(12).collect()
}

#[tokio::test]
async fn a_server_out_of_descriptors_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.sock");
    let unix = config::Listener::native("local", Address::Unix(path.clone()));
    let mut listeners = Listeners::new(Limits::default());
    listeners.serve(Listener::bind(&unix, None).unwrap(), Router::new().route("/", get(|| async { "" })));
    let mut before = UnixStream::connect(&path).await.unwrap();
    assert_eq!(status(&mut before).await, "HTTP/1.1 200");
    let limit = getrlimit(Resource::Nofile);
    let used = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    // a connection takes one descriptor here and one in the server: the last ones wait unaccepted
    setrlimit(Resource::Nofile, Rlimit { current: Some(used + 8), ..limit }).unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = UnixStream::connect(&path).await {
        held.push(stream);
    }
    assert!(held.len() >= 4, "{}", held.len());
    assert_eq!(status(&mut before).await, "HTTP/1.1 200", "open connections are served meanwhile");
    held.clear();
    setrlimit(Resource::Nofile, limit).unwrap();
    assert_eq!(status(&mut UnixStream::connect(&path).await.unwrap()).await, "HTTP/1.1 200");
}
