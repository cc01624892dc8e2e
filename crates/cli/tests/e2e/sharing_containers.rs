//! The sharing system as its manual has it run: five images, their scripts, containers that are ended, removed, replaced and
//! carried elsewhere, and every record is still there.

use crate::clock::soon;
use crate::docker::{MODULES, Modules, said};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::process::Stdio;

const PASSWORD: &str = "correct horse battery staple";
const KMS: &str = "http://127.0.0.1:5002/";
const BACKEND: &str = "http://127.0.0.1:5001/";

/// All modules on one machine.
struct System {
    modules: Modules,
    /// The reader's token.
    token: String,
    sent: usize,
}

impl System {
    fn start() -> Option<Self> {
        let modules = Modules::new()?;
        modules.good("libs", "build.sh", &[]);
        for (module, _) in MODULES {
            modules.good(module, &format!("{module}.sh"), &["--build-only"]);
            modules.configure(module);
        }
        modules.good("kms", "kms.sh", &[]);
        modules.docker.wait_for(KMS);
        let two_lines = format!("chief\n{PASSWORD}\n");
        let made = modules.fed("kms", "add_admin.sh", &["-c", "cybexp-kms-priv"], &two_lines);
        assert!(made.contains("username: chief") && made.contains("permissions: admin"), "{made}");
        let talk = [("Name of the administrator: ", "chief"), ("Password of chief: ", PASSWORD)];
        assert!(modules.asked("kms", "./add_admin.sh", &talk).contains("permissions: admin"));
        let (_, token) = made.split_once("access_token: ").unwrap();
        let admin = token.lines().next().unwrap();
        let mut system = Self { modules, token: String::new(), sent: 0 };
        system.member(admin, "north", &["CERT"]);
        system.token = system.member(admin, "johndoe", &["ANALYST", "CERT"]);
        // whoever owns the folders is whom the program runs as
        for name in ["secrets", "db"] {
            let folder = system.modules.folder("backend").join(name);
            std::fs::create_dir(&folder).unwrap();
            std::os::unix::fs::chown(&folder, Some(1_000), Some(1_000)).unwrap();
        }
        system.backend(&[]);
        Some(system)
    }

    /// A member; its first token.
    fn member(&self, admin: &str, name: &str, attributes: &[&str]) -> String {
        let body = json!({
            "username": name, "password": PASSWORD, "password2": PASSWORD, "attributes": attributes
        });
        let header = format!("X-Authorization: Bearer {admin}");
        let url = format!("{KMS}user/create");
        let said = self.modules.docker.curl(&["-H", &header, "-d", &body.to_string(), &url]);
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|fault| panic!("{fault}: {said}"));
        said["access_token"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    fn enrol(&self) {
        let early = self.modules.run("query", "query.sh", &["config.yaml", "203.0.113.7", "-"]);
        assert!(!early.status.success() && said(&early).contains("query enroll"), "{}", said(&early));
        let talk = [("Name of the member: ", "north"), ("Password of north: ", PASSWORD)];
        let line = "bash collector.sh config.yaml enroll";
        assert!(self.modules.asked("collector", line, &talk).contains("Enrolled north"));
        let words = ["enroll", "config.yaml", "--user", "johndoe", "--password-file", "-"];
        assert!(self.modules.fed("query", "query.sh", &words, PASSWORD).contains("ANALYST, CERT"));
        let listed = self.modules.good("collector", "collector.sh", &["--get-attrib", "config.yaml"]);
        assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["ANALYST", "CERT"]);
    }

    fn backend(&self, words: &[&str]) {
        // as compose does it, where compose is not installed
        let mut command = self.modules.command("backend", "backend.sh", words);
        let done = command.env("SHARING_WITHOUT_COMPOSE", "1").output().unwrap();
        assert!(done.status.success(), "{}", said(&done));
        self.modules.docker.wait_for(BACKEND);
    }

