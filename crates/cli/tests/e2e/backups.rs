//! Backups by the operator's command line: taken under writes, verified, damaged, restored as another life.

use crate::clock::soon;
use crate::served::{Served, production};
use crate::site::Site;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const SECRETS: usize = 30;

fn site() -> Site {
    let site = Site::ready("");
    site.run(&["store", "create", "web"]).ok();
    let client = site.client();
    for n in 0..SECRETS {
        let body = json!({ "value": format!("value-{n}-unmistakable") }).to_string();
        client.put(&format!("/stores/web/secrets/name-unmistakable/{n}"), body).ok();
    }
    site
}

/// The same operator, before a server on a restored directory.
fn on_restored(mut site: Site) -> Site {
    if site.served.is_some() {
        site.stop();
    }
    let config = production(&site.home, "").replace("/data\"", "/restored\"");
    let Site { home, keys, .. } = site;
    // the new directory gets an authority of its own: the operator's command line is told where it is
    std::fs::create_dir_all(home.join("restored")).unwrap();
    std::fs::rename(home.join("data"), home.join("data.old")).unwrap();
    std::os::unix::fs::symlink(home.join("restored"), home.join("data")).unwrap();
    let mut site = Site::of(home, config);
    site.keys = keys;
    site
}

fn trail(site: &Site) -> Vec<Value> {
    let page = site.client().get("/audit/entries?tail=true&limit=200").ok();
    page["entries"].as_array().unwrap().clone()
}

#[test]
fn a_backup_taken_under_writes_is_restored_as_another_life() {
    let site = site();
    site.run(&["audit", "checkpoint", "--out", "early.json"]).ok();
    let (stop, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let client = site.client();
            while !stop.load(Ordering::Relaxed) {
                let n = written.load(Ordering::Relaxed);
                client.put(&format!("/stores/web/secrets/later/{n}"), json!({ "value": n }).to_string()).ok();
                written.store(n + 1, Ordering::Relaxed);
            }
        });
        soon("writes are under way", || written.load(Ordering::Relaxed) > 20);
        let said = site.run(&["backup", "create", "strongroom.backup"]).ok();
        assert!(said.contains("verified"), "{said}");
        stop.store(true, Ordering::Relaxed);
    });
    site.run(&["audit", "checkpoint", "--out", "late.json"]).ok();
    let status = site.run(&["status", "--output", "json"]).json();
    assert!(status["last_backup"].as_str().is_some_and(|time| time.starts_with("20")), "{status}");
    sealed(&site.home.join("strongroom.backup"));
    let keys = site.home.file("keys", site.keys[..3].join("\n")).display().to_string();
    let plain = site.run(&["backup", "verify", "strongroom.backup", "--output", "json"]).json();
    assert_eq!(plain["genuine"], false);
    let verify = ["backup", "verify", "strongroom.backup", "--unlock-key-file", &keys, "--output", "json"];
    let genuine = site.run(&verify).json();
    assert_eq!((&genuine["genuine"], &genuine["rows"]), (&json!(true), &plain["rows"]));
    let restored =
        site.run(&["backup", "restore", "strongroom.backup", "restored", "--output", "json"]).json();
    assert_ne!(restored["restored"]["incarnation"], restored["incarnation"]);
    let old_token = site.home.join(".local/state/strongroom/tokens/site");
    let old_token = std::fs::read_to_string(old_token).unwrap();

    let site = on_restored(site);
    site.unlock();
    site.served().client().with_token(old_token.trim()).get("/stores").is(401, "unauthenticated");
    site.log_in();
    let client = site.client();
    for n in 0..SECRETS {
        let secret = client.get(&format!("/stores/web/secrets/name-unmistakable/{n}")).ok();
        assert_eq!(secret["value"], format!("value-{n}-unmistakable"));
    }
    a_prefix_of_what_was_written(&client, written.load(Ordering::Relaxed));
    let early = site.run(&["audit", "verify", "--against", "early.json", "--output", "json"]).json();
    assert_eq!((&early["ok"], &early["restored_at"]), (&json!(true), &restored["last_entry"]));
    let late = site.run(&["audit", "verify", "--against", "late.json"]);
    assert_eq!(late.code, Some(1));
    assert!(late.out.contains("before a restore"), "{late:?}");
    let first = restored["restored"]["first_entry"].as_u64().unwrap();
    let first = trail(&site).into_iter().find(|entry| entry["seq"] == first).expect("the life's first entry");
    assert_eq!(first["action"], "backup.restore");
}

