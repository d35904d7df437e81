//! Files begin where they have to, and nowhere else.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use shared::catalog::{self, Mode, Session, SessionRule};

use super::{Chunk, Fact, Facts, Files, Format, Found};
use crate::coverage::Coverage;
use crate::gateway::Push;
use crate::history::History;
use crate::media::{Codec, Track};
use crate::workload::Plan;
use store::memory::run;

/// A gateway that is not answered for so long may be taken for silent, and files may be closed. Unit: ms.
const SILENT_MS: u64 = 50_000;

/// What is accepted around a cycle's end: the last picture's duration is guessed until the next one comes. Unit: ms.
const CYCLE_TOLERANCE_MS: u64 = 2_000;

/// A longer pause within a push is none of its media. Unit: ms.
const SHORT_PAUSE_MS: u64 = 12_000;

/// A gateway hears so late of a command whose call died: a tick tells it once that call must be over. Unit: ms.
const UNHEARD_MS: u64 = 140_000;

/// How two chunks that follow one another lie in files, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Join {
    /// In one file.
    Same(&'static str),
    /// In two.
    Split(&'static str),
    /// Either.
    Open,
}

/// Where a chunk lies.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    file: &'a str,
    /// Its number there.
    at: usize,
    /// The media before and in it, without and with short pauses within a push, which media time may count. Unit: ms.
    media_ms: (u64, u64),
    /// Those that the file has had up to its end.
    tracks: Tracks,
}

/// What tracks are coded by, where there are such.
#[derive(Clone, Copy, Debug, Default)]
struct Tracks {
    video: Option<Codec>,
    audio: Option<&'static str>,
}

impl Tracks {
    fn of(fact: &Fact<'_>) -> Self {
        let (shape, at_ms) = (fact.push.shape(), fact.spooled.from_ms);
        Self {
            video: fact.has(Track::Video).then(|| shape.codec(at_ms)),
            audio: fact.has(Track::Audio).then(|| shape.sound(at_ms).codec()),
        }
    }

    fn and(self, before: Self) -> Self {
        Self { video: self.video.or(before.video), audio: self.audio.or(before.audio) }
    }

    fn have_another_codec_than(self, before: Self) -> bool {
        let is_another_picture =
            self.video.is_some_and(|codec| before.video.is_some_and(|before| before != codec));
        let is_another_sound =
            self.audio.is_some_and(|codec| before.audio.is_some_and(|before| before != codec));
        is_another_picture || is_another_sound
    }

    /// Whether there is a track that was not there before.
    fn have_more_than(self, before: Self) -> bool {
        self.video.is_some() && before.video.is_none() || self.audio.is_some() && before.audio.is_none()
    }
}

/// Where the chunks of files lie.
fn places<'a>(files: &'a Files, facts: &Facts<'_>) -> HashMap<&'a Chunk, Place<'a>> {
    let mut places = HashMap::new();
    for (file, chunks) in files {
        let (mut least_ms, mut pauses_ms, mut tracks) = (0, 0, Tracks::default());
        let mut before: Option<&Fact<'_>> = None;
        for (at, chunk) in chunks.iter().enumerate() {
            if let Some(fact) = facts.get(chunk) {
                let media_ms = fact.media_ms();
                least_ms += media_ms.0;
                pauses_ms += media_ms.1 - media_ms.0;
                let of_push = before.filter(|before| before.push.id == fact.push.id);
                let pause_ms = of_push.map_or(0, |before| fact.spooled.from_ms - before.spooled.to_ms);
                pauses_ms += if pause_ms <= SHORT_PAUSE_MS { pause_ms } else { 0 };
                tracks = Tracks::of(fact).and(tracks);
                before = Some(fact);
            }
            let place = Place { file, at, media_ms: (least_ms, least_ms + pauses_ms), tracks };
            places.entry(chunk).or_insert(place);
        }
    }
    places
}

struct Judge<'a> {
    history: &'a History,
    plan: &'a Plan,
    format: Format,
    files: &'a Files,
    facts: &'a Facts<'a>,
    places: HashMap<&'a Chunk, Place<'a>>,
    sessions: &'a BTreeMap<String, Session>,
    reached: RefCell<Coverage>,
}

/// Checks where files begin; answers how often each reason was there.
pub(super) fn check(
    history: &History,
    plan: &Plan,
    found: &Found,
    facts: &Facts<'_>,
) -> Result<Coverage, String> {
    let world = history.hosts.any();
    let ids = history.pushes().filter_map(|(_, push)| push.session.clone());
    let get = |id: String| Some((id.clone(), run(shared::Catalog::get_session(world, &id)).ok()?));
    let sessions = ids.filter_map(get).collect();
    let mut all = Coverage::default();
    for (format, files) in found {
        let (sessions, reached) = (&sessions, RefCell::default());
        let places = places(files, facts);
        let judge = Judge { history, plan, format: *format, files, facts, places, sessions, reached };
        judge.within_sessions()?;
        judge.across_breaks()?;
        judge.within_files()?;
        if *format == Format::M3u8 {
            judge.note_windows();
        }
        let files = format!("record file: {}", format.extension());
        judge.reached.borrow_mut().reach_times(files, judge.files.len() as u64);
        all.add(&judge.reached.into_inner());
    }
    Ok(all)
}