    /// The collector in the background, once it listens.
    fn collector(&self, words: &[&str]) {
        let words = [words, &["-d", "config.yaml"]].concat();
        self.modules.good("collector", "collector.sh", &words);
        self.listens();
    }

    /// Waits for the collector of now; one that has ended has a log too.
    fn listens(&self) {
        let state = ["inspect", "--format", "{{.State.Running}}", "cybexp-collector"];
        let runs = || said(&self.modules.docker.run(&state)).trim() == "true";
        soon("the collector listens", || runs() && self.log("cybexp-collector").contains("listening: tcp"));
    }

    fn log(&self, container: &str) -> String {
        said(&self.modules.docker.run(&["logs", container]))
    }

    /// Sends so many records, which are durable when it returns.
    fn send(&mut self, count: usize, port: &str) {
        let record = |n: usize| {
            format!("{{\"src_ip\":\"203.0.113.7\",\"dst_port\":{n},\"password\":\"hunter2\",\"time\":{n}}}\n")
        };
        let lines: String = (self.sent..self.sent + count).map(record).collect();
        let file = self.modules.home.file("lines.json", lines).display().to_string();
        let program = self.modules.binary.display().to_string();
        let sent = self.modules.docker.command(&program, &["collector", "send", "-p", port, &file]).output();
        let sent = sent.unwrap();
        assert!(sent.status.success(), "{}", said(&sent));
        self.sent += count;
    }

    fn query(&self, words: &[&str]) -> String {
        let done = self.modules.run("query", "query.sh", words);
        assert!(done.status.success(), "{words:?}: {}", said(&done));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Everything that was sent is found, and nothing twice.
    fn all_there(&self) {
        let expected = format!("Count: {}\n", self.sent);
        let count = || self.query(&["-q", "count", "config.yaml", "203.0.113.7", "-"]);
        soon("all is found", || count() == expected);
    }

    /// Ends a container as the manual says; its exit code.
    fn interrupt(&self, container: &str) -> String {
        self.modules.docker.good(&["kill", "--signal", "INT", container]);
        self.modules.docker.good(&["wait", container])
    }

    /// A request of which the last part comes when the server was told to stop; the answer.
    fn half(&self, port: u16, path: &str, body: &str, container: &str) -> String {
        let (first, last) = body.split_at(body.len() / 2);
        let head = format!(
            "POST {path} HTTP/1.1\\r\\nhost: a\\r\\nconnection: close\\r\\nx-authorization: Bearer {}\\r\\n\
             content-type: application/json\\r\\ncontent-length: {}\\r\\n\\r\\n",
            self.token,
            body.len()
        );
        let script = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port}; printf '{head}%s' '{first}' >&3; sleep 2\n\
             docker kill --signal INT {container}; sleep 1; printf %s '{last}' >&3; cat <&3; docker wait {container}"
        );
        said(&self.modules.docker.command("bash", &["-c", &script]).output().unwrap())
    }
}

#[test]
fn a_whole_system_in_containers_loses_no_record_whatever_is_done_with_them() {
    let Some(mut system) = System::start() else { return };
    system.enrol();
    system.collector(&[]);
    system.send(30, "6000");
    system.all_there();
    options_of_the_query(&system);
    options_of_the_collector(&mut system);
    nothing_is_written_but_to_what_is_mounted(&system);
    what_is_in_flight_is_finished(&mut system);
    removed_and_made_again(&mut system);
    replaced_by_a_newer_one(&mut system);
    carried_elsewhere(&mut system);
    for (module, script) in [("kms", "kms.sh"), ("backend", "backend.sh")] {
        system.modules.good(module, script, &["--down"]);
    }
    assert!(system.modules.docker.curl(&[KMS]).is_empty());
}

