//! All of it, in order.

use crate::collecting::Collecting;
use crate::fault::{Fault, Outcome, must};
use crate::honeypot::{FIELDS, Honeypot};
use crate::needles::Needles;
use crate::oracle::{Condition, Oracle, Question};
use crate::program::{now, until};
use crate::questions::{everything, of_threats, questions};
use crate::random::Random;
use crate::reading::{self, Compared};
use crate::remains;
use crate::stage::{Stage, text};
use crate::threat::Threats;
use crate::world::{READERS, SUSPENDED};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The binary under test.
    pub binary: PathBuf,
    /// A folder for everything; it is made.
    pub home: PathBuf,
    /// Honeypot records to make.
    pub records: u64,
    /// The seed of records, questions and kills.
    pub seed: u64,
    /// How often a program is killed while records come in.
    pub kills: u64,
    /// The most records that one search may bring; more frequent values are counted only.
    pub most_found: usize,
    /// How long the records may take to arrive.
    pub limit: Duration,
    /// Ends when the records have arrived, and says what that cost; without kills.
    pub only_collects: bool,
    /// Where packages with threat data are installed.
    pub data: Option<PathBuf>,
}

/// Runs it; an error is a broken promise.
pub fn run(plan: &Plan) -> Outcome<()> {
    let began = now();
    let threats = plan.data.as_deref().map(Threats::read).transpose()?.unwrap_or_default();
    say(&format!("{} entries of published threat data", threats.0.len()), began);
    let oracle =
        Oracle { honeypot: Honeypot { seed: plan.seed }, records: plan.records, threats: Arc::new(threats) };
    let began = now();
    let needles = needles(&oracle);
    let mut stage = Stage::set(&plan.binary, &plan.home, needles.clone())?;
    say("servers started, seven members made and enrolled", began);
    if plan.only_collects {
        return measure(plan, &oracle, &stage);
    }
    collect(plan, &oracle, &mut stage)?;
    read(plan, &oracle, &stage)?;
    spy(&stage, &needles)?;
    suspend(plan, &oracle, &mut stage)
}

#[expect(clippy::print_stdout, reason = "progress of a long run, for who waits for it")]
fn say(what: &str, since: Instant) {
    println!("{what}: {:.1} s", since.elapsed().as_secs_f64());
}

/// Distinctive values of records here and there, and the names of fields.
fn needles(oracle: &Oracle) -> Needles {
    let mut needles = Needles::default();
    for field in FIELDS {
        needles.add(&format!("name {field}"), field.as_bytes());
    }
    for part in 0..50 {
        let number = oracle.records * part / 50;
        for (field, value) in oracle.honeypot.record(number) {
            let text = value.as_str().filter(|text| text.len() >= 12 && field != "client_banner");
            if let Some(text) = text {
                needles.add(&format!("{field} of record {number}"), text.as_bytes());
            }
        }
    }
    for threat in oracle.threats.0.values().step_by(oracle.threats.0.len() / 50 + 1) {
        for text in threat.values.iter().filter_map(Value::as_str).filter(|text| text.len() >= 16) {
            needles.add(&format!("threat data {text}"), text.as_bytes());
        }
    }
    needles
}

/// Records in pieces, a program killed after each piece, until all have arrived.
fn collect(plan: &Plan, oracle: &Oracle, stage: &mut Stage) -> Outcome<()> {
    let began = now();
    let mut collecting = Collecting::start(stage)?;
    let mut random = Random::new(plan.seed ^ 0x6b11);
    let mut killed = Vec::new();
    collecting.give_threats(&oracle.threats)?;
    let pieces = plan.kills + 1;
    for piece in 0..pieces {
        let from = oracle.records * piece / pieces;
        collecting.give(oracle.honeypot, from..oracle.records * (piece + 1) / pieces)?;
        if piece + 1 < pieces {
            std::thread::sleep(Duration::from_millis(300 + random.below(1_500)));
            killed.push(collecting.kill_one(stage, &mut random)?);
        }
    }
    collecting.settle(stage, plan.limit)?;
    say(&format!("{} records arrived, killed meanwhile: {}", oracle.records, killed.join(" ")), began);
    collecting.end()
}

/// What records cost on their way: processor time of the collectors and of the exchange, and the rate end to end.
fn measure(plan: &Plan, oracle: &Oracle, stage: &Stage) -> Outcome<()> {
    let mut collecting = Collecting::start(stage)?;
    let before = (collecting.cpu_micros()?, stage.exchange.cpu_micros()?);
    let began = now();
    collecting.give(oracle.honeypot, 0..oracle.records)?;
    collecting.settle(stage, plan.limit)?;
    let after = (collecting.cpu_micros()?, stage.exchange.cpu_micros()?);
    let each = |micros: u64| micros / oracle.records.max(1);
    say(
        &format!(
            "{} records durable, CPU us a record: collectors {}, exchange {}",
            oracle.records,
            each(after.0 - before.0),
            each(after.1 - before.1)
        ),
        began,
    );
    collecting.end()
}

