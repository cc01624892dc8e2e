//! Engine: initialise, unlock, lock, rotate, read the trail.
