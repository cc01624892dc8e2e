//! Questions: which records have these tokens, newest first, a page at a time.
//!
//! A page begins where the last one ended, in the order of arrival, and is found by walking the spans of the index from the
//! newest to the oldest. What a page costs depends on its own size and on the number of tokens and spans, never on how many
//! records match.

mod stream;

use crate::storage::{Arrival, RecordRow, Standing, Storage, StorageError};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use stream::{Stream, Walk};
use strongroom_crypto::sha256;
use strongroom_sharing::exchange::{MAX_PAGE, MAX_QUERY_TOKENS, Query, Where};

/// Records of a page where nothing is said.
pub const DEFAULT_PAGE: u32 = 100;
/// A page has no more bytes of records than this, or one record.
const PAGE_BYTES: usize = 4 << 20;
/// Conditions within conditions.
const MAX_DEPTH: usize = 16;
/// Conditions in all.
const MAX_NODES: usize = 1_024;
/// Looks at the store for one page: past them it ends early, and its cursor goes on.
const PAGE_LOOKS: u64 = 200_000;
/// Steps of intersections for one page: past them the same.
const PAGE_STEPS: u64 = 1 << 20;

/// Why a question cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Too many tokens.
    #[error("at most {MAX_QUERY_TOKENS} tokens")]
    Tokens,
    /// Too deep or too many conditions.
    #[error("at most {MAX_NODES} conditions, {MAX_DEPTH} within each other")]
    Conditions,
    /// A condition without anything in it.
    #[error("a condition has nothing in it")]
    Empty,
    /// A page of another size.
    #[error("a page has 1 to {MAX_PAGE} records")]
    Limit,
    /// Not a cursor of this question.
    #[error("the cursor is not one of this question")]
    Cursor,
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Whoever asked has gone.
    #[error("whoever asked has gone")]
    Cancelled,
    /// A count that takes too long.
    #[error("too much to count at once: narrow the time or the condition")]
    TooMuch,
}

/// A question that was checked.
#[derive(Debug, Clone)]
pub struct Ask {
    condition: Where,
    since_hour: u32,
    until_hour: u32,
    collectors: Option<HashSet<[u8; 16]>>,
    /// Records a page.
    pub limit: usize,
    /// Where the last page ended.
    from: Option<Arrival>,
    binding: [u8; 8],
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its records.
    pub records: Vec<RecordRow>,
    /// Where the next one begins; absent at the end.
    pub cursor: Option<String>,
}

impl Ask {
    /// Checks a question.
    ///
    /// # Errors
    /// Where it cannot be asked.
    pub fn of(query: &Query) -> Result<Self, AskError> {
        let (mut tokens, mut nodes) = (0, 0);
        measure(&query.condition, 0, &mut tokens, &mut nodes)?;
        let limit = query.limit.unwrap_or(DEFAULT_PAGE);
        if limit == 0 || limit > MAX_PAGE {
            return Err(AskError::Limit);
        }
        let binding = binding(query);
        let from = query.cursor.as_deref().map(|text| cursor::read(text, binding).ok_or(AskError::Cursor));
        let collectors = query.collectors.as_ref();
        Ok(Self {
            condition: query.condition.clone(),
            since_hour: query.since_hour.unwrap_or(0),
            until_hour: query.until_hour.unwrap_or(u32::MAX),
            collectors: collectors.map(|ids| ids.iter().map(|id| id.0).collect()),
            limit: usize::try_from(limit).unwrap_or(1),
            from: from.transpose()?,
            binding,
        })
    }

    /// The same from where a page ended.
    #[must_use]
    pub fn after(mut self, cursor: &str) -> Self {
        self.from = cursor::read(cursor, self.binding).or(Some(0));
        self
    }

    /// The records among which it is asked: the first and the last.
    fn bounds(&self, standing: &Standing) -> (Arrival, Arrival) {
        let begin = |hour: u32| {
            let row = standing.hours.iter().find(|row| row.hour >= hour);
            row.map_or(standing.last.saturating_add(1), |row| row.first)
        };
        let low = begin(self.since_hour).max(1);
        let high = match self.until_hour.checked_add(1) {
            Some(next) => begin(next).saturating_sub(1),
            None => standing.last,
        };
        (low, self.from.map_or(high, |from| high.min(from)))
    }
}

/// Finds a page. Blocks.
///
/// # Errors
/// If the store fails, or `cancelled` is set meanwhile.
pub fn page(
    storage: &dyn Storage,
    standing: &Standing,
    ask: &Ask,
    cancelled: &AtomicBool,
) -> Result<Found, FindError> {
    let mut search = Search::begin(storage, standing, ask, cancelled);
    let (mut records, mut bytes) = (Vec::new(), 0_usize);
    let end =
        |at: Arrival| at.checked_sub(1).filter(|next| *next > 0).map(|next| cursor::write(next, ask.binding));
    loop {
        match search.next()? {
            Step::Match(arrival) => {
                let Some(row) = search.row(arrival)? else { continue };
                bytes = bytes.saturating_add(row.bytes.len());
                records.push(row);
                if records.len() >= ask.limit || bytes >= PAGE_BYTES {
                    return Ok(Found { records, cursor: end(arrival) });
                }
            }
            Step::Tired(at) => return Ok(Found { records, cursor: end(at.saturating_add(1)) }),
            Step::End => return Ok(Found { records, cursor: None }),
        }
    }
}

