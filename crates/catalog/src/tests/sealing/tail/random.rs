//! Pushes of all kinds, whose runs of lost chunks lie anywhere in their pages.

use store::memory::Random;

use super::super::super::media::{Piece, Push, SECOND};
use super::super::super::world::World;
use super::super::lost_store::{lose, rebuild};
use super::super::stage::Stage;
use super::super::{HOUR_MS, MIDNIGHT, MINUTE_MS};
use super::{answers, last_records, named, restart};
use crate::chunk::{Chunk, Gap, GapReason};

/// Pushes of all kinds, one after the other, over midnight.
#[test]
fn whatever_was_pushed_is_back_as_it_was() {
    for seed in 0..12 {
        let mut random = Random::new(seed);
        let world = World::new();
        let mut now_ms = MIDNIGHT - 20 * MINUTE_MS;
        let mut before: Option<(String, u64)> = None;
        let pushes = 2 + random.below(4);
        for number in 0..pushes {
            let id = format!("20200101-{}{number}", ['q', 'c', 'x'][random.below(3)]);
            let after = before.as_ref().filter(|_| random.below(3) > 0);
            let after = after.map(|(id, ended_ms)| (id.as_str(), now_ms - ended_ms));
            let mut push = Push::begin_as(&world, named(&id, now_ms, naming::DEFAULT_SLICE), after);
            let mut offset_ms = 0;
            for _ in 0..random.below(260) {
                match random.below(20) {
                    0 => restart(&mut push),
                    1 => {
                        for _ in 0..1 + random.below(30) {
                            let reason = [GapReason::Shed, GapReason::Damaged][random.below(2)];
                            push.other(Chunk::Gap(Gap {
                                reason,
                                from_ms: offset_ms,
                                to_ms: offset_ms + 5_000,
                            }));
                        }
                    }
                    2 => push.other(Chunk::Empty),
                    3 => offset_ms += random.below(30_000) as u64,
                    kind => {
                        push.slice(Piece {
                            offset_ms,
                            start_90khz: offset_ms * 90,
                            duration_90khz: 4 * SECOND + random.below(90_000) as u64,
                            is_enterable: kind > 8,
                        });
                        offset_ms += 5_000;
                    }
                }
            }
            // What comes last is a slice: of others nobody knows.
            push.slice(Piece {
                offset_ms,
                start_90khz: offset_ms * 90,
                duration_90khz: 5 * SECOND,
                is_enterable: true,
            });
            offset_ms += 5_000;
            now_ms += offset_ms;
            if number + 1 < pushes || random.below(2) > 0 {
                push.end(offset_ms);
            }
            before = Some((id, now_ms));
            now_ms += [1_000, 60_000, 400_000][random.below(3)];
        }
        let mut stage = Stage::new(world);
        if random.below(3) > 0 {
            stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
        }
        stage.now_ms = stage.now_ms.max(now_ms);
        let (expected, known) = (answers(&stage), last_records(&stage));
        lose(&mut stage);
        rebuild(&stage);
        assert_eq!(last_records(&stage), known, "seed {seed}");
        stage.leap_until(stage.now_ms + HOUR_MS);
        let lost = answers(&stage);
        assert!(expected.lines().all(|line| lost.contains(line)), "seed {seed}");
    }
}
