//! Signals and hardening: they are the whole process's, so each has its test here, in one after the other.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail them")]

use rustix::process::{Resource, Signal, dumpable_behavior, getpid, getrlimit, kill_process};
use strongroom_server::harden::{self, MemoryLock};
use strongroom_server::signals::{Asked, Signals};

fn send(signal: Signal) {
    kill_process(getpid(), signal).unwrap();
}

#[tokio::test]
async fn hup_reloads_term_stops_and_the_second_stops_now() {
    let mut signals = Signals::catch().unwrap();
    send(Signal::HUP);
    assert_eq!(signals.next().await, Asked::Reload);
    send(Signal::HUP);
    let mut reloads = 0;
    signals
        .until_stop(async || {
            reloads += 1;
            send(Signal::TERM);
        })
        .await;
    assert_eq!(reloads, 1);
    send(Signal::INT);
    assert_eq!(signals.next().await, Asked::StopNow);
}

#[test]
fn a_hardened_process_dumps_nothing_and_opens_files_for_itself_alone() {
    let hardening = harden::apply();
    assert!(hardening.dumps_off);
    assert_eq!(dumpable_behavior().unwrap(), rustix::process::DumpableBehavior::NotDumpable);
    assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
    assert_eq!(hardening.descriptors, getrlimit(Resource::Nofile).maximum);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(line("Umask:"), "0077");
    let locked = line("VmLck:") != "0 kB";
    assert_eq!(locked, hardening.memory == MemoryLock::Locked);
    // SIGPIPE is the 13th bit of those ignored
    let ignored = u64::from_str_radix(&line("SigIgn:"), 16).unwrap();
    assert_ne!(ignored & (1 << 12), 0);
    hardening.log();
    gives_its_program_back();
}

/// Locked or not, what was mapped of the program goes, and the process runs on; the rest stays locked.
fn gives_its_program_back() {
    let kib = |name: &str| -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let (files, locked) = (kib("RssFile:"), kib("VmLck:"));
    let released = strongroom_idle::release().unwrap();
    assert!(released.bytes > 1_000_000, "{released:?}");
    assert!(kib("RssFile:") < files);
    assert_eq!(kib("VmLck:") > 0, locked > 0);
}
