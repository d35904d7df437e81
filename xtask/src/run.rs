//! Running what was built.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{build, tools};

/// Where cargo puts what is built with the profile `native`.
const NATIVE: &str = "target/native";

/// `live-recorder up`, in place of this process, so that signals reach it.
pub(crate) fn up(arguments: &[String]) -> Result<()> {
    build::bundle()?;
    become_native(build::BINARY, &[&["up".to_owned()], arguments].concat())
}

/// Records a real push and shows the files.
pub(crate) fn demo(arguments: &[String]) -> Result<()> {
    if let Some(unknown) = arguments.iter().find(|argument| *argument != "--exit") {
        bail!("demo takes --exit and nothing else, not {unknown:?}");
    }
    build::bundle()?;
    let cached = ["demo", "--component-cache", "target/native/components"].map(str::to_owned);
    become_native(build::BINARY, &[&cached, arguments].concat())
}

/// Benchmarks.
pub(crate) fn bench(arguments: &[String], installs: bool) -> Result<()> {
    let needs: &[&str] = match arguments.first().map(String::as_str) {
        Some("catalog") => &["redis-server"],
        Some("deliver") => &[],
        _ => &["ffmpeg"],
    };
    tools::need("bench", needs, installs)?;
    build::wasm()?;
    build::run(build::native(&build::NATIVE).args(["--features", build::BENCH]))?;
    become_native("bench", arguments)
}

/// A gateway under abuse, of which `cargo xtask test` has a quarter of a minute, or all processes under faults.
pub(crate) fn torture(arguments: &[String], installs: bool) -> Result<()> {
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let minutes = match words.as_slice() {
        ["ingest"] => "60",
        ["ingest", "--minutes", minutes] => minutes,
        ["whole", ..] => return torture_whole(&arguments[1..], installs),
        _ => bail!(
            "torture takes `ingest [--minutes M]` or `whole [--minutes M] [--seed N] [--from CHECKOUT]`, not {arguments:?}"
        ),
    };
    let test = ["test", "--profile", "native", "--package", "recorder-gateway", "--test", "torture"];
    let mut torture = build::cargo(&[&test[..], &["--", "--nocapture"]].concat());
    build::run(torture.env("TORTURE_MINUTES", minutes))
}

fn torture_whole(arguments: &[String], installs: bool) -> Result<()> {
    tools::need("torture", &["ffmpeg", "redis-server"], installs)?;
    build::wasm()?;
    build::run(&mut build::native(&build::NATIVE))?;
    become_native("torture", arguments)
}

/// Histories, optimised: the first build takes some minutes.
pub(crate) fn simulate(arguments: &[String]) -> Result<()> {
    let of = ["--profile", "native", "--package", "recorder-simulation", "--bin", "simulate"];
    build::run(&mut build::cargo(&[&["build"], &of[..]].concat()))?;
    let mut simulate = build::cargo(&[&["run", "--quiet"], &of[..], &["--"]].concat());
    // What the functions log is no news: it is what they are made to meet.
    let error = simulate.args(arguments).stderr(Stdio::null()).exec();
    Err(error).context("cannot start the simulation")
}

fn become_native(program: &str, arguments: &[String]) -> Result<()> {
    let error = Command::new(format!("{NATIVE}/{program}")).args(arguments).exec();
    Err(error).with_context(|| format!("cannot start {NATIVE}/{program}"))
}
