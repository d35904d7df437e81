//! The slices of a session, as they are found in the user's bucket.

use naming::{NamedSlice, NamesFrom, SliceNames, tag};

use crate::session::Session;
use crate::time::DAY_MS;
use crate::users::{Look, Seen, Unseen, UserBuckets};

/// So many names are asked for at a time.
const NAMES: u32 = 1_000;

/// At most so many times in one step: a bucket with more beside what is looked for is not gone through.
const MOST_PAGES: usize = 40;

/// So many objects are looked at together.
const LOOKED: usize = 100;

/// At most so many in one step.
const MOST_LOOKED: usize = 2_000;

/// A step has enough with so many slices.
const ENOUGH: usize = 300;

/// Slices of a session overlap by less than this. Unit: ms.
const OVERLAP_MS: u64 = 10_000;

/// A slice of the session.
#[derive(Clone, Debug)]
pub(super) struct OwnSlice {
    /// Its number.
    pub(super) seq: u64,
    /// Its object.
    pub(super) name: String,
    /// What is known of that.
    pub(super) seen: Seen,
}

/// Some of the slices of a session, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct OwnSlices {
    /// They.
    pub(super) slices: Vec<OwnSlice>,
    /// There are no others.
    pub(super) is_all: bool,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// Slices of this session.
    pub(super) session: &'a Session,
    /// From this number on.
    pub(super) first: u64,
    /// Before this number, if it has so many chunks.
    pub(super) chunks: Option<u64>,
    /// Where the slice before ends, Unix milliseconds.
    pub(super) from_ms: u64,
}

/// What came of looks at objects.
#[derive(Clone, Copy, Debug, Default)]
struct Looks {
    /// So many are there.
    seen: usize,
    /// So many may not be looked at.
    refused: usize,
}

impl Looks {
    /// Other writers' objects may be hidden. Where all are, nothing is known of the session's own ones.
    fn check(self) -> Result<(), Unseen> {
        if self.seen == 0 && self.refused > 0 { Err(Unseen::Hidden) } else { Ok(()) }
    }
}

/// The bucket that a session is recorded into, as endpoint and name.
pub(super) fn bucket_of(session: &Session) -> Option<(&str, &str)> {
    let rule = session.rule.as_ref().filter(|rule| rule.slices().is_some())?;
    Some((&rule.endpoint, &rule.bucket))
}

/// The next slices of a session; `None` where they are not found among so many others.
pub(super) async fn find(
    users: &impl UserBuckets,
    wanted: Wanted<'_>,
    now_ms: u64,
) -> Result<Option<OwnSlices>, Unseen> {
    let session = wanted.session;
    let Some((bucket, names)) = bucket_of(session).zip(names(session)) else { return Ok(None) };
    let NamesFrom { prefix, mut after, is_ordered } = names.from(wanted.from_ms.saturating_sub(OVERLAP_MS));
    let (mut candidates, mut own): (Vec<(NamedSlice, String)>, _) = (Vec::new(), Vec::new());
    let (mut looked, mut looks) = (0, Looks::default());
    let (mut last_s, mut is_end) = (0, false);
    for _ in 0..MOST_PAGES {
        let page = users.list(bucket, &prefix, &after, NAMES).await?;
        match page.last() {
            Some(last) => after.clone_from(last),
            None => is_end = true,
        }
        let read = page.into_iter().filter_map(|name| Some((names.read(&name)?, name)));
        for (named, name) in read {
            last_s = named.start_s.max(last_s);
            if is_wanted(wanted, named, now_ms) {
                candidates.push((named, name));
            }
        }
        if !is_end && (!is_ordered || candidates.len() < ENOUGH) {
            continue;
        }
        candidates.sort_unstable();
        // Others of its last second may come after what was listed.
        let is_whole = |(named, _): &(NamedSlice, String)| is_end || named.start_s < last_s;
        let (ready, rest): (Vec<_>, Vec<_>) = candidates.drain(..).partition(is_whole);
        candidates = rest;
        for some in ready.chunks(LOOKED) {
            looked += some.len();
            if looked > MOST_LOOKED {
                return Ok(None);
            }
            own.extend(own_of(users, bucket, &session.id, some, &mut looks).await?);
            if own.len() >= ENOUGH {
                return Ok(Some(OwnSlices { slices: own, is_all: false }));
            }
        }
        if is_end {
            looks.check()?;
            return Ok(Some(OwnSlices { slices: own, is_all: true }));
        }
    }
    Ok(None)
}

