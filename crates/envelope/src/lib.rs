//! Batches, sealed records, their chain and signatures; keys wrapped for members.
//!
//! **What it is for.** A collector turns records into [`SealedRecord`]s that nobody needs to be trusted with, a reader turns
//! them back as far as its attributes reach, and whoever keeps them in between can check that they are whole.
//!
//! **What it promises.** One key a batch and policy, random, carried by an attribute-based header and committed to in the
//! part of the [`BatchHeader`] that every record names; from it a key a record and a key a field, so that one record can be
//! disclosed ([`Disclosure`]) without its neighbours. A field is bound to its record, its batch, its label and its policy:
//! moved anywhere else it does not open. A record names the one before it and is signed, so that a changed, swapped,
//! invented or withheld record is found. The epoch is in the wraps only: [`BatchHeader::rewrap`] puts a batch under another
//! one without touching a record. Everything that is read has bounded size and one encoding.
//!
//! **What it does not promise.** Sizes (to 16 bytes), the number of fields and of tokens, policies, collectors and the order of
//! records show. Whoever read something can keep it.
//!
//! **What it does not know.** Files, networks, clocks, who may ask for what.
//!
//! **Where to start.** [`PolicySet::prepare`], [`Batch::begin`], [`Batch::seal`]; [`SealedRecord::parse`],
//! [`Reader::open_batch`], [`OpenBatch::open`]; [`Signed`], [`wrap`], [`ProofTree`].

mod batch;
mod bundle;
mod chain;
mod disclose;
mod epoch;
mod field;
mod header;
mod keys;
mod member;
mod open;
mod path;
mod policies;
mod proof;
mod reader;
mod record;
mod rewrap;
mod signed;
mod wrapped;

pub use batch::{Batch, MAX_BATCH_RECORDS, PlainField, SealError};
pub use bundle::{IndexBundle, KeyBundle, MAX_BUNDLE_BYTES, MAX_BUNDLE_EPOCHS};
pub use chain::{Chain, ChainBreak};
pub use disclose::{DiscloseError, Disclosure};
pub use epoch::{EpochError, attribute_at, attributes_at, check_plain, policy_at, right_at};
pub use header::{BatchHeader, MAX_HEADER_BYTES, PolicyOf};
pub use member::MemberKeys;
pub use open::{Broken, OpenBatch, OpenError, OpenedField, OpenedRecord};
pub use path::{MAX_PATH_BYTES, Proof, ProofError, ProofPath};
pub use policies::{MAX_POLICIES, PolicyAndSuite, PolicyError, PolicySet, Remark, remark};
pub use proof::{Leaf, MAX_LEAVES, ProofBuilder, ProofTree, Tally};
pub use reader::{Locked, Reader};
pub use record::{
    MAX_FIELDS, MAX_RECORD_BYTES, MAX_TOKENS, RecordError, SealedField, SealedRecord, VerifyError,
    verify_record,
};
pub use rewrap::{RewrapError, rewrap_message};
pub use signed::{MAX_SIGNED_BYTES, Signed, SignedError, kid};
pub use strongroom_abe::{FormatError, Suite};
pub use wrapped::{MAX_WRAPPED_BYTES, Purpose, Recipient, UnwrapError, unwrap, wrap};

#[cfg(test)]
mod tests;
