//! Secret bytes: wiped on drop, redacted, compared in constant time.
