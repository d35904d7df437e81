//! Plays histories, as `cargo xtask simulate` has it: see the package's documentation.

use std::process::ExitCode;

use simulation::command::{self, Arguments};

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => command::start(&arguments),
        Err(error) => {
            println!("{error}\n\n{}", command::USAGE);
            ExitCode::FAILURE
        }
    }
}