impl Judge<'_> {
    /// Whether a gateway was unheard for long at some time between two moments.
    fn may_be_silent(&self, gateway: usize, from_ms: u64, to_ms: u64) -> bool {
        let heard = &self.history.gateways[gateway].heard_ms;
        let first = heard.partition_point(|ms| ms + SILENT_MS < from_ms);
        let around = heard[first..].iter().take_while(|ms| **ms <= to_ms + SILENT_MS);
        let mut last_ms = from_ms.saturating_sub(SILENT_MS);
        let mut longest_ms = 0;
        for ms in around.copied().chain([to_ms]) {
            longest_ms = longest_ms.max(ms.saturating_sub(last_ms));
            last_ms = ms;
        }
        longest_ms >= SILENT_MS
    }

    fn expect(&self, before: &Chunk, after: &Chunk, join: &Join) -> Result<(), String> {
        let (Some(place), Some(next)) = (self.places.get(before), self.places.get(after)) else {
            return Ok(());
        };
        let (file, at, other) = (place.file, place.at, next.file);
        match join {
            Join::Same(why) if file != other => {
                Err(format!("{before:?} is in {file} and {after:?} in {other}, but {why}"))
            }
            Join::Split(why) if file == other => {
                Err(format!("{before:?} and {after:?} are both in {file} at {at}, but {why}"))
            }
            Join::Same(_) => {
                self.reached.borrow_mut().reach(format!("file goes on over {}", what(before, after)));
                Ok(())
            }
            Join::Split(why) => {
                self.reached.borrow_mut().reach(format!("file ends: {why}"));
                Ok(())
            }
            Join::Open => {
                let how = if file == other { "goes on" } else { "ends" };
                self.reached
                    .borrow_mut()
                    .reach(format!("file {how} where either may be, over {}", what(before, after)));
                Ok(())
            }
        }
    }

    /// Counts how windows lie beside pushes.
    fn note_windows(&self) {
        for (_, push) in self.history.pushes() {
            let session = push.session.as_ref().and_then(|id| self.sessions.get(id));
            let (Some(session), Some(ended_ms)) = (session, push.ended_ms()) else { continue };
            let Some(rule) = &session.rule else { continue };
            let (Some(start), Some(end)) = (rule.window_start, rule.window_end) else { continue };
            let is_in = |at_s: u64| (push.began_ms..ended_ms).contains(&(at_s * 1_000));
            let what = match (is_in(start), is_in(end)) {
                (true, true) => "opens and ends in a push",
                (true, false) => "opens in a push",
                (false, true) => "ends in a push",
                (false, false) if end * 1_000 <= push.began_ms => "is over before a push",
                (false, false) if start * 1_000 >= ended_ms => "is to come after a push",
                (false, false) => "is open around a push",
            };
            self.reached.borrow_mut().reach(format!("window {what}"));
        }
    }

    /// What a cycle says of the chunk after one, which comes after a pause and may begin with a keyframe.
    fn cycle(&self, session: &str, before: &Chunk, pause_ms: u64, begins_with_key: bool) -> Join {
        let format = self.sessions.get(session).and_then(|session| self.format_of(session.rule.as_ref()?));
        let (Some(format), Some(place)) = (format, self.places.get(before)) else { return Join::Open };
        let cycle_ms = u64::from(format.cycle_seconds) * 1_000;
        let (least_ms, most_ms) = place.media_ms;
        let is_full = least_ms >= cycle_ms + CYCLE_TOLERANCE_MS;
        if !begins_with_key {
            if is_full {
                self.reached.borrow_mut().reach("file goes on over a full cycle, up to a keyframe");
            }
            return Join::Same("no player can begin between keyframes");
        }
        if is_full {
            return Join::Split("the cycle is full");
        }
        let pause_ms = if pause_ms <= SHORT_PAUSE_MS { pause_ms } else { 0 };
        if most_ms + pause_ms + CYCLE_TOLERANCE_MS > cycle_ms {
            Join::Open
        } else {
            Join::Same("nothing parts them")
        }
    }

    fn format_of(&self, rule: &SessionRule) -> Option<catalog::Format> {
        rule.formats.iter().find(|format| Format::from(format.container) == self.format).cloned()
    }

    fn within_sessions(&self) -> Result<(), String> {
        for (before, fact) in self.facts {
            let after = (before.0.clone(), before.1 + 1);
            let Some(next) = self.facts.get(&after) else { continue };
            self.expect(before, &after, &self.join_within(before, fact, next))?;
        }
        Ok(())
    }

    fn join_within(&self, before: &Chunk, fact: &Fact<'_>, next: &Fact<'_>) -> Join {
        // It may have been committed long before its acknowledgement came.
        let from_ms = fact.push.began_ms + fact.spooled.to_ms;
        let is_acknowledged = fact.spooled.acknowledged_ms.is_some();
        let Some(to_ms) = next.spooled.acknowledged_ms.filter(|_| is_acknowledged) else {
            return Join::Open;
        };
        if fact.spooled.generation.files != next.spooled.generation.files {
            return Join::Split("an order parts them");
        }
        if let Some(why) = self.parts((before, fact), next) {
            return Join::Split(why);
        }
        // The session may have been ended before its last chunks came.
        let is_gone = self.history.gateways[fact.gateway].gone.iter().any(|push| push.id == fact.push.id);
        let pause_ms = next.spooled.from_ms - fact.spooled.to_ms;
        match self.cycle(&before.0, before, pause_ms, next.begins_with_key()) {
            Join::Same(_) if is_gone || self.may_be_silent(fact.gateway, from_ms, to_ms) => Join::Open,
            join => join,
        }
    }

    fn across_breaks(&self) -> Result<(), String> {
        for (gateway, push) in self.history.pushes() {
            let Some((before, gap_ms)) = &push.after else { continue };
            let Some(before) = self.history.gateways[gateway].all().find(|other| other.id == *before) else {
                continue;
            };
            let (Some(one), Some(two)) = (last(before), first(push)) else { continue };
            self.expect(&one, &two, &self.join_across(gateway, before, push, *gap_ms))?;
        }
        Ok(())
    }

    fn join_across(&self, gateway: usize, before: &Push, push: &Push, gap_ms: u64) -> Join {
        let session = |push: &Push| self.sessions.get(push.session.as_ref()?);
        let (Some(one), Some(two)) = (session(before), session(push)) else { return Join::Open };
        let Some(rule) = &two.rule else { return Join::Open };
        if gap_ms > u64::from(rule.delay_seconds) * 1_000 {
            return Join::Split("the break is longer than DelayTime");
        }
        if one.rule != two.rule {
            return Join::Split("the rule has changed");
        }
        if !is_recorded_at_begin(two) {
            return Join::Split("the later push is not recorded from its begin");
        }
        let chunks = last(before).zip(first(push));
        let parts = chunks
            .and_then(|(last, first)| self.parts((&last, self.facts.get(&last)?), self.facts.get(&first)?));
        if let Some(why) = parts {
            return Join::Split(why);
        }
        let (Some(chunk), Some((_, offered_ms)), Some(ended_ms)) =
            (before.chunks.last(), push.offered_ms, before.ended_ms())
        else {
            return Join::Open;
        };
        if before.effective.files > chunk.generation.files {
            return Join::Split("an order closed the file before");
        }
        let cut_ms = before.began_ms + chunk.to_ms;
        let is_cut_to_the_end = ended_ms < cut_ms + 6_000;
        let gop_ms = before.shape().gop_ms();
        let is_ordered = self.history.given.iter().any(|given| {
            let heard_ms = gop_ms + if given.is_taken { 15_000 } else { UNHEARD_MS };
            given.stream == push.stream
                && given.over_ms + heard_ms >= cut_ms
                && given.asked_ms <= ended_ms + 130_000
        });
        let is_near_window = rule
            .window_end
            .is_some_and(|end_s| (end_s * 1_000).abs_diff(one.began_ms + chunk.to_ms) < 8_000 + gop_ms);
        let is_gone =
            self.history.gateways[gateway].gone.iter().any(|gone| gone.id == push.id || gone.id == before.id);
        let may_be_silent =
            self.may_be_silent(gateway, cut_ms, push.chunks[0].acknowledged_ms.unwrap_or(offered_ms));
        // A push of another gateway may have continued the recording before this one was adopted, as it was when its first
        // chunk was acknowledged.
        let adopted_ms = push.chunks[0].acknowledged_ms.unwrap_or(u64::MAX);
        let is_between = |place: usize, other: &Push| {
            // A gateway begins a stream's pushes in their order.
            let until_ms = if place == gateway { push.began_ms.max(offered_ms) + 1_000 } else { adopted_ms };
            other.stream == push.stream
                && ![&push.id, &before.id].contains(&&other.id)
                && (ended_ms - 1_000..=until_ms).contains(&other.began_ms)
        };
        let is_continued = self.history.pushes().any(|(place, other)| is_between(place, other));
        if !is_cut_to_the_end || is_ordered || is_near_window || is_gone || may_be_silent || is_continued {
            return Join::Open;
        }
        last(before).map_or(Join::Open, |last| self.cycle(&last.0, &last, 0, true))
    }

    /// Why a chunk is never in the file of the one before, by what they hold.
    fn parts(&self, (chunk, before): (&Chunk, &Fact<'_>), after: &Fact<'_>) -> Option<&'static str> {
        let had = self.places.get(chunk).map_or_else(|| Tracks::of(before), |place| place.tracks);
        let has = Tracks::of(after);
        if has.have_another_codec_than(had) {
            return Some("a track has another codec");
        }
        if self.format != Format::M3u8 {
            return None;
        }
        let is_new_push = before.push.id != after.push.id;
        if is_new_push && (has.have_more_than(had) || had.have_more_than(has)) {
            return Some("the next push has other tracks");
        }
        has.have_more_than(had).then_some("the next chunk has other tracks")
    }

    /// When a push ended and the next one began: as the gateway measured it that saw both, or else by the functions'
    /// time, which a begin that was long on its way sets late.
    fn seen(&self, one: &Push, two: &Push) -> (u64, u64) {
        let session = |push: &Push| self.sessions.get(push.session.as_ref()?);
        let ended_ms = one.ended_ms().unwrap_or(u64::MAX);
        match (session(one), session(two)) {
            (Some(before), Some(after)) if two.after.as_ref().is_none_or(|(id, _)| *id != one.id) => {
                (ended_ms.saturating_add(before.began_ms) - one.began_ms, after.began_ms)
            }
            _ => (ended_ms, two.began_ms),
        }
    }

    /// What is in one file belongs together.
    fn within_files(&self) -> Result<(), String> {
        for (name, chunks) in self.files {
            for pair in chunks.windows(2) {
                let [one, two] = pair else { continue };
                let (Some(one), Some(two)) = (self.facts.get(one), self.facts.get(two)) else { continue };
                if let Some(why) = self.parts((&pair[0], one), two) {
                    return Err(format!("{name} has {:?} and {:?}, but {why}", pair[0], pair[1]));
                }
                if one.push.id == two.push.id {
                    continue;
                }
                let pushes = format!("{name} has {} and {}", one.push.id, two.push.id);
                if one.push.stream != two.push.stream {
                    return Err(format!("{pushes} of two streams"));
                }
                let rule = |push: &Push| self.sessions.get(push.session.as_ref()?)?.rule.clone();
                if rule(one.push) != rule(two.push) {
                    return Err(format!("{pushes} under two rules"));
                }
                let (ended_ms, began_ms) = self.seen(one.push, two.push);
                if one.push.began_ms > two.push.began_ms || (ended_ms > began_ms && !self.plan.clocks_differ)
                {
                    return Err(format!("{pushes}, which overlap: one ended at {ended_ms}"));
                }
                let delay_ms = rule(two.push).map_or(0, |rule| u64::from(rule.delay_seconds) * 1_000);
                // Two gateways' breaks are measured by function hosts, which agree within a second. A push of which nothing
                // was recorded may lie between the two.
                let lies_between = |other: &Push| {
                    other.stream == two.push.stream
                        && other.ended_ms() > one.push.ended_ms()
                        && other.began_ms < two.push.began_ms
                };
                if self.history.pushes().any(|(_, other)| lies_between(other)) {
                    continue;
                }
                if !self.plan.clocks_differ && began_ms.saturating_sub(ended_ms) > delay_ms + 2_000 {
                    return Err(format!("{pushes}, whose break is longer than DelayTime"));
                }
            }
        }
        Ok(())
    }
}

/// What lies between two chunks.
fn what(before: &Chunk, after: &Chunk) -> &'static str {
    if before.0 == after.0 { "the next chunk" } else { "a break" }
}

fn chunk(push: &Push, seq: Option<u64>) -> Option<Chunk> {
    Some((push.session.clone()?, seq?))
}

fn last(push: &Push) -> Option<Chunk> {
    chunk(push, (push.chunks.len() as u64).checked_sub(1))
}

fn first(push: &Push) -> Option<Chunk> {
    chunk(push, (!push.chunks.is_empty()).then_some(0))
}

/// Whether the rule has a push recorded from its begin, by the functions' time.
fn is_recorded_at_begin(session: &Session) -> bool {
    let Some(rule) = &session.rule else { return false };
    let is_automatic = match rule.mode {
        Mode::Automatic => true,
        Mode::OnDemand | Mode::PushArgument => session.wanted,
        Mode::Manual => false,
    };
    let began_s = session.began_ms / 1_000;
    is_automatic
        && rule.window_start.is_none_or(|start| start * 1_000 <= session.began_ms)
        && rule.window_end.is_none_or(|end| began_s < end)
}
