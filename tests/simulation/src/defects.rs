//! Deliberate defects, which the judge has to find: what a store, a function or a gateway with one leaves behind is brought
//! about around the real handlers, so that nothing that ships knows of them.

use std::collections::BTreeMap;

use http::StatusCode;
use shared::Answer;
use shared::testing::{Object, World};
use store::Store as _;
use store::memory::{Outcome, Seen, run};

use crate::call::Kind;
use crate::chances::point_of;
use crate::hosts::WORK_BUCKET;

/// A record file that is announced early is there so much later, and a session goes so long after its end. Unit: ms.
const LATE_MS: u64 = 20_000;

/// A deliberate defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// One chunk in eight is acknowledged, and its commit is not kept.
    CommitDropped,
    /// A chunk that is refused for now is acknowledged.
    RefusalAcknowledged,
    /// A gateway takes a lost answer to a chunk for an acknowledgement.
    LossTakenForAcknowledgement,
    /// What decides a race is not kept.
    DecisionDropped,
    /// The record of a session goes once its push has ended and its media was acknowledged.
    SessionDropped,
    /// An order is accepted, and not kept.
    OrderDropped,
    /// The end of a push is answered, and not kept.
    EndDropped,
    /// One event in four is not kept in the outbox.
    OutboxDropped,
    /// That an event was told is not kept.
    DeliveryForgotten,
    /// That an event is to be told comes back, and that it was told does not.
    ToldTwice,
    /// A record file is announced before it is there.
    AnnouncedEarly,
    /// An object of a user that is created again is changed.
    ObjectReplaced,
    /// One bit of an MP4 or FLV file is another one.
    BitFlipped,
    /// An MP4 or FLV file has a byte too few.
    FileCutShort,
    /// Media goes as soon as one file of its recording is written.
    MediaDeletedEarly,
    /// Media that is deleted comes back.
    MediaKept,
    /// A day's sealed files are not kept.
    SealDropped,
    /// One timer in four is not kept.
    TimerDropped,
    /// One timer in sixteen leaves a copy in a slot that nobody reads any more.
    TimerCopied,
    /// Who has a recording's events in hand is not kept.
    ClaimDropped,
}

/// Each defect, with the number of seeds from 1 on within which it is found.
pub const DEFECTS: &[(Defect, u64)] = &[
    (Defect::CommitDropped, 10),
    (Defect::RefusalAcknowledged, 10),
    (Defect::LossTakenForAcknowledgement, 10),
    (Defect::DecisionDropped, 10),
    (Defect::SessionDropped, 10),
    (Defect::OrderDropped, 30),
    (Defect::EndDropped, 10),
    (Defect::OutboxDropped, 10),
    (Defect::DeliveryForgotten, 10),
    (Defect::ToldTwice, 10),
    (Defect::AnnouncedEarly, 10),
    (Defect::ObjectReplaced, 10),
    (Defect::BitFlipped, 10),
    (Defect::FileCutShort, 10),
    (Defect::MediaDeletedEarly, 10),
    (Defect::MediaKept, 10),
    (Defect::SealDropped, 10),
    (Defect::TimerDropped, 10),
    (Defect::TimerCopied, 10),
    (Defect::ClaimDropped, 60),
];

/// Brings a defect about, where there is one.
#[derive(Debug, Default)]
pub struct Spoiler {
    /// The defect.
    pub defect: Option<Defect>,
    /// Objects as they were.
    kept: BTreeMap<String, Object>,
    /// Objects that are there later, and when. Unix milliseconds.
    hidden: Vec<(u64, String, Object)>,
    /// Keys that are deleted later, and when. Unix milliseconds.
    doomed: Vec<(u64, String)>,
    /// Timers of deliveries, as they were set.
    timers: BTreeMap<String, Vec<u8>>,
}

/// Whether a name is one of the part of all that a defect is about.
fn is_one_in(name: &str, parts: u64) -> bool {
    // The lowest bits of FNV are poor.
    (point_of(name) >> 17).is_multiple_of(parts)
}

impl Spoiler {
    /// What a call is answered.
    pub(crate) fn answer(&self, kind: Kind, reply: Option<Answer>) -> Option<Answer> {
        let acknowledged = || Some(Answer::new("{}".to_owned()));
        match (self.defect, &reply) {
            (Some(Defect::RefusalAcknowledged), Some(answer))
                if kind == Kind::Chunk && answer.status() == StatusCode::SERVICE_UNAVAILABLE =>
            {
                acknowledged()
            }
            (Some(Defect::LossTakenForAcknowledgement), None) if kind == Kind::Chunk => acknowledged(),
            _ => reply,
        }
    }

