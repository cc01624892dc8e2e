//! The sharing system's images: built by their scripts with a real Docker, and what is in them; a KMS in a container that is
//! removed, replaced, exported, and has its data still.

use crate::clock;
use crate::home::{Home, STRONGROOM};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::Duration;

/// A Docker of the test's own: nobody's images are replaced, and no rule of the host's network is touched.
struct Docker {
    daemon: Child,
    home: Home,
}

impl Docker {
    /// Nothing where it cannot be.
    fn start() -> Option<Self> {
        let program = Path::new("/usr/sbin/dockerd");
        if !program.exists() || !rustix::process::geteuid().is_root() {
            println!(
                "SKIPPED: dockerd is missing, or not for this user: no image of the sharing system was built"
            );
            return None;
        }
        let home = Home::new();
        let log = std::fs::File::create(home.join("dockerd.log")).unwrap();
        let mut command = Command::new(program);
        for (option, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            command.arg(option).arg(home.join(name));
        }
        command
            .args(["--iptables=false", "--bridge=none", "-H"])
            .arg(format!("unix://{}", home.join("sock").display()));
        let daemon = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let docker = Self { daemon, home };
        let began = clock::now();
        while !docker.command(&["info"]).output().is_ok_and(|done| done.status.success()) {
            if began.elapsed() > Duration::from_secs(30) {
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

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(words).env("DOCKER_HOST", self.host());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let ended =
            kill_process(Pid::from_child(&self.daemon), Signal::TERM).is_ok() && self.daemon.wait().is_ok();
        assert!(ended || std::thread::panicking());
    }
}

/// A copy of the modules' folders, and their scripts run in it.
struct Modules {
    home: Home,
    docker: Docker,
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Modules {
    fn new() -> Option<Self> {
        let docker = Docker::start()?;
        let home = Home::new();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sharing");
        let copied = Command::new("cp").arg("-r").arg(sources).arg(home.join("sharing")).status().unwrap();
        assert!(copied.success());
        Some(Self { home, docker })
    }

    fn folder(&self, module: &str) -> PathBuf {
        self.home.join("sharing").join(module)
    }

    fn run(&self, module: &str, script: &str, words: &[&str]) -> Output {
        let mut command = Command::new("bash");
        command.arg(script).args(words).current_dir(self.folder(module));
        command.env("STRONGROOM_BINARY", STRONGROOM).env("DOCKER_HOST", self.docker.host());
        command.output().unwrap()
    }

    fn good(&self, module: &str, script: &str, words: &[&str]) -> String {
        let done = self.run(module, script, words);
        assert!(done.status.success(), "{module}: {}", said(&done));
        said(&done)
    }
}

const MODULES: [(&str, &str); 4] = [
    ("kms", "cybexp-kms-priv"),
    ("backend", "cybexp-priv-backend-api"),
    ("collector", "cybexp-collector"),
    ("query", "cybexp-priv-query"),
];

/// The files of all layers of an image.
fn files(docker: &Docker, image: &str) -> Vec<String> {
    let (archive, folder) = (docker.home.join("image.tar"), docker.home.join("image"));
    let saved = docker.run(&["save", "-o", archive.to_str().unwrap(), image]);
    assert!(saved.status.success(), "{}", said(&saved));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    assert!(Command::new("tar").arg("xf").arg(&archive).arg("-C").arg(&folder).status().unwrap().success());
    let list =
        "find . -type f -size +0 | while read -r f; do tar tf \"$f\" 2>/dev/null || true; done | sort -u";
    let listed = Command::new("sh").args(["-c", list]).current_dir(&folder).output().unwrap();
    String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn images_hold_one_program_and_nothing_of_anybodys() {
    let Some(modules) = Modules::new() else { return };
    // what must not get in lies there already
    for (module, _) in MODULES {
        let folder = modules.folder(module);
        for name in ["secrets", "db"] {
            std::fs::create_dir(folder.join(name)).unwrap();
            std::fs::write(folder.join(name).join("marked-secret"), "secret").unwrap();
        }
        std::fs::write(folder.join("config.yaml"), "marked: configuration\n").unwrap();
    }
    modules.good("libs", "build.sh", &[]);
    for (module, image) in MODULES {
        let script = format!("{module}.sh");
        assert!(modules.good(module, &script, &["--help"]).contains("--build-only"));
        modules.good(module, &script, &["--build", "--build-only"]);
        let shell = modules.run(module, &script, &["--shell"]);
        assert!(!shell.status.success() && said(&shell).contains("there is no shell"), "{}", said(&shell));
        let files = files(&modules.docker, image);
        assert!(files.iter().any(|file| file == "strongroom"), "{files:?}");
        let foreign = |file: &&String| {
            let known = ["strongroom", "lib", "etc/ssl/certs/", "etc/nsswitch.conf", "tmp/"];
            !file.ends_with('/') && !known.iter().any(|known| file.starts_with(known))
        };
        let foreign: Vec<&String> =
            files.iter().filter(foreign).filter(|file| !file.ends_with("json")).collect();
        assert!(foreign.iter().all(|file| file.as_str() == "VERSION"), "{image}: {foreign:?}");
        let version = modules.docker.run(&[
            "run",
            "--rm",
            "--network",
            "none",
            "--entrypoint",
            "/strongroom",
            image,
            "--version",
        ]);
        assert!(said(&version).contains("strongroom "), "{}", said(&version));
    }
    let refused = modules.run("collector", "collector.sh", &["--bind", "localhost:6000", "config.yaml"]);
    assert!(said(&refused).contains("use 127.0.0.1"), "{}", said(&refused));
}

/// What a server of a container says to a request.
fn curl(words: &[&str]) -> String {
    let done = Command::new("curl").args(["-s", "--max-time", "20"]).args(words).output().unwrap();
    said(&done)
}

fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn wait_for(url: &str) {
    clock::soon("the container answers", || curl(&[url]) == "up\n");
}

#[test]
fn a_container_that_is_removed_or_replaced_leaves_its_data() {
    let Some(modules) = Modules::new() else { return };
    let port = free_port();
    let compose = modules.folder("kms").join("docker-compose.yml");
    let text =
        std::fs::read_to_string(&compose).unwrap().replace("127.0.0.1:5002:", &format!("127.0.0.1:{port}:"));
    std::fs::write(compose, text).unwrap();
    let example = modules.folder("kms").join("config.example.yaml");
    std::fs::copy(example, modules.folder("kms").join("config.yaml")).unwrap();
    modules.good("libs", "build.sh", &[]);
    modules.good("kms", "kms.sh", &["--build"]);
    let url = format!("http://127.0.0.1:{port}/");
    wait_for(&url);
    let unlock = modules.folder("kms").join("secrets/unlock-keys.txt");
    let (keys, manifest) = (std::fs::read(&unlock).unwrap(), format!("{url}get/manifest"));
    let kid = || curl(&[&manifest]).split("\"kid\":\"").nth(1)?.split('"').next().map(str::to_owned);
    let before = kid();
    assert!(before.is_some(), "{}", curl(&[&manifest]));
    // removed and made again
    modules.good("kms", "kms.sh", &["--down"]);
    assert!(curl(&[&url]).is_empty());
    modules.good("kms", "kms.sh", &[]);
    wait_for(&url);
    assert_eq!((std::fs::read(&unlock).unwrap(), kid()), (keys.clone(), before.clone()));
    // exported, imported, and a newer image in its place
    let archive = modules.home.join("images.tar");
    let archive = archive.to_str().unwrap();
    let images = ["cybexp-priv-libs", "cybexp-kms-priv"];
    assert!(modules.docker.run(&[&["save", "-o", archive][..], &images].concat()).status.success());
    modules.good("kms", "kms.sh", &["--down"]);
    assert!(modules.docker.run(&[&["rmi"][..], &images].concat()).status.success());
    let missing = modules.run("kms", "kms.sh", &[]);
    assert!(!missing.status.success() && said(&missing).contains("there is no image"), "{}", said(&missing));
    assert!(modules.docker.run(&["load", "-i", archive]).status.success());
    modules.good("kms", "kms.sh", &[]);
    wait_for(&url);
    modules.good("libs", "build.sh", &[]);
    modules.good("kms", "kms.sh", &["--build"]);
    wait_for(&url);
    assert_eq!((std::fs::read(&unlock).unwrap(), kid()), (keys, before));
    modules.good("kms", "kms.sh", &["--down"]);
}
