//! Records through the collectors, while exchange and collectors are killed in the middle.

use crate::fault::{Outcome, must};
use crate::honeypot::Honeypot;
use crate::oracle::Oracle;
use crate::program::{Program, now, until};
use crate::random::Random;
use crate::stage::Stage;
use crate::threat::Threats;
use crate::world::{ORGANISATIONS, organisation_of};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::Duration;

/// The three collectors, and what they are given.
#[derive(Debug)]
pub(crate) struct Collecting {
    programs: Vec<Program>,
    inputs: Vec<BufWriter<File>>,
    given: Vec<u64>,
    /// Under which ids the exchange knows them.
    ids: Vec<String>,
}

impl Collecting {
    /// Starts the collectors.
    pub(crate) fn start(stage: &Stage) -> Outcome<Self> {
        let mut collecting =
            Self { programs: Vec::new(), inputs: Vec::new(), given: Vec::new(), ids: Vec::new() };
        for (at, organisation) in ORGANISATIONS.iter().enumerate() {
            let input = stage.folder(organisation.name).join("input.ndjson");
            collecting.inputs.push(BufWriter::new(File::options().create(true).append(true).open(input)?));
            collecting.given.push(0);
            collecting.ids.push(stage.id(organisation.name)?);
            collecting.programs.push(launch(stage, at)?);
        }
        Ok(collecting)
    }

    /// Gives the records of these numbers to their collectors.
    pub(crate) fn give(&mut self, honeypot: Honeypot, numbers: std::ops::Range<u64>) -> Outcome<()> {
        for number in numbers {
            let at = organisation_of(number);
            if let (Some(input), Some(given)) = (self.inputs.get_mut(at), self.given.get_mut(at)) {
                writeln!(input, "{}", honeypot.line(number))?;
                *given += 1;
            }
        }
        self.inputs.iter_mut().try_for_each(std::io::Write::flush)?;
        Ok(())
    }

    /// Gives published threat data to those who have it.
    pub(crate) fn give_threats(&mut self, threats: &Threats) -> Outcome<()> {
        for threat in threats.0.values() {
            if let (Some(input), Some(given)) =
                (self.inputs.get_mut(threat.organisation), self.given.get_mut(threat.organisation))
            {
                writeln!(input, "{}", threat.line())?;
                *given += 1;
            }
        }
        Ok(())
    }

    /// Counts what was given before.
    pub(crate) fn skip(&mut self, before: &Oracle) {
        for (at, given) in self.given.iter_mut().enumerate() {
            *given += before.of(at);
        }
    }

    /// Kills one of the programs as a power cut would, and starts it again on what is there.
    pub(crate) fn kill_one(&mut self, stage: &mut Stage, random: &mut Random) -> Outcome<&'static str> {
        let which = usize::try_from(random.below(6)).unwrap_or_default();
        let Some(organisation) = ORGANISATIONS.get(which) else {
            return stage.kill_server(which == 3);
        };
        if let Some(program) = self.programs.get_mut(which) {
            must(!program.has_ended(), || {
                format!("{} ended by itself:\n{}", organisation.name, program.log())
            })?;
            program.kill()?;
            *program = launch(stage, which)?;
        }
        Ok(organisation.name)
    }

    /// Waits until the exchange has all that was given.
    pub(crate) fn settle(&mut self, stage: &Stage, limit: Duration) -> Outcome<Duration> {
        let began = now();
        let token = stage.login(crate::world::READERS[0].registered)?;
        let mut arrived = vec![0; self.ids.len()];
        let all = until("all records at the exchange", limit, || {
            std::thread::sleep(Duration::from_millis(200));
            for (id, arrived) in self.ids.iter().zip(&mut arrived) {
                *arrived = stage.arrived(id, &token).unwrap_or(*arrived);
            }
            arrived == self.given
        });
        must(all.is_ok(), || {
            let logs: Vec<String> = self.programs.iter().map(|program| end_of(&program.log())).collect();
            format!(
                "given {:?}, arrived {arrived:?}\n{}\n{}",
                self.given,
                logs.join("\n"),
                end_of(&stage.exchange.log())
            )
        })?;
        Ok(began.elapsed())
    }

    /// Microseconds of processor that the collectors have used.
    pub(crate) fn cpu_micros(&self) -> Outcome<u64> {
        self.programs.iter().map(Program::cpu_micros).sum()
    }

    /// Ends the collectors: each must end well.
    pub(crate) fn end(self) -> Outcome<()> {
        self.programs.into_iter().try_for_each(|program| program.interrupt(Duration::from_mins(1)))
    }
}

fn launch(stage: &Stage, at: usize) -> Outcome<Program> {
    let name = ORGANISATIONS.get(at).map_or("", |organisation| organisation.name);
    let folder = stage.folder(name);
    let port = crate::program::free_port()?;
    let mut command = stage.command(&["collector", "--bind", &format!("127.0.0.1:{port}"), "--secrets"]);
    command.arg(folder.join("secrets")).arg(folder.join("config.yaml"));
    Program::start(&mut command, &folder.join("log"))
}

fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
}
