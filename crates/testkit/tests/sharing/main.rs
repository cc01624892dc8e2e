//! The attribute authority: who gets which keys and tokens, and who no more.
#![cfg(test)]

mod durable;
mod house;
mod keys;
mod members;
mod roles;
mod search;
mod tokens;
