//! A server set up by answers: what is asked, done, refused, and taken up again.

use crate::clock;
use crate::home::{Done, Home, STRONGROOM};
use rustix::process::{Pid, Signal, getegid, geteuid, kill_process};
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A name of the system's for a number, of `passwd` or of `group`.
fn name_of(database: &str, number: u32) -> String {
    let text = std::fs::read_to_string(format!("/etc/{database}")).unwrap();
    let found = text.lines().find(|line| line.split(':').nth(2) == Some(&number.to_string()));
    found.unwrap().split(':').next().unwrap().to_owned()
}

/// Answers by which everything lies in the home, for who runs the test; `more` goes before.
fn answers(home: &Home, more: &str) -> String {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let (user, group) = (name_of("passwd", user), name_of("group", group));
    let given: Vec<&str> = more.lines().filter_map(|line| line.split(':').next()).collect();
    let home = home.path().display();
    let usual = format!(
        "server_user_name: {user}\nserver_group_name: {group}\ncreate_server_user: no\n\
         server_config_root: {home}/etc/\nserver_log_file: {home}/log/server.log\nsecrets_dir: {home}/secrets/\n\
         pid_dir: {home}/run/\ngenerated_key_size: 2048\nsocket_path: {home}/run/c.sock\ngenerate_tls: yes\n\
         tls_cert: {home}/etc/convection-secrets/certs/cert.pem\n\
         tls_key: {home}/etc/convection-secrets/certs/key.pem\nservice_dir: {home}/units\n"
    );
    let kept = usual.lines().filter(|line| !given.contains(&line.split(':').next().unwrap()));
    format!("{more}{}\n", kept.collect::<Vec<_>>().join("\n"))
}

pub(crate) fn set_up(home: &Home, more: &str) -> Done {
    let file = home.file("answers.yaml", answers(home, more));
    home.run(&["setup", "--data", file.to_str().unwrap(), "--defaults"])
}

/// The binary, called by another name.
fn called(home: &Home, name: &str, arguments: &[&str]) -> Command {
    let mut command = home.command(arguments);
    command.arg0(name);
    command
}

pub(crate) fn run_as(home: &Home, name: &str, arguments: &[&str]) -> Done {
    let output = called(home, name, arguments).stdin(Stdio::null()).output().unwrap();
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `convection-sm-server` in the foreground, killed when the test is over.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(home: &Home, socket: &Path) -> Self {
        let folder = home.join("etc").display().to_string();
        let mut command = called(home, "convection-sm-server", &["-v", "-c", &folder, "service-start"]);
        let log = std::fs::File::create(home.join("foreground.log")).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        clock::soon("the server serves", || {
            if let Some(status) = child.try_wait().unwrap() {
                let said = std::fs::read_to_string(home.join("foreground.log")).unwrap();
                panic!("the server ended, {status}: {said}");
            }
            std::os::unix::net::UnixStream::connect(socket).is_ok()
        });
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Everything below a folder: mode, owner and content of each.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            // the reserve is large, and nothing but room
            let plain = metadata.is_file() && !path.ends_with("reserve");
            let content = if plain { std::fs::read(&path).unwrap() } else { Vec::new() };
            if metadata.is_dir() {
                open.push(path.clone());
            }
            found.insert(path, (metadata.mode(), metadata.uid(), content));
        }
    }
    found
}

fn keys_of(said: &str) -> Vec<String> {
    said.split_whitespace().filter(|word| word.starts_with("sruk1-")).map(str::to_owned).collect()
}

fn id_of(said: &str, user: &str) -> String {
    crate::served::after(said, &format!("Access key id of {user}: "))
}

