//! The exchange from outside: its stores by one suite, its writer, its questions, its paths.

mod find;
mod keeper;
mod storage;
mod web;
mod world;
