//! A small disk, and what goes on when it is full.

use crate::clock::soon;
use crate::home::Home;
use crate::served::Served;
use crate::shared::World;
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// A disk of its own, unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    fn of(path: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(&path);
        mount.output().is_ok_and(|done| done.status.success()).then_some(Self(path))
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        let piece = vec![1; 64 << 10];
        while file.write_all(&piece).is_ok() {}
        while file.write_all(&piece[..512]).is_ok() {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // lazily: whoever still holds a file there is about to end
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

fn data_of(home: &Home) -> PathBuf {
    home.join("disk/data")
}

fn start(home: &Home) -> Served {
    Served::dev_with(home, &data_of(home), "warn")
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    let home = Home::new();
    let Some(disk) = Disk::of(home.join("disk"), "size=24m") else {
        println!("SKIPPED: a small disk cannot be mounted here: a full disk is untested");
        return;
    };
    let world = World { served: start(&home), home };
    let store = world.store("full");
    for name in ["a", "b"] {
        store.put(name, json!({ "value": "x".repeat(10_000) }).to_string()).ok();
    }
    disk.fill();
    let big = json!({ "value": "y".repeat(500_000) }).to_string();
    soon("writes are refused", || store.put("c", &big).status == 507);
    store.put("c", r#"{"value":1}"#).is(507, "storage_full");
    store.client.post("/stores", r#"{"name":"more"}"#).is(507, "storage_full");
    let health = store.client.health();
    assert_eq!((health.status, &health.json()["status"]), (200, &json!("degraded")), "{}", health.text());
    assert_eq!(store.get("a").ok()["version"], 1);
    assert_eq!(store.client.delete(&store.path("a")).status, 204, "deleting goes on");
    store.get("a").is(404, "not_found");
    assert_eq!(store.names(), ["b", "keep"]);
    let backup = world.home.join("full.backup").display().to_string();
    world.home.run(&["backup", "create", &backup]).ok();
    world.home.run(&["backup", "verify", &backup]).ok();
    world.home.run(&["lock"]).ok();
    world.home.feed(&["unlock", "--key-file", "-"], &world.served.unlock_keys()[0]).ok();
    world.home.run(&["login"]).ok();
    let status = world.home.run(&["status", "--output", "json"]).json();
    assert_eq!((&status["state"], &status["space"]), (&json!("unlocked"), &json!("reserved")));
    assert!(status["warnings"].to_string().contains("disk is full"), "{status}");
    disk.empty();
    let client = world.client();
    let path = store.path("c");
    soon("writes go on", || client.put(&path, r#"{"value":1}"#).status == 200);
    soon("health is well again", || client.health().json()["status"] == "ok");
    assert_eq!(world.home.run(&["audit", "verify", "--output", "json"]).json()["ok"], true);
    assert_eq!(client.get(&store.path("b")).ok()["value"], "x".repeat(10_000));
    assert_eq!(client.get(&store.path("keep")).ok()["value"], "kept");
    restart_on(disk, world);
}

/// A restart while the disk is full finds everything.
fn restart_on(disk: Disk, world: World) {
    let World { served, home } = world;
    served.kill();
    disk.fill();
    let world = World { served: start(&home), home };
    world.home.run(&["login"]).ok();
    assert_eq!(world.client().get("/stores/full/secrets/keep").ok()["value"], "kept");
    world.client().put("/stores/full/secrets/d", r#"{"value":1}"#).is(507, "storage_full");
    // what was removed while it was full is gone after a kill in the middle of it
    assert_eq!(world.client().delete("/stores/full/secrets/b").status, 204);
    let token = world.client().token().to_owned();
    world.home.run(&["logout"]).ok();
    let World { served, home } = world;
    served.kill();
    let world = World { served: start(&home), home };
    world.served.client().with_token(&token).get("/stores").is(401, "unauthenticated");
    world.home.run(&["login"]).ok();
    world.client().get("/stores/full/secrets/b").is(404, "not_found");
    world.client().put("/stores/full/secrets/d", r#"{"value":1}"#).is(507, "storage_full");
    assert_eq!(world.home.run(&["audit", "verify", "--output", "json"]).json()["ok"], true);
    let World { served, home } = world;
    served.kill();
    // the disk before the home that it is mounted in
    drop(disk);
    drop(home);
}