#[test]
fn a_setup_ends_with_a_locked_server_that_the_printed_keys_open_and_a_second_one_changes_nothing() {
    let home = Home::new();
    let said = set_up(&home, "create_auth_file: yes\n").ok();
    let keys = keys_of(&said);
    assert_eq!(keys.len(), 5, "{said}");
    for (path, wanted) in [
        ("etc/convection-secrets", 0o700),
        ("etc/convection-secrets/certs", 0o700),
        ("etc/convection-secrets/certs/key.pem", 0o600),
        ("etc/convection-secrets/certs/ca.key", 0o600),
        ("etc/convection-secrets/convection-secrets.toml", 0o600),
        ("secrets", 0o700),
        ("run", 0o755),
        ("convection_sm.root.key", 0o600),
        ("convection_sm.recovery.key", 0o600),
        (".local/convection-secrets.auth.toml", 0o600),
        (".local/convection-secrets.ca.pem", 0o644),
    ] {
        assert_eq!(mode(&home.join(path)), wanted, "{path}");
    }
    assert!(!home.join("run/convection-secrets.pid").exists(), "it does not stay, for no systemd keeps it");
    // what was printed is a file of answers, without a secret
    let (_, kept) = said.split_once("--data FILE\n").unwrap();
    assert!(!kept.contains("sruk1-") && !kept.contains("PRIVATE"), "{kept}");
    let kept = home.file("kept.yaml", kept);
    let before = everything(home.path());
    let again = home.run(&["setup", "--data", kept.to_str().unwrap()]);
    assert!(
        !again.err.contains("done:") && again.err.contains("already so: server initialised"),
        "{again:?}"
    );
    assert!(keys_of(&again.ok()).is_empty());
    assert!(before == everything(home.path()), "a second run changes nothing");

    let server = Running::start(&home, &home.join("run/c.native.sock"));
    let pid = std::fs::read_to_string(home.join("run/convection-secrets.pid")).unwrap();
    assert_eq!(pid.trim(), server.0.id().to_string());
    assert_eq!(mode(&home.join("run/c.sock")), 0o660);
    // the client's configuration, in its usual place, finds the server
    assert_eq!(home.run(&["status", "--output", "json"]).json()["state"], "locked");
    home.feed(&["unlock", "--key-file", "-"], &keys[4]).ok();
    // root by the AuthFile in its usual place, recovery by its key
    home.run(&["login"]).ok();
    assert!(home.run(&["whoami"]).ok().contains("root"));
    assert!(
        std::fs::read_to_string(home.join(".local/convection-secrets.auth.toml"))
            .unwrap()
            .contains("auth_token")
    );
    let id = id_of(&said, "recovery");
    let key = home.join("convection_sm.recovery.key");
    let auth = format!("private_key: {}\naccess_key_id: {id}\n", key.display());
    let auth = home.file("recovery.yaml", auth).display().to_string();
    home.run(&["login", "-A", &auth]).ok();
    let who = home.run(&["whoami", "-A", &auth]).ok();
    assert!(who.contains("recovery"), "{who}");
    home.run(&["user", "create", "somebody", "-A", &auth]).ok();
}

#[test]
fn the_network_stays_closed_until_it_is_asked_for() {
    let home = Home::new();
    set_up(&home, "initialize: no\ngenerate_root_key: yes\n").ok();
    let config =
        std::fs::read_to_string(home.join("etc/convection-secrets/convection-secrets.toml")).unwrap();
    assert!(config.contains("use_network = false") && config.contains("use_websocket = false"), "{config}");
    assert!(!config.contains("listen_ip") && !config.contains("acl"), "no network and no NACL: {config}");
    assert!(!home.join(".local/convection-secrets.auth.toml").exists(), "no AuthFile");
    assert!(!home.join("secrets/strongroom.db").exists(), "not initialised");
    let open = Home::new();
    let more = "initialize: no\nuse_network: yes\nlisten_ip: 127.0.0.2\nlisten_port: 9999\nnetwork_allow: 127.0.0.0/8\n";
    set_up(&open, more).ok();
    let config =
        std::fs::read_to_string(open.join("etc/convection-secrets/convection-secrets.toml")).unwrap();
    for line in ["use_network = true", "listen_port = 9999", "ip_address = [\"127.0.0.0/8\"]"] {
        assert!(config.contains(line), "{line}: {config}");
    }
    let text = open.join("etc/convection-secrets/certs/cert.pem");
    let shown =
        Command::new("openssl").args(["x509", "-noout", "-ext", "subjectAltName", "-in"]).arg(text).output();
    assert!(String::from_utf8(shown.unwrap().stdout).unwrap().contains("127.0.0.2"));
}

