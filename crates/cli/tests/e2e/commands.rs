//! Every command: its help, its example in `docs/cli.md`, and its JSON.

use crate::home::{Done, Home, STRONGROOM};
use crate::served::Served;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

/// Asks each command for its help, and gives those that have no commands below them.
fn leaves(home: &Home, path: &[String], found: &mut Vec<String>) {
    let words: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let help = home.run(&words).ok();
    let usage =
        ["strongroom"].into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    assert!(help.contains(&format!("Usage: {usage}")), "{path:?}: {help}");
    assert!(help.lines().next().is_some_and(|line| line.len() > 3), "{path:?} says nothing about itself");
    let (_, below) = help.split_once("\nCommands:\n").unwrap_or_default();
    let below = below.lines().take_while(|line| !line.is_empty());
    // a longer description goes on deeper in the line
    let below = below.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let below: Vec<_> =
        below.filter_map(|line| line.split(' ').next()).filter(|name| *name != "help").collect();
    if below.is_empty() {
        found.push(usage);
    }
    for name in below {
        leaves(home, &[path, &[name.to_owned()]].concat(), found);
    }
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_command_has_its_help_and_its_example() {
    let mut found = Vec::new();
    leaves(&Home::new(), &[], &mut found);
    assert!(found.len() > 25, "{found:?}");
    let document = document();
    let is_shown = |command: &str| {
        document.match_indices(command).any(|(at, _)| {
            let after = document[at + command.len()..].chars().next();
            after.is_none_or(|next| next == ' ' || next == '\n')
        })
    };
    let missing: Vec<_> = found.iter().filter(|command| !is_shown(command)).collect();
    assert!(missing.is_empty(), "docs/cli.md has no example of {missing:?}");
}

/// An example: what is typed, what is shown, and whether it has JSON to say.
struct Example {
    line: String,
    shown: Vec<String>,
    json: bool,
}

fn examples() -> Vec<Example> {
    let document = document();
    let mut examples: Vec<Example> = Vec::new();
    let mut json = None;
    for line in document.lines() {
        match (line, json, line.strip_prefix("$ ")) {
            ("```console", ..) => json = Some(true),
            ("```console plain", ..) => json = Some(false),
            ("```", ..) => json = None,
            (_, Some(json), Some(line)) => {
                let json = json && line.contains("strongroom ");
                examples.push(Example { line: line.to_owned(), shown: Vec::new(), json });
            }
            (shown, Some(_), None) => examples.last_mut().unwrap().shown.push(shown.to_owned()),
            _ => {}
        }
    }
    examples
}

/// A newcomer's home with a server, its unlock keys in a file, and the program on the search path.
fn ready() -> (Home, Served) {
    let home = Home::new();
    let served = Served::dev(&home);
    home.file("unlock-keys.txt", served.unlock_keys().join("\n"));
    home.file("ca.pem", "");
    std::fs::create_dir(home.join("bin")).unwrap();
    symlink(STRONGROOM, home.join("bin/strongroom")).unwrap();
    (home, served)
}

fn typed(home: &Home, line: &str, format: &str) -> Done {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(line).env_clear().env("HOME", home.path()).current_dir(home.path());
    shell
        .env("PATH", format!("{}:/usr/bin:/bin", home.join("bin").display()))
        .env("STRONGROOM_OUTPUT", format);
    let output = shell.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Done { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

#[test]
fn every_example_works_as_it_is_printed() {
    let (home, _served) = ready();
    for Example { line, shown, .. } in examples() {
        let done = typed(&home, &line, "table");
        assert_eq!(done.code, Some(0), "{line}: {done:?}");
        for shown in shown {
            assert!(
                done.out.lines().any(|line| line.trim_end() == shown),
                "{line}: {shown:?} is not in {done:?}"
            );
        }
    }
}

#[test]
fn every_command_that_answers_answers_in_json_too() {
    let (home, _served) = ready();
    for Example { line, json, .. } in examples() {
        let done = typed(&home, &line, "json");
        assert_eq!(done.code, Some(0), "{line}: {done:?}");
        if !json {
            continue;
        }
        let whole = serde_json::from_str::<serde_json::Value>(&done.out);
        let by_lines =
            || done.out.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
        assert!(!done.out.is_empty() && (whole.is_ok() || by_lines()), "{line}: {done:?}");
    }
}