/// All records once, whatever their number, then what is rarer in many ways; the readers side by side.
fn read(plan: &Plan, oracle: &Oracle, stage: &Stage) -> Outcome<()> {
    let began = now();
    let all = everything();
    let mut asked = questions(oracle, plan.seed ^ 0xa5c);
    asked.extend(of_threats(oracle, plan.seed));
    let found = oracle.answers(&[all.clone(), asked.clone()].concat());
    let asked: Vec<_> = (all.iter().map(|question| (question, usize::MAX)))
        .chain(asked.iter().map(|question| (question, plan.most_found)))
        .zip(found)
        .filter(|((_, most), found)| found.len() <= *most)
        .map(|((question, _), found)| (question.clone(), found))
        .collect();
    say(&format!("the oracle answered {} questions", asked.len()), began);
    std::thread::scope(|scope| {
        let reading = READERS.each_ref().map(|reader| {
            let asked = &asked;
            scope.spawn(move || {
                let began = now();
                let Compared { searches, counts, records, open, sealed } =
                    reading::compare(stage, oracle, reader, asked)?;
                say(
                    &format!(
                        "{}: {searches} searches, {counts} counts, {records} records compared: {open} fields open, \
                         {sealed} sealed",
                        reader.name
                    ),
                    began,
                );
                Ok(())
            })
        });
        reading.into_iter().try_for_each(|reader| {
            reader.join().unwrap_or_else(|_| Err(Fault::new("a comparison did not come to its end")))
        })
    })
}

/// Nothing in the exchange's files, its memory, and what went to it and from it.
fn spy(stage: &Stage, needles: &Needles) -> Outcome<()> {
    let began = now();
    let mut files = needles.search();
    remains::files(&stage.store(), &mut files)?;
    must(files.bytes() > 0 && files.found().is_empty(), || {
        format!("in the exchange's files: {:?}", files.found())
    })?;
    let mut memory = needles.search();
    remains::memory(stage.exchange.pid(), &mut memory)?;
    must(memory.bytes() > 0 && memory.found().is_empty(), || format!("in its memory: {:?}", memory.found()))?;
    let (found, wire) = stage.wire.found();
    must(wire > 0 && found.is_empty(), || format!("on the way: {found:?}"))?;
    let told = [files.bytes(), memory.bytes(), wire].map(|bytes| bytes / 1_000_000);
    say(&format!("{} texts in none of {told:?} MB of files, memory, traffic", needles.len()), began);
    // the same search finds them where they are
    let mut inputs = needles.search();
    remains::files(&stage.folder(crate::world::ORGANISATIONS[0].name), &mut inputs)?;
    must(!inputs.found().is_empty(), || "the search finds nothing where all is in clear".into())
}

/// Who is suspended gets nothing more: no token, no key, no record.
fn suspend(plan: &Plan, oracle: &Oracle, stage: &mut Stage) -> Outcome<()> {
    let began = now();
    let whole = |name: String| Question {
        condition: Condition::Is("honeypot_record", name),
        after: None,
        before: None,
    };
    let old = whole(crate::honeypot::name_of(1));
    must(reading::ask(stage, &SUSPENDED, &old, &[])?.lines().count() == 1, || {
        "dora reads nothing while she may".into()
    })?;
    let admin = stage.kms_as_admin();
    let epoch = |stage: &Stage| -> Outcome<Value> {
        let manifest = stage.kms_as_admin().get("/get/manifest")?.with(200)?;
        let payload = data_encoding::BASE64.decode(text(&manifest, "payload").as_bytes())?;
        Ok(serde_json::from_slice::<Value>(&payload)?.get("epoch").cloned().unwrap_or(Value::Null))
    };
    let before = epoch(stage)?;
    admin.post("/user/suspend", &json!({ "username": SUSPENDED.registered }))?.with(200)?;
    must(epoch(stage)? != before, || "a suspension begins no epoch".into())?;
    must(stage.login(SUSPENDED.registered).is_err(), || "who is suspended logs in".into())?;
    // what comes in after the suspension is read by who may, and not by her
    let more = Oracle { records: oracle.records + 20, ..oracle.clone() };
    let mut collecting = Collecting::start(stage)?;
    collecting.skip(oracle);
    collecting.give(oracle.honeypot, oracle.records..more.records)?;
    collecting.settle(stage, plan.limit)?;
    collecting.end()?;
    let newest = whole(crate::honeypot::name_of(more.records - 1));
    let expected = [(newest.clone(), BTreeSet::from([crate::honeypot::name_of(more.records - 1)]))];
    for reader in &READERS {
        reading::compare(stage, &more, reader, &expected)?;
    }
    let mut refused = String::new();
    until("the exchange refuses who is suspended", Duration::from_secs(90), || {
        let asked = reading::ask(stage, &SUSPENDED, &newest, &[]);
        refused = asked.as_ref().err().map(ToString::to_string).unwrap_or_default();
        asked.is_err()
    })?;
    say(&format!("who was suspended reads nothing more ({refused})"), began);
    Ok(())
}
