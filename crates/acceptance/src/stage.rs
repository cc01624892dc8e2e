//! The stage: KMS, exchange behind a proxy that reads along, members and their folders.

use crate::fault::{Outcome, must};
use crate::http::Site;
use crate::needles::Needles;
use crate::program::{self, Program, free_port, until};
use crate::wire::Wire;
use crate::world::{FORMS, ORGANISATIONS, Organisation, READERS, Reader, SUSPENDED};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// How long a server may take to answer at all.
const START: Duration = Duration::from_mins(1);
const ADMIN: (&str, &str) = ("Root of all", "the administrator's password 9921");

/// Everything that runs, and where.
#[derive(Debug)]
pub(crate) struct Stage {
    binary: PathBuf,
    home: PathBuf,
    kms_port: u16,
    exchange_port: u16,
    /// What is read on the way to the exchange.
    pub(crate) wire: Wire,
    /// The KMS.
    pub(crate) kms: Program,
    /// The exchange.
    pub(crate) exchange: Program,
    /// The administrator's token.
    admin: String,
}

impl Stage {
    /// Starts the servers and makes the members; needles get the members' passwords.
    pub(crate) fn set(binary: &Path, home: &Path, mut needles: Needles) -> Outcome<Self> {
        std::fs::create_dir_all(home)?;
        let (kms_port, exchange_port) = (free_port()?, free_port()?);
        for name in members() {
            needles.add(&format!("password of {name}"), password(name).as_bytes());
        }
        let wire = Wire::tap(exchange_port, Arc::new(needles))?;
        let kms = start_kms(binary, home, kms_port)?;
        let exchange = start_exchange(binary, home, exchange_port, kms_port)?;
        let mut stage = Self {
            binary: binary.to_owned(),
            home: home.to_owned(),
            kms_port,
            exchange_port,
            wire,
            kms,
            exchange,
            admin: String::new(),
        };
        stage.people()?;
        Ok(stage)
    }

    /// The KMS, as the administrator.
    pub(crate) fn kms_as_admin(&self) -> Site {
        Site::at(self.kms_port).by(&self.admin)
    }

    /// The exchange's own files.
    pub(crate) fn store(&self) -> PathBuf {
        self.home.join("exchange/db")
    }

    /// A member's folder.
    pub(crate) fn folder(&self, member: &str) -> PathBuf {
        self.home.join(member)
    }

    /// Kills a server as a power cut would, and starts it again on what is there.
    pub(crate) fn kill_server(&mut self, is_kms: bool) -> Outcome<&'static str> {
        if is_kms {
            self.kms.kill()?;
            self.kms = start_kms(&self.binary, &self.home, self.kms_port)?;
            return Ok("KMS");
        }
        self.exchange.kill()?;
        self.exchange = start_exchange(&self.binary, &self.home, self.exchange_port, self.kms_port)?;
        Ok("exchange")
    }

    /// A command of the binary.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(words);
        command
    }

    /// A member's token.
    pub(crate) fn login(&self, member: &str) -> Outcome<String> {
        let asked = json!({ "username": member, "password": password(member) });
        let told = Site::at(self.kms_port).post("/login", &asked)?.with(200)?;
        Ok(text(&told, "access_token"))
    }

    /// How many records the exchange has of a collector.
    pub(crate) fn arrived(&self, collector: &str, token: &str) -> Outcome<u64> {
        let heads = Site::at(self.exchange_port).by(token).get("/sync/heads")?.with(200)?;
        let heads = heads.get("heads").unwrap_or(&heads).as_array().cloned().unwrap_or_default();
        let own = heads.iter().find(|head| text(head, "collector") == collector);
        Ok(own.and_then(|head| head.get("sequence")).and_then(Value::as_u64).unwrap_or_default())
    }

    /// The id under which the exchange knows a member.
    pub(crate) fn id(&self, member: &str) -> Outcome<String> {
        let me = Site::at(self.kms_port).by(&self.login(member)?).get("/user/me")?.with(200)?;
        Ok(text(&me, "id"))
    }

    fn people(&mut self) -> Outcome<()> {
        self.add_admin()?;
        for organisation in ORGANISATIONS {
            self.create(organisation.name, organisation.name, &["COLLECTOR"])?;
        }
        for reader in READERS.iter().chain([&SUSPENDED]) {
            self.create(reader.name, reader.registered, reader.attributes)?;
        }
        for organisation in ORGANISATIONS {
            self.configure(organisation.name, &collector_config(&organisation))?;
            self.enroll("collector", organisation.name)?;
        }
        for reader in READERS.iter().chain([&SUSPENDED]) {
            self.configure(reader.registered, "policy:\n  timestamp:\n    exact: [observed_at]\n")?;
            self.enroll("query", reader.registered)?;
        }
        Ok(())
    }

    /// The first administrator, by the local socket of the KMS.
    fn add_admin(&mut self) -> Outcome<()> {
        let file = self.home.join("admin.password");
        private(&file, ADMIN.1)?;
        let (db, secrets) = (self.home.join("kms/db"), self.home.join("kms/secrets"));
        let mut command = self.command(&["attributes", "add-admin", ADMIN.0]);
        command.arg("--password-file").arg(&file).arg("--db").arg(db).arg("--secrets").arg(secrets);
        let printed = program::run(&mut command)?;
        must(printed.contains("Root_of_all") && printed.contains("admin"), || {
            format!("add-admin: {printed}")
        })?;
        let asked = json!({ "username": ADMIN.0, "password": ADMIN.1 });
        self.admin = text(&Site::at(self.kms_port).post("/login", &asked)?.with(200)?, "access_token");
        Ok(())
    }

    fn create(&self, name: &str, registered: &str, attributes: &[&str]) -> Outcome<()> {
        let password = password(registered);
        let lower: Vec<String> = attributes.iter().map(|attribute| attribute.to_lowercase()).collect();
        let asked =
            json!({ "username": name, "password": password, "password2": password, "attributes": lower });
        let made = self.kms_as_admin().post("/user/create", &asked)?.with(201)?;
        must(text(&made, "username") == registered, || format!("{name} is registered as {made}"))
    }

    /// A member's folder with its configuration.
    fn configure(&self, member: &str, more: &str) -> Outcome<()> {
        let folder = self.folder(member);
        std::fs::create_dir_all(&folder)?;
        let config = format!(
            "kms:\n  url: http://127.0.0.1:{}\nbackend_server:\n  url: http://127.0.0.1:{}\n  max_post_retries: 3\n\
             {}{more}",
            self.kms_port,
            self.wire.port,
            forms(),
        );
        private(&folder.join("config.yaml"), &config)?;
        private(&folder.join("password"), &password(member))
    }

    fn enroll(&self, program: &str, member: &str) -> Outcome<()> {
        let folder = self.folder(member);
        let mut command = self.command(&[program, "enroll", "--user", member, "--password-file"]);
        command.arg(folder.join("password")).arg("--secrets").arg(folder.join("secrets"));
        program::run(command.arg(folder.join("config.yaml"))).map(drop)
    }
}