    /// After operations were made.
    pub(crate) fn spoil(&mut self, world: &World, now_ms: u64, seen: &[Seen]) {
        let Some(defect) = self.defect else { return };
        let (due, later) =
            std::mem::take(&mut self.hidden).into_iter().partition(|(at_ms, ..)| *at_ms <= now_ms);
        self.hidden = later;
        let due: Vec<(u64, String, Object)> = due;
        world.buckets.objects.borrow_mut().extend(due.into_iter().map(|(_, name, object)| (name, object)));
        self.doomed.retain(|(at_ms, key)| {
            let is_due = *at_ms <= now_ms;
            if is_due {
                let _ = run(world.store.delete(key));
            }
            !is_due
        });
        let written = seen.iter().filter(|seen| seen.writes && seen.outcome != Outcome::Refused);
        for seen in written {
            if seen.name.starts_with("http") {
                self.spoil_object(defect, world, now_ms, &seen.name);
            } else if defect == Defect::ToldTwice && seen.name.starts_with("t.w.") {
                self.bring_back(world, &seen.name);
            } else if defect == Defect::TimerCopied {
                copy_timer(world, &seen.name);
            } else if drops_key(defect, &seen.name) {
                let _ = run(world.store.delete(&seen.name));
            } else if let Some(id) = seen.name.strip_prefix("e.").filter(|_| defect == Defect::SessionDropped)
            {
                self.doomed.push((now_ms + LATE_MS, format!("s.{id}")));
            } else if defect == Defect::MediaDeletedEarly && seen.name.starts_with("w.") {
                let media = format!("{WORK_BUCKET}media/");
                world.buckets.objects.borrow_mut().retain(|name, _| !name.starts_with(&media));
            }
        }
    }

    /// A timer that is deleted comes back once.
    fn bring_back(&mut self, world: &World, key: &str) {
        if !is_entry(key) {
            return;
        }
        match run(world.store.get(key)) {
            Ok(Some(timer)) => drop(self.timers.entry(key.into()).or_insert(timer)),
            Ok(None) => {
                // One that has come back is known as empty.
                let timer = self.timers.insert(key.into(), Vec::new()).filter(|timer| !timer.is_empty());
                if let Some(timer) = timer {
                    let _ = run(world.store.set(key, &timer));
                }
            }
            Err(_) => {}
        }
    }

    fn spoil_object(&mut self, defect: Defect, world: &World, now_ms: u64, name: &str) {
        let mut objects = world.buckets.objects.borrow_mut();
        let of_work = name.strip_prefix(WORK_BUCKET);
        let is_file = of_work.is_none() && !name.ends_with(".ts");
        let is_dropped = of_work.is_some_and(|name| match defect {
            Defect::DecisionDropped => name.starts_with("decision/"),
            Defect::OrderDropped => name.starts_with("order/"),
            Defect::SealDropped => name.starts_with("files/"),
            _ => false,
        });
        if is_dropped {
            objects.remove(name);
            return;
        }
        match defect {
            Defect::MediaKept if of_work.is_some_and(|name| name.starts_with("media/")) => {
                match (objects.get(name), self.kept.get(name)) {
                    (Some(object), _) => drop(self.kept.insert(name.into(), object.clone())),
                    (None, Some(kept)) => drop(objects.insert(name.into(), kept.clone())),
                    (None, None) => {}
                }
            }
            Defect::AnnouncedEarly if is_file && !self.kept.contains_key(name) => {
                if let Some(object) = objects.remove(name) {
                    self.kept.insert(name.into(), object.clone());
                    self.hidden.push((now_ms + LATE_MS, name.into(), object));
                }
            }
            Defect::ObjectReplaced if of_work.is_none() => {
                if let Some(object) = objects.get_mut(name)
                    && self.kept.insert(name.into(), object.clone()).is_some()
                {
                    object.content_type.push(' ');
                    object.bytes.push(0);
                }
            }
            Defect::BitFlipped | Defect::FileCutShort if is_file && !name.ends_with(".m3u8") => {
                if let Some(object) = objects.get_mut(name)
                    && self.kept.insert(name.into(), object.clone()).is_none()
                {
                    let last = object.bytes.len().saturating_sub(10);
                    match defect {
                        Defect::BitFlipped => object.bytes[last] ^= 1,
                        _ => drop(object.bytes.pop()),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a defect does not keep a key that was written.
fn drops_key(defect: Defect, key: &str) -> bool {
    match defect {
        Defect::CommitDropped => key.starts_with("c.") && is_one_in(key, 8),
        Defect::EndDropped => key.starts_with("e.") && !key.ends_with(".lost"),
        Defect::OutboxDropped => key.starts_with("ev.") && is_one_in(key, 4),
        Defect::DeliveryForgotten | Defect::ToldTwice => key.starts_with("ed."),
        Defect::TimerDropped => is_entry(key) && is_one_in(key, 4),
        Defect::ClaimDropped => key.starts_with("b.") && (key.ends_with(".c") || key.ends_with(".c.n")),
        _ => false,
    }
}

/// Copies a timer of the ticks' lane into a slot some days before its own.
fn copy_timer(world: &World, key: &str) {
    let [lane, slot, number] = key.split('.').collect::<Vec<_>>()[..] else { return };
    let Ok(slot) = slot.parse::<u64>() else { return };
    if !is_entry(key) || !is_one_in(key, 16) {
        return;
    }
    if let Ok(Some(timer)) = run(world.store.get(key)) {
        let _ = run(world.store.set(&format!("{lane}.{}.{number}", slot.saturating_sub(100_000)), &timer));
    }
}

/// Whether a key is an entry of a list of timers, and not how many there are.
fn is_entry(key: &str) -> bool {
    let mut words = key.rsplit('.');
    let is_number =
        |word: Option<&str>| word.is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    key.starts_with("t.") && is_number(words.next()) && is_number(words.next())
}
