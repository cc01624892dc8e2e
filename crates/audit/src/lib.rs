//! The append-only, hash-chained, sealed trail.
