//! `cargo xtask bench`: Strongroom and OpenBao side by side, interleaved, in one run, TLS and audit on for both.
//!
//! Method and limits stand in `bench/README.md`. No test asserts a time: this prints a table.

mod convection;
mod disk;
mod load;
mod openbao;
mod ours;
mod people;
mod process;
mod product;
mod rotation;
mod sharing;
mod table;
mod within;

use std::path::{Path, PathBuf};
use std::time::Duration;

use disk::Floor;
use load::{Measured, Shape};
use product::{Product, Request};
use table::{Detail, Figure, Goal};

use crate::{Outcome, clock, shell, tools};

/// Numbers of the secrets that reads go round.
const HOT: u64 = 1_000;
/// One letter of a value, and how many: about 1 KiB.
const VALUE_BYTES: usize = 1_024;
/// How long nobody asks anything before a process counts as idle: either side gives memory back only then.
const QUIET: Duration = Duration::from_secs(25);

/// Which request of a product.
type Pick = fn(&Product) -> &Request;

/// How long and how much.
#[derive(Debug, Clone, Copy)]
struct Plan {
    rounds: usize,
    seconds: u32,
    /// Names listed, and as many again beside them.
    names: u64,
    with_ours: bool,
    with_theirs: bool,
}

impl Plan {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut plan = Self { rounds: 3, seconds: 3, names: 50_000, with_ours: true, with_theirs: true };
        for argument in arguments {
            match argument.as_str() {
                "--quick" => (plan.rounds, plan.seconds, plan.names) = (1, 2, 5_000),
                "--ours-only" => plan.with_theirs = false,
                "--theirs-only" => plan.with_ours = false,
                other => return Err(format!("unknown argument {other}").into()),
            }
        }
        Ok(plan)
    }
}

/// What was measured so far.
struct Bench<'a> {
    root: &'a Path,
    home: PathBuf,
    plan: Plan,
    products: Vec<Product>,
    figures: Vec<Figure>,
    details: Vec<Detail>,
    notes: Vec<String>,
}

/// Runs the bench, prints its page and writes it to `target/bench/latest.md`.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome<bool> {
    if let [only, part, rest @ ..] = arguments
        && only == "--only"
    {
        return match part.as_str() {
            "convection" => convection::run(root, rest),
            "sharing" => sharing::run(root, rest),
            other => Err(format!("no part {other}: there are convection and sharing").into()),
        };
    }
    let plan = Plan::parse(arguments)?;
    prepare(root, plan)?;
    let home = root.join("target/bench");
    std::fs::create_dir_all(&home)?;
    let mut bench = Bench {
        root,
        home,
        plan,
        products: Vec::new(),
        figures: Vec::new(),
        details: Vec::new(),
        notes: Vec::new(),
    };
    bench.start()?;
    std::thread::sleep(QUIET);
    bench.memory("memory idle, first secret stored", Goal::AtMostAndLess(18.0, 6.0))?;
    bench.lookups_and_reads()?;
    bench.writes()?;
    bench.many()?;
    bench.audit_cost();
    let within = if plan.with_ours { within::measure(&bench)? } else { Vec::new() };
    let title = format!("Strongroom beside OpenBao 2.7.2, {} rounds of {} s", plan.rounds, plan.seconds);
    let mut page = table::page(&title, "OpenBao", &bench.figures, &bench.details, &bench.notes);
    page.push_str(&table::against_itself(&within));
    println!("\n{page}");
    std::fs::write(bench.home.join("latest.md"), page)?;
    Ok(true)
}

/// Tools and binaries.
fn prepare(root: &Path, plan: Plan) -> Outcome<()> {
    let missing: Vec<&str> =
        ["wrk", "openssl"].into_iter().filter(|program| !shell::is_there(program)).collect();
    tools::debian(&missing);
    if plan.with_theirs && openbao::binary(root).is_none() {
        tools::pip(root, &[openbao::PACKAGE])?;
    }
    let mut packages = vec!["strongroom-load"];
    packages.extend(plan.with_ours.then_some("strongroom-cli"));
    build(root, &packages)
}

fn build(root: &Path, packages: &[&str]) -> Outcome<()> {
    let mut command = shell::cargo(root);
    command.args(["build", "--release"]).args(packages.iter().flat_map(|package| ["--package", package]));
    let ended = shell::run(&mut command, clock::minutes(30))?;
    if ended.is_success() { Ok(()) } else { Err("the release does not build".into()) }
}

