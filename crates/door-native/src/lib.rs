//! The native door: JSON over HTTP, bound to the endpoint table.
