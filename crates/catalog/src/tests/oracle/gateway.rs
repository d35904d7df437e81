//! A gateway that cuts chunks once a second at the earliest, and delivers them in order.

use std::collections::VecDeque;

use store::memory::{Random, run};

use super::super::media::TRACKS;
use super::super::world::{World, session_of};
use super::model::{Cut, Model, Piece};
use super::{DELAY_MS, HOUR_MS, rule};
use crate::chunk::{AudioCodec, Chunk, Gap, GapReason, Slice, Tracks, VideoCodec};
use crate::commit::{self, Delivery, Turn};
use crate::error::Error;
use crate::file::Confirmed;
use crate::gateway::{self, Beat};
use crate::order::{Cause, Generation, Order};
use crate::session::{self, After, Session};
use crate::{command, due};

/// A push under way.
struct Live {
    session: Session,
    orders: Vec<Order>,
    ends_ms: u64,
    /// What has been cut so far. Unit: 1/90 000 s.
    media_90khz: u64,
    chunks: u64,
    tracks: Tracks,
    /// The generation that holds.
    generation: Generation,
    /// When the chunk began that is being cut, and whether a player can begin with it.
    open: Option<(u64, bool)>,
    cut_at_ms: u64,
}

pub(super) struct Gateway {
    name: &'static str,
    since: Option<u64>,
    live: Option<Live>,
    /// The push before, and when it ended.
    last: Option<(String, u64)>,
    pushes: u32,
    begins_ms: u64,
    confirmed: Vec<(String, Confirmed)>,
    queue: VecDeque<(String, Cut)>,
}

impl Gateway {
    pub(super) fn new(name: &'static str, random: &mut Random) -> Self {
        Self {
            name,
            since: None,
            live: None,
            last: None,
            pushes: 0,
            begins_ms: super::BEGIN_MS + 1_000 * random.below(600) as u64,
            confirmed: Vec::new(),
            queue: VecDeque::new(),
        }
    }

    /// The session that it pushes.
    pub(super) fn pushes(&self) -> Option<&str> {
        self.live.as_ref().map(|live| live.session.id.as_str())
    }

    /// What happens within a second.
    pub(super) fn step(
        &mut self,
        world: &World,
        model: &mut Model,
        random: &mut Random,
        now_ms: u64,
        is_over: bool,
    ) {
        let Some(live) = &mut self.live else {
            if now_ms >= self.begins_ms && !is_over {
                self.begin(world, model, random, now_ms);
            }
            return;
        };
        let order = command::effective(&live.orders, now_ms);
        let (generation, record) =
            order.map_or((Generation::default(), false), |order| (order.generation, order.record));
        let generation = Generation { files: generation.files.max(live.generation.files), ..generation };
        let has_changed = generation != live.generation;
        // What ends in a pause has its break measured from that; the model knows of ends alone.
        let is_end = is_over || now_ms >= live.ends_ms && !is_paused(world, &live.session, now_ms);
        if live.open.is_some() && (has_changed || is_end || now_ms >= live.cut_at_ms) {
            let is_entry_next = has_changed || is_end || random.below(7) > 0;
            let cut = live.cut(random, now_ms, is_entry_next);
            self.queue.push_back((live.session.id.clone(), cut));
            live.open = (!has_changed && !is_end).then_some((now_ms, is_entry_next));
        }
        if has_changed {
            live.generation = generation;
            self.confirmed.push((live.session.id.clone(), Confirmed { generation, chunks: live.chunks }));
        }
        if is_end {
            self.end(world, model, random, now_ms);
        } else if record && live.open.is_none() {
            live.open = Some((now_ms, true));
            live.cut_at_ms = now_ms + 1_000 * (2 + random.below(7) as u64);
        } else if live.open.is_some_and(|open| open.0 == now_ms) {
            live.cut_at_ms = now_ms + 1_000 * (2 + random.below(7) as u64);
        }
    }

    fn begin(&mut self, world: &World, model: &mut Model, random: &mut Random, now_ms: u64) {
        self.pushes += 1;
        let id = format!("{}-{}", self.name, self.pushes);
        let boot = format!("{}.1", self.name);
        let session = Session { rule: Some(rule()), began_ms: now_ms, ..session_of(&id) };
        let session = Session { gateway: self.name.into(), boot, ..session };
        // One that was started anew has seen no push before.
        let last = self.last.clone().filter(|_| random.below(3) > 0);
        let after = last
            .as_ref()
            .map(|(before, ended_ms)| After { session: before.clone(), gap_ms: now_ms - ended_ms });
        let (session, orders) =
            run(session::offer(&world.store, &world.bucket, session, after.as_ref(), None, now_ms)).unwrap();
        run(session::adopt(&world.store, &world.bucket, &session, now_ms)).unwrap();
        model.begin(&id, now_ms, last.as_ref());
        let found = run(session::adopted(&world.store, &id)).unwrap().unwrap();
        assert_eq!(found.recording, model.sessions[&id].recording, "{id}");
        let tracks = match random.below(6) {
            0 => Tracks { audio: None, ..TRACKS },
            1 => Tracks { audio: Some(AudioCodec::Mp3), ..TRACKS },
            2 => Tracks { video: Some(VideoCodec::Hevc), ..TRACKS },
            _ => TRACKS,
        };
        let longest_ms = if self.name == "g1" { 4 * HOUR_MS } else { HOUR_MS };
        let lasts_ms = if random.below(6) == 0 { 8_000 } else { longest_ms };
        self.live = Some(Live {
            session,
            orders,
            ends_ms: now_ms + 1_000 * (1 + random.below(lasts_ms as usize / 1_000) as u64),
            media_90khz: 0,
            chunks: 0,
            tracks,
            generation: Generation::default(),
            open: None,
            cut_at_ms: 0,
        });
    }

