//! Giving up what cannot be delivered, where the spool is full.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use protocol::StreamPath;

use crate::{
    clock::LogLimit,
    operation::{ChunkOutcome, Metrics},
    queue::QueueReader,
    spool::{Account, Spool},
};

/// A stream of which the functions take nothing for this long gives up what it has beyond its share of the spool.
const STALLED: Duration = Duration::from_secs(5);

/// Most streams that one message names.
const NAMED: usize = 10;

/// What was given up and is to be logged: where nothing can be delivered, that goes on for ever.
#[derive(Debug)]
pub(super) struct GivenUp {
    metrics: Arc<Metrics>,
    chunks: HashMap<StreamPath, u64>,
    log_limit: LogLimit,
}

/// A stream that gives up chunks.
struct Giver {
    path: StreamPath,
    account: Arc<Account>,
    /// Its pushes, the oldest first; none where only refused chunks may be given up.
    pushes: Vec<QueueReader>,
    /// Whether it has no more to give up.
    is_done: bool,
}

/// Gives up chunks of streams whose share of the spool is full, where the functions take nothing of a stream, or far too
/// little: each time the oldest one of the stream that has most. What the functions refused goes before what they may
/// still take. `streams`: the pushes of each, the oldest first.
pub(super) fn make_room(spool: &Spool, streams: Vec<Vec<QueueReader>>, given_up: &mut GivenUp) {
    let refused = spool.refused_streams().into_iter();
    let refused: Vec<_> = refused
        .filter(|(_, account)| account.is_full())
        .map(|(path, account)| Giver { path, account, pushes: Vec::new(), is_done: false })
        .collect();
    // They were counted when they were refused.
    give_up(refused, |giver| Ok(spool.drop_oldest_refused(&giver.path)?.is_some()), given_up);
    let givers = streams.into_iter().filter_map(Giver::new).collect();
    let counted = Arc::clone(&given_up.metrics);
    let step = |giver: &Giver| {
        let is_given_up = giver.give_up();
        counted.chunks.of(ChunkOutcome::GivenUp).add(is_given_up.into());
        Ok(is_given_up)
    };
    give_up(givers, step, given_up);
}

fn give_up(mut givers: Vec<Giver>, step: impl Fn(&Giver) -> io::Result<bool>, given_up: &mut GivenUp) {
    while let Some(giver) = most(&mut givers) {
        match step(giver) {
            Ok(true) => given_up.add(&giver.path),
            Ok(false) => giver.is_done = true,
            Err(error) => {
                giver.is_done = true;
                tracing::error!("{}: chunk cannot be given up: {error}", giver.path);
            }
        }
    }
}

impl GivenUp {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, chunks: HashMap::new(), log_limit: LogLimit::default() }
    }

    fn add(&mut self, path: &StreamPath) {
        *self.chunks.entry(path.clone()).or_default() += 1;
    }

    /// Logs it, now and then.
    pub(super) fn log(&mut self) {
        if self.chunks.is_empty() || !self.log_limit.permits() {
            return;
        }
        let mut streams: Vec<_> = self.chunks.drain().collect();
        streams.sort_by_key(|(_, chunks)| std::cmp::Reverse(*chunks));
        let others = streams.len().saturating_sub(NAMED);
        let named: Vec<_> =
            streams.iter().take(NAMED).map(|(path, chunks)| format!("{path}: {chunks}")).collect();
        tracing::error!(
            "chunks are given up, since their streams' shares of the spool are full: {}, {others} other streams",
            named.join(", ")
        );
    }
}

/// The one that has most of those that still have to give up some.
fn most(givers: &mut [Giver]) -> Option<&mut Giver> {
    let have_to = givers.iter_mut().filter(|giver| !giver.is_done && !giver.account.has_room());
    have_to.max_by_key(|giver| giver.account.used_bytes())
}

impl Giver {
    fn new(pushes: Vec<QueueReader>) -> Option<Self> {
        let first = pushes.first()?;
        let (path, account) = (first.path().clone(), Arc::clone(first.account()));
        let gives = account.is_full() && (is_stalled(&pushes) || account.is_beyond());
        gives.then_some(Self { path, account, pushes, is_done: false })
    }

    /// Gives up the oldest chunk; `false` if there is none.
    fn give_up(&self) -> bool {
        for push in &self.pushes {
            if push.shed(false) {
                return true;
            }
        }
        // One that was tried is given up only where nothing else is left: it cannot be told lost at once.
        if self.account.is_full() {
            for push in &self.pushes {
                if push.shed(true) {
                    return true;
                }
            }
        }
        false
    }
}

/// Whether the functions take nothing of these pushes of a stream, which wait for it.
fn is_stalled(pushes: &[QueueReader]) -> bool {
    pushes.iter().any(|push| push.has_waited(STALLED)) && !pushes.iter().any(|push| push.was_taken(STALLED))
}
