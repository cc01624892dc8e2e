//! Configuration, listeners, wiring.
