//! The real binary, from outside: as a newcomer, an operator, a program and an enemy meet it.

#[cfg(test)]
mod client;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod convection_world;
#[cfg(test)]
mod docker;
#[cfg(test)]
mod drive;
#[cfg(test)]
mod home;
#[cfg(test)]
mod served;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod sharing_kms;
#[cfg(test)]
mod sharing_world;
#[cfg(test)]
mod site;
#[cfg(test)]
mod talk;

#[cfg(test)]
mod backups;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod borders;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod convection;
#[cfg(test)]
mod convection_commands;
#[cfg(test)]
mod convection_defects;
#[cfg(test)]
mod convection_network;
#[cfg(test)]
mod convection_original;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod exec;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod moving_in;
#[cfg(test)]
mod network;
#[cfg(test)]
mod newcomer;
#[cfg(test)]
mod old_names;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod original;
#[cfg(test)]
mod people;
#[cfg(test)]
mod process;
#[cfg(test)]
mod races;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod sharing_acceptance;
#[cfg(test)]
mod sharing_certificates;
#[cfg(test)]
mod sharing_collector;
#[cfg(test)]
mod sharing_containers;
#[cfg(test)]
mod sharing_disk;
#[cfg(test)]
mod sharing_exchange;
#[cfg(test)]
mod sharing_hardening;
#[cfg(test)]
mod sharing_images;
#[cfg(test)]
mod sharing_proxy;
#[cfg(test)]
mod sharing_query;
#[cfg(test)]
mod targets;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod trail;
#[cfg(test)]
mod transfer;
#[cfg(test)]
mod types;
