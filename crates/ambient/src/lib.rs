//! Clock and entropy, handed in and never fetched.