    fn end(&mut self, world: &World, model: &mut Model, random: &mut Random, now_ms: u64) {
        let Some(live) = self.live.take() else { return };
        let Session { id, began_ms, .. } = &live.session;
        let duration_ms = now_ms - began_ms;
        run(session::end(&world.store, &world.bucket, id, 0, duration_ms, live.chunks, now_ms)).unwrap();
        model.end(id, now_ms);
        let breaks_ms = [1_000, 30_000, DELAY_MS - 1_000, DELAY_MS, DELAY_MS + 1_000, 10 * 60_000, HOUR_MS];
        let mut break_ms = breaks_ms[random.below(breaks_ms.len())];
        if self.name == "g2" {
            break_ms += HOUR_MS * random.below(3) as u64;
        }
        self.begins_ms = now_ms + break_ms;
        self.last = Some((id.clone(), now_ms));
    }

    /// Brings what waits, as far as it is taken.
    pub(super) async fn deliver(&mut self, world: &World, model: &mut Model, now_ms: u64) {
        while let Some((id, cut)) = self.queue.front() {
            let prepared = match commit::prepare(&world.store, &world.bucket, id, cut.seq, now_ms).await {
                Ok(Turn::Next(prepared)) => prepared,
                Err(Error::Before { .. }) => return,
                other => panic!("{id} {}: {other:?}", cut.seq),
            };
            let chunk = match cut.piece {
                None => {
                    Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: cut.offset_ms, to_ms: cut.offset_ms })
                }
                Some(piece) => {
                    let placed = prepared.place(cut.offset_ms, piece.start_90khz, 0);
                    Chunk::Slice(Slice {
                        anchor_ms: placed.anchor_ms,
                        start_90khz: piece.start_90khz,
                        duration_90khz: piece.own_90khz,
                        size: 188 * 5_000,
                        is_enterable: piece.is_enterable,
                        is_discontinuous: placed.is_moved,
                        names_taken: 0,
                        tracks: piece.tracks,
                    })
                }
            };
            let delivery = Delivery {
                left_out: Vec::new(),
                generation: Generation { orders: cut.files, files: cut.files },
                chunk,
                is_followed_by_entry: cut.is_followed_by_entry,
                remux_state: vec![7; 200],
            };
            due::commit(&world.store, &prepared, delivery, now_ms).await.unwrap();
            let cut = Cut { committed_ms: now_ms, ..*cut };
            model.commit(id, cut);
            self.queue.pop_front();
        }
    }

    pub(super) async fn beat(&mut self, world: &World, now_ms: u64) {
        let beat = Beat {
            gateway: self.name.into(),
            boot: format!("{}.1", self.name),
            since: self.since,
            confirmed: std::mem::take(&mut self.confirmed),
            ..Beat::default()
        };
        let changes = gateway::beat(&world.store, &world.bucket, &beat, now_ms).await.unwrap();
        self.since = Some(changes.since);
        for (session, orders) in changes.sessions {
            if let Some(live) = self.live.as_mut().filter(|live| live.session.id == session.id) {
                live.orders = orders;
            }
        }
    }
}

/// Whether a session is stopped, also where its gateway has not heard of it.
fn is_paused(world: &World, session: &Session, now_ms: u64) -> bool {
    let orders = run(command::orders(&world.store, &world.bucket, session)).unwrap();
    command::effective(&orders, now_ms).is_some_and(|order| order.cause == Cause::Stop)
}

impl Live {
    /// Ends the chunk that is open.
    fn cut(&mut self, random: &mut Random, now_ms: u64, is_followed_by_entry: bool) -> Cut {
        let (begin_ms, is_enterable) = self.open.expect("a chunk is open");
        let length_90khz = (now_ms - begin_ms) * 90;
        let piece = Piece {
            start_90khz: self.media_90khz,
            own_90khz: length_90khz - random.below(4_000) as u64,
            is_enterable,
            tracks: self.tracks,
        };
        self.media_90khz += length_90khz;
        let seq = self.chunks;
        self.chunks += 1;
        Cut {
            seq,
            offset_ms: begin_ms - self.session.began_ms + random.below(300) as u64,
            files: self.generation.files,
            piece: (random.below(150) > 0).then_some(piece),
            is_followed_by_entry,
            committed_ms: 0,
        }
    }
}
