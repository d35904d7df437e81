//! The register under every schedule of two callers, and under random ones of many.

mod under_way;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use store::Record;
use store::memory::{Actor, MemoryStore, Random, every_schedule, run};

use crate::Error;
use crate::register::{Attempt, Register, State};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Number(u32);

impl Record for Number {
    const VERSION: u32 = 1;
}

fn register(store: &MemoryStore) -> Register<'_, MemoryStore> {
    Register::new(store, "r".into())
}

/// Callers that refuse each other at first sight: fewer schedules, and the worst of them.
fn impatient(store: &MemoryStore) -> Register<'_, MemoryStore> {
    register(store).with_patience(0)
}

/// Sets the value where there is none.
async fn claim(store: &MemoryStore, value: u32) -> Result<Attempt<Number, ()>, Error> {
    impatient(store)
        .attempt(|before| if before.value.is_some() { Err(()) } else { Ok(Some(Number(value))) })
        .await
}

/// Adds one to the value, and answers the state before.
async fn bump(store: &MemoryStore) -> Result<State<Number>, Error> {
    register(store).change(|before| Ok(Some(Number(before.value.map_or(0, |n: Number| n.0) + 1)))).await
}

async fn value(store: &MemoryStore) -> Option<u32> {
    register(store).read().await.unwrap().value.map(|Number(n)| n)
}

#[test]
fn two_claims_never_both_succeed_under_any_schedule() {
    let mut none_succeeded = 0;
    let schedules = every_schedule(|next| {
        let store = MemoryStore::default();
        let callers: Vec<Actor<'_, _>> = vec![Box::pin(claim(&store, 1)), Box::pin(claim(&store, 2))];
        let outcomes = store.scheduler().run(callers, next);
        let winners: Vec<u32> = (1..)
            .zip(&outcomes)
            .filter(|(_, outcome)| matches!(outcome, Some(Ok(Attempt::Committed(_)))))
            .map(|(number, _)| number)
            .collect();
        assert!(winners.len() <= 1);
        assert_eq!(run(value(&store)), winners.first().copied());
        none_succeeded += usize::from(winners.is_empty());
    });
    assert!(schedules > 300, "{schedules}");
    // The attempt with the highest ticket is refused by nobody.
    assert_eq!(none_succeeded, 0);
}

#[test]
fn no_change_of_two_is_lost_under_any_schedule() {
    let schedules = every_schedule(|next| {
        let store = MemoryStore::default();
        run(bump(&store)).unwrap();
        let once = || async {
            impatient(&store).attempt::<Number, ()>(|v| Ok(v.value.map(|n| Number(n.0 + 1)))).await
        };
        let callers: Vec<Actor<'_, _>> = vec![Box::pin(once()), Box::pin(once())];
        let outcomes = store.scheduler().run(callers, next);
        let committed = outcomes.iter().filter(|o| matches!(o, Some(Ok(Attempt::Committed(_))))).count();
        assert!(committed >= 1);
        assert_eq!(run(value(&store)), Some(1 + u32::try_from(committed).unwrap()));
    });
    assert!(schedules > 5_000, "{schedules}");
}

