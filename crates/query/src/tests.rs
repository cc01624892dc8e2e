//! The crate as a whole: what is found, and what a liar gets away with.

mod copies;
mod hostile;
mod searches;
mod world;
