//! What is recorded in a range of wall-clock time.
//!
//! A query reads the list of each UTC day of its range, and of each session that it finds there the pages of the range
//! alone, to which it comes by bisection; for spans, the pages at both ends and a tally of what lies between them. Then it
//! reads the parts that are sealed of these days: what is moved meanwhile is found in one of the two places.

mod pages;

use std::collections::BTreeMap;

use store::Store;

use crate::chunk::Chunk;
use crate::days::{self, days};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::file::{Entry, List};
use crate::log::part::{self, Run};
use crate::log::{Kind, StreamDay};
use crate::rule::Rule;
use crate::session::{self, Session};
use crate::stream::StreamName;
use crate::tally::{Stretch, Timeline};
use pages::{Found, Wanted};

/// How far beside a range a slice that belongs to it can begin: gateways cut well before, and pictures that can be
/// entered are seldom further apart. Unit: ms.
const REACH_MS: u64 = 600_000;

/// What is recorded without breaks longer than the rule's, whatever the formats: slices, and what would be slices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Unix milliseconds.
    pub start_ms: u64,
    /// Unix milliseconds.
    pub end_ms: u64,
    /// Sum of the durations of its slices. Unit: 1/90 000 s.
    pub duration_90khz: u64,
    /// The rule that it was recorded under.
    pub rule: Rule,
}

/// A slice, and the session that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The slice. It lasts until the next one begins, where that one continues it.
    pub entry: Entry,
    /// The session, under whose rule it lies in a bucket.
    pub session: Session,
}

/// What is recorded in a range, cut to it at whole slices; of recordings that overlap, each has spans of its own. Oldest
/// first.
///
/// # Errors
/// The store failed.
pub async fn spans(
    store: &impl Store,
    bucket: &impl WorkBucket,
    stream: &StreamName,
    from_ms: u64,
    to_ms: u64,
) -> Result<Vec<Span>, Error> {
    let mut found: Vec<(Stretch, Rule)> = Vec::new();
    // The span of each recording that may go on.
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    for piece in pieces(store, bucket, stream, (from_ms, to_ms), Wanted::Spans).await? {
        let Some(rule) = &piece.session.rule else { continue };
        let recording = &piece.recording;
        for stretch in piece.stretches(from_ms, to_ms) {
            let span = open.get(recording).and_then(|at| found.get_mut(*at));
            if !span.is_some_and(|(span, rule)| span.join(stretch, rule.delay_ms())) {
                open.insert(recording.clone(), found.len());
                found.push((stretch, rule.clone()));
            }
        }
    }
    found.sort_by_key(|(stretch, _)| stretch.start_ms);
    let span = |(stretch, rule)| {
        let Stretch { start_ms, end_ms, duration_90khz } = stretch;
        Span { start_ms, end_ms, duration_90khz, rule }
    };
    Ok(found.into_iter().map(span).collect())
}

/// The slices that begin in a range; with `one_more` also the one that continues the last of them.
///
/// Where the first of them cannot be entered, the slices before it come too, back to one that can. Of recordings that
/// overlap, the one that began earlier counts until it ends.
///
/// # Errors
/// The store failed.
pub async fn slices(
    store: &impl Store,
    bucket: &impl WorkBucket,
    stream: &StreamName,
    from_ms: u64,
    to_ms: u64,
    one_more: bool,
) -> Result<Vec<Located>, Error> {
    let mut found: Vec<Located> = Vec::new();
    let mut covered: Option<(String, u64)> = None;
    let back_ms = from_ms.saturating_sub(REACH_MS);
    let reach_ms = if one_more { to_ms.saturating_add(REACH_MS) } else { to_ms };
    for piece in pieces(store, bucket, stream, (back_ms, reach_ms), Wanted::Slices).await? {
        let Piece { recording, session, .. } = &piece;
        if slicing_rule(session).is_none() || session.began_ms >= to_ms {
            continue;
        }
        let covered_ms =
            covered.as_ref().filter(|(other, _)| other != recording).map_or(0, |covered| covered.1);
        let slices = piece.slices(back_ms, reach_ms);
        let begins = |from_ms: u64| {
            slices.iter().position(|entry| entry.slice.start_ms() >= from_ms).unwrap_or(slices.len())
        };
        let (first, last) = (begins(from_ms.max(covered_ms)), begins(to_ms));
        if first >= last {
            continue;
        }
        // The slice after the range belongs to it only where it continues the last one in it.
        let continues = slices.get(last).is_some_and(|entry| one_more && !entry.is_discontinuous);
        let end = if continues { last + 1 } else { last };
        let begin = if found.is_empty() { entry_before(&slices, first) } else { first };
        for (index, mut entry) in slices.into_iter().enumerate().take(end).skip(begin) {
            entry.is_discontinuous = !found.is_empty() && (entry.is_discontinuous || index == begin);
            let end_ms = entry.slice.start_ms() + entry.slice.duration_90khz / 90;
            covered = Some((recording.clone(), end_ms));
            found.push(Located { entry, session: session.clone() });
        }
    }
    Ok(found)
}

/// The slice at which players have to begin that want this one: itself, or the last one before it that can be
/// entered, as long as each continues the one before.
fn entry_before(slices: &[Entry], wanted: usize) -> usize {
    let mut at = wanted;
    while !slices[at].slice.is_enterable {
        if at == 0 || slices[at].is_discontinuous {
            return wanted;
        }
        at -= 1;
    }
    at
}

/// A session's rule, where it asks for slices.
fn slicing_rule(session: &Session) -> Option<&Rule> {
    session.rule.as_ref().filter(|rule| rule.slices().is_some())
}

