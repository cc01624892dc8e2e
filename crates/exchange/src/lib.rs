//! Keeps encrypted records and finds them by token; holds no key.
