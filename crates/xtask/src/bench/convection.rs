//! The convection door beside the original's server, in one run: the same requests over TLS, the server's CPU from
//! `/proc`. Method and limits stand in `bench/README.md`.

mod side;

use std::path::{Path, PathBuf};

use side::{Cost, Side};

use super::table::{self, Figure, Goal};
use super::{process, shell, tools};
use crate::Outcome;

/// Bytes of a value.
const VALUE_BYTES: usize = 64;
/// Clients of ours at once; the original has one at a time.
const CLIENTS: u64 = 64;
/// Those who come at once to each listener.
const CROWD: u32 = 100;

/// How much of each.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Secrets in the two stores.
    small: u64,
    large: u64,
    /// Requests of each kind to ours, with many clients and with one.
    ours: u64,
    alone: u64,
    /// Requests of each kind to the original, with few secrets and with many.
    theirs: u64,
    theirs_large: u64,
    /// Authorisations: ours, theirs.
    authorisations: (u64, u64),
    starts: u32,
    with_ours: bool,
    with_theirs: bool,
}

const WHOLE: Plan = Plan {
    small: 100,
    large: 10_000,
    ours: 20_000,
    alone: 1_000,
    theirs: 10,
    theirs_large: 3,
    authorisations: (500, 10),
    starts: 3,
    with_ours: true,
    with_theirs: true,
};

const QUICK: Plan = Plan {
    small: 10,
    large: 200,
    ours: 1_000,
    alone: 100,
    theirs: 2,
    theirs_large: 1,
    authorisations: (50, 2),
    starts: 1,
    ..WHOLE
};

impl Plan {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut plan = WHOLE;
        for argument in arguments {
            match argument.as_str() {
                "--quick" => {
                    plan = Self { with_ours: plan.with_ours, with_theirs: plan.with_theirs, ..QUICK };
                }
                "--ours-only" => plan.with_theirs = false,
                "--theirs-only" => plan.with_ours = false,
                other => return Err(format!("unknown argument {other}").into()),
            }
        }
        Ok(plan)
    }
}

/// Runs it, prints its page and writes it to `target/bench/convection.md`.
pub(super) fn run(root: &Path, arguments: &[String]) -> Outcome<bool> {
    let plan = Plan::parse(arguments)?;
    let home = prepare(root, plan)?;
    let mut bench = Bench { plan, sides: Vec::new(), figures: Vec::new() };
    if plan.with_ours {
        bench.sides.push(Side::ours(root, &home.join("ours"))?);
    }
    if plan.with_theirs {
        bench.sides.push(Side::theirs(root, &home.join("theirs"))?);
    }
    bench.starts()?;
    bench.memory("memory idle, unlocked")?;
    bench.authorisations()?;
    bench.requests("small", plan.small, plan.theirs, 1_000.0)?;
    bench.requests("large", plan.large, plan.theirs_large, 50_000.0)?;
    bench.crowds()?;
    bench.memory("memory after all this")?;
    let title = format!("The convection door beside the original, {} and {} secrets", plan.small, plan.large);
    let page = table::page(&title, "the original", &bench.figures, &[], &bench.notes());
    println!("\n{page}");
    std::fs::write(home.join("../convection.md"), page)?;
    Ok(true)
}

fn prepare(root: &Path, plan: Plan) -> Outcome<PathBuf> {
    tools::originals(root)?;
    if !shell::is_there("openssl") {
        tools::debian(&["openssl"]);
    }
    let mut packages = vec!["strongroom-load"];
    packages.extend(plan.with_ours.then_some("strongroom-cli"));
    super::build(root, &packages)?;
    let home = root.join("target/bench/convection");
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    std::fs::create_dir_all(&home)?;
    Ok(home)
}

struct Bench {
    plan: Plan,
    /// Ours first, if it is there.
    sides: Vec<Side>,
    figures: Vec<Figure>,
}

/// How a kind of request costs, with so many clients.
struct Ask<'a> {
    store: &'a str,
    create: bool,
    secrets: u64,
    count: u64,
    clients: u64,
}

impl Bench {
    fn notes(&self) -> Vec<String> {
        vec![
            format!("ours: {CLIENTS} clients at once over TCP, {} requests of each kind", self.plan.ours),
            format!(
                "the original: one client, {} requests of each kind with few secrets, {} with many",
                self.plan.theirs, self.plan.theirs_large
            ),
        ]
    }

