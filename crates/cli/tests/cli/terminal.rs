//! Questions at a terminal: a pseudo-terminal stands in for it.

use crate::world::{World, reply};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::Stdio;

/// The person's side and the program's side.
fn terminal() -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
    (File::from(person), OpenOptions::new().read(true).write(true).open(name).unwrap())
}

/// Runs a command whose questions go to a terminal: types each answer when its question is there. Says how it ended,
/// what the terminal showed, and what went to standard output.
fn converse(world: &World, args: &[&str], talk: &[(&str, &[u8])]) -> (i32, String, String) {
    let (mut person, program) = terminal();
    let mut command = world.command(args);
    command.stdin(Stdio::from(program.try_clone().unwrap())).stderr(Stdio::from(program));
    let child = command.spawn().unwrap();
    // the command keeps the program's side open in this process
    drop(command);
    let mut shown = Vec::new();
    let mut from = 0;
    for (question, answer) in talk {
        from = loop {
            if let Some(at) = String::from_utf8_lossy(&shown[from..]).find(question) {
                break from + at + question.len();
            }
            assert!(
                read_some(&mut person, &mut shown),
                "{question:?} is not in {:?}",
                String::from_utf8_lossy(&shown)
            );
        };
        person.write_all(answer).unwrap();
    }
    while read_some(&mut person, &mut shown) {}
    let outcome = child.wait_with_output().unwrap();
    let out = String::from_utf8(outcome.stdout).unwrap();
    (outcome.status.code().unwrap(), String::from_utf8(shown).unwrap(), out)
}

/// Reads what the terminal shows; a closed terminal ends it.
fn read_some(person: &mut File, shown: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 1_024];
    match person.read(&mut buffer) {
        Ok(count) if count > 0 => {
            shown.extend_from_slice(&buffer[..count]);
            true
        }
        _ => false,
    }
}

