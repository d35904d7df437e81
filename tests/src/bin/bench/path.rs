//! `cargo xtask bench path`: what a chunk costs on its way through the functions (HTTP in, remux, PUT into the bucket,
//! commit, 200), beside a plain proxy that forwards the same bytes to the same bucket server. Each is a process, whose
//! CPU is read of the kernel before and after.

pub(crate) mod proxy;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use harness::bucket_process::{BucketProcess, KEY, VARIABLES};
use harness::functions::Functions;
use harness::process::{INGEST_TOKEN, start_listening};
use harness::site::Site;
use s3::{Bucket, Credentials, Request};
use serde_json::Value;

pub(crate) use proxy::serve as serve_proxy;

/// The argument with which the benchmark starts itself as the proxy.
pub(crate) const PROXY: &str = "path-proxy";

/// Rounds, each with a session of its own; those of the two sides take turns.
const ROUNDS: u64 = 3;

/// The budget of the design: CPU of the functions against that of the proxy.
const BUDGET: f64 = 2.5;

/// Where the functions and their bucket server answer.
pub(crate) struct Stage {
    pub(crate) functions: String,
    pub(crate) bucket_server: String,
    pub(crate) buckets: PathBuf,
}

impl Site for Stage {
    fn functions(&self) -> &str {
        &self.functions
    }

    fn bucket(&self) -> &str {
        &self.bucket_server
    }

    fn bucket_folder(&self, bucket: &str) -> PathBuf {
        self.buckets.join(bucket)
    }
}

/// What a round took.
#[derive(Clone, Copy)]
struct Round {
    /// CPU of the process that is measured, and of the bucket server meanwhile.
    cpu: Duration,
    store_cpu: Duration,
    wall: Duration,
}

/// The table. `chunks` are those of one session.
pub(crate) fn run(chunks: &[Vec<u8>]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let buckets = folder.path().join("buckets");
    let store = BucketProcess::start(&buckets, "127.0.0.1:0")?;
    let (address, bucket_server) = (store.address.clone(), store.url.clone());
    let (proxy, proxied) = start_listening(Command::new(std::env::current_exe()?).args([PROXY, &address]))?;
    let agent = harness::http_agent();
    let functions = Functions::start_alone(&folder.path().join("functions"), &bucket_server, &VARIABLES)?;
    let stage = Stage { functions: functions.url.clone(), bucket_server, buckets };
    harness::api::add_rule(&stage, "d.example", "live", "5", "15")?;
    ask(&agent, &stage.functions, "POST", "/tick", b"")?;

    let measured = |process: u32, work: &dyn Fn() -> Result<()>| -> Result<Round> {
        let (cpu, store_cpu, begun) = (cpu(process)?, cpu(store.id())?, Instant::now());
        work()?;
        let wall = begun.elapsed();
        // What was created is not looked at again.
        let _ = std::fs::remove_dir_all(stage.bucket_folder("recordings").join("record"));
        Ok(Round { cpu: self::cpu(process)? - cpu, store_cpu: self::cpu(store.id())? - store_cpu, wall })
    };
    let through_functions = |round: u64| {
        measured(functions.id(), &|| {
            let session = begin(&agent, &stage, round)?;
            (0..).zip(chunks).try_for_each(|(seq, chunk)| record(&agent, &stage, &session, seq, chunk))
        })
    };
    let through_proxy = |round: u64| {
        measured(proxy.id(), &|| {
            (0..).zip(chunks).try_for_each(|(seq, chunk): (u64, _)| {
                let bucket = Bucket::new(&stage.bucket_server, "recordings")?;
                let key = format!("record/proxied/{round}-{seq}.flv");
                let size = chunk.len() as u64;
                let put = Request::put_new(&bucket, &key, "video/x-flv", &key, size)?;
                send(&agent, &format!("http://{proxied}"), &address, put, chunk)
            })
        })
    };
    // Everything has been used once before it is measured.
    through_functions(0)?;
    through_proxy(0)?;
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        rounds.push((through_functions(round)?, through_proxy(round)?));
    }
    show(chunks, &rounds);
    Ok(())
}

