//! The trail outside the store: syslog receivers of the test's own, segments, metrics, and the doctor.

use crate::clock;
use crate::site::Site;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

/// Takes counted messages (RFC 6587) from whoever connects, for as long as the test runs.
fn receiver() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp:{}", listener.local_addr().unwrap());
    let (sender, messages) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            while let Some(message) = counted(&mut stream) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        }
    });
    (address, messages)
}

fn counted(stream: &mut impl std::io::Read) -> Option<String> {
    let mut count = 0;
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        match byte[0] {
            b' ' => break,
            digit => count = count * 10 + usize::from(digit - b'0'),
        }
    }
    let mut message = vec![0; count];
    stream.read_exact(&mut message).ok()?;
    String::from_utf8(message).ok()
}

fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// Listens until an entry of this number has come; gives everything heard.
fn until(messages: &Receiver<String>, last: u64) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let message = messages.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("entry {last} never came"));
        let seq =
            message.contains("[entry@").then(|| field(&message, "seq").unwrap().parse::<u64>().unwrap());
        heard.push(message);
        if seq == Some(last) {
            return heard;
        }
    }
}

fn metrics_of(site: &Site) -> String {
    site.client().send("GET /metrics", &[], "").text()
}

fn head(site: &Site) -> u64 {
    site.run(&["audit", "tail", "-n", "1", "--output", "json"]).json()["head"].as_u64().unwrap()
}

#[test]
fn syslog_gets_every_entry_over_a_kill_and_its_checkpoints_are_an_anchor() {
    let (address, messages) = receiver();
    let mut site = Site::ready(&format!("[audit.syslog]\naddress = \"{address}\"\n"));
    site.run(&["store", "create", "web"]).ok();
    site.put("db/treasure", "gold");
    site.run(&["audit", "checkpoint"]).ok();
    let first = head(&site);
    let mut heard = until(&messages, first);
    site.served.take().unwrap().kill();
    site.start();
    site.unlock();
    site.put("db/treasure", "silver");
    let last = head(&site);
    heard.extend(until(&messages, last));
    let seqs: BTreeSet<u64> = heard
        .iter()
        .filter(|message| message.contains("[entry@"))
        .map(|message| field(message, "seq").unwrap().parse().unwrap())
        .collect();
    assert_eq!(seqs, (1..=last).collect(), "every entry, some perhaps twice");
    let puts: Vec<_> = heard.iter().filter(|message| message.contains(" action=\"secret.put\"")).collect();
    assert!(puts.len() >= 2 && puts.iter().all(|message| field(message, "user") == Some("root")), "{puts:?}");
    assert_eq!(field(puts[0], "resourceId"), field(puts[1], "resourceId"), "the same resource, unnamed");
    for message in &heard {
        assert!(!message.contains("treasure") && !message.contains("gold"), "{message}");
    }
    let signed = heard.iter().find(|message| message.contains(" checkpoint [checkpoint@")).unwrap();
    let anchor = site.home.file("anchor", &signed[signed.find("] {").unwrap() + 2..]);
    let verify = ["audit", "verify", "--against", anchor.to_str().unwrap(), "--output", "json"];
    assert_eq!(site.run(&verify).json()["ok"], true);
    let metrics = metrics_of(&site);
    assert!(metrics.contains("strongroom_audit_syslog_connected 1"), "{metrics}");
}

