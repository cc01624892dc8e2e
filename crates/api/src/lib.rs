//! Wire types and the endpoint table of the native API; no logic.
