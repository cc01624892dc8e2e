//! Headers of batches, opened once for all their records.

use std::collections::{BTreeSet, HashMap};

use data_encoding::BASE64;
use strongroom_envelope::{BatchHeader, OpenBatch, Reader, SealedRecord};
use strongroom_sharing::BatchId;

use crate::ports::{AskError, Exchange};

/// Batches that are kept open.
const MAX_OPEN: usize = 1024;
/// Batches that are asked for at once.
const MAX_ASKED: usize = 256;

/// A header, as the exchange gave it.
pub(crate) enum Opened {
    /// With as many keys as the reader's attributes reach.
    Batch(Box<OpenBatch>, BatchHeader),
    /// The exchange has none,
    Missing,
    /// or none that can be read.
    Malformed,
}

/// Batches by id. Their keys are wiped with them.
#[derive(Default)]
pub(crate) struct Batches {
    open: HashMap<BatchId, Opened>,
}

impl Batches {
    /// Sees to it that all these batches are known.
    pub(crate) async fn fetch(
        &mut self,
        wanted: BTreeSet<BatchId>,
        exchange: &impl Exchange,
        reader: &Reader,
    ) -> Result<(), AskError> {
        if self.open.len() + wanted.len() > MAX_OPEN {
            self.open.retain(|batch, _| wanted.contains(batch));
        }
        let missing: Vec<BatchId> =
            wanted.into_iter().filter(|batch| !self.open.contains_key(batch)).collect();
        for asked in missing.chunks(MAX_ASKED) {
            let given = exchange.batches(asked).await?;
            let mut headers = given.headers.into_iter();
            for batch in asked {
                let opened = headers.next().flatten().map_or(Opened::Missing, |text| open(&text, reader));
                self.open.insert(*batch, opened);
            }
        }
        Ok(())
    }

    /// The opened batch of a record, or what is wrong with it.
    pub(crate) fn of(&self, record: &SealedRecord<'_>) -> Result<(&OpenBatch, &BatchHeader), &'static str> {
        match self.open.get(&record.batch()) {
            None | Some(Opened::Missing) => Err("was not given by the exchange"),
            Some(Opened::Malformed) => Err("cannot be read"),
            Some(Opened::Batch(open, header)) => {
                let is_own = header.digest() == record.header_digest()
                    && header.batch() == record.batch()
                    && header.collector() == record.id().collector;
                if is_own { Ok((open, header)) } else { Err("is not the one that the record names") }
            }
        }
    }
}

fn open(text: &str, reader: &Reader) -> Opened {
    let Ok(bytes) = BASE64.decode(text.as_bytes()) else { return Opened::Malformed };
    match BatchHeader::parse(&bytes) {
        Ok(header) => Opened::Batch(Box::new(reader.open_batch(&header)), header),
        Err(_) => Opened::Malformed,
    }
}
