//! The store in memory does what its tests are told that it does.

use std::task::Poll;

use super::*;

/// Sets a value, then counts: two operations.
async fn write(store: &MemoryStore, key: &str) -> Result<i64, Error> {
    store.set(key, b"v").await?;
    store.increment("count", 1).await
}

fn two(store: &MemoryStore) -> Vec<Actor<'_, Result<i64, Error>>> {
    vec![Box::pin(write(store, "a")), Box::pin(write(store, "b"))]
}

/// Plays steps, and then runs whoever is left.
fn play(steps: &[Step]) -> impl FnMut(usize) -> Step + '_ {
    let mut steps = steps.iter().copied();
    move |_| steps.next().unwrap_or(Step::Run(0))
}

#[test]
fn every_operation_is_a_scheduling_point() {
    let mut orders = std::collections::BTreeSet::new();
    let schedules = every_schedule(|next| {
        let store = MemoryStore::default();
        let answers = store.scheduler().run(two(&store), next);
        assert_eq!(store.keys(), ["a", "b", "count"]);
        orders.insert(answers[0] == Some(Ok(1)));
    });
    // Two actors of three steps each (one leads to the first operation): 6 over 3.
    assert_eq!((schedules, orders.len()), (20, 2));
}

#[test]
fn an_actor_crashes_before_or_after_an_operation_is_applied() {
    let crashed = |step| {
        let store = MemoryStore::default();
        let answers = store.scheduler().run(two(&store), play(&[Step::Run(0), step]));
        assert_eq!(answers, [None, Some(Ok(1))]);
        store.keys()
    };
    assert_eq!(crashed(Step::CrashBefore(0)), ["b", "count"]);
    assert_eq!(crashed(Step::CrashAfter(0)), ["a", "b", "count"]);
    // After its last operation an actor crashes before it can answer.
    let store = MemoryStore::default();
    let steps = [Step::Run(0), Step::Run(0), Step::CrashAfter(0)];
    assert_eq!(store.scheduler().run(two(&store), play(&steps)), [None, Some(Ok(2))]);
}

#[test]
fn an_operation_is_refused_or_its_reply_is_lost() {
    let failed = |outcome| {
        let store = MemoryStore::default();
        let answers = store.scheduler().run(two(&store), play(&[Step::Run(0), Step::Fail(0, outcome)]));
        assert!(matches!(answers[0], Some(Err(Error::Backend { operation: Operation::Set, .. }))));
        assert_eq!(answers[1], Some(Ok(1)));
        store.keys()
    };
    assert_eq!(failed(Outcome::Refused), ["b", "count"]);
    assert_eq!(failed(Outcome::ReplyLost), ["a", "b", "count"]);
}

#[test]
fn faults_can_follow_the_operations() {
    let store = MemoryStore::default();
    store.fail(|call| match (call.operation, call.key) {
        (Operation::Increment, "count") if call.number < 4 => Outcome::ReplyLost,
        _ => Outcome::Applied,
    });
    let error = run(write(&store, "a")).unwrap_err();
    let told = "key-value store: increment of \"count\" failed: reply lost by the test";
    assert_eq!((error.to_string().as_str(), error.key()), (told, Some("count")));
    assert!(run(write(&store, "a")).is_err());
    assert_eq!((run(write(&store, "a")), store.operations()), (Ok(3), 6));
    store.break_at(1);
    assert!(run(write(&store, "b")).is_err());
    assert_eq!(store.values_under(""), 2);
    store.mend();
    assert_eq!(run(write(&store, "b")), Ok(4));
}

#[test]
fn a_seed_is_the_whole_run() {
    let run = |seed| {
        let store = MemoryStore::default();
        let keys: Vec<String> = (0..8).map(|n| n.to_string()).collect();
        let actors = keys.iter().map(|key| Box::pin(write(&store, key)) as Actor<'_, _>).collect();
        let answers = store.scheduler().run(actors, Random::new(seed).faulty(5));
        (answers, store.keys())
    };
    for seed in 0..100 {
        assert_eq!(run(seed), run(seed));
    }
    assert_ne!(run(1), run(2));
}

/// Where a panic can be caught: Wasm ends with it.
#[test]
#[cfg(panic = "unwind")]
fn what_no_backend_does_alike_panics() {
    let panics = |misuse: fn(&MemoryStore)| {
        let store = MemoryStore::default();
        run(write(&store, "a")).unwrap();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| misuse(&store))).unwrap_err();
        caught.downcast_ref::<String>().unwrap().clone()
    };
    assert_eq!(panics(|store| drop(run(store.get("count")))), "counter \"count\" is used as a value");
    assert_eq!(panics(|store| drop(run(store.set("count", b"v")))), "counter \"count\" is used as a value");
    assert_eq!(panics(|store| drop(run(store.increment("a", 1)))), "value \"a\" is used as a counter");
    let key = panics(|store| drop(run(store.get("a/b"))));
    assert!(key.starts_with("every backend should take the keys of a test"), "{key}");
    let value = panics(|store| drop(run(store.set("b", &vec![0; limits::VALUE_BYTES]))));
    assert!(value.starts_with("every backend should take the values of a test"), "{value}");
}

