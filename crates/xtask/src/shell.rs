//! Runs commands: without standard input, with a limit on their time, and with all that they started ended at it.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::{Outcome, clock};

/// How often a running command is looked at.
const POLL: Duration = Duration::from_millis(20);

/// How a command ended.
pub(crate) enum Ended {
    /// By itself.
    Exit(ExitStatus),
    /// By its time limit.
    TimedOut,
}

impl Ended {
    /// Whether it ended by itself and well.
    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Self::Exit(status) if status.success())
    }
}

/// Runs a command to its end or its limit; output goes where the command says.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Outcome<Ended> {
    let mut child = spawn(command)?;
    let until = clock::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::Exit(status));
        }
        if clock::now() >= until {
            end_group(&mut child)?;
            return Ok(Ended::TimedOut);
        }
        std::thread::sleep(POLL);
    }
}

/// Starts a command as the head of its own process group.
pub(crate) fn spawn(command: &mut Command) -> Outcome<Child> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).process_group(0);
    command.spawn().map_err(|error| format!("{name}: {error}").into())
}

/// Ends a child that [`spawn`] started, and all that it started, and waits for it.
pub(crate) fn end_group(child: &mut Child) -> Outcome<()> {
    if child.try_wait()?.is_none() {
        let group = rustix::process::Pid::from_child(child);
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL)?;
        child.wait()?;
    }
    Ok(())
}

/// Sends both outputs of a command to a file.
pub(crate) fn log_to(command: &mut Command, path: &Path) -> Outcome<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let log = File::create(path)?;
    command.stdout(log.try_clone()?).stderr(log);
    Ok(())
}

/// Standard output of a command that must succeed.
pub(crate) fn read(command: &mut Command) -> Outcome<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name}: {} {}", output.status, said.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program is on the path.
pub(crate) fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The cargo that runs us.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// A server that we started; it ends when this goes out of scope.
pub(crate) struct Running(Child);

impl Running {
    /// Starts a command whose output goes to a file.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Outcome<Self> {
        log_to(command, log)?;
        spawn(command).map(Self)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    /// Ends it as a power cut would, with SIGKILL.
    pub(crate) fn kill(&mut self) -> Outcome<()> {
        end_group(&mut self.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("process {} is still there: {error}", self.pid());
        }
    }
}

/// A port of the loopback address that nobody listens on.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_command_past_its_limit_ends_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", pid.display());
        let ended = run(&mut sh(&script), Duration::from_millis(300)).unwrap();
        assert!(matches!(ended, Ended::TimedOut));
        let grandchild = std::fs::read_to_string(pid).unwrap();
        // a signal is sent at once and acted on when the system gets round to it
        let gone = || {
            let stat = format!("/proc/{}/stat", grandchild.trim());
            let state = std::fs::read_to_string(stat).unwrap_or_default();
            state.is_empty() || state.contains(") Z")
        };
        let tries = (0..500).find(|_| {
            std::thread::sleep(Duration::from_millis(10));
            gone()
        });
        assert!(tries.is_some(), "still runs");
    }

    #[test]
    fn how_a_command_ended_is_known() {
        assert!(run(&mut sh("exit 0"), clock::minutes(1)).unwrap().is_success());
        assert!(!run(&mut sh("exit 3"), clock::minutes(1)).unwrap().is_success());
        assert!(run(&mut Command::new("/no/such/program"), clock::minutes(1)).is_err());
        assert_eq!(read(&mut sh("echo out")).unwrap(), "out\n");
        assert!(read(&mut sh("echo why >&2; exit 1")).unwrap_err().to_string().contains("why"));
    }

    #[test]
    fn a_server_ends_when_it_goes_out_of_scope() {
        let folder = tempfile::tempdir().unwrap();
        let mut running = Running::start(&mut sh("exec sleep 600"), &folder.path().join("log")).unwrap();
        assert!(!running.has_ended());
        let pid = running.pid();
        drop(running);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}
