//! The original's own programs, unmodified: `tests/convection/drive.py` runs them, each call in a process of its own.

use crate::home::{Done, Home};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

/// The virtual environment of `cargo xtask test --install`.
const ENVIRONMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/convection");
/// What runs in it.
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/convection/drive.py");

/// A program of the original's, if it is installed; else its absence is told.
pub(crate) fn original(program: &str) -> Option<PathBuf> {
    let path = Path::new(ENVIRONMENT).join("bin").join(program);
    if !path.is_file() {
        println!("SKIPPED: {program} is missing: the door is not tried with the original's own programs");
        return None;
    }
    Some(path)
}

/// A process in which the original is loaded.
pub(crate) struct Driver {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Driver {
    /// With this home and nothing of this process's surroundings; nothing if the original is not installed.
    pub(crate) fn start(home: &Home) -> Option<Self> {
        original("convection-secrets")?;
        let mut command = Command::new(original("python")?);
        command.arg(DRIVER).env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin");
        command.current_dir(home.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Self { child, pipes: Mutex::new((orders, BufReader::new(answers))) })
    }

    fn order(&self, order: &Value) -> Value {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{order}").unwrap();
        pipes.0.flush().unwrap();
        let mut line = String::new();
        pipes.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|fault| panic!("{fault}: {order} is answered {line:?}"))
    }

    fn program(&self, name: &str, arguments: &[&str]) -> Done {
        let done = self.order(&json!({ name: arguments }));
        let text = |key: &str| done[key].as_str().unwrap().to_owned();
        let code = done["code"].as_i64().unwrap();
        Done { code: code.try_into().ok(), out: text("out"), err: text("err") }
    }

    /// `convection-secrets ARGUMENTS`.
    pub(crate) fn client(&self, arguments: &[&str]) -> Done {
        self.program("client", arguments)
    }

    /// `convection-secrets-manager ARGUMENTS`.
    pub(crate) fn manager(&self, arguments: &[&str]) -> Done {
        self.program("manager", arguments)
    }

    /// Methods of one client of the library, in turn: for each its value in `ok`, or `error` and `text`.
    pub(crate) fn by_library(&self, configuration: &Path, steps: &[(&str, Value)]) -> Vec<Value> {
        list(self.order(&json!({ "library": configuration, "steps": steps })))
    }

    /// Texts over one connection of a real WebSocket client: the answer to each.
    pub(crate) fn websocket(&self, url: &str, authority: &Path, steps: &[Value]) -> Vec<Value> {
        list(self.order(&json!({ "websocket": url, "authority": authority, "steps": steps })))
    }
}

fn list(answer: Value) -> Vec<Value> {
    match answer {
        Value::Array(list) => list,
        other => panic!("{}", other["err"].as_str().unwrap_or_default()),
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
