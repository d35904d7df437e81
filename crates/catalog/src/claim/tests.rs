//! One call at a time, whatever the schedule and whoever dies.

use std::cell::Cell;
use std::rc::Rc;

use store::memory::{Actor, MemoryStore, Random, Step, every_schedule, run};

use super::*;

const T: u64 = 1_800_000_000_000;

const KEY: &str = "b.x";

/// Who has it, how often it was had, and whether two had it at once.
#[derive(Clone, Default)]
struct Held {
    now: Rc<Cell<u32>>,
    times: Rc<Cell<u32>>,
    twice: Rc<Cell<bool>>,
}

impl Held {
    fn begin(&self) {
        self.twice.set(self.twice.get() || self.now.get() > 0);
        self.now.set(self.now.get() + 1);
        self.times.set(self.times.get() + 1);
    }
}

/// Takes it, does something for some operations, and gives it back.
fn call<'a>(store: &'a MemoryStore, held: &Held, now_ms: u64) -> Actor<'a, ()> {
    let held = held.clone();
    Box::pin(async move {
        if take(store, KEY, now_ms).await.unwrap_or(false) {
            held.begin();
            for _ in 0..2 {
                let _ = store.exists("work").await;
            }
            held.now.set(held.now.get() - 1);
            let _ = give_back(store, KEY).await;
        }
    })
}

/// Nobody has it, and whoever comes gets it, if not at once then some minutes later.
fn comes_free(store: &MemoryStore, from_ms: u64) -> bool {
    let held = Held::default();
    for minute in 0..20 {
        run(call(store, &held, from_ms + minute * 60_000));
    }
    held.times.get() > 6
}

#[test]
fn one_of_two_has_it_in_every_schedule() {
    let mut both = 0;
    let schedules = every_schedule(|next| {
        let (store, held) = (MemoryStore::default(), Held::default());
        store.scheduler().run(vec![call(&store, &held, T), call(&store, &held, T)], next);
        assert!(!held.twice.get() && held.times.get() > 0);
        both += u32::from(held.times.get() == 2);
        assert!(comes_free(&store, T));
    });
    assert!(schedules > 500 && both > 100, "{schedules} schedules, {both} in which both had it");
}

#[test]
fn one_of_two_has_it_after_another_one_has_died_with_it() {
    let schedules = every_schedule(|next| {
        let (store, held) = (MemoryStore::default(), Held::default());
        assert!(run(take(&store, KEY, T)).unwrap());
        assert!(!run(take(&store, KEY, T + CALL_MAX_MS)).unwrap());
        let later_ms = T + HELD_MS;
        store.scheduler().run(vec![call(&store, &held, later_ms), call(&store, &held, later_ms)], next);
        assert!(!held.twice.get() && held.times.get() > 0);
        assert!(comes_free(&store, later_ms));
    });
    assert!(schedules > 100, "{schedules}");
}

#[test]
fn one_of_three_has_it_after_another_one_has_died_with_it() {
    for seed in 1..20_000 {
        let (store, held, mut random) = (MemoryStore::default(), Held::default(), Random::new(seed));
        assert!(run(take(&store, KEY, T)).unwrap());
        let actors = (0..3).map(|_| call(&store, &held, T + HELD_MS)).collect();
        store.scheduler().run(actors, |under_way| Step::Run(random.below(under_way)));
        assert!(!held.twice.get(), "seed {seed}");
    }
}

/// Two of them have read an old claim. One has it and gives it back; the other one draws the number after that claim's while
/// numbers begin anew, and another one that draws later writes first.
#[test]
fn one_of_a_new_round_has_it_though_one_that_read_an_old_claim_draws_its_next_number() {
    let (store, held) = (MemoryStore::default(), Held::default());
    assert!(run(take(&store, KEY, T)).unwrap());
    let actors = (0..4).map(|_| call(&store, &held, T + HELD_MS)).collect();
    let [quick, late, new, vain] = [0, 1, 2, 3];
    let mut turns = vec![late, late];
    turns.extend([quick; 20]);
    turns.extend([new, new, new, vain, vain, late, vain, vain, vain, late, late, late, new, new]);
    let mut turns = turns.into_iter();
    let (mut alive, mut last) = (vec![quick, late, new, vain], None);
    store.scheduler().run(actors, |under_way| {
        if under_way < alive.len() {
            alive.retain(|actor| Some(*actor) != last);
        }
        last = turns.find(|turn| alive.contains(turn)).or(alive.first().copied());
        Step::Run(alive.iter().position(|actor| Some(*actor) == last).unwrap_or_default())
    });
    assert!(!held.twice.get());
    assert_eq!(held.times.get(), 2);
    assert!(comes_free(&store, T + HELD_MS));
}

#[test]
fn no_death_and_no_lost_reply_keeps_it_for_ever_or_gives_it_to_two() {
    for seed in 1..4_000 {
        let (store, mut random) = (MemoryStore::default(), Random::new(seed));
        for round in 0..3 {
            // Everybody of a round is over when the next one begins.
            let (held, now_ms) = (Held::default(), T + round * CALL_MAX_MS);
            let actors = (0..4).map(|_| call(&store, &held, now_ms)).collect();
            let mut alive = 4;
            store.scheduler().run(actors, |under_way| {
                let at = random.below(under_way);
                match random.below(40) {
                    0 if alive > 1 => {
                        alive -= 1;
                        Step::CrashAfter(at)
                    }
                    1 => Step::Fail(at, store::memory::Outcome::ReplyLost),
                    2 => Step::Fail(at, store::memory::Outcome::Refused),
                    _ => Step::Run(at),
                }
            });
            assert!(!held.twice.get(), "seed {seed}");
        }
        assert!(comes_free(&store, T + 3 * CALL_MAX_MS), "seed {seed}: {:?}", store.values());
    }
}

#[test]
fn what_is_given_back_leaves_nothing() {
    let store = MemoryStore::default();
    run(call(&store, &Held::default(), T));
    assert_eq!(store.keys(), [] as [&str; 0]);
}

#[test]
fn clocks_that_differ_by_a_second_go_by_it_and_one_an_hour_ahead_holds_nobody_up() {
    let store = MemoryStore::default();
    assert!(run(take(&store, KEY, T + 1_000)).unwrap());
    assert!(!run(take(&store, KEY, T)).unwrap());
    run(give_back(&store, KEY)).unwrap();
    assert!(run(take(&store, KEY, T + 3_600_000)).unwrap());
    assert!(run(take(&store, KEY, T)).unwrap());
}

#[test]
fn claims_of_different_keys_are_apart() {
    let store = MemoryStore::default();
    assert!(run(take(&store, KEY, T)).unwrap() && run(take(&store, "b.y", T)).unwrap());
    run(give_back(&store, "b.y")).unwrap();
    assert!(!run(take(&store, KEY, T)).unwrap());
}