/// Of writes one after the other a moment holds the first ones.
fn a_prefix_of_what_was_written(client: &crate::client::Client, written: usize) {
    let there = |n: &usize| client.get(&format!("/stores/web/secrets/later/{n}")).status == 200;
    let count = (0..written).take_while(there).count();
    assert!(count > 20, "{count} of {written}");
    assert_eq!((count..written).filter(there).count(), 0);
}

/// Neither names nor values can be read in it.
fn sealed(backup: &Path) {
    let bytes = std::fs::read(backup).unwrap();
    assert!(!bytes.windows(12).any(|window| window == b"unmistakable"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(backup).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_is_no_whole_backup_is_said_and_nothing_is_restored() {
    let site = site();
    site.run(&["backup", "create", "good"]).ok();
    let good = std::fs::read(site.home.join("good")).unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        site.home.file(name, bytes);
        let verified = site.run(&["backup", "verify", name]).refused();
        let restored = site.run(&["backup", "restore", name, "nowhere"]).refused();
        assert!(!site.home.join("nowhere").exists(), "{name}");
        assert_eq!(verified, restored);
        verified
    };
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 4;
    assert!(refused("flipped", &flipped).contains("damaged at byte"));
    assert!(refused("cut", &good[..middle]).contains("cut short"));
    assert!(refused("other", b"PK\x03\x04 something else").contains("not a backup"));
    assert!(refused("longer", &[&good[..], b"x"].concat()).contains("behind its manifest"));
    let wrong = site.home.file("wrong", site.keys[0].clone()).display().to_string();
    let said = site.run(&["backup", "verify", "good", "--unlock-key-file", &wrong]).refused();
    assert!(said.contains("1 of 3 unlock keys"), "{said}");
    std::fs::create_dir(site.home.join("taken")).unwrap();
    site.home.file("taken/somebody's", "work");
    let said = site.run(&["backup", "restore", "good", "taken"]).refused();
    assert!(said.contains("not an empty directory"), "{said}");
    assert_eq!(std::fs::read_dir(site.home.join("taken")).unwrap().count(), 1);
    // over a pipe, both ways
    let piped = site.home.command(&["backup", "create", "-"]).output().unwrap();
    assert_eq!(piped.status.code(), Some(0));
    site.home.feed(&["backup", "verify", "-"], &piped.stdout).ok();
}

#[test]
fn a_restore_killed_in_the_middle_leaves_nothing_that_a_server_takes() {
    let mut site = site();
    site.run(&["backup", "create", "good"]).ok();
    site.stop();
    let good = std::fs::read(site.home.join("good")).unwrap();
    let mut restore = site.home.command(&["backup", "restore", "-", "restored"]);
    let mut restore = restore.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    restore.stdin.as_mut().unwrap().write_all(&good[..good.len() - 10]).unwrap();
    let database = site.home.join("restored/strongroom.db.new");
    soon("it is at work", || std::fs::metadata(&database).is_ok_and(|file| file.len() > 0));
    restore.kill().unwrap();
    restore.wait().unwrap();
    let config =
        site.home.file("restored.toml", production(&site.home, "").replace("/data\"", "/restored\""));
    let said = site.run(&["server", "-c", config.to_str().unwrap()]).refused();
    assert!(said.contains("restore that was not finished"), "{said}");
    let said = site.run(&["backup", "restore", "good", "restored"]).refused();
    assert!(said.contains("restore that was not finished"), "{said}");
    std::fs::remove_dir_all(site.home.join("restored")).unwrap();
    site.run(&["backup", "restore", "good", "restored"]).ok();
    let site = on_restored(site);
    site.unlock();
    site.log_in();
    assert_eq!(site.get("name-unmistakable/3"), "\"value-3-unmistakable\"");
}

#[test]
fn a_client_that_hangs_up_ends_the_backup_with_its_entry() {
    let site = site();
    let client = site.client();
    for n in 0..20 {
        let big = json!({ "value": "x".repeat(500_000) }).to_string();
        client.put(&format!("/stores/web/secrets/big/{n}"), big).ok();
    }
    let mut wire = client.connect();
    wire.write(&client.request("POST /api/v1/backup", &[], b"")).unwrap();
    soon("it has begun", || trail(&site).iter().any(|entry| entry["action"] == "backup.create"));
    drop(wire);
    soon("its end is told", || {
        trail(&site).iter().any(|entry| entry["action"] == "backup.create" && entry["outcome"] == "abandoned")
    });
    let status = site.run(&["status", "--output", "json"]).json();
    assert_eq!(status.get("last_backup"), None, "{status}");
    site.run(&["backup", "create", "whole"]).ok();
    let served: &Served = site.served();
    assert!(served.memory_kib() < 150_000, "{} KiB", served.memory_kib());
}
