//! `cargo xtask bench live [--beside CHECKOUT]`: what pushes cost `live-recorder up`, from RTMP to slices in its bucket,
//! with traces sent to a collector beside without; and as another checkout built it, if one is named.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use harness::receiver::{Receiver, Reply};
use harness::server::{Server, push};
use harness::{api, root};
use tempfile::TempDir;

use crate::path::cpu;

/// Rounds; those of the sides take turns, and the cheapest counts.
const ROUNDS: usize = 6;

/// Pushes at once, each as fast as it is taken.
const PUSHES: usize = 4;

/// What this checkout may take of the processor against another one that lacks something.
const BUDGET: f64 = 1.03;

/// One way to run the bundle.
struct Side {
    name: &'static str,
    server: Server,
    folder: TempDir,
    least: Option<Cost>,
}

/// What a round took.
#[derive(Clone, Copy)]
struct Cost {
    cpu: Duration,
    wall: Duration,
}

/// The table. `sample` is what each push pushes.
pub(crate) fn run(sample: &Path, arguments: &[String]) -> Result<()> {
    let beside = match arguments {
        [] => None,
        [option, checkout] if option == "--beside" => Some(PathBuf::from(checkout).canonicalize()?),
        _ => bail!("live takes --beside CHECKOUT and nothing else, not {arguments:?}"),
    };
    let collector = Receiver::start(|_| Reply::Answer(200, &[], String::new()))?;
    let endpoint = format!("http://{}", collector.address);
    let traced = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let mut sides = Vec::new();
    if let Some(checkout) = &beside {
        sides.push(side("the other checkout", checkout, &[])?);
    }
    sides.push(side("this one", &root(), &[])?);
    sides.push(side("this one, with traces", &root(), &traced)?);
    // Everything has been used once before it is measured.
    for round in 0..=ROUNDS {
        for turn in 0..sides.len() {
            // Forth and back: what one has left to be written slows down the next, which is to be another one.
            let at = if round % 2 == 0 { turn } else { sides.len() - 1 - turn };
            let side = &mut sides[at];
            let cost = measure(side, sample, round)?;
            if round > 0 && side.least.is_none_or(|least| cost.cpu < least.cpu) {
                side.least = Some(cost);
            }
        }
    }
    let megabytes = PUSHES as f64 * std::fs::metadata(sample)?.len() as f64 / 1e6;
    println!("{PUSHES} pushes at once, {megabytes:.0} MB a round, {ROUNDS} rounds; the cheapest counts");
    println!("{:<28} {:>9} {:>9} {:>9}", "", "CPU ms", "wall ms", "ratio");
    let least = |side: &Side| side.least.context("a round was measured");
    let reference = least(&sides[0])?.cpu;
    for side in &sides {
        let Cost { cpu, wall } = least(side)?;
        let ratio = cpu.as_secs_f64() / reference.as_secs_f64();
        println!("{:<28} {:>9} {:>9} {ratio:>9.3}", side.name, cpu.as_millis(), wall.as_millis());
    }
    if beside.is_some() {
        let ratio = least(&sides[1])?.cpu.as_secs_f64() / reference.as_secs_f64();
        println!("{:<28} {:>29.3}", format!("this one, against {BUDGET}"), ratio / BUDGET);
    }
    Ok(())
}

fn side(name: &'static str, checkout: &Path, environment: &[(&str, &str)]) -> Result<Side> {
    let folder = tempfile::tempdir_in(root().join("target"))?;
    let server = Server::start_of(checkout, folder.path(), environment)?;
    api::add_rule(&server, "d.example", "live", "5", "15")?;
    Ok(Side { name, server, folder, least: None })
}

fn measure(side: &Side, sample: &Path, round: usize) -> Result<Cost> {
    let process = side.server.ids()[0];
    let (before, begun) = (cpu(process)?, Instant::now());
    thread::scope(|scope| {
        let pushes: Vec<_> = (0..PUSHES)
            .map(|number| {
                let url = side.server.rtmp_url("d.example", "live", &format!("{round}-{number}"));
                scope.spawn(move || push(sample, &url, true))
            })
            .collect();
        pushes.into_iter().try_for_each(|push| push.join().map_err(|_| anyhow::anyhow!("a push panicked"))?)
    })?;
    // What the gateway has taken is on its way.
    while std::fs::read_dir(side.folder.path().join("spool").join("pushes"))?.next().is_some() {
        thread::sleep(Duration::from_millis(10));
    }
    let cost = Cost { cpu: cpu(process)? - before, wall: begun.elapsed() };
    let _ = std::fs::remove_dir_all(side.server.bucket_folder("recordings").join("record"));
    Ok(cost)
}
