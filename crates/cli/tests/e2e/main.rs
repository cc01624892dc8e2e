//! The real binary, from outside: as a newcomer, an operator, a program and an enemy meet it.

mod client;
mod home;
mod served;
mod shared;

mod bodies;
mod newcomer;
mod repeats;
mod sealed;
mod targets;
mod tokens;