fn show(chunks: &[Vec<u8>], rounds: &[(Round, Round)]) {
    let megabytes = chunks.iter().map(Vec::len).sum::<usize>() as f64 / 1e6;
    println!("{} chunks, {megabytes:.0} MB a round, {ROUNDS} rounds; the cheapest counts", chunks.len());
    println!("{:<28} {:>11} {:>14} {:>11} {:>9}", "each chunk", "CPU ms", "store CPU ms", "wall ms", "ratio");
    let least = |of: &dyn Fn(&(Round, Round)) -> Duration| {
        let least = rounds.iter().map(of).min().unwrap_or_default();
        least.as_secs_f64() * 1e3 / chunks.len() as f64
    };
    let proxy = least(&|round| round.1.cpu);
    let functions = least(&|round| round.0.cpu);
    let line = |name: &str, cpu: f64, store: f64, wall: f64| {
        println!("{name:<28} {cpu:>11.2} {store:>14.2} {wall:>11.2} {:>9.2}", cpu / proxy);
    };
    line("plain proxy", proxy, least(&|round| round.1.store_cpu), least(&|round| round.1.wall));
    line("functions", functions, least(&|round| round.0.store_cpu), least(&|round| round.0.wall));
    println!("{:<28} {:>65.2}", format!("functions, against {BUDGET}"), functions / proxy / BUDGET);
}

/// What a process has used of the processor, with its kernel's share: proc(5), `stat`, the fields 14 and 15.
pub(crate) fn cpu(process: u32) -> Result<Duration> {
    /// USER_HZ, which is 100 on every Linux.
    const TICK_MS: u64 = 10;
    let stat = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("stat names the program")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    let ticks = ticks(11).zip(ticks(12)).context("stat has the times")?;
    Ok(Duration::from_millis((ticks.0 + ticks.1) * TICK_MS))
}

/// Calls a function, of those at an URL; answers its JSON.
pub(crate) fn ask(
    agent: &ureq::Agent,
    functions: &str,
    method: &str,
    path: &str,
    body: &[u8],
) -> Result<Value> {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{functions}{path}"))
        .header("authorization", format!("Bearer {INGEST_TOKEN}"))
        .header("x-generation", "1.0")
        .body(body)?;
    let mut answer = agent.run(request)?;
    let text = answer.body_mut().read_to_string()?;
    ensure!(answer.status().is_success(), "{method} {path} is answered {}: {text}", answer.status());
    Ok(serde_json::from_str(&text)?)
}

/// Begins a session; answers the path of its chunks.
pub(crate) fn begin(agent: &ureq::Agent, stage: &Stage, round: u64) -> Result<String> {
    let sessions = format!("/streams/d.example/live/s{round}/sessions");
    let begun = ask(
        agent,
        &stage.functions,
        "POST",
        &sessions,
        br#"{"gateway": "bench", "boot": "bench.1", "push": "1"}"#,
    )?;
    let session = begun["session"].as_str().context("a begin answers a session")?;
    Ok(format!("{sessions}/{session}/chunks"))
}

pub(crate) fn record(agent: &ureq::Agent, stage: &Stage, chunks: &str, seq: u64, chunk: &[u8]) -> Result<()> {
    ask(agent, &stage.functions, "PUT", &format!("{chunks}/{seq}"), chunk)?;
    Ok(())
}

/// Sends a signed request to the bucket server at `store`, by way of `url`.
pub(crate) fn send(agent: &ureq::Agent, url: &str, store: &str, request: Request, body: &[u8]) -> Result<()> {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let credentials = Credentials { id: KEY.0.into(), secret: KEY.1.into(), token: None };
    let signed = s3::sign(request, &Bucket::new(store, "recordings")?, &credentials, now_s);
    let mut put =
        ureq::http::Request::builder().method(signed.method).uri(format!("{url}{}", signed.target()));
    for header in &signed.headers {
        put = put.header(header.name, &header.value);
    }
    let mut answer = agent.run(put.header("host", store).body(body)?)?;
    let text = answer.body_mut().read_to_string()?;
    ensure!(answer.status().is_success(), "PUT is answered {}: {text}", answer.status());
    Ok(())
}
