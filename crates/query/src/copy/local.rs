//! A copy that is searched like an exchange: nobody learns what is looked for.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use strongroom_blindindex::Token;
use strongroom_envelope::SealedRecord;
use strongroom_sharing::exchange::{AskProofs, Batches, Count, Found, HeadAt, Page, Proofs, Query, Where};
use strongroom_sharing::{BatchId, MemberId};

use super::folder::{CopyError, CopyFolder, Frames};
use crate::ports::{AskError, Exchange};

/// Bytes of records that a page has at most.
const MAX_PAGE_BYTES: usize = 16 << 20;

/// The copy as an exchange.
#[derive(Debug)]
pub struct LocalCopy<'a> {
    folder: &'a CopyFolder,
    collectors: Vec<MemberId>,
}

impl<'a> LocalCopy<'a> {
    /// Of a folder.
    pub fn new(folder: &'a CopyFolder) -> Result<Self, CopyError> {
        Ok(Self { folder, collectors: folder.collectors()? })
    }

    fn find(&self, query: &Query) -> Result<Page, CopyError> {
        let condition = Condition::of(&query.condition);
        let most = usize::try_from(query.limit.unwrap_or(1000)).unwrap_or(1000);
        let (mut number, mut from) = place(query.cursor.as_deref());
        let (mut records, mut bytes) = (Vec::new(), 0);
        while let Some(collector) = self.collectors.get(number) {
            let mut frames = Frames::open(&self.folder.records_path(*collector), from)?;
            while let Some((record, hour)) = frames.next()? {
                if !is_within(query, *collector, hour) || !condition.is_met(&record) {
                    continue;
                }
                bytes += record.len();
                records.push(Found { record: BASE64.encode(&record), hour });
                if records.len() >= most || bytes > MAX_PAGE_BYTES {
                    return Ok(Page { records, cursor: Some(format!("{number}:{}", frames.at)) });
                }
            }
            (number, from) = (number + 1, 0);
        }
        Ok(Page { records, cursor: None })
    }
}

fn place(cursor: Option<&str>) -> (usize, u64) {
    let read = |text: &str| {
        let (number, at) = text.split_once(':')?;
        Some((number.parse().ok()?, at.parse().ok()?))
    };
    cursor.and_then(read).unwrap_or_default()
}

fn is_within(query: &Query, collector: MemberId, hour: u32) -> bool {
    query.since_hour.is_none_or(|since| hour >= since)
        && query.until_hour.is_none_or(|until| hour <= until)
        && query.collectors.as_ref().is_none_or(|only| only.contains(&collector))
}

/// A condition whose tokens are found at once.
enum Condition {
    Any(BTreeSet<Token>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

impl Condition {
    fn of(condition: &Where) -> Self {
        match condition {
            Where::Any(tokens) => Self::Any(tokens.iter().map(|token| Token(token.0)).collect()),
            Where::And(parts) => Self::And(parts.iter().map(Self::of).collect()),
            Where::Or(parts) => Self::Or(parts.iter().map(Self::of).collect()),
        }
    }

    fn is_met(&self, record: &[u8]) -> bool {
        SealedRecord::parse(record).is_ok_and(|record| self.is_met_by(&record))
    }

    fn is_met_by(&self, record: &SealedRecord<'_>) -> bool {
        match self {
            Self::Any(tokens) => record.tokens().any(|token| tokens.contains(&token)),
            Self::And(parts) => parts.iter().all(|part| part.is_met_by(record)),
            Self::Or(parts) => parts.iter().any(|part| part.is_met_by(record)),
        }
    }
}

fn told(error: CopyError) -> AskError {
    AskError { what: "the copy", source: Box::new(error) }
}

impl Exchange for LocalCopy<'_> {
    async fn page(&self, query: &Query) -> Result<Page, AskError> {
        self.find(query).map_err(told)
    }

    async fn count(&self, query: &Query) -> Result<Count, AskError> {
        let mut query = Query { limit: None, cursor: None, ..query.clone() };
        let mut count = 0;
        loop {
            let page = self.find(&query).map_err(told)?;
            count += u64::try_from(page.records.len()).unwrap_or(u64::MAX);
            if page.cursor.is_none() {
                return Ok(Count { count });
            }
            query.cursor = page.cursor;
        }
    }

    async fn batches(&self, batches: &[BatchId]) -> Result<Batches, AskError> {
        let header = |batch: &BatchId| Ok(self.folder.header(*batch)?.map(|bytes| BASE64.encode(&bytes)));
        let headers: Result<Vec<Option<String>>, CopyError> = batches.iter().map(header).collect();
        Ok(Batches { headers: headers.map_err(told)? })
    }

    async fn proofs(&self, _: &AskProofs) -> Result<Proofs, AskError> {
        // chains prove it: there is nothing else to say
        Ok(Proofs { signed: None, paths: Vec::new() })
    }

    async fn heads(&self) -> Result<Vec<HeadAt>, AskError> {
        Ok(Vec::new())
    }

    async fn records(&self, _: MemberId, _: u64) -> Result<Vec<Found>, AskError> {
        Ok(Vec::new())
    }
}
