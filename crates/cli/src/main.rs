//! The one binary, `strongroom`.
//!
//! **What it is for.** A name to run, and the tests of the whole product from outside (`tests/`).
//!
//! **What it promises.** What the whole program is optimised for when it is linked, this crate's profile says: its
//! level is that of the optimiser across crates (ADR 0063), so it holds nothing else.
//!
//! **What it does not know.** Anything: `strongroom-commands` has the command line.

/// A request makes some forty allocations; the C library's allocator took a fifth of its time (ADR 0064).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    strongroom_commands::main()
}