/// How many names may be those of next slices, at most as many as a step goes through.
pub(super) async fn count(
    users: &impl UserBuckets,
    wanted: Wanted<'_>,
    until_ms: u64,
) -> Result<u64, Unseen> {
    let Some((bucket, names)) = bucket_of(wanted.session).zip(names(wanted.session)) else { return Ok(0) };
    let NamesFrom { prefix, mut after, .. } = names.from(wanted.from_ms.saturating_sub(OVERLAP_MS));
    let mut count = 0;
    for _ in 0..MOST_PAGES {
        let page = users.list(bucket, &prefix, &after, NAMES).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        let read = page.iter().filter_map(|name| names.read(name));
        count += read.filter(|named| is_wanted(wanted, *named, until_ms)).count() as u64;
    }
    Ok(count)
}

fn names(session: &Session) -> Option<SliceNames<'_>> {
    let slices = session.rule.as_ref()?.slices()?;
    let timezone = session.timezone.parse().ok()?;
    SliceNames::new(&slices.object_prefix, &session.stream.app, &session.stream.stream, timezone).ok()
}

fn is_wanted(Wanted { first, chunks, from_ms, .. }: Wanted<'_>, named: NamedSlice, until_ms: u64) -> bool {
    let start_ms = named.start_s.saturating_mul(1_000);
    named.sequence >= first
        && chunks.is_none_or(|chunks| named.sequence < chunks)
        // Names say seconds.
        && start_ms + OVERLAP_MS + 1_000 > from_ms
        && start_ms <= until_ms.saturating_add(DAY_MS)
}

/// Those of some objects that are the session's.
async fn own_of(
    users: &impl UserBuckets,
    bucket: (&str, &str),
    session: &str,
    some: &[(NamedSlice, String)],
    looks: &mut Looks,
) -> Result<Vec<OwnSlice>, Unseen> {
    let names: Vec<String> = some.iter().map(|(_, name)| name.clone()).collect();
    let found = users.look(bucket, &names).await?;
    let mut own = Vec::new();
    for (((named, _), name), look) in some.iter().zip(names).zip(found) {
        looks.refused += usize::from(look == Look::Refused);
        let Look::Seen(seen) = look else { continue };
        looks.seen += 1;
        if seen.tag.as_deref() == Some(&tag::slice(session, named.sequence)) {
            own.push(OwnSlice { seq: named.sequence, name, seen });
        }
    }
    Ok(own)
}

#[cfg(test)]
mod tests {
    use store::memory::run;

    use super::*;
    use crate::names;
    use crate::tests::world::{MemoryUsers, session_of};

    /// When the push began.
    const BEGAN_MS: u64 = 1_777_777_777_000;

    /// Slices begin so often: three of them in a second.
    const STEP_MS: u64 = 400;

    fn session(id: &str, template: &str) -> Session {
        let mut session = Session { began_ms: BEGAN_MS, ..session_of(id) };
        let slices = session.rule.as_mut().unwrap().formats[0].slices.as_mut().unwrap();
        slices.object_prefix = template.into();
        session
    }

    fn put(users: &MemoryUsers, session: &Session, seqs: std::ops::Range<u64>, start_ms: u64) -> Vec<String> {
        let place = |seq: u64| {
            let name = names::slice(session, seq, start_ms + seq * STEP_MS, 0).unwrap();
            let seen = Seen { tag: Some(tag::slice(&session.id, seq)), note: None, size: None };
            users.objects.borrow_mut().insert(name.clone(), seen);
            name
        };
        seqs.map(place).collect()
    }

