//! The README's path.

use crate::clock;
use crate::home::{Done, Home};
use crate::served::{Served, after};
use rustix::process::Signal;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

const WELCOME: &str = "This is your first secret: sealed, durable and in the trail.";

#[test]
fn a_newcomer_gets_a_server_with_a_first_secret_from_one_command() {
    let home = Home::new();
    let began = clock::now();
    let served = Served::dev(&home);
    let ready = began.elapsed();
    let secret = home.run(&["secret", "get", "dev", "welcome"]).ok();
    println!(
        "process start to ready {ready:?}; to the first secret in another process {:?}",
        began.elapsed()
    );
    assert_eq!(secret.trim_end(), WELCOME);
    assert_eq!(served.unlock_keys().len(), 5, "{}", served.said);
    assert!(served.address.starts_with("https://127.0.0.1:"));
    let status = home.run(&["status", "--output", "json"]).json();
    assert_eq!((&status["state"], &status["threshold"]), (&"unlocked".into(), &1.into()));
}

#[test]
fn every_command_that_is_printed_works_as_printed() {
    let home = Home::new();
    let served = Served::dev(&home);
    let (_, printed) = served.said.split_once("Try, in another terminal:").unwrap();
    let commands: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(commands.len(), 3, "{printed}");
    for command in commands {
        // a person would be asked; a script says where the value is
        let more = if command.contains(" secret put ") { " --value -" } else { "" };
        pasted(&home, &format!("{command}{more}"), "s3cret").ok();
    }
    pasted(&home, &after(&served.said, "afterwards: "), "").ok();
    assert_eq!(home.run(&["secret", "get", "dev", "db/password"]).ok().trim_end(), "s3cret");
    let trail = home.run(&["audit", "tail"]).ok();
    assert!(trail.contains("dev/db/password"), "{trail}");
}

/// A line given to a shell in the home, on whose search path there is no such program.
fn pasted(home: &Home, line: &str, input: &str) -> Done {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(line).env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin");
    shell.current_dir(home.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    // a command that does not read its input is no fault
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_locked_start_says_how_to_unlock_and_nothing_else() {
    let home = Home::new();
    let served = Served::dev(&home);
    let keys = served.unlock_keys();
    home.run(&["lock"]).ok();
    assert_eq!(served.stop(Signal::INT).code(), Some(0));
    let served = Served::dev(&home);
    let hint = after(&served.said, "It is locked: ");
    assert!(!served.said.contains("Try") && !served.said.contains("login"), "{}", served.said);
    pasted(&home, &format!("{hint} --key-file -"), &keys[0]).ok();
    home.run(&["login"]).ok();
    assert_eq!(home.run(&["secret", "get", "dev", "welcome"]).ok().trim_end(), WELCOME);
}

#[test]
fn a_second_start_carries_on_with_data_and_token() {
    let home = Home::new();
    let served = Served::dev(&home);
    home.feed(&["secret", "put", "dev", "mine", "--value", "-"], "kept").ok();
    assert_eq!(served.stop(Signal::INT).code(), Some(0));
    let served = Served::dev(&home);
    assert!(served.unlock_keys().is_empty(), "keys are shown once");
    assert!(served.said.contains("It is unlocked"), "{}", served.said);
    assert_eq!(home.run(&["secret", "get", "dev", "mine"]).ok().trim_end(), "kept");
    assert_eq!(home.run(&["secret", "get", "dev", "welcome"]).ok().trim_end(), WELCOME);
    home.run(&["logout"]).ok();
    assert!(home.run(&["secret", "get", "dev", "mine"]).refused().contains("token"));
    home.run(&["login"]).ok();
    assert_eq!(home.run(&["secret", "get", "dev", "mine"]).ok().trim_end(), "kept");
    assert!(home.run(&["audit", "verify"]).ok().contains("yes"));
    assert_eq!(after(&served.said, "socket   "), served.socket.display().to_string());
}

#[test]
fn a_first_start_that_is_killed_leaves_no_server_that_nobody_can_open() {
    for pause in [0, 5, 15, 40, 80] {
        let home = Home::new();
        let data = home.join("data").display().to_string();
        let mut first = home.command(&["dev", "--listen", "127.0.0.1:0", "--data", &data]);
        let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let marker = home.join("data.keys/first-start");
        clock::soon("the first start begins", || {
            marker.exists() || home.join("data.keys/auto-unlock.key").exists()
        });
        std::thread::sleep(Duration::from_millis(pause));
        first.kill().unwrap();
        first.wait().unwrap();
        if marker.exists() && home.join("data.keys/auto-unlock.key").exists() {
            let said = home.run(&["dev", "--listen", "127.0.0.1:0", "--data", &data]).refused();
            assert!(said.contains("remove") && said.contains(&data), "{said}");
            std::fs::remove_dir_all(&data).unwrap();
        }
        if !marker.exists() {
            // everything was told before the end: it carries on
            assert!(Served::dev(&home).said.contains("It is unlocked"));
            continue;
        }
        let interrupted = home.join("data/strongroom.db").exists();
        match Served::try_dev(&home) {
            Ok(served) => assert_eq!(served.unlock_keys().len(), 5),
            Err(said) => assert!(interrupted && said.contains("remove"), "{said}"),
        }
    }
}