fn written(_: &crate::world::Request) -> crate::world::Reply {
    reply(200, r#"{"version":1,"created":"c"}"#)
}

#[test]
fn a_secret_is_asked_for_without_echo() {
    let world = World::with(written);
    let talk: [(&str, &[u8]); 1] = [("Value of p: ", b"hunter2\r")];
    let (code, shown, out) = converse(&world, &["secret", "put", "s", "p"], &talk);
    assert_eq!((code, out.as_str()), (0, "Wrote p version 1.\n"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(world.seen()[0].text(), r#"{"value":"hunter2"}"#);
}

#[test]
fn an_interrupted_question_sends_nothing() {
    let world = World::with(written);
    let (code, shown, _) = converse(&world, &["secret", "put", "s", "p"], &[("Value of p: ", b"hun\x03")]);
    assert_eq!(code, 1);
    assert!(shown.contains("interrupted"), "{shown}");
    assert!(world.seen().is_empty());
}

#[test]
fn a_refused_unlock_key_can_be_typed_again() {
    let world = World::with(|request| match request.text().as_str() {
        r#"{"unlock_key":"right"}"# => reply(200, r#"{"done":true,"have":1,"need":1}"#),
        _ => reply(400, r#"{"title":"Wrong key","code":"wrong_unlock_key","request_id":"r"}"#),
    });
    let talk: [(&str, &[u8]); 2] =
        [("Unlock key: ", b"wrong\r"), ("Wrong key (wrong_unlock_key", b"right\r")];
    let (code, shown, out) = converse(&world, &["unlock", "--no-color"], &talk);
    assert_eq!((code, out.as_str()), (0, "Unlocked.\n"), "{shown}");
    assert!(!shown.contains("right\r"), "{shown}");
}

#[test]
fn removing_a_store_takes_the_word_yes() {
    let world = World::with(|_| reply(204, ""));
    let no = converse(&world, &["store", "remove", "s"], &[("Type yes: ", b"y\n")]);
    assert_eq!(no.0, 1, "{}", no.1);
    assert!(world.seen().is_empty());
    let yes = converse(&world, &["store", "remove", "s"], &[("Type yes: ", b"yes\n")]);
    assert_eq!(yes.2, "Removed store s.\n", "{}", yes.1);
}

#[test]
fn root_is_rotated_in_one_conversation() {
    let status = r#"{"version":"1","state":"unlocked","confirmed":true,"threshold":2,"num_keys":3,"set_id":"a","progress":0,"rotation_pending":false,"auto_unlock":[],"auto_unlock_held":false,"space":"ample","warnings":[]}"#;
    let new = r#"{"set_id":"b","threshold":1,"unlock_keys":["new-1"],"warnings":[]}"#;
    let world = World::with(move |request| match request.line.as_str() {
        "GET /api/v1/status" => reply(200, status),
        "POST /api/v1/rotate/root" => reply(200, new),
        _ => reply(200, r#"{"done":true,"have":1,"need":1}"#),
    });
    let talk: [(&str, &[u8]); 3] =
        [("key 1 of 2: ", b"old-1\r"), ("key 2 of 2: ", b"old-2\r"), ("New unlock key 1 of 1: ", b"new-1\r")];
    let (code, shown, out) = converse(&world, &["rotate", "root", "--threshold", "1"], &talk);
    assert_eq!(code, 0, "{shown}");
    assert!(out.contains("1: new-1") && out.contains("Done: only the new"), "{out}");
    let seen = world.seen();
    assert_eq!(seen[1].text(), r#"{"unlock_keys":["old-1","old-2"],"num_keys":null,"threshold":1}"#);
    assert_eq!(seen[2].text(), r#"{"unlock_keys":["new-1"]}"#);
}

#[test]
fn an_interrupted_rotation_is_taken_up_again() {
    let world = World::with(|_| reply(200, r#"{"done":true,"have":2,"need":2}"#));
    let question = "(an empty line ends): ";
    let talk: [(&str, &[u8]); 1] = [(question, b"new-1\rnew-2\r\r")];
    let (code, shown, _) = converse(&world, &["rotate", "root", "--confirm"], &talk);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.seen()[0].text(), r#"{"unlock_keys":["new-1","new-2"]}"#);
}

/// Runs a command with a terminal for standard output, another for standard error, and says what each showed.
fn shown(world: &World, args: &[&str], no_color: bool) -> (i32, String, String) {
    let (mut sees_out, out) = terminal();
    let (mut sees_err, err) = terminal();
    let mut command = world.command(args);
    command.env("TERM", "xterm");
    if no_color {
        command.env("NO_COLOR", "1");
    }
    command.stdout(Stdio::from(out)).stderr(Stdio::from(err));
    let mut child = command.spawn().unwrap();
    // the command keeps the program's sides open in this process
    drop(command);
    let errors = std::thread::spawn(move || {
        let mut shown = Vec::new();
        while read_some(&mut sees_err, &mut shown) {}
        String::from_utf8(shown).unwrap()
    });
    let mut shown = Vec::new();
    while read_some(&mut sees_out, &mut shown) {}
    (child.wait().unwrap().code().unwrap(), String::from_utf8(shown).unwrap(), errors.join().unwrap())
}

#[test]
fn colours_are_for_terminals_and_can_be_switched_off() {
    let world = World::with(|_| reply(200, r#"{"stores":[]}"#));
    let (code, out, _) = shown(&world, &["store", "list"], false);
    assert!(code == 0 && out.contains("\u{1b}[1mNAME"), "{out:?}");
    for (args, no_color) in [(&["store", "list"][..], true), (&["store", "list", "--no-color"], false)] {
        let (_, out, err) = shown(&world, args, no_color);
        assert!(
            out.contains("NAME") && !out.contains('\u{1b}') && !err.contains('\u{1b}'),
            "{args:?} {out:?}"
        );
    }
    let (_, help, _) = shown(&world, &["--help", "--no-color"], false);
    assert!(!help.contains('\u{1b}'), "{help:?}");
}

#[test]
fn values_are_not_exported_onto_a_screen() {
    let listed = "{\"path\":\"a\"}\n";
    let value = r#"{"value":"hunter2","version":1,"created":"c","creator":"root"}"#;
    let world = World::with(move |request| {
        reply(200, if request.line.ends_with("/secrets") { listed } else { value })
    });
    let (code, out, err) = shown(&world, &["secret", "export", "s", "--format", "json"], true);
    assert!(code == 2 && out.is_empty() && err.contains("--force"), "{out:?} {err:?}");
    assert!(world.seen().is_empty(), "it was asked for all the same");
    let (code, out, _) = shown(&world, &["secret", "export", "s", "--format", "json", "--force"], true);
    assert!(code == 0 && out.contains("hunter2"), "{out:?}");
}

#[test]
fn progress_is_shown_after_a_second_and_only_to_a_person() {
    let world = World::with(|request| {
        // slower than a second for all of them together
        std::thread::sleep(std::time::Duration::from_millis(60));
        match request.line.as_str() {
            "GET /api/v1/stores/s" => reply(200, "{}"),
            line if line.starts_with("PUT") => reply(200, r#"{"version":1,"created":"c"}"#),
            _ => reply(404, r#"{"title":"There is none","status":404,"code":"not_found"}"#),
        }
    });
    let named: Vec<_> = (0..30).map(|number| format!("K{number}=v\n")).collect();
    let file = world.file("a.env", named.concat());
    let import = ["secret", "import", "s", file.to_str().unwrap()];
    let piped = world.run(&import);
    assert_eq!((piped.code(), piped.err().as_str()), (0, ""));
    let (code, out, err) = shown(&world, &import, false);
    assert!(code == 0 && out.starts_with("Of 30 secrets were: 30 created."), "{out:?}");
    assert!(err.contains("/30 secrets compared"), "{err:?}");
}