    /// The numbers of the next slices from one on, and whether there are no others; `None` where they are not found.
    fn found(users: &MemoryUsers, session: &Session, first: u64) -> Result<Option<(Vec<u64>, bool)>, Unseen> {
        let wanted = Wanted { session, first, chunks: None, from_ms: BEGAN_MS + first * STEP_MS };
        let found = run(find(users, wanted, BEGAN_MS + DAY_MS))?;
        Ok(found.map(|found| (found.slices.iter().map(|own| own.seq).collect(), found.is_all)))
    }

    /// Names are in the order of their bytes, in which 1000 is before 999, and pages end anywhere.
    #[test]
    fn the_next_slices_are_found_without_a_gap_whatever_lies_beside_them() {
        for (template, is_ordered) in [(naming::DEFAULT_SLICE, true), ("{Sequence}_{UnixTimestamp}", false)] {
            let (users, own) = (MemoryUsers::default(), session("a", template));
            // 999 and 1000 are of one second.
            put(&users, &own, 0..1_150, BEGAN_MS + STEP_MS);
            put(&users, &session("other", template), 5..1_150, BEGAN_MS - 1_000);
            // One more, so that a page ends between them.
            put(&users, &session("third", template), 2_000..2_001, BEGAN_MS + 350_000 - 2_000 * STEP_MS);
            for first in (690..1_010).step_by(if is_ordered { 1 } else { 40 }) {
                let (seqs, is_all) = found(&users, &own, first).unwrap().unwrap();
                let end = first + seqs.len() as u64;
                assert_eq!(seqs, Vec::from_iter(first..end), "{template} {first}");
                assert!(if is_all { end == 1_150 } else { seqs.len() >= ENOUGH }, "{template} {first} {end}");
            }
        }
    }

    #[test]
    fn what_comes_after_them_is_not_gone_through() {
        let (users, own) = (MemoryUsers::default(), session("a", naming::DEFAULT_SLICE));
        put(&users, &own, 0..5_000, BEGAN_MS);
        let (seqs, is_all) = found(&users, &own, 7).unwrap().unwrap();
        assert!(seqs.starts_with(&[7, 8, 9, 10, 11]) && !is_all);
    }

    #[test]
    fn they_are_given_up_among_thousands_of_others() {
        let (users, own) = (MemoryUsers::default(), session("a", naming::DEFAULT_SLICE));
        put(&users, &session("other", naming::DEFAULT_SLICE), 0..2_600, BEGAN_MS);
        assert_eq!(found(&users, &own, 0), Ok(None));
    }

    /// The one before ends later than the next one begins, and names say seconds.
    #[test]
    fn one_that_overlaps_the_one_before_is_found() {
        let (users, own) = (MemoryUsers::default(), session("a", naming::DEFAULT_SLICE));
        put(&users, &own, 9..10, BEGAN_MS - 9_001);
        assert_eq!(found(&users, &own, 9), Ok(Some((vec![9], true))));
    }

    #[test]
    fn none_is_found_past_the_chunks_that_the_session_has() {
        let (users, own) = (MemoryUsers::default(), session("a", naming::DEFAULT_SLICE));
        put(&users, &own, 0..5, BEGAN_MS);
        let wanted = Wanted { session: &own, first: 1, chunks: Some(4), from_ms: BEGAN_MS };
        let found = run(find(&users, wanted, BEGAN_MS)).unwrap().unwrap();
        assert_eq!(found.slices.iter().map(|own| own.seq).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(run(count(&users, wanted, BEGAN_MS)).unwrap(), 3);
    }

    #[test]
    fn objects_that_may_not_be_looked_at_are_others_unless_none_may() {
        let (users, own) = (MemoryUsers::default(), session("a", naming::DEFAULT_SLICE));
        let mut hidden = put(&users, &session("other", naming::DEFAULT_SLICE), 3..9, BEGAN_MS - 1_000);
        users.hidden.borrow_mut().extend(hidden.iter().cloned());
        assert_eq!(found(&users, &own, 0), Err(Unseen::Hidden));
        hidden = put(&users, &own, 0..5, BEGAN_MS);
        assert_eq!(found(&users, &own, 0), Ok(Some((vec![0, 1, 2, 3, 4], true))));
        users.hidden.borrow_mut().extend(hidden);
        assert_eq!(found(&users, &own, 0), Err(Unseen::Hidden));
    }
}
