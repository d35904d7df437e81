//! Giving up what cannot be delivered, where the spool is full.

use std::{io, time::Duration};

use crate::{queue::QueueReader, spool::Account};

/// A stream of which the functions take nothing for this long gives up what it has beyond its share of the spool.
const STALLED: Duration = Duration::from_secs(5);

/// A stream that gives up chunks.
struct Giver {
    /// Its pushes, the oldest first.
    pushes: Vec<QueueReader>,
    given_up: u64,
    /// Whether it has no more to give up.
    is_done: bool,
}

/// Gives up chunks of streams whose share of the spool is full, where the functions take nothing of a stream, or far too
/// little: each time the oldest one of the stream that has most. `streams`: the pushes of each, the oldest first.
pub(super) fn make_room(streams: Vec<Vec<QueueReader>>) {
    let mut givers: Vec<_> = streams.into_iter().filter_map(Giver::new).collect();
    while let Some(giver) = most(&mut givers) {
        match giver.give_up() {
            Ok(true) => giver.given_up += 1,
            Ok(false) => giver.is_done = true,
            Err(error) => {
                giver.is_done = true;
                tracing::error!("{}: chunk cannot be given up: {error}", giver.pushes[0].path());
            }
        }
    }
    for giver in givers.iter().filter(|giver| giver.given_up > 0) {
        let path = giver.pushes[0].path();
        tracing::error!(
            "{path}: {} chunks are given up, since the stream's share of the spool is full",
            giver.given_up
        );
    }
}

/// The one that has most of those that still have to give up some.
fn most(givers: &mut [Giver]) -> Option<&mut Giver> {
    let have_to = givers.iter_mut().filter(|giver| !giver.is_done && !giver.account().has_room());
    have_to.max_by_key(|giver| giver.account().used_bytes())
}

impl Giver {
    fn new(pushes: Vec<QueueReader>) -> Option<Self> {
        let account = pushes.first()?.account();
        let gives = account.is_full() && (is_stalled(&pushes) || account.is_beyond());
        gives.then_some(Self { pushes, given_up: 0, is_done: false })
    }

    fn account(&self) -> &Account {
        self.pushes[0].account()
    }

    /// Gives up the oldest chunk; `false` if there is none.
    fn give_up(&self) -> io::Result<bool> {
        for push in &self.pushes {
            if push.shed(false)? {
                return Ok(true);
            }
        }
        // One that was tried is given up only where nothing else is left: it cannot be told lost at once.
        if self.account().is_full() {
            for push in &self.pushes {
                if push.shed(true)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Whether the functions take nothing of these pushes of a stream, which wait for it.
fn is_stalled(pushes: &[QueueReader]) -> bool {
    pushes.iter().any(|push| push.has_waited(STALLED)) && !pushes.iter().any(|push| push.was_taken(STALLED))
}
