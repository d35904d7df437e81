//! Real processes under random faults: Redis, a bucket server, two hosts of the functions and two gateways, to which
//! ffmpeg pushes ten streams of all three formats, while each part but one gateway is killed or stopped again and again.
//!
//! With `--from CHECKOUT` hosts and gateways begin as that earlier checkout built them, and each is of this one from when
//! it is first started again: an upgrade amid recordings, with both versions side by side.
//!
//! What must hold in the end, picture by picture: a push to the gateway that lives is recorded whole, one to the gateway
//! that is killed or ended up to a moment before; nothing twice, nothing out of order, and the same in each format.

mod parts;
mod pushes;
mod verify;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use harness::api;
use store::memory::Random;

use parts::{Fault, Parts, STARTED_AGAIN};
use pushes::{Pusher, Shared};

const DOMAIN: &str = "torture.example.com";
const APP: &str = "live";

/// Streams that are pushed.
const STREAMS: usize = 10;

/// Silence after which a record file closes, in seconds.
const DELAY_S: u64 = 15;

/// The longest time between two faults, in seconds.
const CALM_S: usize = 12;

struct Options {
    minutes: f64,
    seed: u64,
    from: PathBuf,
}

fn options() -> Result<Options> {
    let mut options = Options { minutes: 30.0, seed: 1, from: harness::root() };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} wants a value"))?;
        let wrong = || format!("{name} takes a number, not {value:?}");
        match name.as_str() {
            "--minutes" => options.minutes = value.parse().with_context(wrong)?,
            "--seed" => options.seed = value.parse().with_context(wrong)?,
            "--from" => {
                let no_checkout = || format!("{value} is no folder of a checkout");
                options.from = std::fs::canonicalize(&value).with_context(no_checkout)?;
            }
            _ => bail!("torture whole takes --minutes, --seed and --from, not {name:?}"),
        }
    }
    Ok(options)
}

fn main() -> Result<()> {
    let Options { minutes, seed, from } = options()?;
    ensure!(harness::redis::is_installed(), "redis-server is missing: `cargo xtask test` installs it");
    let folder = tempfile::tempdir_in(harness::root().join("target"))?;
    println!("seed {seed}, {minutes} minutes, {STREAMS} streams; state below {}", folder.path().display());
    let sources = pushes::sources(&folder.path().join("sources"), STREAMS)?;
    let mut parts = Parts::start(folder.path(), &from)?;
    api::add_rule_of_all_formats(&parts, DOMAIN, APP, "5", &DELAY_S.to_string())?;

    let shared = Shared::new(Instant::now() + Duration::from_secs_f64(minutes * 60.0));
    let (torment, pushed) = thread::scope(|scope| {
        let pushers: Vec<_> = (0..STREAMS)
            .map(|number| {
                let (rtmp, source) = (parts.rtmp(number % 2).to_owned(), sources[number].clone());
                let pusher = Pusher { number, rtmp, source, seed };
                let shared = &shared;
                scope.spawn(move || pusher.run(shared))
            })
            .collect();
        let torment = torment(&mut parts, &shared, &mut Random::new(seed));
        shared.give_up_if(torment.is_err());
        let pushed = pushers.into_iter().map(|pusher| pusher.join().expect("a pusher does not panic"));
        (torment, pushed.collect::<Result<Vec<_>>>())
    });
    let Torment { faults, kills } = torment?;
    for (number, part) in STARTED_AGAIN.iter().enumerate() {
        let is_replaced = faults.keys().any(|fault| fault.starts_again(number));
        ensure!(is_replaced || from == harness::root(), "{part} was never replaced: it takes more minutes");
    }

    println!("faults: {faults:?}; waiting until all is written");
    match verify::verify(&parts, &sources, &pushed?, &kills) {
        Ok(figures) => println!("{figures}"),
        Err(error) => {
            drop(parts);
            return Err(error.context(format!("what was recorded is kept below {}", folder.keep().display())));
        }
    }
    Ok(())
}

/// What was done to the parts.
#[derive(Default)]
struct Torment {
    faults: BTreeMap<Fault, u32>,
    /// When the second gateway was killed, ended or drained.
    kills: Vec<Instant>,
}

fn torment(parts: &mut Parts, shared: &Shared, random: &mut Random) -> Result<Torment> {
    let mut done = Torment::default();
    while !shared.is_over() {
        thread::sleep(Duration::from_secs(2 + random.below(CALM_S - 1) as u64));
        let fault = Fault::ALL[random.below(Fault::ALL.len())];
        let lasts = Duration::from_millis(random.below(5_000) as u64);
        println!("{:>6.0} s  {fault:?} for {lasts:?}", shared.elapsed().as_secs_f64());
        if matches!(fault, Fault::KillGateway | Fault::EndGateway | Fault::DrainGateway) {
            done.kills.push(Instant::now());
        }
        parts.suffer(fault, lasts).with_context(|| format!("after {fault:?}"))?;
        *done.faults.entry(fault).or_default() += 1;
    }
    Ok(done)
}
