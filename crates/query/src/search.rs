//! A search from its question to its last record.

use std::collections::{BTreeSet, HashMap};

use data_encoding::BASE64;
use strongroom_blindindex::Token;
use strongroom_envelope::{Reader, SealedRecord};
use strongroom_sharing::SignedText;
use strongroom_sharing::exchange::{Found, MAX_PAGE, Page, Query, Where};

use crate::batches::Batches;
use crate::check::{Novelty, Seen, authentic, is_asked};
use crate::language::{Bound, Question, TimeRange};
use crate::opened;
use crate::output::Sink;
use crate::plan::{Plan, PlanError};
use crate::ports::{AskError, Authority, Exchange};
use crate::proven::{Proven, Tallies};
use crate::row::{Cell, Row};
use crate::settings::Fields;
use crate::signers::Signers;
use crate::summary::{Finding, Summary};

/// Records that a search shows unless more is asked for: each costs some memory, for what comes twice must be known.
pub const DEFAULT_LIMIT: u64 = 1_000_000;
/// A collector's clock may be so much ahead of the exchange's, in hours.
const CLOCKS_HOURS: u32 = 1;
/// Pages without a record that a search takes in a row: a cursor that leads nowhere ends it.
const MAX_EMPTY_PAGES: u32 = 100_000;

/// What a search is to do.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Count, show nothing.
    pub is_count: bool,
    /// Prove that nothing was withheld.
    pub is_proving: bool,
    /// The most records to show.
    pub limit: u64,
    /// Records of a page.
    pub page: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { is_count: false, is_proving: false, limit: DEFAULT_LIMIT, page: MAX_PAGE }
    }
}

/// Who looks on.
pub trait Watch {
    /// Something is wrong.
    fn finding(&mut self, finding: &Finding);
    /// So much was done.
    fn progress(&mut self, summary: &Summary);
    /// Whether to stop.
    fn is_stopped(&self) -> bool;
}

/// Why a search ends without its end.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The question cannot be asked.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Authority or exchange did not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The output cannot be written.
    #[error("output: {0}")]
    Output(#[source] std::io::Error),
    /// The exchange gives pages without end and without records.
    #[error("the exchange gives empty pages without end")]
    Endless,
}

/// A question with its tokens.
#[derive(Debug)]
pub struct Asked<'a> {
    question: &'a Question,
    plan: Plan,
    heads: Vec<SignedText>,
}

impl<'a> Asked<'a> {
    /// Asks the authority for the tokens of a question.
    pub async fn ask(
        question: &'a Question,
        fields: &Fields,
        authority: &impl Authority,
    ) -> Result<Self, SearchError> {
        let mut plan = Plan::new(question, fields)?;
        for asking in plan.asks() {
            let tokens = authority.tokens(&asking.ask).await?;
            plan.answered(&asking, tokens)?;
        }
        Ok(Self { question, plan, heads: Vec::new() })
    }

    /// Asks the authority as well how far each collector's chain goes: for a proof, which then knows who sent nothing.
    pub async fn and_heads(mut self, authority: &impl Authority) -> Result<Self, SearchError> {
        self.heads = authority.heads().await?;
        Ok(self)
    }

    /// The epochs whose records can be found: keys of these are of use.
    pub fn epochs(&self) -> BTreeSet<u64> {
        self.plan.sections().into_iter().map(|section| section.epoch).collect()
    }
}

/// What a search stands on.
pub struct Searcher<'a, X> {
    /// Gives records.
    pub exchange: &'a X,
    /// Opens them.
    pub reader: &'a Reader,
    /// Knows whose signature is whose.
    pub signers: &'a Signers,
    /// Knows fields.
    pub fields: &'a Fields,
    /// What to do.
    pub options: Options,
}

/// A search under way.
struct Work<'a> {
    plan: Plan,
    question: &'a Question,
    seen: Seen,
    batches: Batches,
    tallies: Option<Tallies>,
    summary: Summary,
    sink: &'a mut dyn Sink,
    watch: &'a mut dyn Watch,
}

/// A record that is what it says, and its tokens.
struct Taken {
    bytes: Vec<u8>,
    tokens: BTreeSet<Token>,
    hour: u32,
}