#[test]
fn a_port_that_is_taken_is_told_with_who_holds_it_before_anything_is_done() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let me = std::process::id();
    for (wanted, key) in [("use_network", "listen_port"), ("use_websocket", "websocket_port")] {
        let said = set_up(&home, &format!("{wanted}: yes\n{key}: {port}\n")).refused();
        assert!(said.contains(&format!("127.0.0.1:{port} is taken by process {me} (")), "{said}");
        assert!(said.contains(&format!("answer {key} with another port")), "{said}");
    }
    let both = format!("use_network: yes\nuse_websocket: yes\nlisten_port: {port}\nwebsocket_port: {port}\n");
    assert!(set_up(&home, &both).refused().contains("listen_port and websocket_port with two ports"));
    let nowhere = "use_network: yes\nlisten_ip: 192.0.2.1\n";
    assert!(set_up(&home, nowhere).refused().contains("cannot listen on 192.0.2.1:9670"));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "nothing was made but the answers");
    set_up(&home, &format!("initialize: no\nuse_network: yes\nlisten_port: {port}\n")).ok();
}

#[test]
fn a_dry_run_shows_each_step_and_does_nothing() {
    let home = Home::new();
    let file = home.file("answers.yaml", answers(&home, ""));
    let before = everything(home.path());
    let said = home.run(&["setup", "-d", file.to_str().unwrap(), "--dry-run"]).ok();
    for step in ["make the folder", "issue the certificate", "RSA key pair of 2048 bits", "5 unlock keys"] {
        assert!(said.contains(step), "{step}: {said}");
    }
    assert!(before == everything(home.path()));
}

#[test]
fn what_nobody_answers_is_named_and_a_wrong_file_is_told_with_its_line() {
    let home = Home::new();
    let run = |arguments: &[&str]| home.run(&[&["setup"], arguments].concat());
    let open = run(&[]);
    assert!(open.code == Some(2) && open.err.contains("answer server_user_name, "), "{open:?}");
    let some = home.file("some.yaml", answers(&home, "")).display().to_string();
    let open = run(&["-d", &some]);
    assert!(open.err.contains("use_network") && !open.err.contains("secrets_dir"), "{open:?}");
    let unknown =
        home.file("unknown.toml", "use_network = false\nuse_netwrok = true\n").display().to_string();
    let said = run(&["-d", &unknown, "--defaults"]).refused();
    assert!(said.contains("unknown.toml: line 2: use_netwrok: unknown key"), "{said}");
    let other = home.file("answers.txt", "{}").display().to_string();
    assert!(run(&["-d", &other, "--defaults"]).refused().contains("--input-type"));
    let yaml = run(&["-d", &some, "-t", "json", "--defaults"]).refused();
    assert!(yaml.contains("some.yaml: line 1: not acceptable JSON"), "{yaml}");
    run(&["-d", home.join("absent.yaml").to_str().unwrap()]).refused();
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 3, "nothing was made");
}

#[test]
fn folders_that_are_there_are_taken_or_refused_as_they_are() {
    let home = Home::new();
    for (name, mode) in [("secrets", 0o4700), ("run", 0o750), ("log", 0o711)] {
        std::fs::create_dir(home.join(name)).unwrap();
        std::fs::set_permissions(home.join(name), Permissions::from_mode(mode)).unwrap();
    }
    std::fs::write(home.join("secrets/kept"), "").unwrap();
    set_up(&home, "initialize: no\n").ok();
    assert_eq!(
        [mode(&home.join("secrets")), mode(&home.join("run")), mode(&home.join("log"))],
        [0o4700, 0o750, 0o711]
    );

    let home = Home::new();
    std::fs::create_dir(home.join("secrets")).unwrap();
    std::fs::set_permissions(home.join("secrets"), Permissions::from_mode(0o755)).unwrap();
    std::fs::write(home.join("secrets/theirs"), "").unwrap();
    std::fs::write(home.join("log"), "no folder").unwrap();
    let before = everything(home.path());
    let said = set_up(&home, "").refused();
    assert!(said.contains("secrets is there, is not empty, and has mode 0755"), "{said}");
    assert!(said.contains("log is no folder"), "all at once: {said}");
    std::fs::remove_file(home.join("answers.yaml")).unwrap();
    assert!(before == everything(home.path()), "nothing was done");
}

