//! The trail: numbered entries, each chained to the one before by the writer that commits it.

/// One durable entry of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailEntry {
    /// Sequence number: 1 for the first entry ever, no gaps. What was trimmed is missing at the front only.
    pub seq: u64,
    /// What became of the operation; the values are the audit crate's.
    pub verdict: u8,
    /// The entry, encoded by the audit crate.
    pub body: Vec<u8>,
    /// Its link: [`LinkFn`] over the link before, `seq`, `verdict` and `body`.
    pub hash: [u8; 32],
}

/// The last entry of the trail: where the next one links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrailHead {
    /// Sequence number of the last entry; 0 when there is none.
    pub seq: u64,
    /// Its link; zeros when there is none.
    pub hash: [u8; 32],
}

/// Computes an entry's link from the link before, its sequence number, verdict and body.
pub type LinkFn = fn(previous: &[u8; 32], seq: u64, verdict: u8, body: &[u8]) -> [u8; 32];