/// Counts. Blocks.
///
/// # Errors
/// As [`page`], and where there is too much to count.
pub fn count(
    storage: &dyn Storage,
    standing: &Standing,
    ask: &Ask,
    cancelled: &AtomicBool,
) -> Result<u64, FindError> {
    let mut search = Search::begin(storage, standing, ask, cancelled);
    // ten times what a page may cost
    search.walk.looks_left = PAGE_LOOKS.saturating_mul(10);
    search.walk.steps_left = PAGE_STEPS.saturating_mul(32);
    let mut count = 0_u64;
    loop {
        match search.next()? {
            Step::Match(arrival) if ask.collectors.is_none() => {
                let _ = arrival;
                count = count.saturating_add(1);
            }
            Step::Match(arrival) => count = count.saturating_add(u64::from(search.row(arrival)?.is_some())),
            Step::Tired(_) => return Err(FindError::TooMuch),
            Step::End => return Ok(count),
        }
    }
}

enum Step {
    Match(Arrival),
    /// Enough for one page; the next begins here.
    Tired(Arrival),
    End,
}

struct Search<'a> {
    walk: Walk<'a>,
    standing: &'a Standing,
    ask: &'a Ask,
    cancelled: &'a AtomicBool,
    /// Numbers of the collectors that are asked for.
    collectors: Option<HashSet<u32>>,
    low: Arrival,
    /// Where to go on.
    at: Arrival,
    stream: Option<(Arrival, Stream)>,
}

impl<'a> Search<'a> {
    fn begin(
        storage: &'a dyn Storage,
        standing: &'a Standing,
        ask: &'a Ask,
        cancelled: &'a AtomicBool,
    ) -> Self {
        let (low, at) = ask.bounds(standing);
        let collectors = ask.collectors.as_ref().map(|wanted| {
            let heads = standing.heads.iter().filter(|head| wanted.contains(&head.collector.0));
            heads.map(|head| head.number).collect()
        });
        let walk = Walk { storage, looks_left: PAGE_LOOKS, steps_left: PAGE_STEPS, tired_at: None };
        Self { walk, standing, ask, cancelled, collectors, low, at, stream: None }
    }

    fn next(&mut self) -> Result<Step, FindError> {
        loop {
            if self.cancelled.load(Ordering::Relaxed) {
                return Err(FindError::Cancelled);
            }
            if self.at < self.low || self.at == 0 {
                return Ok(Step::End);
            }
            if self.walk.looks_left == 0 {
                return Ok(Step::Tired(self.at));
            }
            let Some((first, mut stream)) = self.stream.take().or_else(|| self.span()) else {
                return Ok(Step::End);
            };
            let found = stream.at_most(self.at, &mut self.walk)?;
            if let Some(tired) = self.walk.tired_at.filter(|tired| found.is_none_or(|found| found < *tired)) {
                // what is newer was told already
                let tired = tired.min(self.at);
                return Ok(Step::Tired(tired));
            }
            match found {
                Some(found) if found >= self.low.max(first) => {
                    self.at = found.saturating_sub(1);
                    // what is left of this span lies below
                    self.stream = (self.at >= first).then_some((first, stream));
                    return Ok(Step::Match(found));
                }
                _ => self.at = first.saturating_sub(1),
            }
        }
    }

    /// The span of the place where to go on.
    fn span(&self) -> Option<(Arrival, Stream)> {
        let span = self.standing.spans.iter().rev().find(|span| span.first <= self.at)?;
        Some((span.first, Stream::of(&self.ask.condition, span.span)))
    }

    /// A record, if it is of a collector that is asked for and still there.
    fn row(&mut self, arrival: Arrival) -> Result<Option<RecordRow>, FindError> {
        self.walk.looks_left = self.walk.looks_left.saturating_sub(1);
        let row = self.walk.storage.record(arrival)?;
        Ok(row.filter(|row| self.collectors.as_ref().is_none_or(|wanted| wanted.contains(&row.collector))))
    }
}

fn measure(condition: &Where, depth: usize, tokens: &mut usize, nodes: &mut usize) -> Result<(), AskError> {
    *nodes += 1;
    if depth >= MAX_DEPTH || *nodes > MAX_NODES {
        return Err(AskError::Conditions);
    }
    match condition {
        Where::Any(any) => {
            *tokens += any.len();
            if *tokens > MAX_QUERY_TOKENS { Err(AskError::Tokens) } else { Ok(()) }
        }
        Where::And(all) | Where::Or(all) if all.is_empty() => Err(AskError::Empty),
        Where::And(all) | Where::Or(all) => {
            all.iter().try_for_each(|one| measure(one, depth + 1, tokens, nodes))
        }
    }
}

/// What a cursor is tied to: everything that says which records, and none of how many at once.
fn binding(query: &Query) -> [u8; 8] {
    let Query { condition, since_hour, until_hour, collectors, .. } = query;
    let text = serde_json::to_vec(&(condition, since_hour, until_hour, collectors)).unwrap_or_default();
    let digest = sha256(&text);
    std::array::from_fn(|at| digest.get(at).copied().unwrap_or(0))
}

mod cursor {
    //! Where a page ended, as text: opaque to whoever holds it, and good for its own question alone. It guards nothing:
    //! made up it only begins elsewhere.

    use super::Arrival;
    use data_encoding::BASE64URL_NOPAD;

    pub(super) fn write(at: Arrival, binding: [u8; 8]) -> String {
        BASE64URL_NOPAD.encode(&[at.to_be_bytes(), binding].concat())
    }

    pub(super) fn read(text: &str, binding: [u8; 8]) -> Option<Arrival> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (at, of) = bytes.split_first_chunk::<8>()?;
        (of == binding).then(|| Arrival::from_be_bytes(*at))
    }
}
