//! The house as a table: which crate stands in which layer, and the few arrows within a layer.
//!
//! A crate may depend on every lower layer, on the same-layer crates named in its row, and on nothing that its row
//! forbids. A new crate begins as a new row here.

use Layer::{Custody, Engines, Mechanisms, Surface, Tools, Words};

/// A layer; arrows point down only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// Plain data, no I/O.
    Words,
    /// Pure and synchronous, no I/O.
    Mechanisms,
    /// Ciphertext, the trail, the permits.
    Custody,
    /// One function an operation.
    Engines,
    /// Wire, wiring, people.
    Surface,
    /// Never shipped: nobody depends on them but tests and each other.
    Tools,
}

/// A row: one crate.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(crate) layer: Layer,
    /// Crates of the same layer that it may use.
    pub(crate) beside: &'static [&'static str],
    /// Crates of lower layers that it must not use.
    pub(crate) never: &'static [&'static str],
}

const fn room(name: &'static str, layer: Layer, beside: &'static [&'static str]) -> Room {
    Room { name, layer, beside, never: &[] }
}

/// An engine sees a permit and its view: the custody below the gate is out of its reach.
const BEHIND_THE_GATE: &[&str] = &["store", "store-sqlite", "barrier", "backup"];
/// A door decodes, asks and encodes: it opens and stores nothing, and holds no keys.
const BEHIND_THE_DOOR: &[&str] =
    &["store", "store-sqlite", "barrier", "audit", "backup", "keyring", "unlock", "x509"];

/// A program beside the server opens none of the server's custody.
const BEHIND_THE_PROGRAM: &[&str] =
    &["store", "store-sqlite", "barrier", "backup", "audit", "gate", "attributes"];

const fn engine(name: &'static str) -> Room {
    Room { name, layer: Engines, beside: &[], never: BEHIND_THE_GATE }
}

const fn door(name: &'static str) -> Room {
    Room { name, layer: Surface, beside: &["api"], never: BEHIND_THE_DOOR }
}

/// A program beside the server: what the authority keeps is out of its reach.
const fn program(name: &'static str, beside: &'static [&'static str]) -> Room {
    Room { name, layer: Surface, beside, never: BEHIND_THE_PROGRAM }
}

/// Every crate of the workspace, lowest first.
pub(crate) const HOUSE: &[Room] = &[
    room("model", Words, &[]),
    room("secret", Words, &[]),
    room("ambient", Words, &[]),
    room("sharing", Words, &["secret"]),
    room("crypto", Mechanisms, &[]),
    room("keyring", Mechanisms, &["crypto"]),
    room("unlock", Mechanisms, &["crypto", "keyring"]),
    room("authz", Mechanisms, &[]),
    room("x509", Mechanisms, &["crypto"]),
    room("abe", Mechanisms, &["crypto"]),
    room("blindindex", Mechanisms, &["crypto"]),
    room("envelope", Mechanisms, &["crypto", "abe", "blindindex"]),
    room("import", Mechanisms, &[]),
    room("convection", Mechanisms, &["crypto", "authz", "import"]),
    room("store", Custody, &[]),
    room("store-sqlite", Custody, &["store"]),
    room("barrier", Custody, &["store"]),
    room("audit", Custody, &["store", "barrier"]),
    room("backup", Custody, &["store", "barrier", "audit"]),
    room("gate", Custody, &["store", "barrier", "audit", "backup"]),
    engine("operator"),
    engine("identity"),
    engine("secrets"),
    engine("attributes"),
    room("api", Surface, &[]),
    door("door-native"),
    door("door-convection"),
    door("door-cybex"),
    program("member", &[]),
    // of a member it has the client of the authority: the manifest says who may come
    program("exchange", &["member", "server"]),
    program("collector", &["member", "server"]),
    program("query", &["member"]),
    room("idle", Surface, &[]),
    room("server", Surface, &["api", "idle", "door-native", "door-convection", "door-cybex"]),
    room("commands", Surface, &["api", "server", "member", "exchange", "collector", "query"]),
    room("cli", Surface, &["commands"]),
    room("testkit", Tools, &[]),
    room("fuzz-targets", Tools, &[]),
    room("load", Tools, &[]),
    room("acceptance", Tools, &[]),
    room("xtask", Tools, &[]),
];

/// Crates that run nothing of the outside: no files, sockets, processes, runtimes, databases.
pub(crate) const PURE_LAYERS: &[Layer] = &[Words, Mechanisms];

/// The row of a crate.
pub(crate) fn room_of(name: &str) -> Option<&'static Room> {
    HOUSE.iter().find(|room| room.name == name)
}

/// Whether a crate is shipped to nobody.
pub(crate) fn is_tool(name: &str) -> bool {
    room_of(name).is_some_and(|room| room.layer == Tools)
}
