//! Fakes, a faulty store, a whole test world.
