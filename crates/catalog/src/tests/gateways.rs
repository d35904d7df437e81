//! Gateways and ticks under a clock: what is live, what closes, what is heard.

mod breaks;
pub(crate) mod commands;
mod denial;
mod forgotten;
mod looks;
mod pauses;
mod races;
mod silence;
mod unfinished;

use store::memory::run;

use super::world::{KEPT, NOW, World, session_of};
use crate::gateway::{self, Beat, Changes};
use crate::session::{self, After, Session};
use crate::{due, live};

pub(crate) const SECOND: u64 = 1_000;

/// A session by a gateway on a boot of its spool, adopted.
pub(crate) fn push(world: &World, id: &str, gateway: &str, boot: &str, began_ms: u64) -> Session {
    let session = Session { gateway: gateway.into(), boot: boot.into(), began_ms, ..session_of(id) };
    begin(world, session, None, began_ms)
}

/// Offers and adopts a session.
pub(crate) fn begin(world: &World, session: Session, after: Option<After>, now_ms: u64) -> Session {
    run(async {
        let (session, _) =
            session::offer(&world.store, &world.bucket, session, after.as_ref(), None, now_ms).await.unwrap();
        session::adopt(&world.store, &world.bucket, &session, now_ms).await.unwrap();
        session
    })
}

/// A rule whose window ends then.
pub(crate) fn until(session: Session, end_ms: u64) -> Session {
    let mut session = session;
    session.rule.as_mut().unwrap().window_end = Some(end_ms / 1_000);
    session
}

/// A heartbeat that tells nothing.
pub(crate) fn beat(gateway: &str, boot: &str, since: Option<u64>) -> Beat {
    Beat {
        gateway: gateway.into(),
        boot: boot.into(),
        since,
        told_ms: 0,
        adopted: Vec::new(),
        holds: Vec::new(),
        confirmed: Vec::new(),
    }
}

pub(crate) fn hear(world: &World, beat: &Beat, now_ms: u64) -> Changes {
    run(gateway::beat(&world.store, &world.bucket, beat, now_ms)).unwrap()
}

/// One tick; answers the record files that it finds complete, each as its chunks.
pub(crate) fn tick(world: &World, now_ms: u64) -> Vec<String> {
    run(async {
        let timers = due::due(&world.store, due::Lane::Tick, now_ms).await.unwrap();
        let mut files = Vec::new();
        for timer in timers {
            let attended = due::attend(&world.store, &world.bucket, &timer, KEPT, now_ms).await.unwrap();
            for recording in attended.unwrap_or_default() {
                files.extend(world.close_files(&recording).await.unwrap());
            }
            due::settle(&world.store, &[timer], &[], &[], now_ms).await.unwrap();
        }
        files.into_iter().map(|chunks| chunks.join(" ")).collect()
    })
}

/// Ticks each second; answers the files with the second, counted from `from_ms`, in which they were complete.
pub(crate) fn ticks(world: &World, from_ms: u64, seconds: u64) -> Vec<(u64, String)> {
    let mut files = Vec::new();
    for second in 0..seconds {
        files.extend(tick(world, from_ms + second * SECOND).into_iter().map(|file| (second, file)));
    }
    files
}

/// The same while a gateway is heard, which has told everything.
fn ticks_and_beats(
    world: &World,
    gateway: &str,
    boot: &str,
    from_ms: u64,
    seconds: u64,
) -> Vec<(u64, String)> {
    let mut files = Vec::new();
    for second in 0..seconds {
        let now_ms = from_ms + second * SECOND;
        hear(world, &beat(gateway, boot, Some(0)), now_ms);
        files.extend(tick(world, now_ms).into_iter().map(|file| (second, file)));
    }
    files
}

fn live_ids(world: &World, now_ms: u64) -> Vec<String> {
    let sessions = run(live::of_stream(&world.store, &session_of("").stream, now_ms)).unwrap();
    sessions.into_iter().map(|session| session.id).collect()
}
