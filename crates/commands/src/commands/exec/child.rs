//! The command as a child, its output masked.
//!
//! The child stays in this program's process group. So what a terminal sends (Ctrl-C, Ctrl-Z, a new size) reaches both, and
//! is passed on only if a process sent it to this one alone. Signals are ended before the child is collected, so that none
//! ever reaches another process of its number.

use super::mask::Masker;
use super::patterns::Patterns;
use super::{Variables, not_started};
use crate::error::{CliError, TransferError};
use crate::output::Output;
use rustix::process::{DumpableBehavior, Pid, Signal, WaitId, WaitIdOptions};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is passed on.
const PASSED: &[i32] = &[SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT];
/// Read at once.
const PIECE: usize = 64 * 1024;

/// Where signals go; nobody once the child has ended.
type Receiver = Arc<Mutex<Option<Pid>>>;

/// Runs it to its end.
pub(super) fn masked(out: Output, mut command: Command, variables: Variables) -> Result<(), CliError> {
    // no memory image, no debugger of the same user: the values stay here as long as they are looked for
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let short: Vec<&str> = variables
        .iter()
        .filter(|(_, of)| Patterns::too_short(&of.text))
        .map(|(name, _)| name.as_str())
        .collect();
    if !short.is_empty() {
        out.warn(&format!("shorter than {} bytes and not masked: {}", Patterns::SHORTEST, short.join(", ")));
    }
    let patterns = Arc::new(Patterns::new(variables.values().map(|variable| &variable.text)));
    drop(variables);
    let signals = SignalsInfo::<WithOrigin>::new(PASSED).map_err(TransferError::Signals)?;
    let program = command.get_program().to_owned();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(not_started(&program))?;
    drop(command);
    let status = attended(&mut child, signals, &patterns).map_err(not_started(&program))?;
    match code(status) {
        0 => Ok(()),
        code => Err(TransferError::Ended(code).into()),
    }
}

/// Passes signals in and masked output out until the child and its output have ended.
fn attended(
    child: &mut Child,
    mut signals: SignalsInfo<WithOrigin>,
    patterns: &Arc<Patterns>,
) -> io::Result<ExitStatus> {
    let receiver: Receiver = Arc::new(Mutex::new(Some(Pid::from_child(child))));
    let handle = signals.handle();
    let to = Arc::clone(&receiver);
    let passing = thread::spawn(move || signals.forever().for_each(|origin| pass(&origin, &to)));
    let pumps = [
        child.stdout.take().map(|from| pump(from, io::stdout(), patterns)),
        child.stderr.take().map(|from| pump(from, io::stderr(), patterns)),
    ];
    ended(child)?;
    if let Ok(mut receiver) = receiver.lock() {
        *receiver = None;
    }
    let status = child.wait();
    for pump in pumps.into_iter().flatten() {
        // it has no result, and a panic in it was told
        let _ = pump.join();
    }
    handle.close();
    let _ = passing.join();
    status
}

/// Waits for the end without collecting it: until then its number is its own.
fn ended(child: &Child) -> io::Result<()> {
    let id = WaitId::Pid(Pid::from_child(child));
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    rustix::io::retry_on_intr(|| rustix::process::waitid(id.clone(), options))?;
    Ok(())
}

/// 128 and the signal's number, as shells say it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

fn pass(origin: &Origin, to: &Receiver) {
    // what the kernel sends for a terminal it sends to the whole group
    if origin.cause != Cause::Kernel
        && let Ok(receiver) = to.lock()
        && let (Some(child), Some(signal)) = (*receiver, Signal::from_named_raw(origin.signal))
    {
        let _ = rustix::process::kill_process(child, signal);
    }
    if origin.signal == SIGTSTP {
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP);
    }
}

/// Passes output on. If nobody reads it any more, the child hears of it as it would without us.
fn pump(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    patterns: &Arc<Patterns>,
) -> thread::JoinHandle<()> {
    let mut masker = Masker::new(Arc::clone(patterns));
    thread::spawn(move || {
        let mut piece = vec![0; PIECE];
        let mut clean = Vec::new();
        loop {
            let got = match from.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => break,
                Ok(got) => got,
            };
            masker.take(piece.get(..got).unwrap_or_default(), &mut clean);
            if to.write_all(&clean).and_then(|()| to.flush()).is_err() {
                break;
            }
            clean.clear();
        }
        masker.finish(&mut clean);
        let _ = to.write_all(&clean).and_then(|()| to.flush());
        strongroom_secret::wipe(&mut piece);
    })
}
