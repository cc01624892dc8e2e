//! The machine, and the server's process on it: room, limits, memory.

use super::Finding;
use crate::config::{Address, Config};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Descriptors that the server needs beside its connections.
const OTHER_DESCRIPTORS: u64 = 200;
/// Below so many times the reserve a disk is nearly full.
const NEARLY_FULL: u64 = 4;

pub(super) fn look(config: &Config, found: &mut Vec<Finding>) {
    disk(config, found);
    match server_process(config) {
        Some(pid) => process(config, pid, found),
        None => found.push(Finding::warn(
            "process",
            "no server answers on the configured socket of this machine: its limits cannot be looked at",
            "start it, or run doctor where it runs, as a user who may use the socket",
        )),
    }
}

fn disk(config: &Config, found: &mut Vec<Finding>) {
    let dirs = [Some(&config.server.data_dir), config.audit.archive_dir.as_ref()];
    for dir in dirs.into_iter().flatten().filter(|dir| dir.exists()) {
        let Ok(disk) = rustix::fs::statvfs(dir) else { continue };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let reserve = config.server.reserve_bytes;
        let about = format!("{} has {} MiB free", dir.display(), free >> 20);
        found.push(if free < reserve / 4 {
            Finding::fail("disk", about, "make room: below a quarter of server.reserve writes are refused")
        } else if free < reserve.saturating_mul(NEARLY_FULL) {
            Finding::warn(
                "disk",
                about,
                "make room soon, or move the trail's old entries out ([audit] keep_age)",
            )
        } else {
            Finding::ok("disk", about)
        });
        if disk.f_ffree == 0 && disk.f_files > 0 {
            let about = format!("{} has no inode free", dir.display());
            found.push(Finding::fail("disk", about, "remove files: none can be made"));
        }
    }
    reserve(config, found);
}

fn reserve(config: &Config, found: &mut Vec<Finding>) {
    let file = config.server.data_dir.join("reserve");
    let Ok(held) = std::fs::metadata(&file).map(|file| file.len()) else { return };
    if held < config.server.reserve_bytes {
        let about =
            format!("{} holds {} of {} MiB", file.display(), held >> 20, config.server.reserve_bytes >> 20);
        found.push(Finding::warn("disk", about, "the reserve was used: make room, and it fills by itself"));
    }
}

/// The process that listens on the configured socket.
fn server_process(config: &Config) -> Option<i32> {
    let sockets = config.listeners.iter().filter_map(|listener| match &listener.address {
        Address::Unix(path) => Some(path),
        Address::Tcp(_) => None,
    });
    sockets.into_iter().find_map(|path| {
        let stream = UnixStream::connect(path).ok()?;
        let peer = rustix::net::sockopt::socket_peercred(&stream).ok()?;
        Some(peer.pid.as_raw_nonzero().get())
    })
}

fn process(config: &Config, pid: i32, found: &mut Vec<Finding>) {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    descriptors(config, &read("limits"), found);
    memory(&read("status"), found);
}

/// The soft limit of a line of `proc_pid_limits(5)`.
fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let rest = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match rest.split_ascii_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

fn descriptors(config: &Config, limits: &str, found: &mut Vec<Finding>) {
    let Some(open) = soft_limit(limits, "Max open files") else { return };
    let connections = u64::try_from(config.limits.connections).unwrap_or(u64::MAX);
    let needed = connections.saturating_add(OTHER_DESCRIPTORS);
    found.push(if open < needed {
        let about = format!("the server may open {open} files, limits.connections asks for {needed}");
        let advice = format!("set LimitNOFILE={needed} in its unit, or lower limits.connections");
        Finding::warn("limits", about, advice)
    } else {
        Finding::ok("limits", "the server may open as many files as its connections need")
    });
}

/// A number of kB in a line of `proc_pid_status(5)`.
fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// What keeps secrets out of swap.
const ADVICE: &str = "set LimitMEMLOCK=infinity or grant CAP_IPC_LOCK, or turn swap off or encrypt it";

fn memory(status: &str, found: &mut Vec<Finding>) {
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default().lines().count() > 1;
    let (locked, swapped) = (kilobytes(status, "VmLck:"), kilobytes(status, "VmSwap:"));
    found.push(match (swapped, locked) {
        (Some(swapped), _) if swapped > 0 => {
            Finding::fail("memory", format!("{swapped} kB of the server are in swap"), ADVICE)
        }
        (_, Some(0)) if swaps => {
            Finding::warn("memory", "the server's memory is not locked and this machine swaps", ADVICE)
        }
        (_, Some(0)) => {
            Finding::ok("memory", "the server's memory is not locked, and this machine has no swap")
        }
        (_, Some(_)) => Finding::ok("memory", "the server's memory is locked"),
        (_, None) => return,
    });
    if let Some(finding) = core_dumps(Path::new("/proc/sys/fs/suid_dumpable")) {
        found.push(finding);
    }
}

/// The server turns its own dumps off; the system can be told to write them all the same.
fn core_dumps(setting: &Path) -> Option<Finding> {
    let dumpable = std::fs::read_to_string(setting).ok()?;
    Some(match dumpable.trim() {
        "0" => Finding::ok("memory", "no core dump is written of the server"),
        value => Finding::warn(
            "memory",
            format!("fs.suid_dumpable is {value}: core dumps of protected processes may be written"),
            "sysctl fs.suid_dumpable=0",
        ),
    })
}