impl Bench<'_> {
    fn start(&mut self) -> Outcome<()> {
        let value = "v".repeat(VALUE_BYTES);
        if self.plan.with_ours {
            println!("starting Strongroom");
            let binary = self.root.join("target/release/strongroom");
            self.products.push(ours::start(&binary, &self.home.join("strongroom"), &value)?);
        }
        if self.plan.with_theirs {
            println!("starting OpenBao");
            self.products.push(openbao::start(self.root, &self.home.join("openbao"), &value)?);
        }
        let seconds = |product: &Product| Some(product.to_first_secret.as_secs_f64());
        self.figure("new server to the first secret, read back", "s", Goal::AtMost(0.5), seconds, "");
        let weight = |product: &Product| {
            std::fs::metadata(&product.binary).ok().map(|file| load::precise(file.len()) / 1e6)
        };
        self.figure("binary", "MB", Goal::AtMost(25.0), weight, "");
        Ok(())
    }

    fn product(&self, name: &str) -> Option<&Product> {
        self.products.iter().find(|product| product.name == name)
    }

    /// One figure read from each product.
    fn figure(
        &mut self,
        name: &str,
        unit: &'static str,
        goal: Goal,
        read: impl Fn(&Product) -> Option<f64>,
        note: &str,
    ) {
        let (ours, theirs) =
            (self.product("Strongroom").and_then(&read), self.product("OpenBao").and_then(&read));
        self.figures.push(Figure { name: name.into(), unit, goal, ours, theirs, note: note.into() });
    }

    fn memory(&mut self, name: &str, goal: Goal) -> Outcome<()> {
        std::thread::sleep(Duration::from_secs(1));
        let mut anonymous = Vec::new();
        for product in &self.products {
            let (_, part) = process::memory_mb(product.pid())?;
            anonymous.push(format!("{} {part:.1}", product.name));
        }
        let note = format!("of it no file: {}", anonymous.join(", "));
        self.figure(
            name,
            "MB",
            goal,
            |product| process::memory_mb(product.pid()).ok().map(|memory| memory.0),
            &note,
        );
        Ok(())
    }

    /// Runs one kind of request on both, round by round, and keeps the details.
    fn measure(&mut self, name: &str, pick: Pick, shape: Shape, durable: bool) -> Outcome<Detail> {
        let mut rounds: Vec<Vec<Measured>> = self.products.iter().map(|_| Vec::new()).collect();
        let mut floor = None;
        for round in 0..self.plan.rounds {
            println!("{name}, {} connections, round {}", shape.connections, round + 1);
            if durable {
                floor = Some(self.floor(floor)?);
            }
            // a write makes a new name in every round; what goes round is there already
            let from = shape.from + if shape.round == 0 { (round as u64) * 10_000_000 } else { 0 };
            for (product, rounds) in self.products.iter().zip(&mut rounds) {
                rounds.push(load::run(self.root, product, pick(product), Shape { from, ..shape })?);
            }
        }
        let of = |name: &str| {
            let at = self.products.iter().position(|product| product.name == name)?;
            rounds.get(at).map(|rounds| load::median(rounds))
        };
        let name = format!("{name}, {} connections", shape.connections);
        Ok(Detail { name, ours: of("Strongroom"), theirs: of("OpenBao"), floor })
    }

    /// The disk now; of two measurements the faster, since a slow moment of the disk must not make a goal easier.
    fn floor(&self, before: Option<Floor>) -> Outcome<Floor> {
        let now = disk::floor(&self.home)?;
        Ok(before.filter(|before| before.p50 < now.p50).unwrap_or(now))
    }

    fn compare(&mut self, detail: &Detail, unit: &'static str, goal: Goal, pick: fn(&Measured) -> f64) {
        let of = |measured: &Option<Measured>| measured.as_ref().map(pick);
        let note = detail
            .floor
            .map_or(String::new(), |floor| format!("fdatasync {:.0} / {:.0} us", floor.p50, floor.p99));
        let (name, ours, theirs) = (detail.name.clone(), of(&detail.ours), of(&detail.theirs));
        self.figures.push(Figure { name, unit, goal, ours, theirs, note });
    }

    fn lookups_and_reads(&mut self) -> Outcome<()> {
        for product in &self.products {
            load::fill(self.root, product, &product.fill_hot, HOT)?;
        }
        let picks: [(&str, Pick); 2] =
            [("token lookup", |product| &product.lookup), ("secret read, 1 KiB", |product| &product.read)];
        for (name, pick) in picks {
            let shape = Shape { connections: 64, seconds: self.plan.seconds, from: 0, round: HOT };
            let many = self.measure(name, pick, shape, false)?;
            self.compare(&many, "us CPU", Goal::AtMostAndLess(48.0, 20.0), |measured| measured.cpu_micros);
            // a read at one connection waits for its entry's flush
            let one = self.measure(name, pick, Shape { connections: 1, ..shape }, true)?;
            let flushes = one.floor.map_or(0.0, |floor| 2.0 * floor.p50);
            self.compare(&one, "us p50, two flushes", Goal::AtMost(flushes), |measured| measured.p50_micros);
            self.details.extend([many, one]);
        }
        Ok(())
    }

    fn writes(&mut self) -> Outcome<()> {
        let shape = Shape { connections: 64, seconds: self.plan.seconds, from: 0, round: 0 };
        let many = self.measure("durable write, 1 KiB, new names", |product| &product.write, shape, true)?;
        self.compare(&many, "writes/s", Goal::TimesMore(10.0), |measured| measured.rate);
        let shape = Shape { connections: 1, from: 5_000_000_000, ..shape };
        let one = self.measure("durable write, 1 KiB, new names", |product| &product.write, shape, true)?;
        self.compare(&one, "us p50", Goal::TimesLess(3.0), |measured| measured.p50_micros);
        self.details.extend([many, one]);
        Ok(())
    }

    /// Fills both, then lists, then weighs.
    fn many(&mut self) -> Outcome<()> {
        let names = self.plan.names;
        for product in &self.products {
            for request in [&product.fill_list, &product.fill_more] {
                let began = clock::now();
                load::fill(self.root, product, request, names)?;
                println!("{}: {names} more secrets in {:.0} s", product.name, began.elapsed().as_secs_f64());
            }
        }
        self.memory(
            &format!("memory with {} secrets and the writes above", 2 * names),
            Goal::AtMostAndLess(120.0, 6.0),
        )?;
        let shape = Shape { connections: 1, seconds: self.plan.seconds.max(6), from: 0, round: 1 };
        let list = self.measure(&format!("list of {names} names"), |product| &product.list, shape, false)?;
        self.compare(&list, "us p50", Goal::TimesLess(100.0), |measured| measured.p50_micros);
        self.details.push(list);
        Ok(())
    }

    /// What an entry of the trail costs in a group, measured at the store: reads differ in too much else.
    fn audit_cost(&mut self) {
        let mut command = shell::cargo(self.root);
        command.args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "strongroom-store-sqlite",
            "--example",
            "rate",
            "--",
        ]);
        let output = shell::read(command.arg(self.home.join("rate")));
        let wanted = "entry only, 64 tasks";
        let cost = output
            .as_ref()
            .ok()
            .and_then(|output| output.lines().find(|line| line.contains(wanted)).and_then(cpu_of));
        let note = match output {
            Ok(_) => "an entry in a group of 64, at the store".to_owned(),
            Err(error) => format!("not measured: {}", error.to_string().lines().next().unwrap_or_default()),
        };
        let (name, goal) = ("audit of a read".to_owned(), Goal::AtMost(10.0));
        self.figures.push(Figure { name, unit: "us CPU", goal, ours: cost, theirs: None, note });
    }
}

/// `...: 40000/s, p50 1 us, p99 2 us, 2.80 us CPU each`
fn cpu_of(line: &str) -> Option<f64> {
    line.strip_suffix(" us CPU each")?.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stores_own_line_is_understood() {
        let line =
            "durable commits, entry only, 64 tasks: 33012/s, p50 1900 us, p99 2500 us, 4.25 us CPU each";
        assert_eq!(cpu_of(line), Some(4.25));
        assert_eq!(cpu_of("list of 50000 rows: 12.0 ms"), None);
    }

    #[test]
    fn an_unknown_argument_is_refused() {
        assert!(Plan::parse(&["--slow".to_owned()]).is_err());
        assert!(run(Path::new("/"), &["--only".to_owned(), "nothing".to_owned()]).is_err());
        assert_eq!(Plan::parse(&["--quick".to_owned()]).unwrap().rounds, 1);
    }
}
