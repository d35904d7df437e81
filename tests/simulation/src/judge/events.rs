//! Each record file was told of as it is, none before it was there, and statuses follow one another.

use std::collections::{BTreeMap, BTreeSet};

use protocol::StreamPath;
use recorder_api_function::backend::Backend as _;
use recorder_api_function::bindings::recorder::catalog::catalog::IndexFile;
use store::memory::run;

use super::answers::{RANGE, stream_name};
use super::{Chunk, Facts, Format, Found, facts, record_files, rest, sessions};
use crate::history::History;
use crate::hosts::users_buckets;
use crate::workload::Plan;

/// So long after a file is there its event was taken: what a death leaves is taken up once its claim is over, and a receiver
/// that was down is asked again after a while. Unit: s.
const EVENTS_S: u64 = 1_200;

pub(super) fn come_to_events(history: &mut History, plan: &Plan) -> Result<(), String> {
    let clocks_s = if plan.clocks_differ { rest::CLOCKS_S } else { 0 };
    let mut checked = Ok(());
    for _ in 0..(EVENTS_S + clocks_s) / 15 {
        checked = check_told_of(history, plan);
        if checked.is_ok() {
            return check_told(history, plan);
        }
        (0..5).for_each(|_| history.step(3_000));
    }
    checked
}

/// Every record file and every status was told of.
fn check_told_of(history: &History, plan: &Plan) -> Result<(), String> {
    let facts = facts(history);
    let found = record_files::read(history, &facts)?;
    check_files(history, &found)?;
    check_statuses(history, plan, &facts, &found)
}

/// Every record file was told of.
fn check_files(history: &History, found: &Found) -> Result<(), String> {
    let mut taken: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for told in history.told.iter().filter(|told| told.is_taken) {
        taken.entry(told.uri().unwrap_or_default()).or_default().insert(&told.id);
    }
    // A callback names no bucket, and files of two rules may have one name in two.
    let mut alike: BTreeMap<&str, usize> = BTreeMap::new();
    for name in found.values().flat_map(BTreeMap::keys) {
        let uri = users_buckets().find_map(|bucket| name.strip_prefix(&format!("{bucket}/")));
        *alike.entry(uri.unwrap_or(name)).or_default() += 1;
    }
    match alike.iter().find(|(uri, files)| taken.get(**uri).map_or(0, BTreeSet::len) < **files) {
        Some((uri, files)) => Err(format!("not each of {files} files {uri} was told of")),
        None => Ok(()),
    }
}

/// Nothing else was told of, none too early, and each as it is.
fn check_told(history: &mut History, plan: &Plan) -> Result<(), String> {
    let mut listed: BTreeMap<String, Vec<IndexFile>> = BTreeMap::new();
    for stream in &plan.streams {
        let files = run(history.hosts.any().list_index_files(stream_name(stream), RANGE));
        for file in files.map_err(|error| format!("{error:?}"))? {
            listed.entry(file.object.clone()).or_default().push(file);
        }
    }
    for told in &history.told {
        let Some(uri) = told.uri() else { continue };
        if !told.is_there {
            return Err(format!("{uri} was told of before it was there"));
        }
        let Some(files) = listed.get(uri) else {
            return Err(format!("{uri} was told of, and is not listed"));
        };
        if !files.iter().any(|file| is_as_told(file, &told.body)) {
            return Err(format!("{} was told of {files:?}", told.body));
        }
    }
    // A call goes by its own clock when it looks whether another one has an event in hand.
    if let Some(twice) = history.told_twice().filter(|_| !plan.clocks_differ) {
        return Err(twice.clone());
    }
    let tries: u64 = history.told.iter().filter(|told| !told.is_taken).count() as u64;
    history.coverage.reach_times("told: an event that was not taken", tries);
    for told in &history.told {
        if let Some((_, status)) = told.status() {
            history.coverage.reach(format!("told: status {status}"));
        }
    }
    Ok(())
}

fn is_as_told(file: &IndexFile, told: &serde_json::Value) -> bool {
    let duration_s = told["duration"].as_f64().unwrap_or(-1.0);
    told["start_time"] == file.start_ms / 1_000
        && told["stop_time"] == file.end_ms / 1_000
        && (duration_s - file.duration90khz as f64 / 90_000.0).abs() < 0.001
        && told["stream"] == file.stream.stream
}

/// How many recordings of a stream are in a status, as its server was told.
#[derive(Clone, Copy, Debug, Default)]
struct Recordings {
    started: usize,
    running: usize,
    paused: usize,
}

impl Recordings {
    /// Takes one for paused no more; `false` where none is.
    fn take_paused(&mut self) -> bool {
        self.paused.checked_sub(1).map(|paused| self.paused = paused).is_some()
    }
}

/// The chunks of a stream that begin a record file of each format that is due.
fn begun(facts: &Facts<'_>, found: &Found, stream: &StreamPath) -> Vec<Chunk> {
    let begins =
        |format: Format, chunk: &Chunk| found[&format].values().any(|held| held.first() == Some(chunk));
    let of_stream = facts.iter().filter(|(_, fact)| fact.push.stream == *stream);
    let begun = of_stream.filter(|(chunk, fact)| fact.formats.iter().all(|format| begins(*format, chunk)));
    begun.map(|(chunk, _)| chunk.clone()).collect()
}

/// Of each stream, what is paused was running, what is resumed was paused, what starts anew begins files, and in the end
/// nothing runs.
fn check_statuses(history: &History, plan: &Plan, facts: &Facts<'_>, found: &Found) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let mut streams: BTreeMap<&str, Recordings> = BTreeMap::new();
    let mut known = BTreeMap::new();
    for stream in &plan.streams {
        known.insert(stream.stream(), sessions::recordings(history, stream)?);
    }
    for told in &history.told {
        let Some((stream, status)) = told.status() else { continue };
        if !plan.tells_status {
            return Err(format!("{} was told of {stream}, whose server did not ask", told.body));
        }
        // What is told again is told under the same id. What was not taken is told again before anything after it.
        if !told.is_taken || !seen.insert(&told.id) {
            continue;
        }
        let recordings = streams.entry(stream).or_default();
        let possible = known.get(stream).map_or(0, |(_, possible)| possible.len());
        let is_right = match status {
            "started" => {
                recordings.started += 1;
                recordings.running += 1;
                // One that starts anew was paused.
                recordings.started <= possible || recordings.take_paused()
            }
            "paused" => {
                recordings.paused += 1;
                recordings.running.checked_sub(1).map(|running| recordings.running = running).is_some()
            }
            "resumed" => {
                recordings.running += 1;
                recordings.take_paused()
            }
            _ => true,
        };
        if !is_right {
            return Err(format!("{stream} was told as {status} while {recordings:?}"));
        }
    }
    for stream in plan.streams.iter().filter(|_| plan.tells_status) {
        let recordings = streams.get(stream.stream()).copied().unwrap_or_default();
        let (sure, possible) = &known[stream.stream()];
        let begun = begun(facts, found, stream);
        let most = possible.len().max(begun.len());
        if recordings.running > 0 || !(sure.len()..=most).contains(&recordings.started) {
            return Err(format!(
                "{stream} has the recordings {sure:?} with files from {begun:?}, and its server knows {recordings:?}"
            ));
        }
    }
    Ok(())
}
