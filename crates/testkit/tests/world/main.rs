//! The engines in a whole world: one program, so that the world is linked once.
#![cfg(test)]

mod audit;
mod backups;
mod clock_and_tokens;
mod convection_stream;
mod corruption;
mod coverage;
mod deep;
mod golden;
mod hard_times;
mod initialise;
mod jobs;
mod keysets;
mod memberships;
mod nacl;
mod names_at_rest;
mod on_disk;
mod people;
mod refused;
mod rekey;
mod repeats;
mod rights;
mod rotate;
mod rotate_and_lock;
mod secrets;
mod segments;
mod types;
mod unlock;
mod versions;
