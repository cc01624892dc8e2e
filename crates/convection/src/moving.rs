//! What is brought over, under which names, and what becomes of it on the way.

mod acls;
mod meaning;
mod names;
mod pattern;
mod people;
mod plan;
mod reach;
mod stores;

pub use acls::{AclReport, PlannedAcl, Rule, RuleCovers};
pub use names::{Kind, Refused, Renames, Taken};
pub use pattern::Untranslatable;
pub use people::{KeyFault, PlannedGroup, PlannedKey, PlannedUser};
pub use plan::{LeftOut, Plan, Wishes};
pub use reach::{Difference, Reach};
pub use stores::{PlannedSecret, PlannedStore, SecretFault};

/// Users who are in every installation.
pub const PROTECTED: [&str; 2] = ["root", "recovery"];
