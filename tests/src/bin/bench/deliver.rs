//! `cargo xtask bench deliver`: how long it takes until a user's server is told, with a thousand servers of which one
//! hangs and one refuses, beside a round in which all of them answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::api;
use harness::receiver::{Receiver, Reply};
use harness::server::Server;
use harness::site::Site;

use crate::path::ask;

/// Domains, each with a server of its own.
const RECEIVERS: usize = 1_000;

/// In the round with trouble: the one that does not answer, and the one that cannot be reached.
const HANGS: usize = 7;
const REFUSES: usize = 8;

/// What the design asks of the others.
const BUDGET: Duration = Duration::from_secs(2);

/// After this the rest is taken as never told.
const PATIENCE: Duration = Duration::from_secs(120);

/// When each server was told first, by the path of its URL.
type Told = Arc<Mutex<HashMap<String, Instant>>>;

/// The table. The chunk is recorded once for each domain.
pub(crate) fn run(chunk: &[u8]) -> Result<()> {
    let quiet = round(chunk, false)?;
    let troubled = round(chunk, true)?;
    println!("{RECEIVERS} receivers; the time from the chunk's answer to the receiver of `record_started`");
    println!("{:<28} {:>8} {:>8} {:>8} {:>8} {:>8}", "", "told", "50 % ms", "99 % ms", "most ms", "ratio");
    let reference = at(&quiet, 99).as_secs_f64();
    for (name, times) in [("all answer", &quiet), ("one hangs, one refuses", &troubled)] {
        let [half, most_of, most] = [50, 99, 100].map(|percent| at(times, percent));
        let ms = |time: Duration| time.as_millis();
        let ratio = most_of.as_secs_f64() / reference;
        let told = times.len();
        println!("{name:<28} {told:>8} {:>8} {:>8} {:>8} {ratio:>8.2}", ms(half), ms(most_of), ms(most));
    }
    let against = at(&troubled, 100).as_secs_f64() / BUDGET.as_secs_f64();
    println!("{:<28} {against:>44.2}", format!("most, against {} s", BUDGET.as_secs()));
    Ok(())
}

/// The time within which so many percent were told.
fn at(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() * percent / 100).clamp(1, times.len()) - 1]
}

/// Records a chunk for each domain; answers how long each receiver that answers waited, the shortest first.
fn round(chunk: &[u8], is_troubled: bool) -> Result<Vec<Duration>> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path())?;
    let told = Told::default();
    let seen = Arc::clone(&told);
    let receiver = Receiver::start(move |received| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(received.target.clone()).or_insert_with(Instant::now);
        let hangs = is_troubled && received.target == format!("/{HANGS}");
        if hangs { Reply::After(PATIENCE, String::new()) } else { Reply::Answer(200, &[], String::new()) }
    })?;
    for number in 0..RECEIVERS {
        let domain = format!("d{number}.example");
        let refuses = is_troubled && number == REFUSES;
        // Nothing listens on port 1.
        let host = if refuses { "127.0.0.1:1".to_owned() } else { receiver.address.to_string() };
        let url = format!("http://{host}/{number}");
        let config = [("DomainName", &*domain), ("NotifyUrl", &url), ("NeedStatusNotify", "true")];
        let (status, answer) = api::call(&server, "AddLiveRecordNotifyConfig", &config)?;
        ensure!(status == 200, "AddLiveRecordNotifyConfig is answered {status}: {answer}");
        api::add_rule(&server, &domain, "live", "5", "180")?;
    }
    let agent = harness::http_agent();
    let mut recorded = Vec::new();
    for number in 0..RECEIVERS {
        // Domains share a bucket, where a slice's name has the stream alone.
        let sessions = format!("/streams/d{number}.example/live/cam-{number}/sessions");
        let begin = br#"{"gateway": "bench", "boot": "bench.1", "push": "1"}"#;
        let begun = ask(&agent, server.functions(), "POST", &sessions, begin)?;
        let session = begun["session"].as_str().context("a begin answers a session")?;
        ask(&agent, server.functions(), "PUT", &format!("{sessions}/{session}/chunks/0"), chunk)?;
        recorded.push((format!("/{number}"), Instant::now()));
    }
    let others =
        recorded.iter().enumerate().filter(|(number, _)| !is_troubled || ![HANGS, REFUSES].contains(number));
    let others: Vec<_> = others.map(|(_, recorded)| recorded).collect();
    let begun = Instant::now();
    loop {
        let told = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let waited = |(path, recorded): &&(String, Instant)| {
            told.get(path).map(|told| told.saturating_duration_since(*recorded))
        };
        let mut times: Vec<Duration> = others.iter().filter_map(waited).collect();
        if times.len() == others.len() {
            times.sort();
            return Ok(times);
        }
        ensure!(begun.elapsed() < PATIENCE, "{} of {} receivers are told", times.len(), others.len());
        std::thread::sleep(Duration::from_millis(100));
    }
}
