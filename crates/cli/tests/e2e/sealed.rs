//! What must be found nowhere but in an answer.

use crate::home::Home;
use crate::served::Served;
use crate::shared::World;
use rustix::process::Signal;
use std::path::{Path, PathBuf};

/// Texts that a person chose, or that open something.
const NAMES: [&str; 3] = ["zanzibar-store", "quokka/password", "quokka"];
const VALUES: [&str; 3] = ["xylophone-value", "9182736455463728", "kumquat-bytes"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// The first of many texts, in one pass: few places begin as any of them does.
fn first_of<'t>(bytes: &[u8], texts: &'t [String]) -> Option<&'t str> {
    let mut begins = [false; 256];
    for text in texts {
        begins[usize::from(text.as_bytes()[0])] = true;
    }
    let stands = |at: usize| texts.iter().find(|text| bytes[at..].starts_with(text.as_bytes()));
    (0..bytes.len()).filter(|at| begins[usize::from(bytes[*at])]).find_map(stands).map(String::as_str)
}

#[test]
fn a_text_is_found_wherever_it_stands() {
    let texts = ["quokka", "wombat"].map(str::to_owned);
    for (bytes, found) in
        [("quokka", Some("quokka")), ("..quokkwombat", Some("wombat")), ("quokk wombaT", None)]
    {
        assert_eq!(first_of(bytes.as_bytes(), &texts), found, "{bytes}");
    }
}

fn assert_in_no_file(folder: &Path, texts: &[String]) {
    let mut all = Vec::new();
    files(folder, &mut all);
    assert!(all.len() > 3, "{all:?}");
    for file in all {
        let bytes = std::fs::read(&file).unwrap();
        let found = first_of(&bytes, texts);
        assert!(found.is_none(), "{found:?} stands in {}", file.display());
    }
}

#[test]
fn names_and_values_are_in_no_file_and_in_no_log() {
    let home = Home::new();
    let served = Served::dev_with(&home, &home.join("data"), "debug");
    home.run(&["store", "create", NAMES[0]]).ok();
    home.feed(&["secret", "put", NAMES[0], NAMES[1], "--value", "-"], VALUES[0]).ok();
    home.feed(&["secret", "put", NAMES[0], "n", "--json", "--value", "-"], VALUES[1]).ok();
    home.feed(&["secret", "put", NAMES[0], "b", "--bytes", "--value", "-"], VALUES[2]).ok();
    home.run(&["secret", "get", NAMES[0], NAMES[1]]).ok();
    home.run(&["secret", "get", NAMES[0], "not-there-wombat"]).refused();
    home.run(&["secret", "list", NAMES[0], "--prefix", "quo"]).ok();
    home.run(&["login"]).ok();
    let token = std::fs::read_to_string(home.join(".local/state/strongroom/tokens/dev")).unwrap();
    let mut texts: Vec<String> = [NAMES, VALUES].concat().into_iter().map(str::to_owned).collect();
    texts.extend(["wombat".to_owned(), token.trim().to_owned(), "first secret".to_owned()]);
    texts.extend(served.unlock_keys());
    let data = home.join("data");
    assert_in_no_file(&data, &texts);
    let mut log = served.log_text();
    assert!(log.contains("DEBUG"), "the log was not asked for everything: {log}");
    served.stop(Signal::TERM);
    assert_in_no_file(&data, &texts);
    log += &std::fs::read_to_string(home.join("dev.log")).unwrap();
    for text in &texts {
        assert!(!log.contains(text.as_str()), "{text} stands in the log");
    }
}

#[test]
fn nothing_secret_stands_on_a_command_line_and_no_core_is_dumped() {
    let world = World::shared();
    let pid = world.served.pid();
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let environment = std::fs::read(format!("/proc/{pid}/environ"));
    let mut texts = world.served.unlock_keys();
    texts.push(world.client().token().to_owned());
    for text in &texts {
        assert!(!contains(&line, text.as_bytes()));
        assert!(!environment.as_ref().is_ok_and(|bytes| contains(bytes, text.as_bytes())));
    }
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(cores.split_whitespace().nth(4), Some("0"), "{cores}");
    for arguments in [
        ["secret", "put", "dev", "x", "--value", "hunter2"],
        ["secret", "put", "dev", "x", "--json", "hunter2"],
    ] {
        let done = world.home.run(&arguments);
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(!done.err.contains("hunter2") && !done.out.contains("hunter2"), "{done:?}");
    }
}

#[test]
fn what_opens_the_data_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::shared();
    let mut all = Vec::new();
    files(&world.home.join("data"), &mut all);
    files(&world.home.join("data.keys"), &mut all);
    files(&world.home.join(".local"), &mut all);
    for file in all {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
        let name = file.file_name().unwrap().to_str().unwrap();
        let open = matches!(name, "ca.pem" | "server.pem" | "strongroom.sock");
        assert!(open || mode.trailing_zeros() >= 6, "{} has mode {mode:o}", file.display());
    }
}