/// Everybody, by their registered names.
fn members() -> Vec<&'static str> {
    let readers = READERS.iter().chain([&SUSPENDED]).map(|reader: &Reader| reader.registered);
    readers.chain(ORGANISATIONS.iter().map(|organisation| organisation.name)).collect()
}

fn password(member: &str) -> String {
    format!("of {member}: correct horse 5531 battery")
}

fn start_kms(binary: &Path, home: &Path, port: u16) -> Outcome<Program> {
    let folder = home.join("kms");
    std::fs::create_dir_all(&folder)?;
    let config = folder.join("config.yaml");
    private(&config, "manifest_max_age: 1m\ntoken_rate: 6000\n")?;
    let mut command = Command::new(binary);
    command.arg("kms").arg("--config").arg(&config);
    command.arg("--secrets").arg(folder.join("secrets")).arg("--db").arg(folder.join("db"));
    command.args(["--bind", &format!("127.0.0.1:{port}")]);
    started("KMS", Program::start(&mut command, &folder.join("log"))?, port)
}

fn start_exchange(binary: &Path, home: &Path, port: u16, kms: u16) -> Outcome<Program> {
    let folder = home.join("exchange");
    std::fs::create_dir_all(&folder)?;
    let mut command = Command::new(binary);
    command
        .args(["exchange", "--listen", &format!("127.0.0.1:{port}")])
        .arg("--store")
        .arg(folder.join("db"));
    command.args(["--authority", &format!("http://127.0.0.1:{kms}")]);
    started("exchange", Program::start(&mut command, &folder.join("log"))?, port)
}

/// Waits for `up`.
fn started(name: &str, mut program: Program, port: u16) -> Outcome<Program> {
    let mut ended = false;
    let up = until(name, START, || {
        ended = program.has_ended();
        let answer = Site::at(port).get("/");
        ended || answer.is_ok_and(|answer| answer.status == 200 && answer.body == b"up\n")
    });
    must(up.is_ok() && !ended, || format!("{name} does not start:\n{}", program.log()))?;
    Ok(program)
}

fn forms() -> String {
    let mut forms = String::from("fields:\n");
    for (field, form) in FORMS {
        // a String takes whatever is written to it
        let _ = writeln!(forms, "  {field}:\n    form: {form}");
    }
    forms
}

/// Its policy, a file that it follows, small batches, so that kills hit them in the middle.
fn collector_config(organisation: &Organisation) -> String {
    format!(
        "batch:\n  max_records: 2000\n  max_secs: 5\ninputs:\n  - file: input.ndjson\n{}",
        organisation.policy
    )
}

fn private(path: &Path, text: &str) -> Outcome<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::File::options().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// A text of an answer; empty where it is not there.
pub(crate) fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
