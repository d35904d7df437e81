//! What others make of a change that is under way, or was given up.

use store::Store;
use store::memory::Step;

use super::*;

#[test]
fn a_reader_refuses_nobody_who_changes_the_value() {
    let schedules = every_schedule(|next| {
        let store = MemoryStore::default();
        run(bump(&store)).unwrap();
        let changed = async {
            let attempt = impatient(&store).attempt::<Number, ()>(|_| Ok(Some(Number(2)))).await;
            matches!(attempt, Ok(Attempt::Committed(_)))
        };
        let read = async { impatient(&store).read::<Number>().await.is_ok() };
        let callers: Vec<Actor<'_, bool>> = vec![Box::pin(changed), Box::pin(read)];
        assert_eq!(store.scheduler().run(callers, next), [Some(true), Some(true)]);
    });
    assert!(schedules > 100, "{schedules}");
}

#[test]
fn a_reader_who_is_overtaken_again_and_again_never_sees_the_value_absent() {
    for seed in 0..2_000 {
        let store = MemoryStore::default();
        run(bump(&store)).unwrap();
        let change = async {
            for _ in 0..6 {
                bump(&store).await.unwrap();
            }
            None
        };
        let read = async { Some(impatient(&store).read::<Number>().await.unwrap().value.is_some()) };
        let callers: Vec<Actor<'_, Option<bool>>> = vec![Box::pin(change), Box::pin(read)];
        let mut random = Random::new(seed);
        // The reader gets a step while the others make some.
        let next = |under_way: usize| Step::Run(usize::from(under_way == 2 && random.below(14) == 0));
        let outcomes = store.scheduler().run(callers, next);
        assert_eq!(outcomes[1], Some(Some(true)), "seed {seed}");
    }
}

/// A caller that dies after each of its operations in turn.
#[test]
fn what_was_proposed_and_not_committed_is_never_the_value() {
    let (mut seen, mut proposed) = (Vec::new(), 0);
    for last in 0.. {
        let store = MemoryStore::default();
        let mut steps = 0;
        let next = |_| {
            steps += 1;
            if steps > last { Step::CrashBefore(0) } else { Step::Run(0) }
        };
        let callers: Vec<Actor<'_, _>> = vec![Box::pin(claim(&store, 7))];
        let is_done = store.scheduler().run(callers, next)[0].is_some();
        let is_committed = run(store.counter("r.1.fate")) == Ok(1);
        proposed += usize::from(!is_committed && store.values_under("r.1") == 1);
        assert_eq!(run(value(&store)), is_committed.then_some(7), "{last} operations");
        seen.push(is_committed);
        if is_done {
            break;
        }
    }
    assert!(seen.contains(&true) && proposed > 0, "{seen:?}");
}

#[test]
fn a_change_that_is_declined_leaves_the_register_as_it_was() {
    let store = MemoryStore::default();
    let declined = run(impatient(&store).attempt::<Number, &str>(|_| Err("no")));
    assert_eq!(declined, Ok(Attempt::Declined("no")));
    assert_eq!(run(value(&store)), None);
    assert!(matches!(run(claim(&store, 3)), Ok(Attempt::Committed(State { ticket: 0, value: None }))));
    assert_eq!(run(value(&store)), Some(3));
}

#[test]
fn an_attempt_under_way_is_waited_for_three_seconds() {
    let store = MemoryStore::default();
    // Somebody drew a ticket, and died.
    run(store.increment("r.tickets", 1)).unwrap();
    let (before, mut steps) = (store.operations(), 0);
    let next = |_| {
        steps += 1;
        Step::Run(0)
    };
    let attempt = async { register(&store).attempt::<Number, ()>(|_| Ok(Some(Number(1)))).await };
    let callers: Vec<Actor<'_, _>> = vec![Box::pin(attempt)];
    let outcomes = store.scheduler().run(callers, next);
    assert!(matches!(outcomes[0], Some(Ok(Attempt::Committed(_)))));
    // Every step but the first ends an operation or a pause of 10 ms.
    let pauses = steps - 1 - (store.operations() - before);
    assert!((295..=305).contains(&pauses), "{pauses}");
}
