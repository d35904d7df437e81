//! Messages that come again and again: a disk or a stranger that misbehaves does not fill the log.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// How many messages of one place in the code are let through in each [`WINDOW`].
const MOST: u64 = 100;
const WINDOW: Duration = Duration::from_secs(10);

/// What guests print comes from two places in the code, and counts for each of them.
const OF_GUEST: &str = "component";

/// Counts the messages of each place in the code. Those below the level `info` are not counted: who asks for them wants
/// them.
#[derive(Default)]
pub(super) struct Repeats {
    places: Mutex<HashMap<Key, Place>>,
}

/// A place in the code, and the guest where one speaks.
type Key = (Identifier, Option<String>);

struct Place {
    metadata: &'static Metadata<'static>,
    since: Instant,
    /// Messages since then.
    count: u64,
    left_out: u64,
}

/// Lets through what is not too much.
pub(super) struct RepeatsLayer(Arc<Repeats>);

impl Repeats {
    pub(super) fn layer(self: Arc<Self>) -> RepeatsLayer {
        RepeatsLayer(self)
    }

    /// Says now and then how much was left out, until the program ends.
    pub(super) fn report_in_background(self: Arc<Self>) {
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(WINDOW);
                for ((metadata, guest), count) in self.take_left_out() {
                    let (file, line) =
                        (metadata.file().unwrap_or_default(), metadata.line().unwrap_or_default());
                    let of = guest.unwrap_or_else(|| format!("{file}:{line}"));
                    tracing::warn!("{count} more messages of {of} were left out");
                }
            }
        });
    }

    fn permits(&self, metadata: &'static Metadata<'static>, guest: Option<String>, now: Instant) -> bool {
        if *metadata.level() > Level::INFO {
            return true;
        }
        let mut places = self.places();
        let place = places.entry((metadata.callsite(), guest)).or_insert(Place {
            metadata,
            since: now,
            count: 0,
            left_out: 0,
        });
        if now.saturating_duration_since(place.since) >= WINDOW {
            (place.since, place.count) = (now, 0);
        }
        place.count += 1;
        let is_permitted = place.count <= MOST;
        place.left_out += u64::from(!is_permitted);
        is_permitted
    }

    fn take_left_out(&self) -> Vec<((&'static Metadata<'static>, Option<String>), u64)> {
        let mut places = self.places();
        let left_out = places.iter_mut().filter(|(_, place)| place.left_out > 0);
        let take = |((_, guest), place): (&Key, &mut Place)| {
            ((place.metadata, guest.clone()), std::mem::take(&mut place.left_out))
        };
        left_out.map(take).collect()
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Key, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for RepeatsLayer {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let mut guest = Guest(None);
        if event.metadata().target() == "guest" {
            event.record(&mut guest);
        }
        self.0.permits(event.metadata(), guest.0, Instant::now())
    }
}

/// Whose words an event has.
struct Guest(Option<String>);

impl Visit for Guest {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == OF_GUEST {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Counts what is let through.
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<u64>>);

    impl<S: Subscriber> Layer<S> for Said {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            *self.0.lock().unwrap() += 1;
        }
    }

    #[test]
    fn what_comes_again_and_again_is_counted_and_said_once() {
        let (repeats, said) = (Arc::new(Repeats::default()), Said::default());
        let subscriber = tracing_subscriber::registry().with(Arc::clone(&repeats).layer()).with(said.clone());
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..MOST + 7 {
                tracing::info!("again");
                tracing::debug!("asked for");
            }
            tracing::info!("another place");
            // A guest that says too much keeps no other one from being heard.
            for at in 0..=MOST {
                let component = if at < MOST { "remux" } else { "deliver" };
                tracing::warn!(target: "guest", component, "a line");
            }
        });
        assert_eq!(*said.0.lock().unwrap(), MOST + MOST + 7 + 1 + MOST + 1);
        let left_out = repeats.take_left_out();
        assert_eq!(left_out.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [7]);
        assert!(repeats.take_left_out().is_empty());
        let later = Instant::now() + WINDOW;
        assert!(repeats.permits(left_out[0].0.0, None, later));
    }
}
