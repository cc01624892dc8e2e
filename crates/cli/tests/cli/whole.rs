//! The binary against itself: a newcomer's server, everything that a client asks it, over TLS.

use crate::world::{Outcome, World};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

/// A running server; stopped in good order when the test ends.
struct Server {
    child: Child,
    said: String,
}

impl Server {
    fn start(world: &World) -> Self {
        let data = world.home().join("data");
        let mut command =
            world.command(&["dev", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
        let mut child = command.env_remove("STRONGROOM_ADDR").stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = String::new();
        while !said.contains("Ctrl-C stops it") {
            said.push_str(&lines.next().unwrap().unwrap());
            said.push('\n');
        }
        Self { child, said }
    }

    fn stop(mut self) -> i32 {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }

    fn unlock_keys(&self) -> Vec<String> {
        numbered(&self.said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // gone already, if the test went well
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The keys of a text in which they are numbered.
fn numbered(text: &str) -> Vec<String> {
    let keys = text.lines().filter_map(|line| line.trim().split_once(": "));
    keys.filter(|(number, _)| number.parse::<u8>().is_ok()).map(|(_, key)| key.to_owned()).collect()
}

/// Asks through the context that the server wrote.
fn ask(world: &World, args: &[&str], input: &[u8]) -> Outcome {
    let mut command = world.command(args);
    Outcome::of(command.env_remove("STRONGROOM_ADDR"), input)
}

fn good(world: &World, args: &[&str], input: &[u8]) -> String {
    let outcome = ask(world, args, input);
    assert_eq!(outcome.code(), 0, "{args:?}: {}", outcome.err());
    outcome.out()
}

#[test]
fn a_newcomer_stores_reads_stops_and_goes_on() {
    let world = World::alone();
    let server = Server::start(&world);
    assert_eq!(server.unlock_keys().len(), 5);
    assert!(good(&world, &["status"], b"").contains("unlocked"));
    assert!(good(&world, &["secret", "get", "dev", "welcome"], b"").contains("first secret"));
    good(&world, &["store", "create", "app"], b"");
    let number = b"[9007199254740993, 1.10]";
    good(&world, &["secret", "put", "app", "a/b", "--json", "--value", "-"], number);
    good(&world, &["secret", "put", "app", "bin", "--bytes", "--value", "-"], &[0, 255]);
    good(&world, &["secret", "put", "app", "nothing", "--json", "--value", "-"], b"null");
    assert_eq!(server.stop(), 0);

    let server = Server::start(&world);
    assert!(server.unlock_keys().is_empty());
    good(&world, &["login"], b"");
    assert_eq!(good(&world, &["secret", "get", "app", "a/b"], b""), "[9007199254740993, 1.10]");
    assert_eq!(good(&world, &["secret", "get", "app", "nothing"], b""), "null");
    let raw = ask(&world, &["secret", "get", "app", "bin", "--raw"], b"");
    assert_eq!(raw.out_bytes(), [0, 255]);
    assert_eq!(good(&world, &["secret", "list", "app"], b""), "PATH\na/b\nbin\nnothing\n");
    assert_eq!(
        good(&world, &["secret", "search", "app", "thi", "--output", "json"], b""),
        "{\"path\":\"nothing\"}\n"
    );
    let stale = ask(&world, &["secret", "put", "app", "a/b", "--cas", "7", "--value", "-"], b"x");
    assert_eq!(stale.code(), 1);
    assert!(stale.err().contains("(version_mismatch, request "), "{}", stale.err());
    good(&world, &["secret", "delete", "app", "a/b"], b"");
    good(&world, &["store", "remove", "app", "--yes"], b"");
    assert_eq!(server.stop(), 0);
}

#[test]
fn an_operator_locks_unlocks_and_rotates() {
    let world = World::alone();
    let server = Server::start(&world);
    let key = server.unlock_keys().remove(0);
    good(&world, &["lock"], b"");
    let locked = ask(&world, &["store", "list"], b"");
    assert!(locked.err().contains("hint: strongroom unlock"), "{}", locked.err());
    assert_eq!(good(&world, &["unlock", "--key-file", "-"], key.as_bytes()), "Unlocked.\n");
    good(&world, &["login"], b"");
    let rotate = ["rotate", "root", "--num-keys", "3", "--threshold", "2", "--key-file", "-"];
    let new = numbered(&good(&world, &rotate, key.as_bytes()));
    assert_eq!(new.len(), 3);
    let confirm = ["rotate", "root", "--confirm", "--key-file", "-"];
    assert_eq!(ask(&world, &confirm, new[0].as_bytes()).code(), 1);
    good(&world, &confirm, new[1..].join("\n").as_bytes());
    good(&world, &["lock"], b"");
    assert_eq!(ask(&world, &["unlock", "--key-file", "-"], key.as_bytes()).code(), 1);
    good(&world, &["unlock", "--key-file", "-"], new[..2].join("\n").as_bytes());
    assert_eq!(server.stop(), 0);
}

#[test]
fn the_trail_is_shown_verified_and_exported() {
    let world = World::alone();
    let server = Server::start(&world);
    good(&world, &["secret", "get", "dev", "welcome"], b"");
    let tail = good(&world, &["audit", "tail", "-n", "1"], b"");
    assert!(tail.contains("secret.get") && tail.contains("dev/welcome"), "{tail}");
    let checkpoint = world.home().join("checkpoint.json");
    let path = checkpoint.to_str().unwrap();
    good(&world, &["audit", "checkpoint", "--out", path], b"");
    assert!(good(&world, &["audit", "verify", "--against", path], b"").contains("yes"));
    let lines = good(&world, &["audit", "export"], b"");
    assert!(lines.lines().all(|line| line.starts_with("{\"seq\":")), "{lines}");
    let again = ask(&world, &["init", "--yes"], b"");
    assert!(again.err().contains("already_initialised"), "{}", again.err());
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_bad_configuration_is_told_with_its_line() {
    let world = World::alone();
    let file = world.file("server.toml", "[server]\ndata_dir = \"/tmp/x\"\nnonsense = 1\n");
    for args in [["config", "check", file.to_str().unwrap()], ["server", "-c", file.to_str().unwrap()]] {
        let outcome = world.run(&args);
        assert_eq!(outcome.code(), 1);
        assert!(
            outcome.err().contains("server.toml:3") && outcome.err().contains("nonsense"),
            "{}",
            outcome.err()
        );
    }
}
