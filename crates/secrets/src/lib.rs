//! Engine: typed, versioned secret stores.
