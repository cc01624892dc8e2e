//! Unlock keys: any-of-n wrappings, k-of-n shares, auto-unlock.
