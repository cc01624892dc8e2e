//! Fakes, a faulty store, a whole test world.
//!
//! **What it is for.** [`TestWorld`] builds the house from the engines down, in one line, over a store in memory, a
//! clock that stands still and dice that repeat. [`copy_of`] and [`Odd`] play the thief of the disk.
//!
//! **What it promises.** A world does everything the way that a door does: it gets its token by a challenge and a
//! signature, and its permits from the gate. Nothing here makes a permit, and the rules are the real ones unless a
//! test hands in others.
//!
//! **What it does not know.** Doors, sockets, files. It is never shipped.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use strongroom_testkit::TestWorld;
//!
//! let world = TestWorld::unlocked().await;
//! world.create_store("web").await?;
//! world.put("web", "db/password", "\"hunter2\"").await?;
//! assert_eq!(world.get("web", "db/password").await?.as_deref(), Some("\"hunter2\""));
//! # Ok::<(), strongroom_testkit::WorldError>(()) }).unwrap();
//! ```
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a world that cannot be built fails its test"
)]

mod auto;
mod backups;
mod keys;
mod shorthands;
mod tampered;
mod trail;
mod versions;
mod world;

pub use auto::FakeAuto;
pub use keys::texts;
pub use shorthands::{Listing, name, path, value};
pub use tampered::{Hold, Odd, copy_of};
pub use trail::Line;
pub use versions::settings;
pub use world::{START, TestWorld, WorldError, WorldOptions, transcript};
