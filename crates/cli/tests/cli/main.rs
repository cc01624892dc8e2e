//! The binary, from outside.

#[cfg(test)]
mod access;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod contexts;
#[cfg(test)]
mod shells;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod whole;
#[cfg(test)]
mod world;