    /// One figure, of each side in turn.
    fn figure(
        &mut self,
        name: &str,
        unit: &'static str,
        goal: Goal,
        mut read: impl FnMut(&mut Side) -> Outcome<f64>,
    ) -> Outcome<()> {
        println!("{name}");
        let (mut ours, mut theirs) = (None, None);
        for side in &mut self.sides {
            let value = Some(read(side)?);
            *(if side.is_ours() { &mut ours } else { &mut theirs }) = value;
        }
        self.figures.push(Figure { name: name.into(), unit, goal, ours, theirs, note: String::new() });
        Ok(())
    }

    /// Both are initialised by now, so that a start is that of every day. It ends with the stores in place.
    fn starts(&mut self) -> Outcome<()> {
        let starts = self.plan.starts;
        self.figure("start to the first answer", "ms", Goal::AtMost(100.0), |side| {
            let mut took = (0..starts).map(|_| side.restart()).collect::<Outcome<Vec<f64>>>()?;
            took.sort_by(f64::total_cmp);
            took.get(took.len() / 2).copied().ok_or_else(|| "no start".into())
        })?;
        for side in &mut self.sides {
            side.enter()?;
            side.stores(&["small", "large"])?;
        }
        Ok(())
    }

    fn memory(&mut self, name: &str) -> Outcome<()> {
        self.figure(name, "MB", Goal::Told, |side| Ok(process::memory_mb(side.pid())?.0))
    }

    fn authorisations(&mut self) -> Outcome<()> {
        let (ours, theirs) = self.plan.authorisations;
        self.figure("authorize, both steps", "ms CPU", Goal::AtMost(1.0), |side| {
            let count = if side.is_ours() { ours } else { theirs };
            Ok(side.authorise(count)?.cpu_micros / 1_000.0)
        })
    }

    /// Reading and creating with so many secrets in a store; ours also with one client alone.
    fn requests(&mut self, store: &str, secrets: u64, theirs: u64, times: f64) -> Outcome<()> {
        for side in &self.sides {
            println!("{}: {secrets} secrets", side.name());
            side.fill(store, secrets, VALUE_BYTES)?;
        }
        let (many, alone) = (self.plan.ours, self.plan.alone);
        for create in [false, true] {
            let what = if create { "create" } else { "get" };
            let ask = move |side: &Side, count, clients| {
                let ours = if side.is_ours() { (count, clients) } else { (theirs, 1) };
                request(side, &Ask { store, create, secrets, count: ours.0, clients: ours.1 })
            };
            let name = format!("{what}, {secrets} secrets");
            self.figure(&name, "us CPU", Goal::TimesLess(times), |side| {
                Ok(ask(side, many, CLIENTS)?.cpu_micros)
            })?;
            let Some(at) = self.sides.iter().position(Side::is_ours) else { continue };
            let cost = self.sides.get(at).map(|side| ask(side, alone, 1)).transpose()?;
            for (unit, value) in
                [("us CPU", cost.map(|cost| cost.cpu_micros)), ("us", cost.map(|cost| cost.micros))]
            {
                let (name, note) = (format!("{name}, one client alone"), String::new());
                self.figures.push(Figure { name, unit, goal: Goal::Told, ours: value, theirs: None, note });
            }
        }
        Ok(())
    }

    fn crowds(&mut self) -> Outcome<()> {
        for listener in ["socket", "tcp", "websocket"] {
            let name = format!("of {CROWD} clients at once on {listener}, answered");
            self.figure(&name, "clients", Goal::AtLeast(f64::from(CROWD)), |side| {
                side.crowd(listener, CROWD)
            })?;
        }
        Ok(())
    }
}

fn request(side: &Side, ask: &Ask<'_>) -> Outcome<Cost> {
    if ask.create {
        // new names, whoever asked before
        let from = 1_000_000 * (1 + ask.clients);
        side.ask(
            "create_secret",
            ask.store,
            &"v".repeat(VALUE_BYTES),
            from..from + ask.count,
            ask.clients,
            None,
        )
    } else {
        side.ask("get_secret", ask.store, "", 0..ask.count, ask.clients, Some(ask.secrets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_keeps_its_side() {
        let plan = |words: &str| Plan::parse(&words.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let short = plan("--ours-only --quick").unwrap();
        assert!(short.with_ours && !short.with_theirs && short.large < WHOLE.large);
        assert!(plan("--slow").is_err());
    }
}
