//! The real programs: started, waited for, ended by SIGINT or as a power cut would.

use crate::fault::{Fault, Outcome};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often something is looked at that is waited for.
const POLL: Duration = Duration::from_millis(20);

/// Now, to measure from.
#[expect(clippy::disallowed_methods, reason = "real programs run in real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Waits until something holds.
pub fn until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Outcome<()> {
    let end = now() + limit;
    while !holds() {
        if now() > end {
            return Err(Fault::new(format!("{what}: not within {} s", limit.as_secs())));
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// A port of loopback that nobody listens on.
pub fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A program that runs until it is ended, at the latest with this.
#[derive(Debug)]
pub struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it; what it says is added to a file.
    pub fn start(command: &mut Command, log: &Path) -> Outcome<Self> {
        let file = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        Ok(Self { child: command.spawn()?, log: log.to_owned() })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Microseconds of processor that it used so far, all threads, user space and kernel; clock ticks are of 10 ms.
    pub fn cpu_micros(&self) -> Outcome<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        // the name may hold spaces: what counts comes after its closing bracket
        let after: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| after.get(at).and_then(|field| field.parse::<u64>().ok());
        let (user, kernel) = ticks(11).zip(ticks(12)).ok_or_else(|| Fault::new("no times in stat"))?;
        Ok((user + kernel) * 10_000)
    }

    /// Whether it ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// What it said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits until it has: well.
    pub fn interrupt(mut self, limit: Duration) -> Outcome<()> {
        if !self.has_ended() {
            kill_process(Pid::from_child(&self.child), Signal::INT)?;
        }
        until("end after SIGINT", limit, || self.has_ended())?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(Fault::new(format!("{status}\n{}", self.log()))) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // one that has ended already is what was wanted
        let _ = self.kill();
    }
}

/// Runs a command that must succeed; what it printed.
pub fn run(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words: Vec<String> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Fault::new(format!("{}: {}: {}", words.join(" "), output.status, said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_ends_when_it_is_asked_and_when_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        // no shell: one that was started with the signal ignored cannot trap it
        let start = |name: &str, handler: &str| {
            let script = format!(
                "import signal, sys, time\nsignal.signal(signal.SIGINT, {handler})\nprint('ready', flush=True)\ntime.sleep(600)"
            );
            let mut command = Command::new("python3");
            let program = Program::start(command.args(["-c", &script]), &folder.path().join(name)).unwrap();
            until("start", Duration::from_mins(1), || program.log().contains("ready")).unwrap();
            program
        };
        let deaf = start("deaf", "signal.SIG_IGN");
        let pid = deaf.pid();
        assert!(deaf.cpu_micros().unwrap() < 10_000_000);
        drop(deaf);
        assert!(!Path::new(&format!("/proc/{pid}/exe")).exists());
        let polite = |code| format!("lambda *_: sys.exit({code})");
        start("good", &polite(0)).interrupt(Duration::from_secs(10)).unwrap();
        assert!(start("bad", &polite(3)).interrupt(Duration::from_secs(10)).is_err());
        assert!(until("nothing", Duration::from_millis(1), || false).is_err());
    }

    #[test]
    fn a_command_that_fails_says_why() {
        let mut command = Command::new("sh");
        let failed = run(command.args(["-c", "echo why >&2; exit 2"])).unwrap_err();
        assert!(failed.to_string().contains("why"));
    }
}
