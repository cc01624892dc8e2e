//! Commands with secrets in their environment: real children, real signals.

use crate::home::{Done, Home};
use crate::served::Served;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};

fn ready() -> (Home, Served) {
    let home = Home::new();
    let served = Served::dev(&home);
    home.run(&["store", "create", "web"]).ok();
    for (path, value) in [("db/password", "hunter2-of-the-db"), ("api-key", "k3y\"\n"), ("pin", "123")] {
        home.feed(&["secret", "put", "web", path, "--value", "-"], value).ok();
    }
    home.feed(&["secret", "put", "web", "conf", "--json", "--value", "-"], "{\"n\": 1.10}").ok();
    (home, served)
}

fn exec(home: &Home, options: &[&str], command: &[&str]) -> Done {
    home.run(&[&["exec", "--store", "web"], options, &["--"], command].concat())
}

fn sh(home: &Home, options: &[&str], script: &str) -> Done {
    exec(home, options, &["sh", "-c", script])
}

#[test]
fn secrets_are_in_the_childs_environment_only() {
    let (home, _served) = ready();
    let all = sh(&home, &[], "printf '%s|%s|%s|%s' \"$DB_PASSWORD\" \"$API_KEY\" \"$CONF\" \"$PIN\"").ok();
    assert_eq!(all, "hunter2-of-the-db|k3y\"\n|{\"n\": 1.10}|123");
    let command_line = sh(&home, &[], "tr '\\0' ' ' < /proc/$$/cmdline").ok();
    assert!(!command_line.contains("hunter2"));
    let some = sh(&home, &["--prefix", "db/", "--strip-prefix"], "echo $PASSWORD-$DB_PASSWORD-$PIN").ok();
    assert_eq!(some, "hunter2-of-the-db--\n");
    let mapped = ["--map", "DB=db/password", "--only-mapped"];
    assert_eq!(sh(&home, &mapped, "echo $DB-$PIN-$DB_PASSWORD").ok(), "hunter2-of-the-db--\n");
    let missing = exec(&home, &["--map", "X=no/such"], &["touch", "started"]).refused();
    assert!(missing.contains("no/such") && !home.join("started").exists(), "{missing}");
}

#[test]
fn what_cannot_be_a_variable_is_refused_before_anything_starts() {
    let (home, _served) = ready();
    let start = |options: &[&str]| exec(&home, options, &["touch", "started"]);
    home.feed(&["secret", "put", "web", "db-password", "--value", "-"], "x").ok();
    assert!(start(&[]).refused().contains("db-password and db/password would both be DB_PASSWORD"));
    home.run(&["secret", "delete", "web", "db-password"]).ok();
    home.feed(&["secret", "put", "web", "bin", "--bytes", "--value", "-"], [0xff, 0xfe]).ok();
    assert!(start(&[]).refused().contains("the value of bin is no UTF-8 text"));
    home.feed(&["secret", "put", "web", "bin", "--bytes", "--value", "-"], [b'a', 0]).ok();
    assert!(start(&[]).refused().contains("the value of bin contains NUL"));
    home.run(&["secret", "delete", "web", "bin"]).ok();
    home.feed(&["secret", "put", "web", "ld/preload", "--value", "-"], "/evil.so").ok();
    let decisive = start(&[]);
    assert!(decisive.code == Some(2) && decisive.err.contains("LD_PRELOAD"), "{decisive:?}");
    assert!(!home.join("started").exists());
    home.run(&["lock"]).ok();
    assert!(start(&[]).refused().contains("hint: strongroom unlock"));
}

#[test]
fn own_variables_stay_here_unless_asked() {
    let (home, served) = ready();
    let run = |more: &[&str]| {
        let words =
            [&["exec", "--store", "web"], more, &["--", "sh", "-c", "echo [$STRONGROOM_ADDR]"]].concat();
        let address = format!("unix:{}", served.socket.display());
        let output = home.command(&words).env("STRONGROOM_ADDR", address).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run(&[]), "[]\n");
    assert_eq!(run(&["--keep-own"]), format!("[unix:{}]\n", served.socket.display()));
}

#[test]
fn the_exit_code_is_the_commands() {
    let (home, _served) = ready();
    for mask in [&[][..], &["--mask"]] {
        assert_eq!(sh(&home, mask, "exit 7").code, Some(7));
        assert_eq!(sh(&home, mask, "exit 0").code, Some(0));
        let silent = sh(&home, mask, "echo said >&2; exit 3");
        assert!(
            silent.code == Some(3) && silent.err.ends_with("said\n") && !silent.err.contains("error"),
            "{silent:?}"
        );
        assert_eq!(exec(&home, mask, &["no-such-command"]).code, Some(127));
        assert_eq!(exec(&home, mask, &["/etc/passwd"]).code, Some(126));
    }
    assert_eq!(sh(&home, &["--mask"], "kill -TERM $$").code, Some(143));
    assert_eq!(sh(&home, &[], "kill -TERM $$").code, None, "it is the command, and the signal ended it");
    let words = ["exec", "--store", "web", "--mask", "--", "cat"];
    assert_eq!(home.feed(&words, "through").ok(), "through", "standard input is the command's");
}

