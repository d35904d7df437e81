//! When orders take effect.

use std::time::Duration;

use protocol::Generation;
use tokio::time::Instant;

use super::Recorder;
use crate::queue::{Orders, Schedule, Timed};

/// Where no frame comes for this long, what ends at a keyframe ends at the last frame.
const STILL: Duration = Duration::from_secs(2);

impl Recorder {
    /// Takes what the functions want now.
    pub(crate) fn follow_orders(&mut self) {
        let Orders { chunk, schedule, .. } = self.queue.orders();
        self.cutter.policy = chunk;
        let now = Instant::now();
        if let (Some(schedule), Some(began), false) = (&schedule, self.began, self.queue.is_settled()) {
            self.settle(schedule, began, now);
        }
        self.schedule = schedule;
        self.follow_schedule(now);
    }

    /// Goes through what was spooled before the functions answered.
    fn settle(&mut self, schedule: &Schedule, began: Instant, now: Instant) {
        let from_ms = self.open.as_ref().map_or(self.offset_ms(now), |open| open.name().offset_ms);
        let is_wanted = schedule.wants(began + Duration::from_millis(from_ms), now);
        let open_index = self.open.as_ref().filter(|_| is_wanted).map(|open| open.name().index);
        self.queue.settle(schedule, open_index);
        if !is_wanted {
            self.recording = false;
            self.keep_open();
            return;
        }
        // A window's begin passed unknown: what was spooled around it is in the file that begins there.
        let begin = schedule.at(now).filter(|order| order.record && order.generation.files > 0);
        if let (Some(order), Some(open)) = (begin, &mut self.open) {
            self.generation = order.generation;
            open.number(open.name().index, order.generation);
            schedule
                .passed(Generation::default(), now)
                .for_each(|order| self.queue.confirm(order.generation));
        }
    }

    /// When [`follow_schedule`](Self::follow_schedule) has something to do.
    pub(crate) fn order_due(&self) -> Option<Instant> {
        let pending = self.pending.map(|(_, since)| since.max(self.last_frame) + STILL);
        let schedule = self.schedule.as_ref()?;
        let reached = self.pending.map_or(self.generation, |(order, _)| order.generation);
        let next = schedule.next(reached);
        pending.into_iter().chain(next).min()
    }

    /// Does what the orders that hold now say.
    pub(crate) fn follow_schedule(&mut self, now: Instant) {
        let held = self.schedule.as_ref().and_then(|schedule| schedule.at(now));
        let order = held.filter(|order| order.generation > self.generation);
        let ends = |order: &Timed| !order.record || order.generation.files > self.generation.files;
        match order {
            Some(order) if self.recording && ends(&order) => {
                let (_, since) = *self.pending.get_or_insert((order, now));
                self.pending = Some((order, since));
                if now >= since.max(self.last_frame) + STILL {
                    self.cut(false);
                    self.left_out = Some(0);
                    self.apply(order, now);
                }
            }
            Some(order) if !self.recording && order.record => self.start(order, now),
            Some(order) => self.apply(order, now),
            None => {}
        }
    }

    /// A frame that a player can begin with comes.
    pub(super) fn enter(&mut self, now: Instant) {
        if let Some(left_out @ 1..) = self.left_out.take() {
            tracing::warn!(
                "{}: {left_out} frames between an order and a keyframe are left out",
                self.queue.path()
            );
        }
        if let Some((order, _)) = self.pending {
            self.cut(false);
            self.apply(order, now);
        }
    }

    /// An order holds for what is cut from here on. Numbers of files never go back: the functions may have closed a file
    /// that was left, by a clock that an order after it did not go by.
    fn apply(&mut self, order: Timed, now: Instant) {
        if let Some(schedule) = &self.schedule {
            schedule.passed(self.generation, now).for_each(|order| self.queue.confirm(order.generation));
        }
        self.pending = None;
        let files = order.generation.files.max(self.generation.files);
        self.generation = Generation { files, ..order.generation };
        self.recording = order.record;
    }

    /// Records from the keyframe before the order on.
    fn start(&mut self, order: Timed, now: Instant) {
        self.apply(order, now);
        let from_ms = self.offset_ms(order.at);
        let open_ms = self.open.as_ref().filter(|_| self.open_is_entry).map(|open| open.name().offset_ms);
        for mut chunk in self.kept.take_from(from_ms, open_ms) {
            chunk.number(self.queue.take_index(), self.generation);
            self.queue.push(chunk);
        }
        if let Some(open) = &mut self.open {
            open.number(self.queue.take_index(), self.generation);
        }
        self.flush();
    }

    /// Keeps what is open: it is not to be recorded after all.
    fn keep_open(&mut self) {
        let number = self.kept.take_number();
        if let Some(open) = &mut self.open {
            open.keep(number);
        }
    }
}