impl<X: Exchange> Searcher<'_, X> {
    /// Searches, and gives every record to the sink.
    pub async fn search(
        &self,
        asked: Asked<'_>,
        sink: &mut dyn Sink,
        watch: &mut dyn Watch,
    ) -> Result<Summary, SearchError> {
        let Asked { question, plan, heads } = asked;
        let summary = Summary { refused: plan.refused().clone(), ..Summary::default() };
        let (seen, batches) = (Seen::default(), Batches::default());
        let mut work = Work { plan, question, seen, batches, tallies: None, summary, sink, watch };
        if self.options.is_proving {
            self.prove(&mut work, heads).await?;
        } else {
            self.ask(&mut work).await?;
        }
        if !self.options.is_count {
            work.sink.finish().map_err(SearchError::Output)?;
        }
        Ok(work.summary)
    }

    /// Without a proof: the question as it is, by the hours in which its records can have come.
    async fn ask(&self, work: &mut Work<'_>) -> Result<(), SearchError> {
        let (since_hour, until_hour) = hours(work.question);
        let is_word =
            self.options.is_count && work.question.happened.is_everything() && !work.plan.has_unlike();
        for condition in work.plan.conditions()? {
            let query = self.query(condition, since_hour, until_hour);
            if is_word {
                let counted = self.exchange.count(&Query { count: true, limit: None, ..query }).await?;
                work.summary.shown = work.summary.shown.saturating_add(counted.count);
                work.summary.is_word = true;
            } else if !self.pages(work, query).await? {
                break;
            }
        }
        Ok(())
    }

    /// With a proof: everything that has one of few tokens, for which the collectors say what there is.
    async fn prove(&self, work: &mut Work<'_>, heads: Vec<SignedText>) -> Result<(), SearchError> {
        work.summary.completeness.is_asked = true;
        let mut proven = Proven::default();
        for section in work.plan.sections() {
            let tokens = work.plan.tokens_of(section);
            let found = proven.fetch(section, &tokens, self.exchange, self.signers).await?;
            for finding in &found {
                work.find(finding);
            }
        }
        proven.settle(&crate::copy::heads(heads, self.signers));
        let (conditions, tallies) = proven.conditions(&work.plan);
        work.tallies = Some(tallies);
        for condition in conditions {
            // a collector's word is on its whole epoch: hours are looked at here
            if !self.pages(work, self.query(condition, None, None)).await? {
                work.summary.completeness.is_cut = true;
                break;
            }
        }
        let tallies = work.tallies.take().unwrap_or_default();
        let is_cut = work.summary.completeness.is_cut;
        let (completeness, findings) = proven.held_against(tallies, is_cut, self.signers.epoch());
        work.summary.completeness = completeness;
        for finding in &findings {
            work.find(finding);
        }
        Ok(())
    }

    fn query(&self, condition: Where, since_hour: Option<u32>, until_hour: Option<u32>) -> Query {
        let limit = Some(self.options.page.clamp(1, MAX_PAGE));
        Query { condition, since_hour, until_hour, collectors: None, count: false, limit, cursor: None }
    }

    /// All pages of a query; whether to go on with the next.
    async fn pages(&self, work: &mut Work<'_>, mut query: Query) -> Result<bool, SearchError> {
        let mut empty = 0;
        loop {
            let Page { records, cursor } = self.exchange.page(&query).await?;
            empty = if records.is_empty() { empty + 1 } else { 0 };
            if empty > MAX_EMPTY_PAGES {
                return Err(SearchError::Endless);
            }
            self.page(work, records).await?;
            work.watch.progress(&work.summary);
            if work.watch.is_stopped() {
                work.summary.is_stopped = true;
                return Ok(false);
            }
            if work.summary.shown >= self.options.limit {
                work.summary.is_limited = true;
                return Ok(false);
            }
            if cursor.is_none() {
                return Ok(true);
            }
            query.cursor = cursor;
        }
    }

    async fn page(&self, work: &mut Work<'_>, records: Vec<Found>) -> Result<(), SearchError> {
        let taken: Vec<Taken> =
            records.into_iter().filter_map(|found| work.take(&found, self.signers)).collect();
        let parsed = taken.iter().filter_map(|taken| SealedRecord::parse(&taken.bytes).ok());
        let batches = parsed.map(|record| record.batch()).collect();
        work.batches.fetch(batches, self.exchange, self.reader).await?;
        for taken in &taken {
            if work.summary.shown >= self.options.limit {
                work.summary.is_limited = true;
                break;
            }
            let Some(row) = work.open(taken, self.fields) else { continue };
            work.summary.shown += 1;
            if !self.options.is_count {
                work.sink.row(&row).map_err(SearchError::Output)?;
            }
        }
        Ok(())
    }
}

