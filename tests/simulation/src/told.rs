//! What receivers were told, as they see it.

use serde_json::Value;
use shared::testing::{Answered, World};

use crate::hosts::users_buckets;

/// An event that a receiver was told.
#[derive(Clone, Debug)]
pub struct Told {
    /// The id that is the same at each try.
    pub id: String,
    /// What it says.
    pub body: Value,
    /// Whether the receiver took it.
    pub is_taken: bool,
    /// The file that it names was there.
    pub is_there: bool,
    /// The call that told it, by its number.
    pub call: u64,
}

impl Told {
    /// The object that it is about, if it tells of a file.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        self.body["uri"].as_str()
    }

    /// The status that it tells of a stream's recording, if any.
    #[must_use]
    pub fn status(&self) -> Option<(&str, &str)> {
        let status = self.body["event"].as_str()?.strip_prefix("record_")?;
        Some((self.body["stream"].as_str()?, status))
    }
}

/// Notes what a call sent since so many were noted.
///
/// # Panics
/// Where an event is no JSON or has no id.
pub fn note(world: &World, call: u64, told: &mut Vec<Told>) {
    let sent = world.receivers.sent();
    let objects = world.buckets.objects.borrow();
    for sent in sent.iter().skip(told.len()) {
        let body: Value = serde_json::from_slice(sent.body()).expect("an event is JSON");
        let id = sent.headers()["x-recorder-event-id"].to_str().expect("an id is text").to_owned();
        let is_in = |bucket: &String, uri: &str| objects.contains_key(&format!("{bucket}/{uri}"));
        let is_there =
            body["uri"].as_str().is_none_or(|uri| users_buckets().any(|bucket| is_in(&bucket, uri)));
        let answered = sent.extensions().get::<Answered>().and_then(|answered| answered.0);
        let is_taken = answered.is_some_and(|status| (200..300).contains(&status));
        told.push(Told { id, body, is_taken, is_there, call });
    }
}