#[test]
fn values_are_masked_wherever_the_output_is_cut() {
    let (home, _served) = ready();
    let masked = sh(
        &home,
        &["--mask"],
        "echo a $DB_PASSWORD b; echo $DB_PASSWORD >&2; printf %s $DB_PASSWORD | base64",
    );
    assert_eq!(masked.out.lines().next(), Some("a ******** b"));
    assert!(!masked.out.contains("aHVudGVyMi1"), "base64: {}", masked.out);
    assert!(masked.err.contains("shorter than 4 bytes and not masked: PIN"), "{}", masked.err);
    assert!(masked.err.ends_with("********\n") && !masked.err.contains("hunter2"), "{}", masked.err);
    let slow = "import os,sys,time\nfor c in os.environ['DB_PASSWORD']:\n sys.stdout.write(c); sys.stdout.flush(); time.sleep(0.005)\nprint('.')";
    assert_eq!(exec(&home, &["--mask"], &["python3", "-c", slow]).ok(), "********.\n");
}

#[test]
fn large_output_and_a_reader_that_went_away_are_no_trouble() {
    let (home, _served) = ready();
    let many = "i=0; while [ $i -lt 20000 ]; do echo \"$i $DB_PASSWORD padding padding padding padding\"; i=$((i+1)); done";
    let out = sh(&home, &["--mask"], many).ok();
    assert_eq!(out.lines().count(), 20_000);
    assert!(!out.contains("hunter2") && out.lines().all(|line| line.contains(" ******** padding")));
    for mask in [&["--mask"][..], &[]] {
        let words = [&["exec", "--store", "web"], mask, &["--", "yes"]].concat();
        let mut child = home.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 2];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success(), "the command hears that nobody reads");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("error:"), "{output:?}");
    }
}

/// A script that says when it is ready.
fn started(home: &Home, options: &[&str], script: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let words = [&["exec", "--store", "web"], options, &["--", "python3", "-uc", script]].concat();
    let mut child = home.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, out)
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

const COUNTER: &str = "
import os, signal, sys
names = ['INT', 'TERM', 'HUP', 'QUIT', 'USR1', 'USR2', 'WINCH', 'CONT']
def got(number, frame):
    print(signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM: os._exit(9)
for name in names: signal.signal(getattr(signal, 'SIG' + name), got)
print('ready', flush=True)
while True: signal.pause()
";

#[test]
fn signals_reach_the_command() {
    let (home, _served) = ready();
    for options in [&[][..], &["--mask"]] {
        let (mut child, mut out) = started(&home, options, COUNTER);
        for signal in
            [Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2, Signal::WINCH, Signal::CONT]
        {
            send(&child, signal);
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            assert_eq!(
                format!("{signal:?}").trim_matches('"').replace("Signal::", "SIG"),
                line.trim(),
                "{options:?}"
            );
        }
        send(&child, Signal::TERM);
        assert_eq!(child.wait().unwrap().code(), Some(9), "{options:?}");
    }
}

#[test]
fn a_command_that_a_signal_ends_gives_128_and_its_number() {
    let (home, _served) = ready();
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let script = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\nprint('ready')\nwhile True: signal.pause()";
        let (mut child, _out) = started(&home, &["--mask"], script);
        send(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn stop_and_continue_reach_the_command() {
    let (home, _served) = ready();
    let script =
        "import os, signal, sys\nprint('ready')\nprint(os.getpid())\nsys.stdin.readline()\nprint('went on')";
    let words = ["exec", "--store", "web", "--mask", "--", "python3", "-uc", script];
    let mut command = home.command(&words);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(out.next().unwrap().unwrap(), "ready");
    let of_command: u32 = out.next().unwrap().unwrap().parse().unwrap();
    send(&child, Signal::TSTP);
    stopped(of_command);
    stopped(child.id());
    send(&child, Signal::CONT);
    drop(child.stdin.take());
    assert_eq!(out.next().unwrap().unwrap(), "went on");
    assert!(child.wait().unwrap().success());
}

/// Waits until a process is stopped.
fn stopped(pid: u32) {
    let began = crate::clock::now();
    loop {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        if status.lines().any(|line| line.starts_with("State:\tT")) {
            return;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "{status}");
        std::thread::yield_now();
    }
}

/// A terminal of its own around a command: types Ctrl-C, then a line, and prints what is shown.
const AT_A_TERMINAL: &str = "
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
shown = b''
def until(word):
    global shown
    while word not in shown:
        try: piece = os.read(terminal, 1024)
        except OSError: break
        if not piece: break
        shown += piece
until(b'ready'); os.write(terminal, b'\\x03')
until(b'interrupted'); os.write(terminal, b'go\\n')
until(b'signals in all')
print(shown.decode())
";

#[test]
fn an_interrupt_at_a_terminal_arrives_once() {
    let (home, _served) = ready();
    let counter = "
import os, signal, sys
count = 0
def got(number, frame):
    global count
    count += 1
    # the signal may come while `print` still holds its buffer
    os.write(1, b'interrupted\\n')
signal.signal(signal.SIGINT, got)
print('ready', sys.stdin.isatty(), flush=True)
sys.stdin.readline()
print(count, 'signals in all', flush=True)
";
    for mask in [&["--mask"][..], &[]] {
        let mut command = std::process::Command::new("python3");
        command.args(["-c", AT_A_TERMINAL, crate::home::STRONGROOM, "exec", "--store", "web"]).args(mask);
        command.args(["--", "python3", "-c", counter]).env_clear().env("HOME", home.path());
        let output = command.env("PATH", "/usr/bin:/bin").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            said.contains("ready True") && said.contains("1 signals in all"),
            "{mask:?} {said:?} {output:?}"
        );
    }
}
