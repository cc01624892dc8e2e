//! What a search found, left out and found wrong.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_sharing::{MemberId, RecordId};

use crate::plan::Section;

/// Something that should not be. Records of which it is said are not shown, unless it says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// What the exchange gave is no record.
    #[error("something that is no record was given by the exchange: {why}")]
    Malformed {
        /// What is wrong with it.
        why: String,
    },
    /// A record of nobody.
    #[error(
        "record {id}: its collector is not in the authority's manifest: invented, or the manifest is old"
    )]
    Stranger {
        /// Which.
        id: RecordId,
    },
    /// A record that its collector did not write so.
    #[error("record {id}: not signed by its collector: changed or invented")]
    Signature {
        /// Which.
        id: RecordId,
    },
    /// A whole record that does not have what was asked for.
    #[error("record {id}: does not have what was asked for: another record in place of one that does")]
    NotAsked {
        /// Which.
        id: RecordId,
    },
    /// Two records with one number, both signed.
    #[error("record {id}: there are two of this number, both signed by the collector; the first is shown")]
    Conflict {
        /// Which.
        id: RecordId,
    },
    /// A record that names another one before it than the one that is there. It is shown.
    #[error("record {id}: names another record as the one before it than the one that was found")]
    Chain {
        /// Which.
        id: RecordId,
    },
    /// The header of its batch is not to be had, or is another one.
    #[error("record {id}: the header of its batch {why}")]
    Header {
        /// Which.
        id: RecordId,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A field that should have opened. The record is shown.
    #[error("record {id}: field {label}: {why}")]
    Field {
        /// Which.
        id: RecordId,
        /// The field's label.
        label: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A record whose field does not have the value that its token says. It is shown only if it has what was asked for
    /// elsewhere.
    #[error("record {id}: its index is poisoned: field {field} does not have the value that it was found by")]
    Poisoned {
        /// Which.
        id: RecordId,
        /// The field.
        field: String,
    },
    /// The exchange gave fewer records, or other ones, than the collector signed for.
    #[error(
        "collector {collector}, epoch {epoch}: withheld: the collector signed for {signed} records, the exchange gave {found}"
    )]
    Withheld {
        /// Whose.
        collector: MemberId,
        /// In which epoch.
        epoch: u64,
        /// What the collector said.
        signed: u64,
        /// What came.
        found: u64,
    },
    /// What should prove completeness does not.
    #[error("collector {collector}, epoch {epoch}: its proof is false: {why}")]
    Proof {
        /// Whose.
        collector: MemberId,
        /// Of which epoch.
        epoch: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A copy that is not what the collector says its chain is.
    #[error("collector {collector}, record {sequence}: {why}")]
    Copy {
        /// Whose.
        collector: MemberId,
        /// Where in the chain.
        sequence: u64,
        /// What is wrong.
        why: &'static str,
    },
}

/// Whether everything was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completeness {
    /// Whether it was asked for at all.
    pub is_asked: bool,
    /// Collectors and epochs for which it is proven.
    pub proven: BTreeSet<Section>,
    /// And those for which it is not, with the reason.
    pub open: BTreeMap<Section, Unproven>,
    /// Whether something stopped the search before its end.
    pub is_cut: bool,
}

/// Why completeness is not proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unproven {
    /// The epoch has not ended.
    Present,
    /// The exchange has no proof of the collector.
    Missing,
    /// What it has is false, or says something else than was found.
    False,
}

/// What a search did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records that the exchange gave.
    pub given: u64,
    /// Records that were shown, or counted.
    pub shown: u64,
    /// Whether the number is the exchange's word: nothing was opened.
    pub is_word: bool,
    /// Records that came again.
    pub repeated: u64,
    /// Records outside the time, or left out by `!=`.
    pub left_out: u64,
    /// Records whose time, or whose field of a `!=`, is sealed: they are shown.
    pub undecided: u64,
    /// Fields that stayed sealed.
    pub sealed_fields: u64,
    /// What is wrong, by kind.
    pub findings: u64,
    /// Records whose index is poisoned.
    pub poisoned: u64,
    /// Records that are not shown because they are not what they should be.
    pub broken: u64,
    /// Collectors whose fields may not be searched.
    pub refused: BTreeMap<MemberId, BTreeSet<String>>,
    /// Whether there may be more than the limit.
    pub is_limited: bool,
    /// Whether somebody stopped it.
    pub is_stopped: bool,
    /// Whether everything was told.
    pub completeness: Completeness,
}

impl Completeness {
    /// Whether it is proven that nothing is missing.
    pub fn is_proven(&self) -> bool {
        self.is_asked && !self.is_cut && self.open.is_empty()
    }
}

/// `completeness: ...`
impl std::fmt::Display for Completeness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let proven = self.proven.len();
        if self.is_proven() {
            return write!(f, "completeness: proven for {proven} collectors' epochs");
        }
        let is_ended = !self.is_cut && self.open.values().all(|why| *why == Unproven::Present);
        if self.is_asked && is_ended && proven > 0 {
            return write!(
                f,
                "completeness: proven for {proven} collectors' epochs that have ended; the present epoch cannot be proven yet"
            );
        }
        f.write_str("completeness: not proven")?;
        if !self.is_asked {
            return Ok(());
        }
        if self.is_cut {
            return f.write_str(" (the search ended before its end)");
        }
        let count = |why: Unproven| self.open.values().filter(|own| **own == why).count();
        let kinds = [
            (Unproven::False, "contradicted"),
            (Unproven::Missing, "without a proof"),
            (Unproven::Present, "not ended"),
        ];
        let kinds = kinds.map(|(why, text)| (count(why), text));
        let kinds: Vec<String> = kinds
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, text)| format!("{count} {text}"))
            .collect();
        write!(f, " (of the collectors' epochs {proven} proven, {})", kinds.join(", "))
    }
}