fn options_of_the_query(system: &System) {
    let file = system.modules.folder("query").join("found.ndjson");
    let shown = system.query(&["config.yaml", "src_ip=203.0.113.7 AND dst_port=5", "found.ndjson"]);
    let row: Value = serde_json::from_str(std::fs::read_to_string(file).unwrap().trim()).unwrap();
    assert_eq!(row, json!({ "src_ip": "203.0.113.7", "dst_port": 5, "time": 5 }), "{shown}");
    let count = |words: &[&str]| {
        system.query(&[&["-q", "count"], words, &["config.yaml", "203.0.113.7", "-"]].concat())
    };
    assert_eq!(count(&["-f", "10", "-t", "20"]), "Count: 9\n");
    assert_eq!(count(&["-f", "10", "-t", "20", "-l", "-r"]), "Count: 11\n");
    let csv = system.query(&["--format=csv", "--limit", "2", "config.yaml", "203.0.113.7", "-"]);
    assert_eq!((csv.lines().next(), csv.lines().count()), (Some("dst_port,src_ip,time"), 3), "{csv}");
    let bad = system.modules.run("query", "query.sh", &["config.yaml", "203.0.113.7"]);
    assert!(bad.status.code() == Some(2) && said(&bad).contains("usage:"), "{}", said(&bad));
    let lost = system.modules.run("query", "query.sh", &["config.yaml", "203.0.113.7", "no/such/file"]);
    assert!(!lost.status.success());
}

fn options_of_the_collector(system: &mut System) {
    let again = system.modules.run("collector", "collector.sh", &["config.yaml"]);
    assert!(said(&again).contains("runs already"), "{}", said(&again));
    assert_eq!(system.interrupt("cybexp-collector"), "0");
    // in the foreground, built anew, elsewhere; and ended by Ctrl-C
    let words = ["-b", "--bind", "127.0.0.1:6001", "config.yaml"];
    let mut running = system.modules.command("collector", "collector.sh", &words);
    let running = running.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    system.listens();
    system.send(10, "6001");
    kill_process(Pid::from_child(&running), Signal::INT).unwrap();
    let done = running.wait_with_output().unwrap();
    assert!(done.status.success() && said(&done).contains("10 records taken, 0 refused"), "{}", said(&done));
    let bad =
        [("--bind=localhost:6000", "use 127.0.0.1"), ("--bind=6000000", "not a port"), ("-x", "unknown")];
    for (option, why) in bad {
        let done = system.modules.run("collector", "collector.sh", &[option, "config.yaml"]);
        assert!(!done.status.success() && said(&done).contains(why), "{}", said(&done));
    }
    let open = system.modules.run(
        "collector",
        "collector.sh",
        &["--bind", "0.0.0.0:6002", "config.yaml", "explain"],
    );
    assert!(said(&open).contains("in clear") && said(&open).contains("Who learns what"), "{}", said(&open));
    system.collector(&["--bind", "6000"]);
    system.all_there();
}

fn nothing_is_written_but_to_what_is_mounted(system: &System) {
    for (_, image) in &MODULES[..3] {
        let changed = system.modules.docker.good(&["diff", image]);
        let mut changed: Vec<&str> = changed.lines().collect();
        changed.sort_unstable();
        assert_eq!(changed, ["A /config.yaml", "A /db", "A /secrets"], "{image}");
    }
    let owner = std::os::unix::fs::MetadataExt::uid(
        &std::fs::read_dir(system.modules.folder("backend").join("db"))
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .metadata()
            .unwrap(),
    );
    assert_eq!(owner, 1_000, "it runs as whom its folders belong to");
}

