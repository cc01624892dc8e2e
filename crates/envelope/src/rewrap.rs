//! A batch under another epoch: new wraps of the same keys, so that members of that epoch read old records.

use strongroom_abe::EncapsulateError;
use strongroom_ambient::Ambient;
use strongroom_crypto::sha256;

use crate::header::{BatchHeader, MAX_HEADER_BYTES};
use crate::open::OpenBatch;
use crate::policies::PolicySet;

/// What a collector signs so that a header with new wraps takes the place of the present one: a context that no other of its
/// documents has, and the header's SHA-256.
pub fn rewrap_message(header: &[u8]) -> Vec<u8> {
    [b"strongroom rewrap v1\0".as_slice(), &sha256(header)].concat()
}

/// Why a batch is not wrapped anew.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    /// The opened batch is another one.
    #[error("what was opened is another batch")]
    OtherBatch,
    /// The policies are made ready for members of another authority.
    #[error("policies are of another authority")]
    OtherAuthority,
    /// No policy of the batch is both open and among those that were made ready.
    #[error("no policy of the batch can be wrapped anew: none is open to this reader")]
    Nothing,
    /// A key could not be wrapped.
    #[error(transparent)]
    Wrap(#[from] EncapsulateError),
    /// The header would be longer than one may be.
    #[error("header of the batch has {bytes} bytes, allowed are {MAX_HEADER_BYTES}")]
    LongHeader {
        /// Its length.
        bytes: usize,
    },
}

impl BatchHeader {
    /// The header with new wraps in the epoch of `set`, for every policy that is open and in the set; the others stay. Each
    /// key was checked against its commitment when it was opened, and the fixed part is what it was: no record changes.
    pub fn rewrap(&self, ambient: &Ambient, open: &OpenBatch, set: &PolicySet) -> Result<Self, RewrapError> {
        if open.header != self.digest || open.policies.len() != self.policies.len() {
            return Err(RewrapError::OtherBatch);
        }
        if *set.authority() != self.authority {
            return Err(RewrapError::OtherAuthority);
        }
        let (mut header, mut is_changed) = (self.clone(), false);
        for (place, (policy, open)) in self.policies.iter().zip(&open.policies).enumerate() {
            let (Ok(key), Some(entry)) = (&open.key, set.entry(&policy.policy, policy.suite)) else {
                continue;
            };
            let wrap = self.wrap(ambient, place, set, entry, key)?;
            if let Some(old) = header.wraps.get_mut(place) {
                *old = wrap;
                is_changed = true;
            }
        }
        let bytes = header.to_bytes().len();
        if bytes > MAX_HEADER_BYTES {
            return Err(RewrapError::LongHeader { bytes });
        }
        if is_changed { Ok(header) } else { Err(RewrapError::Nothing) }
    }
}
