//! Each record file was told of, and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::testing::World;

use super::record_files;
use crate::history::History;

/// So long after a file is there its event was taken: what a death leaves is taken up once its lease is over. Unit: s.
const EVENTS_S: u64 = 600;

/// The objects that a receiver was told of.
fn told(world: &World) -> BTreeSet<String> {
    let uri = |sent: &http::Request<Vec<u8>>| {
        let body: Value = serde_json::from_slice(sent.body()).expect("an event is JSON");
        body["uri"].as_str().expect("an event has a URI").to_owned()
    };
    world.receivers.sent().iter().map(uri).collect()
}

pub(super) fn come_to_events(history: &mut History, clocks_s: u64) -> Result<(), String> {
    let mut untold = None;
    for _ in 0..(EVENTS_S + clocks_s) / 15 {
        let told = told(history.hosts.any());
        let files = record_files(history.hosts.any());
        let is_of = |name: &String, uri: &String| name.ends_with(&format!("/{uri}"));
        if let Some(uri) = told.iter().find(|uri| !files.keys().any(|name| is_of(name, uri))) {
            return Err(format!("{uri} was told of, and is no record file"));
        }
        untold = files.keys().find(|name| !told.iter().any(|uri| is_of(name, uri))).cloned();
        if untold.is_none() {
            return Ok(());
        }
        (0..5).for_each(|_| history.step(3_000));
    }
    Err(format!("{untold:?} was not told of"))
}