impl Work<'_> {
    fn find(&mut self, finding: &Finding) {
        self.summary.findings += 1;
        self.watch.finding(finding);
    }

    fn leave(&mut self, finding: &Finding) -> Option<Taken> {
        self.summary.broken += 1;
        self.find(finding);
        None
    }

    /// What is a record of its collector, was asked for and is new.
    fn take(&mut self, found: &Found, signers: &Signers) -> Option<Taken> {
        self.summary.given += 1;
        let Ok(bytes) = BASE64.decode(found.record.as_bytes()) else {
            return self.leave(&Finding::Malformed { why: "it is not base64".to_owned() });
        };
        let record = match SealedRecord::parse(&bytes) {
            Ok(record) => record,
            Err(error) => return self.leave(&Finding::Malformed { why: error.to_string() }),
        };
        let id = record.id();
        let tokens = match authentic(&record, signers) {
            Ok(tokens) => tokens,
            Err(finding) => return self.leave(&finding),
        };
        match self.seen.take(&record) {
            Novelty::Repeated => {
                self.summary.repeated += 1;
                return None;
            }
            Novelty::Conflict => return self.leave(&Finding::Conflict { id }),
            Novelty::Unchained => self.find(&Finding::Chain { id }),
            Novelty::New => {}
        }
        if let Some(tallies) = &mut self.tallies {
            if !tallies.add(&record, &tokens) {
                return self.leave(&Finding::NotAsked { id });
            }
            // more than was asked for had to be fetched
            if !is_asked(&self.plan, id, &tokens) || !is_within(found.hour, &self.question.arrived) {
                return None;
            }
        } else if !is_asked(&self.plan, id, &tokens) {
            return self.leave(&Finding::NotAsked { id });
        }
        Some(Taken { hour: found.hour, tokens, bytes })
    }

    /// The record as it is shown, unless time or `!=` leave it out.
    fn open(&mut self, taken: &Taken, fields: &Fields) -> Option<Row> {
        let record = SealedRecord::parse(&taken.bytes).ok()?;
        let id = record.id();
        let opened = self.batches.of(&record).and_then(|(batch, header)| {
            let opened = batch.open(&record).map_err(|_| "is not the one that the record names")?;
            Ok(opened::row(opened, header, taken.hour))
        });
        let row = match opened {
            Ok(row) => row,
            Err(why) => {
                self.leave(&Finding::Header { id, why });
                return None;
            }
        };
        self.tell_fields(&row);
        if !self.is_meant(&row, taken, fields) {
            self.summary.left_out += 1;
            return None;
        }
        self.summary.sealed_fields += count(&row, |cell| matches!(cell, Cell::Sealed { .. }));
        Some(row)
    }

    fn tell_fields(&mut self, row: &Row) {
        for cell in &row.cells {
            if let Cell::Broken { label, why } = cell {
                self.find(&Finding::Field { id: row.id, label: label.clone(), why });
            }
        }
    }

    /// Whether an opened record is what was meant, by its own fields.
    fn is_meant(&mut self, row: &Row, taken: &Taken, fields: &Fields) -> bool {
        let id = row.id;
        let poisoned: HashMap<Token, String> = opened::poisoned(&self.plan, id, &taken.tokens, row, fields)
            .into_iter()
            .map(|(token, field)| (token, field.to_owned()))
            .collect();
        let mut tokens = taken.tokens.clone();
        if !poisoned.is_empty() {
            self.summary.poisoned += 1;
            let named: BTreeSet<&String> = poisoned.values().collect();
            for field in named {
                self.find(&Finding::Poisoned { id, field: field.clone() });
            }
            tokens.retain(|token| !poisoned.contains_key(token));
        }
        let happened = opened::happened(row, &self.question.happened, fields);
        let undecided = std::cell::Cell::new(happened.is_none());
        let unlike = |own: &crate::plan::Unlike| {
            let verdict = opened::unlike(row, own);
            undecided.set(undecided.get() || verdict.is_none());
            verdict.unwrap_or(true)
        };
        let is_meant = happened.unwrap_or(true) && self.plan.is_met(id.collector, &tokens, &unlike);
        self.summary.undecided += u64::from(is_meant && undecided.get());
        is_meant
    }
}

fn count(row: &Row, which: impl Fn(&Cell) -> bool) -> u64 {
    u64::try_from(row.cells.iter().filter(|cell| which(cell)).count()).unwrap_or(u64::MAX)
}

/// The hours in which records can have come: those that are said, and none before something happened.
fn hours(question: &Question) -> (Option<u32>, Option<u32>) {
    let hour = |bound: Bound| u32::try_from(bound.at.as_second().div_euclid(3600).max(0)).unwrap_or(u32::MAX);
    let arrived = question.arrived.after.map(hour);
    let happened = question.happened.after.map(|bound| hour(bound).saturating_sub(CLOCKS_HOURS));
    (arrived.max(happened), question.arrived.before.map(hour))
}

/// Whether an hour of arrival, which is all that is known, touches a time.
fn is_within(hour: u32, range: &TimeRange) -> bool {
    let of = |bound: Bound| bound.at.as_second().div_euclid(3600);
    let hour = i64::from(hour);
    range.after.is_none_or(|bound| hour >= of(bound)) && range.before.is_none_or(|bound| hour <= of(bound))
}
