//! The store in memory does what its tests are told that it does.

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
