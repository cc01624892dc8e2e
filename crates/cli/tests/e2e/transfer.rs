//! Many secrets at once: files into a store and out of it.

use crate::home::Home;
use crate::served::Served;
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

fn ready() -> (Home, Served) {
    let home = Home::new();
    let served = Served::dev(&home);
    home.run(&["store", "create", "app"]).ok();
    (home, served)
}

fn import(home: &Home, more: &[&str]) -> Value {
    home.run(&[&["secret", "import", "app", "--output", "json"], more].concat()).json()
}

fn counts(report: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "skipped"].map(|name| report[name].as_u64().unwrap())
}

fn get(home: &Home, path: &str) -> String {
    home.run(&["secret", "get", "app", path]).ok()
}

fn names(home: &Home) -> Vec<String> {
    let list = home.run(&["secret", "list", "app"]).ok();
    list.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn an_import_can_be_repeated_changed_and_looked_at_first() {
    let (home, _served) = ready();
    home.file("prod.env", "export DB_HOST=localhost # here\nDB_PASSWORD='it is \"s3cret\"'\nPEM=\"a\\nb\"\n");
    let planned = home.run(&["secret", "import", "app", "prod.env", "--dry-run"]).ok();
    assert!(
        planned.contains("DB_PASSWORD") && planned.contains("create") && planned.contains("prod.env:2"),
        "{planned}"
    );
    assert!(!planned.contains("s3cret") && !planned.contains("localhost"), "{planned}");
    assert!(names(&home).is_empty(), "a dry run wrote something");

    assert_eq!(counts(&import(&home, &["prod.env"])), [3, 0, 0, 0]);
    assert_eq!(get(&home, "DB_PASSWORD"), "it is \"s3cret\"");
    assert_eq!(get(&home, "PEM"), "a\nb");
    assert_eq!(counts(&import(&home, &["prod.env"])), [0, 0, 3, 0], "what is there is not written again");

    home.file("prod.env", "DB_HOST=elsewhere\nNEW=1\nPEM=\"a\\nb\"\n");
    let refused = home.run(&["secret", "import", "app", "prod.env"]);
    assert!(refused.out.contains("it has another value"), "{refused:?}");
    assert!(refused.refused().contains("nothing was written"));
    assert_eq!(get(&home, "DB_HOST"), "localhost");
    assert_eq!(home.run(&["secret", "get", "app", "NEW"]).code, Some(1), "one conflict stops all of it");

    assert_eq!(counts(&import(&home, &["prod.env", "--on-conflict", "skip"])), [1, 0, 1, 1]);
    assert_eq!(get(&home, "DB_HOST"), "localhost");
    assert_eq!(counts(&import(&home, &["prod.env", "--on-conflict", "update"])), [0, 1, 2, 0]);
    assert_eq!(get(&home, "DB_HOST"), "elsewhere");
    let versions = home.run(&["secret", "metadata", "app", "PEM", "--output", "json"]).json();
    assert_eq!(versions["version"], 1, "an unchanged value has no new version");
}

#[test]
fn every_format_comes_back_as_it_was() {
    let (home, _served) = ready();
    home.file("in.json", r#"{"big": 9007199254740993, "db": {"password": "p\"\n", "ports": [1.10, 2]}, "//bytes": {"bin": "AP8="}}"#);
    home.file("in.yaml", "cert: |\n  a\n  b\nflag: yes\nnothing: ~\n");
    assert_eq!(counts(&import(&home, &["in.json", "in.yaml", "--flatten", "--prefix", "x"])), [7, 0, 0, 0]);
    assert_eq!(get(&home, "x/big"), "9007199254740993");
    assert_eq!(get(&home, "x/db/ports"), "[1.10, 2]");
    assert_eq!(get(&home, "x/cert"), "a\nb\n");
    for format in ["json", "yaml"] {
        let file = format!("out.{format}");
        home.run(&["secret", "export", "app", "--format", format, "--out", &file]).ok();
        let mode = std::fs::metadata(home.join(&file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(counts(&import(&home, &[&file])), [0, 0, 7, 0], "{format}");
        let again = home.run(&["secret", "export", "app", "--format", format, "--out", &file]);
        assert_eq!(again.code, Some(2), "a file that exists is not replaced: {again:?}");
    }
    let shown = home.run(&["secret", "export", "app", "--prefix", "x/db/", "--format", "json"]).ok();
    assert_eq!(
        serde_json::from_str::<Value>(&shown).unwrap(),
        json!({"x/db/password": "p\"\n", "x/db/ports": [1.1, 2]})
    );
    let bytes = home.run(&["secret", "export", "app", "--format", "env"]);
    assert!(bytes.refused().contains("the value of x/bin contains NUL"));
    let texts = home.run(&["secret", "export", "app", "--prefix", "x/db/", "--format", "env"]).ok();
    assert_eq!(texts, "X_DB_PASSWORD='p\"\n'\nX_DB_PORTS='[1.10, 2]'\n");
}

fn pem(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
}

fn folder(home: &Home) -> std::path::PathBuf {
    let folder = home.join("tls");
    std::fs::create_dir_all(folder.join("deep")).unwrap();
    std::fs::write(folder.join("a.pem"), pem("CERTIFICATE")).unwrap();
    std::fs::write(folder.join("deep/b.key"), pem("PRIVATE KEY")).unwrap();
    std::fs::write(folder.join("README"), "no secret").unwrap();
    symlink(folder.join("a.pem"), folder.join("link.pem")).unwrap();
    symlink("/", folder.join("root")).unwrap();
    folder
}

#[test]
fn a_folder_of_pem_files_goes_in_and_out() {
    let (home, _served) = ready();
    let tls = folder(&home);
    assert!(std::process::Command::new("mkfifo").arg(tls.join("pipe")).status().unwrap().success());
    let report = import(&home, &["tls"]);
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    assert_eq!(report["left_out"].as_array().unwrap().len(), 5, "{report}");
    assert_eq!(counts(&import(&home, &["tls", "--recursive", "--prefix", "certs/"])), [2, 0, 0, 0]);
    assert_eq!(names(&home), ["a.pem", "certs/a.pem", "certs/deep/b.key"]);
    assert_eq!(get(&home, "certs/deep/b.key"), pem("PRIVATE KEY"));
    home.run(&["secret", "export", "app", "--prefix", "certs/", "--format", "pem-dir", "--out", "out"]).ok();
    assert_eq!(std::fs::read_to_string(home.join("out/certs/deep/b.key")).unwrap(), pem("PRIVATE KEY"));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&home.join("out/certs")), mode(&home.join("out/certs/a.pem"))), (0o700, 0o600));
}

#[test]
fn a_bad_file_is_told_with_its_line_and_nothing_is_written() {
    let (home, _served) = ready();
    home.file("good.env", "GOOD=1\n");
    let huge = home.join("huge.env");
    std::fs::File::create(&huge).unwrap().set_len(100_000_001).unwrap();
    home.file("large.env", format!("A=1\nB={}\n", "x".repeat(1024 * 1024)));
    for (file, text, fault) in [
        ("a.env", &b"A=1\nB='hunter2\n"[..], "a.env:2: the quote that is opened here is never closed"),
        ("b.env", b"A=1\nhunter2\n", "b.env:2: expected NAME=VALUE"),
        ("c.env", b"A=1\nA=hunter2\n", "c.env:2: A stands here again; it is in line 1 already"),
        ("d.env", b"A=1\nB=hunter2\xff\n", "d.env:2: not UTF-8 text"),
        ("e.json", b"{\"a\":1,\n\"a\":\"hunter2\"}", "e.json:2: not acceptable JSON: duplicate key"),
        ("f.json", b"{\"a\":\"hunter2", "f.json:1: not acceptable JSON"),
        ("g.yaml", b"a: &x [hunter2]\nb: *x\n", "g.yaml:1: YAML anchors are not read"),
        (
            "h.pem",
            b"-----BEGIN PRIVATE KEY-----\nhunter2\n",
            "h.pem:1: the PRIVATE KEY that begins here does not end",
        ),
        ("i.env", b"GOOD=2\n", "i.env:1: GOOD stands here again; it is in good.env:1 already"),
        ("j.json", b"{\"../x\":\"hunter2\"}", "j.json:1: \"../x\" cannot be a secret's path"),
    ] {
        home.file(file, text);
        let error = home.run(&["secret", "import", "app", "good.env", file]).refused();
        assert!(error.starts_with(&format!("error: {fault}")), "{file}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = home.run(&["secret", "import", "app", "good.env", "huge.env"]).refused();
    assert!(error.contains("huge.env:1: the file is larger than 100000000 bytes"), "{error}");
    let error = home.run(&["secret", "import", "app", "good.env", "large.env"]).refused();
    assert!(error.contains("large.env:2: the value of B is larger than 1048576 bytes"), "{error}");
    assert!(names(&home).is_empty(), "{:?}", names(&home));

    let pair = home.run(&["secret", "import", "app", "A=hunter2"]);
    assert!(pair.code == Some(2) && !pair.err.contains("hunter2"), "{pair:?}");
    let nameless = home.run(&["secret", "import", "app", "-"]);
    assert!(nameless.code == Some(2) && nameless.err.contains("--format"), "{nameless:?}");
    let gone = home.run(&["secret", "import", "nowhere", "good.env"]);
    assert!(gone.refused().contains("not_found"));
    home.feed(&["secret", "import", "app", "-", "--format", "env"], "A=piped").ok();
    assert_eq!(get(&home, "A"), "piped");
}

#[test]
fn hundreds_go_in_parallel_and_an_interrupted_import_goes_on() {
    let (home, served) = ready();
    let lines: Vec<_> = (0..500).map(|number| format!("K{number}=value {number}\n")).collect();
    home.file("many.env", lines.concat());
    home.feed(&["secret", "put", "app", "K7", "--value", "-"], "value 7").ok();
    home.feed(&["secret", "put", "app", "K8", "--value", "-"], "another").ok();
    let report = import(&home, &["many.env", "--on-conflict", "skip"]);
    assert_eq!(counts(&report), [498, 0, 1, 1], "a part that was there is taken as it is");
    assert_eq!(counts(&import(&home, &["many.env", "--on-conflict", "update"])), [0, 1, 499, 0]);
    let exported = home.run(&["secret", "export", "app", "--format", "env"]).ok();
    assert_eq!(exported.lines().count(), 500);
    home.run(&["lock"]).ok();
    let locked = home.run(&["secret", "import", "app", "many.env"]);
    assert!(locked.err.contains("hint: strongroom unlock"), "{locked:?}");
    drop(served);
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_stopped() {
    let (home, served) = ready();
    let lines: Vec<_> = (0..800).map(|number| format!("K{number}=value {number}\n")).collect();
    home.file("many.env", lines.concat());
    let mut killed =
        home.command(&["secret", "import", "app", "many.env", "--parallel", "4"]).spawn().unwrap();
    let there = || {
        let shown = home.run(&["store", "show", "app", "--output", "json"]).json();
        shown["secrets"].as_u64().unwrap()
    };
    while there() == 0 {
        assert!(killed.try_wait().unwrap().is_none(), "it ended with nothing written");
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    served.kill();
    let _served = Served::dev(&home);
    home.run(&["login"]).ok();
    let before = there();
    let [created, updated, unchanged, skipped] = counts(&import(&home, &["many.env"]));
    assert_eq!((created + unchanged, updated, skipped), (800, 0, 0));
    assert_eq!(unchanged, before, "what was written before is not written again");
    assert!(before > 0 && there() == 800);
}
