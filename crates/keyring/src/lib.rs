//! Root key, KEKs, keysets, terms: the key hierarchy as pure state.
