//! Which streams are due, and when.
//!
//! Timers lie in one list for each second, so that a tick costs what is due and not what exists.
//! A tick first raises the counter `due/open` to the last second that it is about to read. A call that sets a timer
//! first writes the timer and then reads that counter. One of the two sees the other, so no timer is ever lost in
//! a list that has been read already. The counter only grows, also while two ticks run at once.
//!
//! A second is cleared once all of its streams are done with. After a tick that broke off, and beside another tick,
//! streams are handled twice, which is harmless.

use store::Store;

use crate::key::{self, DUE_DONE, DUE_OPEN};
use crate::record::{Error, count, counted, read, write};
use crate::types::{DueStreams, StreamName};

/// Most seconds that one call reads: six calls catch up with an hour without ticks.
const MOST_SECONDS: u64 = 600;

/// A call stops at the second that brings its streams to this many.
const ENOUGH_STREAMS: usize = 256;

/// Makes a stream due at a moment, or as soon as possible if that has passed.
pub async fn set_due(store: &impl Store, stream: &StreamName, at_ms: u64) -> Result<(), Error> {
    let mut second = at_ms.div_ceil(1000);
    loop {
        let number = counted(store, &key::due(second), 1).await?;
        write(store, &key::due_stream(second, number), stream).await?;
        let mut open = counted(store, DUE_OPEN, 0).await?;
        if open == 0 {
            begin_before(store, second).await?;
            // The first tick may have begun meanwhile, without having seen that mark.
            open = counted(store, DUE_OPEN, 0).await?;
        }
        if open < second {
            return Ok(());
        }
        second = open + 1;
    }
}

/// The streams due up to a moment.
pub async fn list_due(store: &impl Store, now_ms: u64) -> Result<DueStreams, Error> {
    let now = now_ms / 1000;
    // No timer has ever been set, or the first one lies ahead.
    let nothing = DueStreams { streams: Vec::new(), mark: 0 };
    let Some(done) = read::<u64>(store, DUE_DONE).await?.filter(|&done| done < now) else {
        return Ok(nothing);
    };
    let mut mark = now.min(done + MOST_SECONDS);
    let open = counted(store, DUE_OPEN, 0).await?;
    if mark > open {
        counted(store, DUE_OPEN, mark - open).await?;
    }
    // Once more: one of the first timers may have set the mark back. Calls that do so from here on see the raised
    // counter.
    let Some(done) = read::<u64>(store, DUE_DONE).await? else { return Ok(nothing) };
    mark = mark.min(done + MOST_SECONDS);
    let mut streams: Vec<StreamName> = Vec::new();
    for second in done + 1..=mark {
        for number in 1..=listed(store, second).await? {
            if let Some(stream) = read(store, &key::due_stream(second, number)).await?
                && !streams.contains(&stream)
            {
                streams.push(stream);
            }
        }
        if streams.len() >= ENOUGH_STREAMS {
            mark = second;
            break;
        }
    }
    Ok(DueStreams { streams, mark })
}

/// Forgets the seconds up to a mark.
pub async fn clear_due(store: &impl Store, mark: u64) -> Result<(), Error> {
    let Some(done) = read::<u64>(store, DUE_DONE).await? else { return Ok(()) };
    for second in done + 1..=mark {
        let listed = listed(store, second).await?;
        for number in 1..=listed {
            store.delete(&key::due_stream(second, number)).await?;
        }
        if listed > 0 {
            store.delete(&key::due(second)).await?;
        }
    }
    if mark > done {
        write(store, DUE_DONE, &mark).await?;
    }
    Ok(())
}

/// Before the first tick ever: sets the mark so that this tick begins early enough.
async fn begin_before(store: &impl Store, second: u64) -> Result<(), Error> {
    match read::<u64>(store, DUE_DONE).await? {
        Some(done) if done < second => Ok(()),
        _ => write(store, DUE_DONE, &second.saturating_sub(1)).await,
    }
}

/// How many timers a second has.
async fn listed(store: &impl Store, second: u64) -> Result<u64, Error> {
    count(store, &key::due(second)).await
}