#[test]
fn entries_move_out_over_kills_and_the_trail_stays_whole() {
    let more =
        "[unlock.auto]\nkey_file = \"HOME/auto.key\"\n[audit]\nkeep_entries = 100\nsegment_entries = 100\n";
    let mut site = Site::ready(more);
    site.home.feed(&["auto-unlock", "add", "--key-file", "-"], site.keys[..3].join("\n")).ok();
    site.run(&["store", "create", "web"]).ok();
    let client = site.client();
    for _ in 0..450 {
        client.get("/stores").ok();
    }
    let anchor = site.home.join("anchor").display().to_string();
    site.run(&["audit", "checkpoint", "--out", &anchor]).ok();
    for pause in [0, 15, 30, 60, 120] {
        site.served.take().unwrap().kill();
        site.start();
        // somewhere in the moving that a start begins
        clock::pause(Duration::from_millis(pause));
    }
    site.served.take().unwrap().kill();
    site.start();
    let segments = || {
        let list = site.run(&["audit", "segments", "--output", "json"]).json();
        list["segments"].as_array().unwrap().clone()
    };
    clock::soon("three segments", || segments().len() >= 3);
    let segments = segments();
    let mut next = 1;
    for segment in &segments {
        assert_eq!((segment["first"].as_u64(), &segment["present"]), (Some(next), &Value::Bool(true)));
        next = segment["last"].as_u64().unwrap() + 1;
    }
    let files = std::fs::read_dir(site.home.join("data/segments")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let stray =
        names.filter(|name| !segments.iter().any(|one| one["path"].as_str().unwrap().ends_with(name)));
    let unfinished = |name: &String| Path::new(name).extension().is_some_and(|end| end == "new");
    assert!(stray.filter(|name| !unfinished(name)).count() == 0, "no file stands twice");
    let report = site.run(&["audit", "verify", "--against", &anchor, "--output", "json"]).json();
    assert_eq!(
        (&report["ok"], report["segments"].as_u64()),
        (&Value::Bool(true), Some(segments.len() as u64))
    );
    let listed = site.run(&["audit", "list", "-n", "1", "--output", "json"]);
    assert!(listed.err.contains("have moved out"), "{listed:?}");
    assert_eq!(serde_json::from_str::<Value>(listed.ok().trim()).unwrap()["seq"].as_u64(), Some(next));
    let lost = segments[1]["path"].as_str().unwrap();
    std::fs::rename(lost, site.home.join("elsewhere")).unwrap();
    let broken = site.run(&["audit", "verify"]);
    assert!(broken.out.contains(Path::new(lost).file_name().unwrap().to_str().unwrap()), "{broken:?}");
    assert_eq!(broken.code, Some(1));
}

#[test]
fn the_trail_is_searched_by_who_what_where_and_how_it_was_decided() {
    let site = Site::ready("");
    site.run(&["store", "create", "web"]).ok();
    site.put("db/one", "1");
    site.put("db/two", "2");
    site.run(&["secret", "get", "web", "db/none"]).refused();
    site.served().client().get("/stores").is(401, "unauthenticated");
    let found = |more: &[&str]| -> Vec<Value> {
        let lines = site.run(&[&["audit", "list", "--output", "json"], more].concat()).ok();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let actions = |more: &[&str]| -> Vec<String> {
        found(more).iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(actions(&["--resource", "web/db/one"]), ["secret.put"]);
    assert_eq!(actions(&["--store", "web", "--action", "secret.put", "--user", "root"]).len(), 2);
    assert_eq!(actions(&["--outcome", "not_found"]), ["secret.get"]);
    let refused = found(&["--decision", "refused"]);
    assert_eq!((refused.len(), &refused[0]["action"]), (1, &Value::from("store.list")));
    assert!(found(&["--user", "nobody"]).is_empty());
    assert!(actions(&["--since", "1h"]).len() > 5 && actions(&["--until", "1h"]).is_empty());
    let table = site.run(&["audit", "tail", "--decision", "refused"]).ok();
    let header: Vec<_> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header[3..5], ["DECISION", "OUTCOME"]);
    assert_eq!(table.lines().count(), 2, "{table}");
    assert_eq!(site.run(&["audit", "list", "--since", "yesterday"]).code, Some(2));
}

/// Reads metrics with Prometheus' own parser.
const PARSE: &str = "
import sys
from prometheus_client.parser import text_string_to_metric_families as parse
for family in parse(sys.stdin.read()):
    print(family.name, family.type, len(family.samples), bool(family.documentation))
";

#[test]
fn metrics_are_what_prometheus_reads() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv/bin/python");
    let has = Command::new(&python).args(["-c", "import prometheus_client"]).output();
    let site = Site::ready("");
    site.run(&["store", "create", "web"]).ok();
    site.put("a", "1");
    let text = metrics_of(&site);
    let wanted = [
        ("strongroom_requests", "counter"),
        ("strongroom_request_duration_seconds", "histogram"),
        ("strongroom_store_commit_seconds", "histogram"),
        ("strongroom_store_group_transactions", "histogram"),
        ("strongroom_store_groups", "counter"),
        ("strongroom_store_queue_depth", "gauge"),
        ("strongroom_unlocked", "gauge"),
        ("strongroom_degraded", "gauge"),
        ("strongroom_audit_entries", "gauge"),
        ("strongroom_disk_free_bytes", "gauge"),
        ("strongroom_certificate_expires_timestamp_seconds", "gauge"),
        ("process_resident_memory_bytes", "gauge"),
    ];
    for (name, kind) in wanted {
        let total = if kind == "counter" { "_total" } else { "" };
        assert!(text.contains(&format!("# TYPE {name}{total} {kind}\n")), "{name}: {text}");
    }
    assert!(text.contains("strongroom_unlocked 1") && text.contains("strongroom_degraded 0"), "{text}");
    if !has.is_ok_and(|done| done.status.success()) {
        println!("SKIPPED: prometheus_client is missing: the metrics are not read by its parser");
        return;
    }
    let file = site.home.file("metrics", &text);
    let read = Command::new(python).args(["-c", PARSE]).stdin(std::fs::File::open(file).unwrap()).output();
    let read = read.unwrap();
    let said = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    for (name, kind) in wanted {
        assert!(said.contains(&format!("{name} {kind} ")), "{name}: {said}");
    }
    for line in said.lines() {
        assert!(line.ends_with(" True"), "without a description: {line}");
    }
}

fn levels(report: &Value, check: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let of = findings.filter(|finding| finding["check"] == check);
    of.map(|finding| finding["level"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let mut site = Site::ready("[audit]\ncheckpoint_file = \"HOME/anchor\"\n");
    site.run(&["store", "create", "web"]).ok();
    site.put("a", "1");
    let config = site.home.join("strongroom.toml").display().to_string();
    let doctor = ["doctor", "--deep", "-c", &config, "--output", "json"];
    let report = site.run(&doctor).json();
    assert_eq!(report["ok"], true, "{report}");
    for check in
        ["configuration", "files", "certificate", "audit", "server", "clock", "unlock", "data", "limits"]
    {
        let levels = levels(&report, check);
        assert!(!levels.is_empty() && levels.iter().all(|level| level != "fail"), "{check}: {report}");
    }
    assert_eq!(levels(&report, "data"), ["ok"]);
    let key = site.home.join("data/tls/server.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let sick = site.run(&["doctor", "-c", &config]);
    assert_eq!(sick.code, Some(1), "{sick:?}");
    assert!(sick.out.contains("FAIL") && sick.out.contains("chmod 600"), "{sick:?}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ended = site.served.take().unwrap().stop(Signal::TERM);
    assert_eq!(ended.code(), Some(0));
    let stopped = site.run(&doctor).json();
    assert_eq!(
        (&stopped["ok"], levels(&stopped, "data")),
        (&Value::Bool(true), vec!["ok".into(), "ok".into()])
    );
    let file = site.home.join("data/strongroom.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let (from, to) = (bytes.len() / 4, bytes.len() / 2);
    bytes[from..to].iter_mut().for_each(|byte| *byte ^= 0x55);
    std::fs::write(&file, bytes).unwrap();
    let damaged = site.run(&doctor);
    assert_eq!(damaged.code, Some(1));
    let report: Value = serde_json::from_str(&damaged.out).unwrap();
    assert!(levels(&report, "data").contains(&"fail".to_owned()), "{report}");
}
