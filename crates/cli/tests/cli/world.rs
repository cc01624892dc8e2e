//! The binary in a home of its own, and a server that answers from a script.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Method and target.
    pub(crate) line: String,
    /// Header lines, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// What is answered: status, body.
pub(crate) type Reply = (u16, Vec<u8>);

/// A reply with a body of text.
pub(crate) fn reply(status: u16, body: &str) -> Reply {
    (status, body.as_bytes().to_vec())
}

/// A home folder, and the address of a scripted server.
pub(crate) struct World {
    home: tempfile::TempDir,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl World {
    /// Without a server.
    pub(crate) fn alone() -> Self {
        Self { home: tempfile::tempdir().unwrap(), seen: Arc::default() }
    }

    /// With a server that answers by a function of method and target.
    pub(crate) fn with(answer: impl Fn(&Request) -> Reply + Send + 'static) -> Self {
        let world = Self::alone();
        let listener = UnixListener::bind(world.socket()).unwrap();
        let seen = Arc::clone(&world.seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &seen, &answer);
            }
        });
        world
    }

    /// The home folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file in the home folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.home().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .unwrap();
        file.write_all(content.as_ref()).unwrap();
        path
    }

    fn socket(&self) -> PathBuf {
        self.home().join("s.sock")
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// The binary, pointed at the server.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.home())
            .env("XDG_STATE_HOME", self.home().join("state"))
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            .env("STRONGROOM_ADDR", format!("unix:{}", self.socket().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it with nothing on standard input.
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        Outcome(self.command(args).output().unwrap())
    }

    /// Runs it with something on standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Outcome {
        Outcome::of(&mut self.command(args), input)
    }
}

/// How it ended.
pub(crate) struct Outcome(Output);

impl Outcome {
    /// Of a command with something on standard input.
    pub(crate) fn of(command: &mut Command, input: &[u8]) -> Self {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        // a command that refuses does not read
        let _ = child.stdin.take().unwrap().write_all(input);
        Self(child.wait_with_output().unwrap())
    }

    /// The exit code.
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    /// Standard output.
    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    /// Standard output as bytes.
    pub(crate) fn out_bytes(&self) -> &[u8] {
        &self.0.stdout
    }

    /// Standard error.
    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}

fn serve(stream: UnixStream, seen: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Reply) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some(request) = read(&mut reader) else { return };
    let (status, body) = answer(&request);
    seen.lock().unwrap().push(request);
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let mut stream = stream;
    // the client may have gone away on purpose
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

fn read(reader: &mut BufReader<UnixStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let line = lines.remove(0).trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Some(Request { line, headers, body })
}
