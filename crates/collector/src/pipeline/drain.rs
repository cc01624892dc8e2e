//! Records that came while nothing could be encrypted for anybody: kept, and sealed for good later.

use super::seal::{self, Group};
use super::{Pipeline, PipelineError, Ready};
use crate::record::{Incoming, LIMITS, RecordError};
use crate::spool::{Cursor, RawRecord};
use std::sync::{Arc, PoisonError};
use strongroom_crypto::{NONCE_BYTES, Nonce};
use strongroom_secret::SecretBytes;

/// What raw records are bound to, besides their number.
const CONTEXT: &[u8] = b"strongroom collector raw v1";

/// How far draining has come.
#[derive(Default)]
pub(super) struct Draining {
    cursor: Cursor,
    /// Up to which raw record it was told what is wrong with them.
    told: u64,
}

type Results = Vec<Result<(), RecordError>>;

impl Pipeline {
    /// Keeps records under the spool's own key. They are looked at as far as that can be done.
    pub(super) fn accept_raw(&self, group: &[Incoming]) -> Result<Results, PipelineError> {
        let texts: Vec<&[u8]> = group.iter().map(|incoming| incoming.json.as_slice()).collect();
        let results = match self.ready() {
            Some(stale) => {
                let mut worker = self.worker(&stale);
                let results = worker.plan(&texts);
                self.give_back(worker);
                results
            }
            None => texts.iter().map(|text| looked_at(text)).collect(),
        };
        let ((), place) = self.spool.write(false, |draft| {
            let good = || group.iter().zip(&results).filter(|(_, result)| result.is_ok());
            for (incoming, _) in good() {
                draft.raw(|number| self.seal_raw(number, &incoming.json));
            }
            seal::last_marks(good().map(|(incoming, _)| incoming), draft);
            Ok::<_, PipelineError>(())
        })?;
        self.spool.sync(place)?;
        Ok(results)
    }

    fn seal_raw(&self, number: u64, json: &[u8]) -> Vec<u8> {
        let nonce: Nonce = self.ambient().random();
        let mut out = nonce.to_vec();
        self.raw_key.seal_into(&nonce, &[CONTEXT, &number.to_be_bytes()].concat(), json, &mut out);
        out
    }

    fn open_raw(&self, record: &RawRecord) -> Option<SecretBytes> {
        let (nonce, sealed) = record.sealed.split_first_chunk::<NONCE_BYTES>()?;
        let context = [CONTEXT, &record.number.to_be_bytes()].concat();
        self.raw_key.open(nonce, &context, sealed).ok()
    }

    /// Seals the next raw records for good, if the manifest is fresh; says whether there may be more.
    pub fn drain(&self) -> Result<bool, PipelineError> {
        let Some(ready) = self.fresh() else { return Ok(false) };
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = self.spool.drained();
        let Some(records) = self.spool.next_raw(&mut raw.cursor, behind)? else { return Ok(false) };
        let Some(last) = records.last().map(|record| record.number) else { return Ok(true) };
        let open = |record| Incoming { json: exposed(self.open_raw(record).as_ref()), mark: None };
        let mut texts: Vec<Incoming> = records.iter().map(open).collect();
        let drained = self.drain_these(&ready, &records, &texts, raw.told);
        for text in &mut texts {
            strongroom_secret::wipe(&mut text.json);
        }
        raw.told = raw.told.max(last);
        if drained.is_err() {
            // what was read is read again
            raw.cursor = Cursor::default();
        }
        drained?;
        self.news.notify_waiters();
        Ok(true)
    }

    fn drain_these(
        &self,
        ready: &Arc<Ready>,
        records: &[RawRecord],
        texts: &[Incoming],
        told: u64,
    ) -> Result<(), PipelineError> {
        let jsons: Vec<&[u8]> = texts.iter().map(|incoming| incoming.json.as_slice()).collect();
        let mut worker = self.worker(ready);
        let results = worker.plan(&jsons);
        let planned_well: Vec<bool> = results.iter().map(Result::is_ok).collect();
        // before they are done with, so that a crash loses none without a word
        for ((record, incoming), result) in records.iter().zip(texts).zip(&results) {
            if let Err(error) = result
                && record.number > told
            {
                (self.rejected)(incoming, error);
            }
        }
        let group = Group { ready, worker: &worker, texts: &jsons, drains: true };
        let sealed = self.seal(&group, results, |draft, _| {
            if let Some(record) = records.last() {
                draft.drained(record.number);
            }
        });
        self.give_back(worker);
        for ((incoming, result), was_well) in texts.iter().zip(sealed?).zip(planned_well) {
            if let Err(error) = result
                && was_well
            {
                (self.rejected)(incoming, &error);
            }
        }
        Ok(())
    }
}

/// A raw record that does not open is told as one that is no JSON.
fn exposed(text: Option<&SecretBytes>) -> Vec<u8> {
    text.map(|text| text.expose(<[u8]>::to_vec)).unwrap_or_default()
}

/// What can be said of a record without the keys of any epoch.
fn looked_at(json: &[u8]) -> Result<(), RecordError> {
    strongroom_model::scan_json(json, LIMITS)?;
    let first = json.iter().find(|byte| !b" \t\r\n".contains(byte));
    if first == Some(&b'{') { Ok(()) } else { Err(RecordError::NoObject) }
}