#[test]
fn no_change_of_sixteen_is_lost() {
    for seed in 0..300 {
        let store = MemoryStore::default();
        let callers: Vec<Actor<'_, Result<State<Number>, Error>>> =
            (0..16).map(|_| Box::pin(bump(&store)) as Actor<'_, _>).collect();
        let mut random = Random::new(seed);
        let outcomes = if seed % 2 == 0 {
            store.scheduler().run(callers, random.fair())
        } else {
            store.scheduler().run(callers, random.lopsided())
        };
        let committed: Vec<_> = outcomes.into_iter().flatten().filter_map(Result::ok).collect();
        assert_eq!(run(value(&store)), Some(u32::try_from(committed.len()).unwrap()), "seed {seed}");
        let befores: BTreeSet<_> = committed.iter().map(|version| version.ticket).collect();
        assert_eq!(befores.len(), committed.len(), "seed {seed}: two changes were decided on one state");
        assert_eq!(committed.len(), 16, "seed {seed}");
    }
}

#[test]
fn nothing_committed_is_lost_even_where_nobody_waits_for_anybody() {
    let mut committed = 0;
    for seed in 0..500 {
        let store = MemoryStore::default();
        let once = || async {
            impatient(&store)
                .attempt::<Number, ()>(|v| Ok(Some(Number(v.value.map_or(0, |n| n.0) + 1))))
                .await
        };
        let callers: Vec<Actor<'_, Result<Attempt<Number, ()>, Error>>> =
            (0..16).map(|_| Box::pin(once()) as Actor<'_, _>).collect();
        let outcomes = store.scheduler().run(callers, Random::new(seed).fair());
        let mut befores = BTreeSet::new();
        for outcome in outcomes.into_iter().flatten() {
            if let Attempt::Committed(before) = outcome.unwrap() {
                assert!(befores.insert(before.ticket), "seed {seed}: two changes were decided on one state");
            }
        }
        committed += befores.len();
        assert!(run(value(&store)).unwrap_or(0) as usize >= befores.len(), "seed {seed}");
    }
    assert!(committed > 500, "{committed}");
}

#[test]
fn a_caller_that_dies_leaves_its_change_done_or_undone() {
    let mut died = 0;
    for seed in 0..2_000 {
        let store = MemoryStore::default();
        let callers: Vec<Actor<'_, Result<State<Number>, Error>>> =
            (0..8).map(|_| Box::pin(bump(&store)) as Actor<'_, _>).collect();
        let outcomes = store.scheduler().run(callers, Random::new(seed).deadly(40));
        let dead = outcomes.iter().filter(|outcome| outcome.is_none()).count();
        let committed = outcomes.iter().flatten().filter(|outcome| outcome.is_ok()).count();
        died += dead;
        let value = run(value(&store)).unwrap_or_default() as usize;
        assert!(
            (committed..=committed + dead).contains(&value),
            "seed {seed}: {value} of {committed} + {dead}"
        );
        // And the register goes on.
        run(bump(&store)).unwrap();
        assert_eq!(
            run(super::register::value(&store)),
            Some(u32::try_from(value).unwrap() + 1),
            "seed {seed}"
        );
    }
    assert!(died > 1_000, "{died}");
}

#[test]
fn an_operation_that_fails_leaves_its_change_done_or_undone() {
    let mut failed = 0;
    for seed in 0..2_000 {
        let store = MemoryStore::default();
        let callers: Vec<Actor<'_, Result<State<Number>, Error>>> =
            (0..8).map(|_| Box::pin(bump(&store)) as Actor<'_, _>).collect();
        let outcomes = store.scheduler().run(callers, Random::new(seed).faulty(40));
        let committed = outcomes.iter().flatten().filter(|outcome| outcome.is_ok()).count();
        let unknown = outcomes.len() - committed;
        failed += outcomes.iter().flatten().filter(|outcome| outcome.is_err()).count();
        let value = run(value(&store)).unwrap_or_default() as usize;
        assert!(
            (committed..=committed + unknown).contains(&value),
            "seed {seed}: {value} of {committed} + {unknown}"
        );
        run(bump(&store)).unwrap();
        assert_eq!(
            run(super::register::value(&store)),
            Some(u32::try_from(value).unwrap() + 1),
            "seed {seed}"
        );
    }
    assert!(failed > 500, "{failed}");
}

#[test]
fn a_value_that_is_changed_all_the_time_is_never_seen_absent() {
    for seed in 0..1_000 {
        let store = MemoryStore::default();
        run(bump(&store)).unwrap();
        let mut callers: Vec<Actor<'_, Result<Option<Number>, Error>>> = Vec::new();
        for _ in 0..3 {
            callers.push(Box::pin(async { bump(&store).await.map(|version| version.value) }));
            callers.push(Box::pin(async { register(&store).read().await.map(|version| version.value) }));
        }
        let mut random = Random::new(seed);
        for outcome in store.scheduler().run(callers, random.lopsided()).into_iter().flatten() {
            assert!(outcome.unwrap().is_some(), "seed {seed}");
        }
    }
}

#[test]
fn a_reader_between_any_two_writes_sees_the_value_before_or_after() {
    let schedules = every_schedule(|next| {
        let store = MemoryStore::default();
        run(bump(&store)).unwrap();
        let changed = async {
            let decide = |before: &State<Number>| Ok(before.value.map(|value| Number(value.0 + 1)));
            impatient(&store).change(decide).await.map(|version| version.value)
        };
        let read = async { impatient(&store).read().await.map(|version| version.value) };
        let callers: Vec<Actor<'_, Result<Option<Number>, Error>>> = vec![Box::pin(changed), Box::pin(read)];
        let outcomes = store.scheduler().run(callers, next);
        let seen = outcomes[1].clone().unwrap().unwrap();
        assert!(matches!(seen, Some(Number(1 | 2))), "{seen:?}");
    });
    assert!(schedules > 1_000, "{schedules}");
}

#[test]
fn a_register_at_rest_holds_three_keys_however_often_it_changed() {
    let store = MemoryStore::default();
    for _ in 0..50 {
        run(bump(&store)).unwrap();
    }
    assert_eq!(store.keys(), ["r.50", "r.50.fate", "r.tickets"]);
}

#[test]
fn reading_what_was_never_set_leaves_no_key_behind() {
    let store = MemoryStore::default();
    assert_eq!(run(value(&store)), None);
    assert!(store.is_empty());
}
