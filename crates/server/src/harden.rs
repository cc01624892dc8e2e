//! What the process gives up before it holds a key: core dumps, debuggers, swap, files that others may read.
//!
//! [`apply`] belongs at the very start, before a thread is made and before anything secret is read. What the system
//! does not allow is reported, never fatal: a container without the right to lock memory still serves.

use rustix::fs::Mode;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask,
};

/// `CAP_IPC_LOCK` in the kernel's numbering: memory may be locked without limit.
const CAP_IPC_LOCK: u32 = 14;

/// What was achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardening {
    /// No core dump is written and no process of the same user may look inside.
    pub dumps_off: bool,
    /// Whether secrets may reach swap.
    pub memory: MemoryLock,
    /// Files and connections that may be open.
    pub descriptors: Option<u64>,
}

/// Whether the process's memory is kept out of swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryLock {
    /// All of it, present and future, from the moment that it is touched.
    Locked,
    /// The limit (`RLIMIT_MEMLOCK`) is finite: under it a lock on all memory would make allocation fail later.
    LimitTooLow,
    /// The system refused.
    Refused,
}

/// Core dumps and debuggers off, umask 077, descriptors to the hard limit, memory locked where allowed. `SIGPIPE` is
/// ignored by the runtime before `main`, so a client that hangs up is an error of one write.
pub fn apply() -> Hardening {
    umask(Mode::from_raw_mode(0o077));
    Hardening { dumps_off: dumps_off(), memory: lock_memory(), descriptors: raise_descriptors() }
}

impl Hardening {
    /// Says what was achieved; to be called once logging has begun.
    pub fn log(&self) {
        if !self.dumps_off {
            tracing::warn!("core dumps could not be turned off");
        }
        match self.memory {
            MemoryLock::Locked => tracing::info!("memory is locked"),
            MemoryLock::LimitTooLow => tracing::warn!(
                "memory is not locked: set LimitMEMLOCK=infinity or grant CAP_IPC_LOCK, or run without swap"
            ),
            MemoryLock::Refused => tracing::warn!("memory is not locked: the system refused"),
        }
        if let Some(descriptors) = self.descriptors {
            tracing::debug!(descriptors, "descriptors");
        }
    }
}

fn dumps_off() -> bool {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = setrlimit(Resource::Core, none).is_ok();
    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok() && limited
}

/// Raises the soft limit to the hard one: what the system grants. `None` stands for no limit.
fn raise_descriptors() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current
}

/// Locks pages when they are first touched (`MCL_ONFAULT`): locking them ahead would make every reserved stack and
/// arena resident, several times the memory that an idle server needs.
fn lock_memory() -> MemoryLock {
    let unlimited = getrlimit(Resource::Memlock).current.is_none();
    if !unlimited && !may_lock_freely() {
        return MemoryLock::LimitTooLow;
    }
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    if mlockall(flags).is_ok() { MemoryLock::Locked } else { MemoryLock::Refused }
}

fn may_lock_freely() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .is_some_and(|capabilities| capabilities & (1 << CAP_IPC_LOCK) != 0)
}
