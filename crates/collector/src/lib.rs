//! Takes records in, encrypts them by policy, spools and posts them.
