//! What the system saw: a child's file operations, from strace.

use crate::child;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

/// One thing that happened, in the order in which strace saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Write {
        file: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        len: usize,
    },
    SyncBegan {
        file: String,
    },
    /// `began` is the index of its beginning.
    Synced {
        file: String,
        began: usize,
    },
    Acknowledged(String),
}

/// Runs a short child under strace; `None` where there is no strace.
pub(crate) fn record(dir: &Path) -> Option<Vec<Event>> {
    if Command::new("strace").arg("-V").output().is_err() {
        crate::skipped("strace missing");
        return None;
    }
    let out = dir.with_extension("trace");
    let calls = "trace=pwrite64,write,ftruncate,fsync,fdatasync";
    let before = ["strace", "-f", "-y", "-xx", "-s", "20000", "-e", calls, "-o", out.to_str().unwrap()];
    let run = child::command(&before, "short", dir, "t").output().unwrap();
    let text = std::fs::read_to_string(&out).unwrap();
    std::fs::remove_file(&out).unwrap();
    assert!(run.status.success(), "the traced child failed");
    Some(parse(&text))
}

fn parse(text: &str) -> Vec<Event> {
    let mut events = Vec::new();
    // a call that another thread interrupted: what it was, by thread
    let mut open: HashMap<&str, (String, usize)> = HashMap::new();
    for line in text.lines() {
        let (thread, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        if rest.starts_with("<... f") && rest.contains("sync resumed") {
            let (file, began) = open.remove(thread).expect("a sync that began");
            assert!(rest.ends_with("= 0"), "{line}");
            events.push(Event::Synced { file, began });
            continue;
        }
        let Some((call, arguments)) = rest.split_once('(') else { continue };
        let Some(file) = file_of(arguments) else { continue };
        match call {
            "pwrite64" => {
                let (bytes, tail) = data(arguments);
                let at = tail
                    .split(',')
                    .nth(2)
                    .unwrap()
                    .trim_matches([' ', ')'])
                    .split([')', ' '])
                    .next()
                    .unwrap();
                events.push(Event::Write { file, at: at.parse().unwrap(), bytes });
            }
            "write" => {
                let said = String::from_utf8_lossy(&data(arguments).0).into_owned();
                events.extend(child::acknowledged(&said).map(Event::Acknowledged));
            }
            "ftruncate" => {
                let len =
                    arguments.split(", ").nth(1).unwrap().split([')', ' ']).next().unwrap().parse().unwrap();
                events.push(Event::Truncate { file, len });
            }
            _ => {
                let began = events.len();
                events.push(Event::SyncBegan { file: file.clone() });
                if rest.contains("<unfinished") {
                    open.insert(thread, (file, began));
                } else {
                    assert!(rest.ends_with("= 0"), "{line}");
                    events.push(Event::Synced { file, began });
                }
            }
        }
    }
    events
}

/// The file's name, from `5</path/name>`; with `-xx` the path may be in hexadecimal.
fn file_of(arguments: &str) -> Option<String> {
    let (_, path) = arguments.split_once('<')?;
    let (path, _) = path.split_once('>')?;
    let path = if path.starts_with("\\x") { String::from_utf8(unhex(path)).ok()? } else { path.to_owned() };
    path.rsplit('/').next().map(str::to_owned)
}

/// The bytes between the quotes, and what follows them.
fn data(arguments: &str) -> (Vec<u8>, &str) {
    let (_, rest) = arguments.split_once('"').unwrap();
    let (hex, tail) = rest.split_once('"').unwrap();
    assert!(!tail.starts_with("..."), "strace cut a buffer");
    (unhex(hex), tail)
}

fn unhex(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|byte| u8::from_str_radix(&byte[..2], 16).unwrap()).collect()
}

#[test]
fn no_acknowledgement_precedes_the_flush_that_covers_it() {
    let dir = tempfile::tempdir().unwrap();
    let Some(events) = record(dir.path()) else { return };
    let log = |name: &String| name == "strongroom.db-wal";
    let mut checked = 0;
    for (index, event) in events.iter().enumerate() {
        let Event::Acknowledged(key) = event else { continue };
        let wrote = events.iter().position(
            |event| matches!(event, Event::Write { file, bytes, .. } if log(file) && holds(bytes, key.as_bytes())),
        );
        let wrote = wrote.unwrap_or_else(|| panic!("{key} never reached the log"));
        let flushed = events[..index]
            .iter()
            .any(|event| matches!(event, Event::Synced { file, began } if log(file) && *began > wrote));
        assert!(flushed, "{key} was acknowledged before its flush");
        checked += 1;
    }
    assert_eq!(checked, 36, "acknowledgements in the trace");
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
