//! What can be said of a record before it is opened: nothing that the exchange says is believed.

use std::collections::{BTreeSet, HashMap};

use strongroom_blindindex::Token;
use strongroom_crypto::Digest;
use strongroom_envelope::SealedRecord;
use strongroom_sharing::RecordId;

use crate::plan::Plan;
use crate::signers::Signers;
use crate::summary::Finding;

/// Records that were seen, for what comes twice and what does not fit together: 112 bytes a record.
#[derive(Default)]
pub(crate) struct Seen {
    records: HashMap<RecordId, Link>,
}

struct Link {
    digest: Digest,
    previous: Digest,
}

/// What a record is, held against those before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Novelty {
    New,
    Repeated,
    Conflict,
    /// New, but it or its neighbour names another one.
    Unchained,
}

impl Seen {
    /// Takes a record that is signed.
    pub(crate) fn take(&mut self, record: &SealedRecord<'_>) -> Novelty {
        let (id, digest, previous) = (record.id(), record.digest(), *record.previous());
        if let Some(known) = self.records.get(&id) {
            return if known.digest == digest { Novelty::Repeated } else { Novelty::Conflict };
        }
        let at = |sequence: Option<u64>| self.records.get(&RecordId { sequence: sequence?, ..id });
        let fits_before = at(id.sequence.checked_sub(1)).is_none_or(|before| before.digest == previous);
        let fits_behind = at(id.sequence.checked_add(1)).is_none_or(|behind| behind.previous == digest);
        self.records.insert(id, Link { digest, previous });
        if fits_before && fits_behind { Novelty::New } else { Novelty::Unchained }
    }
}

/// Its tokens, if it is its collector's and has what was asked for: whatever the exchange did, it did not make it up.
pub(crate) fn authentic(record: &SealedRecord<'_>, signers: &Signers) -> Result<BTreeSet<Token>, Finding> {
    let id = record.id();
    if !signers.knows(id.collector) {
        return Err(Finding::Stranger { id });
    }
    if !signers.signed(record) {
        return Err(Finding::Signature { id });
    }
    Ok(record.tokens().collect())
}

/// Whether a record's signed tokens are what was asked for; what is looked at after opening is left open.
pub(crate) fn is_asked(plan: &Plan, id: RecordId, tokens: &BTreeSet<Token>) -> bool {
    plan.is_met(id.collector, tokens, &|_| true)
}
