//! The project's own commands: `cargo xtask help` lists them.

mod ahead;
mod build;
mod check;
mod count;
mod deny;
mod failures;
mod run;
mod setup;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
Usage: cargo xtask <command>

  demo [--exit]   record a real RTMP push on this machine and show the files;
                  --exit ends after the check, with 0 if all is well
  up [options]    build and run everything in the foreground; `up --help` lists the options
  test            every test; says which programs it lacks and installs them by apt-get
  check           formatting, lints, documentation, house rules, licences
  tidy            the house rules alone, within seconds
  advisories      known vulnerabilities of what we are built with; needs cargo-deny and the network
  build           all Wasm components and the native binary
  bench [what]    benchmarks: catalog, compose, deliver, live, media, path
  simulate [--seeds N] [--from SEED] [--jobs N] [--real-gateways] [--long]
                  histories of pushes, breaks, faults and clocks on the real functions, 250 by default;
                  a failure prints the command that plays it again:
  simulate --replay SEED [--only ID,…] [--operations]
                  one history, with all that happens in it;
                  with --real-gateways, gateways are no models; with --long, histories last for hours
  torture ingest [--minutes M]
                  a gateway under abuse for so many minutes, 60 by default, beside real pushes
  torture whole [--minutes M] [--seed N] [--from CHECKOUT]
                  all processes, killed and stopped at random for so many minutes, 30 by default,
                  while ffmpeg pushes ten streams, which have to be recorded picture by picture;
                  they begin as an earlier version's if its checkout is named
  setup           what the others need and call themselves: the wasm32-wasip2 target

With --no-install a command installs nothing; `test` then skips what needs a program that is missing.
";

/// The option by which a command installs nothing.
const NO_INSTALL: &str = "--no-install";

/// The commands that build for Wasm.
const BUILDING: [&str; 8] = ["setup", "build", "up", "demo", "test", "check", "bench", "torture"];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_else(|| "help".into());
    match dispatch(&command, &arguments.collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cargo xtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, arguments: &[String]) -> Result<ExitCode> {
    std::env::set_current_dir(build::root())?;
    let installs = !arguments.iter().any(|argument| argument == NO_INSTALL);
    let arguments: Vec<String> =
        arguments.iter().filter(|argument| *argument != NO_INSTALL).cloned().collect();
    let arguments = arguments.as_slice();
    let is_asked_for_help = arguments.iter().any(|argument| argument == "--help" || argument == "-h");
    // `up` has options of its own.
    if is_asked_for_help && command != "up" && HELP.contains(&format!("\n  {command} ")) {
        print(HELP);
        return Ok(ExitCode::SUCCESS);
    }
    if BUILDING.contains(&command) {
        setup::wasm_target(installs)?;
    }
    match command {
        "setup" => Ok(()),
        "build" => build::bundle(),
        "up" => run::up(arguments),
        "demo" => run::demo(arguments),
        "test" => return test::all(arguments, installs),
        "check" => check::all(),
        "tidy" => tidy::check(),
        "advisories" => deny::advisories(),
        "bench" => run::bench(arguments, installs),
        "simulate" => run::simulate(arguments),
        "torture" => run::torture(arguments, installs),
        "help" | "--help" | "-h" => {
            print(HELP);
            Ok(())
        }
        unknown => bail!("there is no command {unknown:?}\n\n{HELP}"),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Says on standard output what happens.
#[expect(clippy::print_stdout, reason = "a command-line program speaks to its user")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}
