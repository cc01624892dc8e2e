//! The exchange from outside: its stores by one suite, its writer, its questions, its paths.

#[cfg(test)]
mod find;
#[cfg(test)]
mod keeper;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod web;
#[cfg(test)]
mod world;
