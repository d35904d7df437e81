//! Timers by their keys.

use shared::testing::World;
use store::Store as _;
use store::memory::{Seen, run};

/// The timers among what was written that came when ticks had passed their slots: each is attended to from the slot that
/// ticks have come to, and what lies in its own slot may stay.
pub(super) fn late<'a>(world: &World, seen: &'a [Seen]) -> Vec<&'a str> {
    let written = seen.iter().filter(|seen| seen.writes).map(|seen| &seen.name[..]);
    let late = written.filter(|key| is_late(world, key) == Some(true)).collect();
    // Looking is nobody's operation.
    drop(world.store.scheduler().take_seen());
    late
}

/// Whether ticks have passed the slot of a timer; none of other keys.
fn is_late(world: &World, key: &str) -> Option<bool> {
    let (list, number) = key.strip_prefix("t.")?.rsplit_once('.')?;
    let (lane, slot) = list.rsplit_once('.').map_or(("", list), |(lane, slot)| (lane, slot));
    let (_, slot): (u64, u64) = (number.parse().ok()?, slot.parse().ok()?);
    let open = match lane {
        "" => "t.open".to_owned(),
        "m" | "w" => format!("t.{lane}.open"),
        _ => return None,
    };
    let record = run(world.store.get(&open)).ok()??;
    // A record is its version and JSON behind it.
    let json = record.iter().position(|byte| *byte == b'{')?;
    let open: serde_json::Value = serde_json::from_slice(&record[json..]).ok()?;
    Some(open["slot"].as_u64()? > slot)
}
