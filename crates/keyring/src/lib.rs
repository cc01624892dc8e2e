//! Root key, KEKs, keysets, terms: the key hierarchy as pure state.

mod root;

pub use root::RootKey;