fn what_is_in_flight_is_finished(system: &mut System) {
    let login = json!({ "username": "johndoe", "password": PASSWORD }).to_string();
    let answer = system.half(5002, "/login", &login, "cybexp-kms-priv");
    assert!(
        answer.contains("200 OK") && answer.contains("access_token") && answer.ends_with("}0\n"),
        "{answer}"
    );
    let question = json!({ "where": { "any": ["07".repeat(16)] }, "count": true }).to_string();
    let answer = system.half(5001, "/query", &question, "cybexp-priv-backend-api");
    assert!(answer.contains("{\"count\":0}") && answer.ends_with("}0\n"), "{answer}");
    // both servers are away: records are taken, and one of which a half came before the end
    let script = "exec 3<>/dev/tcp/127.0.0.1/6000; printf '{\"src_ip\":\"203.0.113.7\",' >&3; sleep 2\n\
                  docker kill --signal INT cybexp-collector; sleep 1; printf '\"time\":7}' >&3; exec 3>&-\n\
                  docker wait cybexp-collector";
    system.send(10, "6000");
    let ended = said(&system.modules.docker.command("bash", &["-c", script]).output().unwrap());
    assert!(ended.ends_with("0\n"), "{ended}");
    system.sent += 1;
    assert!(
        system.log("cybexp-collector").contains("11 wait for the exchange"),
        "{}",
        system.log("cybexp-collector")
    );
    system.modules.good("kms", "kms.sh", &[]);
    system.modules.docker.wait_for(KMS);
    system.backend(&[]);
    system.collector(&[]);
    system.all_there();
}

fn removed_and_made_again(system: &mut System) {
    let stopped = std::fs::read(system.modules.folder("kms").join("secrets/unlock-keys.txt")).unwrap();
    for (_, container) in &MODULES[..2] {
        system.modules.docker.good(&["rm", "--force", container]);
    }
    // without either of them
    system.send(20, "6000");
    system.modules.good("kms", "kms.sh", &[]);
    system.modules.docker.wait_for(KMS);
    system.backend(&[]);
    system.all_there();
    let kept = std::fs::read(system.modules.folder("kms").join("secrets/unlock-keys.txt")).unwrap();
    assert_eq!(kept, stopped, "no new authority was made");
    // a collector's container that is killed had acknowledged nothing that is not on disk
    system.send(20, "6000");
    system.modules.docker.good(&["rm", "--force", "cybexp-collector"]);
    system.collector(&[]);
    system.all_there();
}

fn replaced_by_a_newer_one(system: &mut System) {
    let image = |of: &str| system.modules.docker.good(&["inspect", "--format", "{{.Image}}", of]);
    let before = (image("cybexp-priv-backend-api"), image("cybexp-collector"));
    let mut binary = std::fs::OpenOptions::new().append(true).open(&system.modules.binary).unwrap();
    std::io::Write::write_all(&mut binary, b"newer").unwrap();
    drop(binary);
    system.modules.good("libs", "build.sh", &[]);
    system.backend(&["--build"]);
    system.collector(&["--build"]);
    assert!(before.0 != image("cybexp-priv-backend-api") && before.1 != image("cybexp-collector"));
    system.send(5, "6000");
    system.all_there();
    let left = |image: &str| {
        let label = format!("label=org.strongroom.sharing={image}");
        system.modules.docker.good(&["images", "--quiet", "--filter", &label]).lines().count()
    };
    for (module, image) in &MODULES[1..3] {
        assert_eq!(left(image), 2);
        system.modules.good(module, &format!("{module}.sh"), &["--vacuum"]);
        assert_eq!(left(image), 1, "the replaced image is gone, the one in use is not");
    }
    system.all_there();
}

fn carried_elsewhere(system: &mut System) {
    let docker = &system.modules.docker;
    let archive = system.modules.home.join("images.tar").display().to_string();
    let images = ["cybexp-priv-libs", MODULES[0].1, MODULES[1].1, MODULES[2].1, MODULES[3].1];
    docker.good(&[&["save", "-o", &archive][..], &images].concat());
    docker.good(&["stop", "-t", "60", "cybexp-collector"]);
    docker.good(&["rm", "--force", MODULES[0].1, MODULES[1].1, MODULES[2].1]);
    docker.good(&[&["rmi"][..], &images].concat());
    let missing = system.modules.run("query", "query.sh", &["config.yaml", "203.0.113.7", "-"]);
    assert!(said(&missing).contains("there is no image"), "{}", said(&missing));
    docker.good(&["load", "-i", &archive]);
    system.modules.good("kms", "kms.sh", &[]);
    docker.wait_for(KMS);
    system.backend(&[]);
    system.collector(&[]);
    system.send(5, "6000");
    system.all_there();
}
