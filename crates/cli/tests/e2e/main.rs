//! The real binary, from outside: as a newcomer, an operator, a program and an enemy meet it.

mod client;
mod home;
mod served;
mod shared;
mod site;

mod bodies;
mod crashes;
mod full_disk;
mod network;
mod newcomer;
mod operator;
mod process;
mod repeats;
mod sealed;
mod targets;
mod tokens;
