//! What the API answers agrees with what gateways know.

use std::collections::{BTreeMap, BTreeSet};

use protocol::StreamPath;
use recorder_api_function::backend::Backend;
use recorder_api_function::bindings::recorder::catalog::catalog::{IndexFile, StreamName};
use store::memory::run;

use super::{Chunk, Facts, Found};
use crate::history::{BEGAN_MS, History};
use crate::workload::Plan;

pub(super) const DAY_MS: u64 = 86_400_000;

/// Everything of a history is from this time.
pub(super) const RANGE: (u64, u64) = (BEGAN_MS - 7_200_000, BEGAN_MS + 3 * DAY_MS);

/// What may be missing or too much of each run of chunks without a pause: the duration of its last picture is guessed.
/// Unit: ms.
const GUESS_MS: u64 = 1_500;

/// A longer pause within a push is none of its media. Unit: ms.
const SHORT_PAUSE_MS: u64 = 12_000;

pub(super) fn stream_name(stream: &StreamPath) -> StreamName {
    StreamName { domain: stream.domain().into(), app: stream.app().into(), stream: stream.stream().into() }
}

/// While nothing is wrong, the online list and the state of each stream are those of the pushes that go on.
pub(super) fn check_online(history: &History, plan: &Plan) -> Result<(), String> {
    let world = history.hosts.any();
    let now_ms = world.now_ms.get();
    let sessions =
        run(world.live_sessions("live.example.com", now_ms)).map_err(|error| format!("{error:?}"))?;
    let listed: BTreeSet<&str> = sessions.iter().map(|session| session.id.as_str()).collect();
    for (place, push) in history.pushes() {
        let Some(session) = push.session.as_deref() else { continue };
        let is_gone = history.gateways[place].gone.iter().any(|gone| gone.id == push.id);
        if push.is_live() && push.adoption_is_told && !is_gone && !listed.contains(session) {
            return Err(format!("{} goes on as {session}, and is not listed as online", push.id));
        }
        if push.end_answered_ms.is_some() && listed.contains(session) {
            return Err(format!("{} has ended as {session}, and is listed as online", push.id));
        }
    }
    for stream in &plan.streams {
        let found =
            run(world.stream_sessions(stream_name(stream), now_ms)).map_err(|error| format!("{error:?}"))?;
        let found: BTreeSet<&str> = found.iter().map(|session| session.id.as_str()).collect();
        let of_stream = sessions.iter().filter(|session| session.stream == stream_name(stream));
        let expected: BTreeSet<&str> = of_stream.map(|session| session.id.as_str()).collect();
        if found != expected {
            return Err(format!("{stream} is pushed as {found:?}, and listed as {expected:?}"));
        }
    }
    Ok(())
}

/// Nothing is online any more.
pub(super) fn check_offline(history: &History) -> Result<(), String> {
    let world = history.hosts.any();
    let sessions = run(world.live_sessions("live.example.com", world.now_ms.get()))
        .map_err(|error| format!("{error:?}"))?;
    match sessions.first() {
        None => Ok(()),
        Some(session) => Err(format!("{} is still listed as online", session.id)),
    }
}

/// Record files and recorded spans of each stream are those of what gateways sent.
pub(super) fn check_content(
    history: &History,
    plan: &Plan,
    found: &Found,
    facts: &Facts<'_>,
) -> Result<(), String> {
    for stream in &plan.streams {
        let of_stream = |chunks: &[Chunk]| {
            chunks.first().and_then(|chunk| facts.get(chunk)).is_some_and(|fact| fact.push.stream == *stream)
        };
        let named: BTreeSet<&str> = found
            .values()
            .flatten()
            .filter(|(_, chunks)| of_stream(chunks))
            .map(|(name, _)| name.as_str())
            .collect();
        let world = history.hosts.any();
        let listed =
            run(world.list_index_files(stream_name(stream), RANGE)).map_err(|error| format!("{error:?}"))?;
        let objects: Vec<String> = listed
            .iter()
            .map(|file| format!("{}/{}/{}", file.oss_endpoint, file.oss_bucket, file.object))
            .collect();
        let distinct: BTreeSet<&str> = objects.iter().map(String::as_str).collect();
        if distinct != named || distinct.len() != objects.len() {
            return Err(format!("the bucket has {named:?} of {stream}, and listed are {objects:?}"));
        }
        check_days(history, stream, &listed)?;
        for (format, files) in found {
            let of_format = listed.iter().filter(|file| file.object.ends_with(format.extension()));
            let filed_ms: u64 = of_format.map(|file| file.duration90khz / 90).sum();
            check_duration(stream, &format!("{format:?} files"), filed_ms, files.values(), facts)?;
        }
        let spans =
            run(world.recorded_spans(stream_name(stream), RANGE)).map_err(|error| format!("{error:?}"))?;
        let spanned_ms: u64 = spans.iter().map(|span| span.duration90khz / 90).sum();
        // Spans are of what is recorded in any format.
        check_duration(stream, "spans", spanned_ms, found.values().flat_map(BTreeMap::values), facts)?;
    }
    Ok(())
}

/// What is listed of a day by itself is what touches it of all that is listed.
fn check_days(history: &History, stream: &StreamPath, listed: &[IndexFile]) -> Result<(), String> {
    let (from_ms, to_ms) = RANGE;
    for day in from_ms / DAY_MS..=to_ms / DAY_MS {
        let (begin_ms, end_ms) = (day * DAY_MS, (day + 1) * DAY_MS);
        let of_day = run(history.hosts.any().list_index_files(stream_name(stream), (begin_ms, end_ms)))
            .map_err(|error| format!("{error:?}"))?;
        let found: BTreeSet<&str> = of_day.iter().map(|file| file.id.as_str()).collect();
        let touching = listed.iter().filter(|file| file.start_ms < end_ms && file.end_ms > begin_ms);
        let expected: BTreeSet<&str> = touching.map(|file| file.id.as_str()).collect();
        if found != expected {
            return Err(format!("day {day} of {stream} lists {found:?}, and {expected:?} touch it"));
        }
    }
    Ok(())
}

/// The media of a stream lasts as long as what is listed of it.
fn check_duration<'a>(
    stream: &StreamPath,
    what: &str,
    found_ms: u64,
    files: impl Iterator<Item = &'a Vec<Chunk>>,
    facts: &Facts<'_>,
) -> Result<(), String> {
    let chunks: BTreeSet<&Chunk> = files.flatten().collect();
    let (mut media_ms, mut pauses_ms, mut runs) = (0, 0, 0);
    for chunk in &chunks {
        let Some(fact) = facts.get(chunk).filter(|fact| fact.push.stream == *stream) else { continue };
        let (least_ms, most_ms) = fact.media_ms();
        media_ms += least_ms;
        let next = fact.push.chunks.get(chunk.1 as usize + 1);
        // The next one may never have come.
        let next = next.filter(|_| chunks.contains(&(chunk.0.clone(), chunk.1 + 1)));
        let pause_ms = next.map_or(u64::MAX, |next| next.from_ms - fact.spooled.to_ms);
        runs += u64::from(pause_ms > 0);
        pauses_ms += most_ms - least_ms + if pause_ms <= SHORT_PAUSE_MS { pause_ms } else { 0 };
    }
    let slack_ms = GUESS_MS * runs;
    if found_ms + slack_ms < media_ms || found_ms > media_ms + pauses_ms + slack_ms {
        return Err(format!(
            "the {what} of {stream} last {found_ms} ms, its media {media_ms} ms and {pauses_ms} ms of pauses"
        ));
    }
    Ok(())
}
