//! Attribute-based encryption: a key for whoever satisfies a policy, and nobody who only colludes.
//!
//! **What it is for.** A sender names a [`Policy`] such as `ANALYST and (CERT or UNR)` and gets a [`SharedKey`] with a
//! [`Header`]; a member whose [`MemberKey`] has the attributes gets the same key from the header. No server takes part.
//!
//! **What it promises.** FAME (Agrawal and Chase, CCS 2017: adaptively secure under DLIN in the random-oracle model) on
//! BLS12-381, made secure against chosen ciphertexts by Fujisaki and Okamoto's transformation with explicit rejection: no
//! exported function gives out a key without having encrypted again and compared. Attributes are hashed to the curve by
//! RFC 9380. A header commits to its key. Two members' keys never combine. In the second [`Suite`] the key needs a
//! post-quantum secret (X-Wing) of one of the policy's rights as well. Keys, headers and policies from outside have bounded
//! size, and one encoding each.
//!
//! **What it does not promise.** Nobody outside the project has audited it. Policies and the names of attributes are in
//! the clear. A quantum computer opens what [`Suite::Pairing`] protects, also what was recorded today. What a member has
//! read, and keys that were given out, cannot be taken back: revocation is a new epoch's attributes.
//!
//! **What it does not know.** Records, epochs, people, files.
//!
//! **Where to start.** [`MasterKey::generate`], [`PublicKey::encapsulate`], [`PublicKey::decapsulate`].

mod attribute;
mod bases;
mod curve;
mod header;
mod master;
mod member;
mod open;
mod policy;
mod public;
mod rights;
mod seal;
mod span;
mod transcript;
pub mod wire;

pub use attribute::{Attribute, AttributeError, AttributeSet, MAX_ATTRIBUTE_BYTES, MAX_ATTRIBUTES};
pub use header::{Header, MAX_HEADER_BYTES, Suite};
pub use master::{MasterKey, UsesError};
pub use member::MemberKey;
pub use open::DecapsulateError;
pub use policy::{Lint, MAX_DEPTH, MAX_LEAVES, MAX_POLICY_BYTES, Policy, PolicyError};
pub use public::{MAX_USES, PUBLIC_KEY_BYTES, PublicKey};
pub use rights::{
    MAX_RIGHTS, RIGHT_KEY_BYTES, Right, RightKeys, RightSecret, RightSecrets, RightsError, rights_of,
};
pub use seal::{EncapsulateError, Prepared};
pub use transcript::SharedKey;
pub use wire::FormatError;

#[cfg(test)]
mod tests;
