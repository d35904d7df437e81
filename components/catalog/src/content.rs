//! What is recorded in a range of wall-clock time.

use store::Store;

use crate::continuity::{append, end_ms, lasts_until};
use crate::record::{Error, read};
use crate::sessions::{self, End, patience_ms};
use crate::types::{Entry, LocatedEntry, RecordedSpan, Session, SessionRule, Slice, SliceFormat, StreamName};
use crate::{key, log};

/// How many sessions before the one in which a range begins are read as well: pushes of one stream through two
/// gateways can overlap.
const OVERLAP: u64 = 2;

/// How far beside a range a slice that belongs to it can begin, in milliseconds: gateways cut well before, and
/// pictures that can be entered are seldom further apart.
const REACH_MS: u64 = 600_000;

/// What is recorded in a range, cut to it at whole slices.
pub async fn recorded_spans(
    store: &impl Store,
    stream: &StreamName,
    from_ms: u64,
    to_ms: u64,
) -> Result<Vec<RecordedSpan>, Error> {
    let mut found: Vec<RecordedSpan> = Vec::new();
    for session in sessions_in(store, stream, from_ms, to_ms).await? {
        let Some((rule, slices)) = slice_format(&session) else { continue };
        for slice in slices_in(store, &session, from_ms, to_ms).await? {
            let end_ms = end_ms(&slice);
            match found.last_mut() {
                Some(last)
                    if slice.start_ms <= last.end_ms + patience_ms(&session)
                        && last.oss_bucket == rule.oss_bucket
                        && last.oss_endpoint == rule.oss_endpoint
                        && last.slice_object_prefix == slices.object_prefix =>
                {
                    last.end_ms = last.end_ms.max(end_ms);
                    last.duration90khz += slice.duration90khz;
                }
                _ => found.push(RecordedSpan {
                    start_ms: slice.start_ms,
                    end_ms,
                    duration90khz: slice.duration90khz,
                    oss_endpoint: rule.oss_endpoint.clone(),
                    oss_bucket: rule.oss_bucket.clone(),
                    slice_object_prefix: slices.object_prefix.clone(),
                }),
            }
        }
    }
    Ok(found)
}

/// The slices that begin in a range; with `one_more` also the one that continues the last of them.
///
/// Where the first of them cannot be entered, the slices before it come too, back to one that can.
pub async fn slices_between(
    store: &impl Store,
    stream: &StreamName,
    from_ms: u64,
    to_ms: u64,
    one_more: bool,
) -> Result<Vec<LocatedEntry>, Error> {
    let mut found: Vec<Entry> = Vec::new();
    let mut rules: Vec<SessionRule> = Vec::new();
    for session in sessions_in(store, stream, from_ms, to_ms).await? {
        let Some((rule, _)) = slice_format(&session) else { continue };
        let reach_ms = if one_more { to_ms.saturating_add(REACH_MS) } else { to_ms };
        let slices = slices_in(store, &session, from_ms.saturating_sub(REACH_MS), reach_ms).await?;
        let first = slices.iter().position(|slice| slice.start_ms >= from_ms).unwrap_or(slices.len());
        let last = slices.iter().position(|slice| slice.start_ms >= to_ms).unwrap_or(slices.len());
        if first == last {
            continue;
        }
        // The slice after the range belongs to it only where it continues the last one in it.
        let continues = slices.get(last).is_some_and(|slice| one_more && !slice.discontinuity);
        let end = if continues { last + 1 } else { last };
        let begin = if found.is_empty() { entry_before(&slices, first) } else { first };
        for (index, slice) in slices.into_iter().enumerate().take(end).skip(begin) {
            append(&mut found, slice, index == begin);
            rules.push(rule.clone());
        }
    }
    let located = found.into_iter().zip(rules).map(|(entry, rule)| LocatedEntry {
        entry,
        oss_endpoint: rule.oss_endpoint,
        oss_bucket: rule.oss_bucket,
    });
    Ok(located.collect())
}

/// The slice at which players have to begin that want this one: itself, or the last one before it that can be
/// entered, as long as each continues the one before.
fn entry_before(slices: &[Slice], wanted: usize) -> usize {
    let mut at = wanted;
    while !slices[at].independent {
        if at == 0 || slices[at].discontinuity {
            return wanted;
        }
        at -= 1;
    }
    at
}

/// A session's rule, and what it says of slices, where it wants any.
fn slice_format(session: &Session) -> Option<(&SessionRule, &SliceFormat)> {
    let rule = session.rule.as_ref()?;
    Some((rule, rule.formats.iter().find_map(|format| format.slices.as_ref())?))
}

/// The sessions that may have slices in a range, in order of their numbers.
async fn sessions_in(
    store: &impl Store,
    stream: &StreamName,
    from_ms: u64,
    to_ms: u64,
) -> Result<Vec<Session>, Error> {
    let count = sessions::count(store, stream).await?;
    // The last session that began at or before the range: they are numbered as they begin.
    let (mut low, mut high) = (1, count + 1);
    while low < high {
        let middle = low.midpoint(high);
        match began_at_or_after(store, stream, middle, count).await? {
            Some(began_ms) if began_ms <= from_ms => low = middle + 1,
            _ => high = middle,
        }
    }
    let mut found = Vec::new();
    for number in low.saturating_sub(1 + OVERLAP).max(1)..=count {
        let Some(session) = sessions::numbered(store, stream, number).await? else { continue };
        if session.began_ms >= to_ms {
            break;
        }
        found.push(session);
    }
    Ok(found)
}

/// When the first session of at least this number began.
async fn began_at_or_after(
    store: &impl Store,
    stream: &StreamName,
    number: u64,
    count: u64,
) -> Result<Option<u64>, Error> {
    for number in number..=count {
        if let Some(session) = sessions::numbered(store, stream, number).await? {
            return Ok(Some(session.began_ms));
        }
    }
    Ok(None)
}

/// The slices of a session that overlap a range, each lasting until the next one begins.
async fn slices_in(
    store: &impl Store,
    session: &Session,
    from_ms: u64,
    to_ms: u64,
) -> Result<Vec<Slice>, Error> {
    let length = match read(store, &key::end(&session.id)).await? {
        Some(End { chunks: Some(chunks), .. }) => chunks,
        _ => log::length(store, &session.id).await?,
    };
    let mut at = first_page(store, &session.id, length, from_ms).await?;
    let mut found: Vec<Slice> = Vec::new();
    while at < length {
        let page = log::page(store, &session.id, at, length).await?;
        at += page.len() as u64;
        for slice in page.into_iter().flatten() {
            if let Some(before) = found.last_mut() {
                lasts_until(before, &slice);
            }
            if slice.start_ms >= to_ms {
                found.retain(|slice| end_ms(slice) > from_ms);
                return Ok(found);
            }
            found.push(slice);
        }
    }
    found.retain(|slice| end_ms(slice) > from_ms);
    Ok(found)
}

/// The begin of the last page whose first slice begins before a moment; 0 if none does.
async fn first_page(store: &impl Store, id: &str, length: u64, from_ms: u64) -> Result<u64, Error> {
    let (mut low, mut high) = (0, length.div_ceil(log::PAGE));
    while low < high {
        let middle = low.midpoint(high);
        let page = log::page(store, id, middle * log::PAGE, length).await?;
        match page.iter().flatten().next() {
            Some(slice) if slice.start_ms >= from_ms => high = middle,
            _ => low = middle + 1,
        }
    }
    Ok(low.saturating_sub(1) * log::PAGE)
}
