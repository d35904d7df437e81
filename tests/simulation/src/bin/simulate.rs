//! Plays histories, as `cargo xtask simulate` has it: see the package's documentation.

use std::process::ExitCode;

use simulation::command::{self, Arguments};

/// Calls are short and their values small: the allocator of the C library takes a sixth of a history's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => command::start(&arguments),
        Err(error) => {
            println!("{error}\n\n{}", command::USAGE);
            ExitCode::FAILURE
        }
    }
}