#[test]
fn a_store_can_be_told_to_take_any_key() {
    assert_eq!(run(MemoryStore::with_any_key().get("a/b")), Ok(None));
}

#[test]
fn what_a_store_holds_and_has_moved_is_counted() {
    let store = MemoryStore::default();
    assert!(store.is_empty());
    run(store.set("ab", b"1234")).unwrap();
    run(store.set("c", b"12")).unwrap();
    run(store.increment("count", 3)).unwrap();
    run(store.increment("count", 1)).unwrap();
    // Reads and a counter that stays as it is write nothing.
    assert_eq!(run(store.increment("count", 0)), Ok(4));
    assert_eq!(run(store.get("ab")), Ok(Some(b"1234".to_vec())));
    assert_eq!(run(store.get("c")), Ok(Some(b"12".to_vec())));
    assert_eq!(run(store.get("d")), Ok(None));
    assert_eq!((store.written_bytes(), store.read_bytes()), (2 + 4 + 1 + 2 + 2 * (5 + 8), 4 + 2));
    assert_eq!((store.len(), store.is_empty(), store.largest_value()), (3, false, 4));
    assert_eq!(format!("{store:?}"), r#"MemoryStore { keys: ["ab", "c", "count"], .. }"#);
}

#[test]
fn operations_are_seen_once_they_are_watched() {
    let store = MemoryStore::default();
    let scheduler = store.scheduler();
    run(store.get("a")).unwrap();
    assert_eq!(scheduler.take_seen(), []);
    scheduler.watch();
    run(store.get("a")).unwrap();
    store.break_at(1);
    run(write(&store, "a")).unwrap_err();
    let seen = |writes, name: &str, outcome| Seen { writes, name: name.into(), outcome };
    let expected = [
        seen(false, "a", Outcome::Applied),
        seen(true, "a", Outcome::Applied),
        seen(true, "count", Outcome::Refused),
    ];
    assert_eq!(scheduler.take_seen(), expected);
    assert_eq!(scheduler.take_seen(), []);
}

#[test]
fn an_actor_that_waits_is_told_from_one_that_lets_others_go_first() {
    let store = MemoryStore::default();
    let scheduler = store.scheduler();
    let mut actor: Actor<'_, ()> = Box::pin(async {
        scheduler.wait().await;
        store.pause().await;
    });
    let step = |actor: &mut Actor<'_, ()>| scheduler.step(actor, Outcome::Applied);
    assert_eq!(step(&mut actor), (Poll::Pending, true));
    assert_eq!(step(&mut actor), (Poll::Pending, false));
    assert_eq!(step(&mut actor), (Poll::Ready(()), false));
}

#[test]
fn schedules_have_every_fault_about_as_often_as_they_are_told() {
    const STEPS: usize = 10_000;
    let kinds = |next: &mut dyn FnMut(usize) -> Step| {
        let mut counts = [0; 5];
        for _ in 0..STEPS {
            counts[match next(3) {
                Step::Run(_) => 0,
                Step::CrashBefore(_) => 1,
                Step::CrashAfter(_) => 2,
                Step::Fail(_, Outcome::Refused) => 3,
                Step::Fail(..) => 4,
            }] += 1;
        }
        counts
    };
    let is_about = |count: usize, share: usize| count.abs_diff(STEPS / share) < STEPS / share / 4;
    let [runs, before, after, refused, lost] = kinds(&mut Random::new(1).deadly(10));
    assert!(is_about(before, 20) && is_about(after, 20), "{before} {after}");
    assert_eq!((runs + before + after, refused, lost), (STEPS, 0, 0));
    let [runs, faults @ ..] = kinds(&mut Random::new(1).faulty(10));
    assert!(faults.iter().all(|count| is_about(*count, 40)), "{faults:?}");
    assert_eq!(runs + faults.iter().sum::<usize>(), STEPS);
}

/// Seeds that tests name have to stay the runs that they were. The numbers are those of another program.
#[test]
fn a_seed_draws_the_same_numbers_for_ever() {
    let mut random = Random::new(42);
    let drawn: [_; 8] = std::array::from_fn(|_| random.below(1000));
    assert_eq!(drawn, [131, 592, 959, 271, 759, 844, 296, 366]);
}
