//! A Docker of the tests' own, in a network of its own, and a copy of the sharing system's modules with their scripts.

use crate::clock;
use crate::home::{Home, STRONGROOM};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A daemon: nobody's images are replaced, no rule and no interface of the host's network is touched, and the ports that
/// the modules publish are free.
pub(crate) struct Docker {
    daemon: Child,
    home: Home,
}

impl Docker {
    /// Nothing where it cannot be.
    pub(crate) fn start() -> Option<Self> {
        let program = Path::new("/usr/sbin/dockerd");
        if !program.exists() || !rustix::process::geteuid().is_root() {
            println!(
                "SKIPPED: dockerd is missing, or not for this user: no image of the sharing system was built"
            );
            return None;
        }
        let home = Home::new();
        let log = std::fs::File::create(home.join("dockerd.log")).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--net", "--", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""]).arg(program);
        for (option, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            command.arg(option).arg(home.join(name));
        }
        command.arg("-H").arg(format!("unix://{}", home.join("sock").display()));
        let daemon = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let mut docker = Self { daemon, home };
        let began = clock::now();
        while !docker.command("docker", &["info"]).output().is_ok_and(|done| done.status.success()) {
            let ended = docker.daemon.try_wait().unwrap().is_some();
            if ended || began.elapsed() > Duration::from_mins(1) {
                let log = std::fs::read_to_string(docker.home.join("dockerd.log")).unwrap();
                println!("SKIPPED: dockerd does not start here: no image was built: {log}");
                return None;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(docker)
    }

    fn host(&self) -> String {
        format!("unix://{}", self.home.join("sock").display())
    }

    /// A program in the network where the modules' ports are.
    pub(crate) fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.daemon.id())).arg("--").arg(program).args(words);
        command.env("DOCKER_HOST", self.host()).stdin(Stdio::null());
        command
    }

    /// A command of `docker`.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command("docker", words).output().unwrap()
    }

    /// The same, that succeeds; what it says.
    #[track_caller]
    pub(crate) fn good(&self, words: &[&str]) -> String {
        let done = self.run(words);
        assert!(done.status.success(), "{words:?}: {}", said(&done));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// What a server of a container says to a request.
    pub(crate) fn curl(&self, words: &[&str]) -> String {
        let words = [&["-s", "--noproxy", "*", "--max-time", "60"][..], words].concat();
        said(&self.command("curl", &words).output().unwrap())
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, url: &str) {
        clock::soon("the container answers", || self.curl(&[url]) == "up\n");
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let ended =
            kill_process(Pid::from_child(&self.daemon), Signal::TERM).is_ok() && self.daemon.wait().is_ok();
        assert!(ended || std::thread::panicking());
    }
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Folders and images of the modules.
pub(crate) const MODULES: [(&str, &str); 4] = [
    ("kms", "cybexp-kms-priv"),
    ("backend", "cybexp-priv-backend-api"),
    ("collector", "cybexp-collector"),
    ("query", "cybexp-priv-query"),
];

/// A copy of the modules' folders, and their scripts run in it.
pub(crate) struct Modules {
    pub(crate) home: Home,
    pub(crate) docker: Docker,
    /// The program that images are made of.
    pub(crate) binary: PathBuf,
}

impl Modules {
    pub(crate) fn new() -> Option<Self> {
        let docker = Docker::start()?;
        let home = Home::new();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sharing");
        let copied = Command::new("cp").arg("-r").arg(sources).arg(home.join("sharing")).status().unwrap();
        assert!(copied.success());
        // what only a debugger needs would be copied into each image
        let binary = home.join("strongroom");
        let mut strip = Command::new("strip");
        if !strip.arg("-o").arg(&binary).arg(STRONGROOM).status().is_ok_and(|done| done.success()) {
            std::fs::copy(STRONGROOM, &binary).unwrap();
        }
        Some(Self { home, docker, binary })
    }

    pub(crate) fn folder(&self, module: &str) -> PathBuf {
        self.home.join("sharing").join(module)
    }

    /// A script of a module, as a person would run it in its folder.
    pub(crate) fn command(&self, module: &str, script: &str, words: &[&str]) -> Command {
        let mut command = self.docker.command("bash", &[&[script][..], words].concat());
        command.current_dir(self.folder(module)).env("STRONGROOM_BINARY", &self.binary);
        command
    }

    pub(crate) fn run(&self, module: &str, script: &str, words: &[&str]) -> Output {
        self.command(module, script, words).output().unwrap()
    }

    #[track_caller]
    pub(crate) fn good(&self, module: &str, script: &str, words: &[&str]) -> String {
        self.fed(module, script, words, "")
    }

    /// One that reads from standard input.
    #[track_caller]
    pub(crate) fn fed(&self, module: &str, script: &str, words: &[&str], input: &str) -> String {
        let mut command = self.command(module, script, words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{module}: {words:?}: {}", said(&done));
        said(&done)
    }

    /// One that asks at a terminal: each question and its answer.
    pub(crate) fn asked(&self, module: &str, line: &str, talk: &[(&str, &str)]) -> String {
        let typescript = self.home.join("typescript").display().to_string();
        let mut command = self.docker.command("script", &["-q", "-e", "-c", line, &typescript]);
        command.current_dir(self.folder(module)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut heard, mut bytes, mut rest) = (String::new(), [0; 4096], talk);
        loop {
            let read = from.read(&mut bytes).unwrap();
            heard.push_str(&String::from_utf8_lossy(&bytes[..read]));
            if let Some(((question, answer), others)) = rest.split_first()
                && heard.contains(question)
            {
                to.write_all(format!("{answer}\n").as_bytes()).unwrap();
                rest = others;
            }
            if read == 0 {
                break;
            }
        }
        assert!(child.wait().unwrap().success() && rest.is_empty(), "{heard}");
        heard
    }

    /// A module's configuration as its example stands.
    pub(crate) fn configure(&self, module: &str) {
        let folder = self.folder(module);
        std::fs::copy(folder.join("config.example.yaml"), folder.join("config.yaml")).unwrap();
    }
}
