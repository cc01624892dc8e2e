//! A collector whose disk is full: it says so, and nothing that it acknowledged is lost.

use crate::sharing_world::{World, post};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// A disk of its own, unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    fn of(path: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&path).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(&path).output();
        if !mounted.is_ok_and(|done| done.status.success()) {
            println!("SKIPPED: a small disk cannot be mounted here: a collector's full disk is untested");
            return None;
        }
        Some(Self(path))
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        while file.write_all(&[1; 1]).is_ok() {}
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

const RECORD: &str = "{\"src_ip\":\"203.0.113.7\"}";
const ASKED: &str = "src_ip=203.0.113.7";

/// A member's configuration with its keys on the disk; the spool is where `spool` says.
fn config(world: &World, spool: &str) -> String {
    format!(
        "kms: {{url: '{}'}}\nbackend_server: {{url: 'http://127.0.0.1:{}'}}\nsecrets: ../disk/secrets\nspool: {spool}\n\
         inputs: [{{http: '127.0.0.1:0'}}]\nbatch: {{max_secs: 1}}\npolicy:\n  default: {{abe_pol: ANALYST}}\n  \
         index: {{exact: [src_ip]}}\n",
        world.kms.address, world.port
    )
}

/// A reader, and an exchange that it finds records at.
fn reader(world: &World) {
    let servers = format!(
        "kms: {{url: '{}'}}\nbackend_server: {{url: 'http://127.0.0.1:{}'}}\n",
        world.kms.address, world.port
    );
    world.member("query", "johndoe", &["ANALYST"], &servers);
}

#[test]
fn a_manifest_that_cannot_be_written_stops_no_record() {
    let world = World::new();
    let Some(disk) = Disk::of(world.home.join("disk")) else { return };
    let exchange = world.exchange(&["--store", "records"]);
    reader(&world);
    world.member("collector", "north", &["SENDER"], &config(&world, "{folder: ../spool}"));
    let (collector, url) = world.collector("north");
    assert_eq!(post(&url, RECORD), 202);
    world.finds("johndoe", ASKED, 1);
    collector.stop();
    disk.fill();
    // its keys lie there; what it hears anew cannot. It takes records, sealed, and says why it encrypts none
    let (mut collector, url) = world.collector("north");
    for _ in 0..5 {
        assert_eq!(post(&url, RECORD), 202);
    }
    collector.says("No space left");
    collector.says("no fresh manifest");
    assert!(!collector.said().contains("203.0.113.7"));
    collector.kill();
    // killed and started again it has them still
    let (collector, url) = world.collector("north");
    assert_eq!(post(&url, RECORD), 202);
    world.finds("johndoe", ASKED, 1);
    disk.empty();
    world.finds("johndoe", ASKED, 7);
    collector.stop();
    exchange.stop();
    drop(disk);
}

#[test]
fn a_collector_whose_whole_disk_is_full_refuses_and_keeps_what_it_took() {
    let world = World::new();
    let Some(disk) = Disk::of(world.home.join("disk")) else { return };
    reader(&world);
    // the spool lies beside the keys; the exchange is away
    let config = config(&world, "{keep_free_bytes: 0, max_bytes: 4194304}");
    world.member("collector", "north", &["SENDER"], &config);
    let (collector, url) = world.collector("north");
    let mut taken = 0;
    for _ in 0..5 {
        assert_eq!(post(&url, RECORD), 202);
        taken += 1;
    }
    disk.fill();
    let refused = loop {
        match post(&url, RECORD) {
            202 => taken += 1,
            other => break other,
        }
        assert!(taken < 10_000, "a full disk takes records for ever");
    };
    assert_eq!(refused, 503, "its sender knows that it has to come again");
    collector.kill();
    disk.empty();
    let (collector, url) = world.collector("north");
    assert_eq!(post(&url, RECORD), 202);
    let exchange = world.exchange(&["--store", "records"]);
    world.finds("johndoe", ASKED, taken + 1);
    collector.stop();
    exchange.stop();
    drop(disk);
}