/// What is found of a session.
struct Piece {
    /// Its recording, and when that began. Unix milliseconds.
    recording: String,
    recording_began_ms: u64,
    session: Session,
    /// Its chunks, and what else is known of it.
    found: Found,
}

impl Piece {
    /// The slices that overlap a range, each lasting until the next one begins.
    fn slices(&self, from_ms: u64, to_ms: u64) -> Vec<Entry> {
        let mut list = List::default();
        let mut next = None;
        for (seq, chunk) in &self.found.chunks {
            if next.is_some_and(|next| next != *seq) {
                // Chunks outside of what was asked for lie in between.
                list.interrupt();
            }
            list.push(&self.session.id, *seq, *chunk);
            next = Some(seq + 1);
        }
        let end_ms = |entry: &Entry| entry.slice.start_ms() + entry.slice.duration_90khz / 90;
        list.entries.retain(|entry| entry.slice.start_ms() < to_ms && end_ms(entry) > from_ms);
        list.entries
    }

    /// The same as stretches: one for each slice, and those of the pages that were not read.
    fn stretches(&self, from_ms: u64, to_ms: u64) -> Vec<Stretch> {
        let Found { chunks, before, between } = &self.found;
        let (mut before, mut next_between) = (before.as_ref(), between.as_ref());
        let mut stretches = Vec::new();
        let mut timeline = Timeline::default();
        let mut next = None;
        for (seq, chunk) in chunks {
            if let Some(between) = next_between.take_if(|between| between.chunks.start <= *seq) {
                stretches.extend(&between.stretches);
                (timeline, next) = (between.timeline, Some(between.chunks.end));
            }
            if between.as_ref().is_some_and(|between| between.chunks.contains(seq)) {
                // It was sealed after its tally was read.
                continue;
            }
            if next.is_some_and(|next| next != *seq) {
                timeline.interrupt();
            }
            if let Some((_, known)) = before.take_if(|(first, _)| first <= seq)
                && next != Some(*seq)
            {
                stretches.extend(timeline.last().filter(|last| Some(*last) != known.last()));
                timeline = *known;
            }
            stretches.extend(timeline.push(*chunk));
            next = Some(seq + 1);
        }
        stretches.extend(timeline.last());
        stretches.retain(|stretch| stretch.start_ms < to_ms && stretch.end_ms > from_ms);
        stretches
    }
}

/// The range in whose days the slices of a range are: a slice is sealed in the day that it begins in, and lasts until the
/// next one begins.
fn reach(from_ms: u64, to_ms: u64) -> (u64, u64) {
    (from_ms.saturating_sub(REACH_MS), to_ms.saturating_add(REACH_MS))
}

/// The sessions that may have slices in a range, with these, in order of their recordings' begins and of their own.
async fn pieces(
    store: &impl Store,
    bucket: &impl WorkBucket,
    stream: &StreamName,
    (from_ms, to_ms): (u64, u64),
    wanted: Wanted,
) -> Result<Vec<Piece>, Error> {
    let (back_ms, reach_ms) = reach(from_ms, to_ms);
    let mut found = in_store(store, bucket, stream, (from_ms, to_ms), wanted).await?;
    let stream = stream.key();
    for day in days(back_ms, reach_ms) {
        let at = StreamDay { stream: &stream, day };
        for part in 0..at.parts(store, Kind::Sessions).await? {
            for run in part::read(bucket, at, part).await? {
                let chunks: Vec<(u64, Chunk)> = run.numbered().collect();
                let Run { session, adopted, recording_began_ms, .. } = run;
                let piece = found.entry(session.id.clone()).or_insert_with(|| Piece {
                    recording: adopted.recording,
                    recording_began_ms,
                    session,
                    found: Found::default(),
                });
                piece.found.chunks.extend(chunks);
            }
        }
    }
    let mut pieces: Vec<Piece> = found.into_values().filter(|piece| piece.session.began_ms < to_ms).collect();
    pieces.sort_by(|a, b| {
        let key = |piece: &Piece| (piece.recording_began_ms, piece.recording.clone(), piece.session.began_ms);
        key(a).cmp(&key(b))
    });
    Ok(pieces)
}

/// What the store holds of them.
async fn in_store(
    store: &impl Store,
    bucket: &impl WorkBucket,
    stream: &StreamName,
    (from_ms, to_ms): (u64, u64),
    wanted: Wanted,
) -> Result<BTreeMap<String, Piece>, Error> {
    let (back_ms, reach_ms) = reach(from_ms, to_ms);
    let mut found = BTreeMap::new();
    let mut begins: BTreeMap<String, u64> = BTreeMap::new();
    for id in days::sessions(store, stream, back_ms, reach_ms).await? {
        // One that leaves the store is in a part.
        let Some(session) = session::find(store, &id).await? else { continue };
        if session.began_ms >= to_ms {
            continue;
        }
        let of_session = pages::find(store, &session, (from_ms, to_ms), wanted).await?;
        if of_session.chunks.is_empty() {
            continue;
        }
        let Some(adopted) = session::adopted(store, &id).await? else { continue };
        let recording = adopted.recording;
        let recording_began_ms = match begins.get(&recording) {
            Some(began_ms) => *began_ms,
            None if recording == id => session.began_ms,
            None => session::get(store, bucket, &recording).await?.began_ms,
        };
        begins.insert(recording.clone(), recording_began_ms);
        found.insert(id, Piece { recording, recording_began_ms, session, found: of_session });
    }
    Ok(found)
}
