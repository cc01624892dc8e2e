//! Tokens that find equal values without showing them, keyed by collector, field and epoch.
//!
//! **What it is for.** A collector puts a token of each indexed value beside its sealed record; a reader who is told the
//! token of a value finds the records that have it; whoever keeps the records learns which of them have equal values, and
//! nothing else of the values.
//!
//! **What it promises.** A token is HMAC-SHA-256, cut to 128 bits, of the value's canonical form, so that `10.0.0.1` and
//! `::ffff:10.0.0.1`, or `EXAMPLE.org.` and `example.org`, have one. Keys form a tree: the authority's root, a key a
//! collector, a key an epoch, a key a field. A collector has its own epochs' keys and no other's, so that no member can try
//! values on others' records, and none of what it holds tells later epochs. Tokens of kinds that say more than equality
//! (networks, suffixes of domains, days) are made only where they are asked for, and [`leaks`] says what each shows to whom.
//! Canonical forms have bounded size and are read in one pass.
//!
//! **What it does not promise.** Equality and frequency show: that is what an index is. Who holds a field's key can try
//! values, so that keys of fields with few values must stay with collector and authority.
//!
//! **What it does not know.** Who may ask for a token, records, storage, clocks.
//!
//! **Where to start.** [`IndexRoot`], [`FieldKey::token`], [`Spec`] for what a field's tokens are, [`Term`] for what a
//! reader asks for and how the answer is checked.

mod forms;
mod keys;
mod leak;
pub mod moment;
mod spec;
mod term;

pub use forms::{Canonical, Form, FormError, MAX_VALUE_BYTES};
pub use keys::{CollectorEpochKey, FieldKey, IndexRoot, Token};
pub use leak::{Leak, leaks};
pub use spec::{MAX_QUERY_TERMS, Networks, NetworksError, Spec};
pub use term::{Poisoned, Term};

#[cfg(test)]
mod tests;
