//! The sole importer of algorithm crates: AEAD, KDF, wrap, sign.