#[test]
fn a_setup_that_was_killed_goes_on_where_it_was() {
    let home = Home::new();
    let file = home.file("answers.yaml", answers(&home, "generated_key_size: 4096\n"));
    let marks = [
        "etc/convection-secrets/certs/ca.pem",
        "run",
        "convection_sm.root.key",
        "secrets/strongroom.db",
        "secrets/setup-begun",
    ];
    let mut said = String::new();
    for mark in marks {
        let mut command = home.command(&["setup", "-d", file.to_str().unwrap(), "--defaults"]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        clock::soon("it comes that far", || home.join(mark).exists() || child.try_wait().unwrap().is_some());
        let _ = child.kill();
        said.push_str(&String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap());
        // the server that it had begun may live on for a moment
        if let Ok(pid) = std::fs::read_to_string(home.join("run/convection-secrets.pid"))
            && let Some(pid) = pid.trim().parse().ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    // the keys shown last hold, if any do yet
    let last = keys_of(&said).pop().unwrap_or_default();
    let done = home.feed(&["setup", "-d", file.to_str().unwrap(), "--defaults", "--key-file", "-"], &last);
    assert_eq!(done.code, Some(0), "{done:?}");
    said.push_str(&done.out);
    let keys = keys_of(&said);
    assert!(!keys.is_empty() && said.contains("Access key id of recovery: "), "{said}");
    assert!(!home.join("secrets/setup-begun").exists());
    let _server = Running::start(&home, &home.join("run/c.native.sock"));
    home.feed(&["unlock", "--key-file", "-"], keys.last().unwrap()).ok();
}

#[test]
fn a_setup_that_ended_before_the_user_recovery_was_made_is_noticed_and_goes_on_with_a_key() {
    let home = Home::new();
    for arguments in [
        &["genpkey", "-quiet", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "aside.key"]
            [..],
        &["pkey", "-in", "aside.key", "-pubout", "-out", "convection_sm.root.pub"],
    ] {
        assert!(Command::new("openssl").args(arguments).current_dir(home.path()).status().unwrap().success());
    }
    // root's key is elsewhere: the keys are shown and hold, and nobody can make recovery
    let first = set_up(&home, "generate_root_key: no\n");
    assert!(first.code != Some(0) && first.err.contains("recovery was not made"), "{first:?}");
    let keys = keys_of(&first.out);
    assert_eq!(keys.len(), 5, "{first:?}");
    assert!(!home.join("secrets/setup-complete").exists());

    std::fs::rename(home.join("aside.key"), home.join("convection_sm.root.key")).unwrap();
    std::fs::set_permissions(home.join("convection_sm.root.key"), Permissions::from_mode(0o600)).unwrap();
    let keyless = set_up(&home, "generate_root_key: no\n");
    assert!(keyless.code != Some(0) && keyless.err.contains("--key-file"), "{keyless:?}");
    let file = home.join("answers.yaml").display().to_string();
    let again = |key: &str| home.feed(&["setup", "-d", &file, "--defaults", "--key-file", "-"], key);
    again(&keys[0].replace(&keys[0][10..14], "aaaa")).refused();
    let said = again(&keys[1]).ok();
    assert!(keys_of(&said).is_empty(), "no new keys: {said}");
    let id = id_of(&said, "recovery");
    assert!(!home.join("secrets/setup-begun").exists() && home.join("secrets/setup-complete").exists());

    let _server = Running::start(&home, &home.join("run/c.native.sock"));
    assert_eq!(home.run(&["status", "--output", "json"]).json()["state"], "locked");
    home.feed(&["unlock", "--key-file", "-"], &keys[2]).ok();
    let auth =
        format!("private_key: {}\naccess_key_id: {id}\n", home.join("convection_sm.recovery.key").display());
    let auth = home.file("recovery.yaml", auth).display().to_string();
    home.run(&["login", "-A", &auth]).ok();
    assert!(home.run(&["whoami", "-A", &auth]).ok().contains("recovery"));
    assert!(home.run(&["group", "show", "recovery", "-A", &auth]).ok().contains("recovery"));
}

/// A user who may do little, and a home that they can enter.
fn as_nobody(home: &Home, arguments: &[&str]) -> Done {
    std::fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    let mut command = home.command(arguments);
    command.uid(65_534).gid(65_534).stdin(Stdio::null());
    let output = command.output().unwrap();
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn without_root_the_steps_that_need_it_are_named_and_nothing_is_done() {
    if !geteuid().is_root() {
        println!("skipped: only root can become somebody else");
        return;
    }
    let home = Home::new();
    let file = home.file("answers.yaml", answers(&home, ""));
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let said = as_nobody(&home, &["setup", "-d", file.to_str().unwrap(), "--defaults"]).refused();
    assert!(said.contains("these steps need root:") && said.contains("make the folder"), "{said}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn what_the_servers_user_cannot_write_is_told_before_anything_is_done() {
    if !geteuid().is_root() {
        println!("skipped: only root can try as somebody else");
        return;
    }
    let home = Home::new();
    std::fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir(home.join("run")).unwrap();
    let said = set_up(&home, "server_user_name: nobody\nserver_group_name: nogroup\n").refused();
    assert!(
        said.contains("user nobody cannot make the PID file") && said.contains("answer pid_dir"),
        "{said}"
    );
    assert!(said.contains("answer socket_path"), "{said}");
    assert_eq!((mode(&home.join("run")) & 0o777, home.join("secrets").exists()), (0o755, false));
}

#[test]
fn the_servers_user_is_made_without_a_shell_and_without_a_home() {
    let there = |program: &str| Path::new("/usr/sbin").join(program).exists();
    if !geteuid().is_root() || !there("useradd") || !there("userdel") {
        println!("skipped: no root, or no useradd");
        return;
    }
    let home = Home::new();
    std::fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    let name = format!("sr-test-{}", std::process::id());
    let more = format!(
        "server_user_name: {name}\nserver_group_name: {name}\ncreate_server_user: yes\ninitialize: no\n"
    );
    let file = home.file("answers.yaml", answers(&home, &more));
    let mut command = home.command(&["setup", "-d", file.to_str().unwrap(), "--defaults"]);
    let output = command.env("PATH", "/usr/sbin:/usr/bin:/bin").output().unwrap();
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let _ = Command::new("/usr/sbin/userdel").arg(&name).output();
    let _ = Command::new("/usr/sbin/groupdel").arg(&name).output();
    assert!(output.status.success(), "{output:?}");
    let line = users.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap();
    let fields: Vec<&str> = line.split(':').collect();
    assert_eq!(fields[5], "/nonexistent", "{line}");
    assert!(fields[6].ends_with("nologin") || fields[6].ends_with("false"), "{line}");
    let number: u32 = fields[2].parse().unwrap();
    for path in ["secrets", "run", "etc/convection-secrets/certs/key.pem", "log/server.log"] {
        assert_eq!(std::fs::metadata(home.join(path)).unwrap().uid(), number, "{path}");
    }
}

/// The lines of the manual that are run: its blocks of shell, in their order.
fn manual() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/convection-setup.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_manual_works_line_by_line() {
    if !geteuid().is_root() {
        println!("skipped: the manual is for root");
        return;
    }
    let home = Home::new();
    std::fs::create_dir(home.join("bin")).unwrap();
    symlink(STRONGROOM, home.join("bin/strongroom")).unwrap();
    let script = home.file("manual.sh", manual());
    let mut shell = Command::new("/bin/sh");
    shell.arg("-eux").arg(script).env_clear().env("HOME", home.path()).env("PREFIX", home.path());
    shell
        .env("RUN_AS", name_of("passwd", 0))
        .env("BITS", "2048")
        .stdin(Stdio::null())
        .current_dir(home.path());
    shell.env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", home.join("bin").display()));
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("correct horse") && shown.ends_with("Stopped.\n"), "{shown}\n{said}");
    assert!(!home.join("run/convection-secrets/convection-secrets.pid").exists());
}
