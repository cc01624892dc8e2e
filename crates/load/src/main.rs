//! Writes many secrets over kept connections and notes each acknowledgement, or checks what was acknowledged.
//!
//! **What it is for.** `cargo xtask demo` and `cargo xtask bench`: a load must know exactly which numbers it wrote.
//!
//! **What it promises.** A number is acknowledged only if its whole answer arrived with a status below 300. A server
//! that dies ends a load, and what was acknowledged until then is still told. Values follow from their number alone,
//! so that they can be checked without having been kept.
//!
//! **What it does not know.** Any product's interface: method, path, header and body are arguments, and so is which of two
//! protocols carries them.
//!
//! **Where to start.** [`Order::parse`], then [`work::run`].

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for a terminal: its output is its product"
)]

mod convection;
mod http;
mod order;
mod value;
mod work;

use std::process::ExitCode;

use order::Order;

/// Errors are told to a person and end the load.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    match Order::parse(std::env::args().skip(1)).and_then(|order| work::run(&order)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}
