//! Whether what is left of a history is what it has to be.

mod answers;
mod events;
mod files;
mod joins;
mod leftovers;
mod orders;
mod pushed;
mod record_files;
mod rest;
mod sealed;
mod sessions;
mod times;

use std::collections::BTreeMap;

use crate::coverage::Coverage;
use crate::gateway::{Push, Spooled};
use crate::history::History;
use crate::media::{Pushed, Track};
use crate::workload::{self, Plan};

pub use record_files::{FORMATS, Files, Format, Found, record_files};

/// So long after the last fault the lists are right again. Unit: s.
const CALM_S: u64 = 15;

/// A chunk: its session and its number.
pub type Chunk = (String, u64);

/// What gateways know of a chunk.
#[derive(Clone, Debug)]
struct Fact<'a> {
    push: &'a Push,
    spooled: &'a Spooled,
    /// The gateway's place.
    gateway: usize,
    /// The formats that the rule asks for which held when the push began.
    formats: Vec<Format>,
}

impl Fact<'_> {
    /// Its frames of a track.
    fn sent(&self, track: Track) -> impl Iterator<Item = Pushed> + use<> {
        self.push.shape().frames(track, self.spooled.from_ms, self.spooled.to_ms)
    }

    /// How long it lasts at least, and at most: a pause before the next one may be its last frame's. Unit: ms.
    fn media_ms(&self) -> (u64, u64) {
        let due_ms = |at_ms| self.push.shape().due_ms(at_ms);
        let (from_ms, to_ms) = (self.spooled.from_ms, self.spooled.to_ms);
        (due_ms(to_ms - 1) + 1 - due_ms(from_ms), due_ms(to_ms) - due_ms(from_ms))
    }

    fn begins_with_key(&self) -> bool {
        self.push.shape().is_key(self.spooled.from_ms)
    }

    fn has(&self, track: Track) -> bool {
        self.push.shape().has(track, self.spooled.from_ms, self.spooled.to_ms)
    }
}

/// What gateways know of all chunks.
type Facts<'a> = BTreeMap<Chunk, Fact<'a>>;

fn facts(history: &History) -> Facts<'_> {
    let mut facts = Facts::new();
    for (gateway, push) in history.pushes() {
        let Some(session) = &push.session else { continue };
        let formats = sessions::formats(history, push, session);
        for (seq, spooled) in (0..).zip(&push.chunks) {
            let formats = formats.clone();
            facts.insert((session.clone(), seq), Fact { push, spooled, gateway, formats });
        }
    }
    facts
}

/// Lets everything come to rest, and judges what is left.
///
/// # Errors
/// What is wrong, in words.
pub fn judge(history: &mut History, plan: &Plan) -> Result<(), String> {
    workload::calm(history);
    history.seconds(CALM_S);
    answers::check_online(history, plan)?;
    workload::end_pushes(history);
    rest::come_to_idle(history)?;
    pushed::check(history)?;
    history.note_recordings();
    sessions::check(history)?;
    rest::come_to_files(history, plan)?;
    for gateway in &history.gateways {
        if let Some(surprise) = gateway.surprises.first() {
            return Err(format!("a gateway that keeps the contract was told {surprise}"));
        }
    }
    rest::come_to_content(history, plan)?;
    let facts = facts(history);
    let found = record_files::read(history, &facts)?;
    files::check(&found, &facts)?;
    let reached = joins::check(history, plan, &found, &facts)?;
    let features = features(&facts);
    history.coverage.add(&reached);
    history.coverage.add(&features);
    events::come_to_events(history, plan)?;
    rest::note_decisions(history);
    sealed::come_to_sealed(history, plan)?;
    sessions::check(history)?;
    leftovers::check(history)?;
    orders::check(history, plan)?;
    rest::come_to_rest(history)?;
    answers::check_offline(history)?;
    sealed::check_forgotten(history)
}

/// Counts what was in chunks of which record files were due.
fn features(facts: &Facts<'_>) -> Coverage {
    let mut reached = Coverage::default();
    let is_recorded = |fact: &&Fact<'_>| fact.spooled.acknowledged_ms.is_some() && !fact.formats.is_empty();
    for Fact { push, spooled, .. } in facts.values().filter(is_recorded) {
        let features = push.shape().features(spooled.from_ms, spooled.to_ms);
        let cut = spooled.continues.then(|| "a chunk that is cut between keyframes".to_owned());
        features.chain(cut).for_each(|what| reached.reach(format!("recorded: {what}")));
    }
    reached
}
