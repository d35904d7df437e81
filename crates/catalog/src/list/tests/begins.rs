//! Where lists begin, and what is found in them.

use super::*;

fn numbered(store: &MemoryStore, numbers: Range<u64>) {
    for number in numbers {
        run(append(store, "l", &number.to_string())).unwrap();
    }
}

/// Entries stand for what is in order, with holes between them, before them and after them.
#[test]
fn the_first_late_entry_is_found_among_holes_and_in_the_range_alone() {
    const LAST: u64 = 9;
    for holes in 0..1_u32 << LAST {
        let store = MemoryStore::default();
        numbered(&store, 1..LAST + 1);
        let is_there = |number: u64| holes & 1 << (number - 1) == 0;
        for number in (1..=LAST).filter(|number| !is_there(*number)) {
            run(delete(&store, "l", number)).unwrap();
        }
        for (range, late) in [(2..8, 1), (2..8, 5), (2..8, 7), (2..8, 10), (1..10, 6), (4..5, 9), (3..3, 0)] {
            let is_late = |value: &str| Ok(value.parse::<u64>().unwrap() >= late);
            let found = run(first(&store, "l", range.clone(), is_late)).unwrap();
            assert!((range.start..=range.end).contains(&found), "{range:?} {late} {holes:b}: {found}");
            for number in range.clone().filter(|number| is_there(*number)) {
                assert_eq!(number >= found, number >= late, "{range:?} {late} {holes:b}: {found}");
            }
        }
    }
}

#[test]
fn the_begin_that_is_noted_goes_forward_and_no_further_than_the_list() {
    let store = MemoryStore::default();
    let begin = || run(low(&store, "l")).unwrap().number;
    numbered(&store, 1..6);
    for (number, expected) in [(3, 3), (2, 3), (6, 3), (5, 5), (5, 5)] {
        run(pass(&store, "l", number)).unwrap();
        assert_eq!(begin(), expected, "{number}");
    }
    // A list has one for as long as its day is kept.
    let (key, value) = store.entries_under("l.low").remove(0);
    assert!(!String::from_utf8_lossy(&value).contains("waited"), "{key}: {value:?}");
    run(remove(&store, "l")).unwrap();
    run(pass(&store, "l", 3)).unwrap();
    assert_eq!(begin(), 0);
}

#[test]
fn what_is_appended_twice_is_in_a_list_once() {
    let store = MemoryStore::default();
    for value in ["a", "b", "a", "c", "b"] {
        run(append(&store, "l", value)).unwrap();
    }
    for _ in 0..2 {
        assert_eq!(run(values(&store, "l", 0, never)).unwrap(), ["a", "c", "b"]);
    }
}

#[test]
fn a_reader_finds_each_entry_once_while_others_append() {
    let mut grown = 0;
    for seed in 1..500 {
        let store = MemoryStore::default();
        numbered(&store, 1..4);
        let found = std::cell::RefCell::new(Vec::new());
        let reads: Actor<'_, ()> =
            Box::pin(async { *found.borrow_mut() = entries(&store, "l", 0).await.unwrap() });
        let appends: Actor<'_, ()> = Box::pin(async {
            for number in 4..6_u64 {
                append(&store, "l", &number.to_string()).await.unwrap();
            }
        });
        store.scheduler().run(vec![reads, appends], Random::new(seed).fair());
        let found = found.into_inner();
        // One whose number is drawn may not be there yet.
        assert!(found.is_sorted_by(|one, next| one.0 < next.0), "seed {seed}: {found:?}");
        assert!(found.iter().map(|(number, _)| *number).take(3).eq(1..4), "seed {seed}: {found:?}");
        assert!(found.iter().all(|(number, value)| number.to_string() == *value), "seed {seed}: {found:?}");
        grown += usize::from(found.len() > 3);
    }
    assert!(grown > 50, "{grown}");
}

/// Many entries stay, and their numbers are old.
#[test]
fn all_that_stays_is_found_however_often_a_list_is_tightened() {
    const STAYS: usize = 11;
    let store = MemoryStore::default();
    let goes = async |value: &str| Ok(value.starts_with("goes"));
    let append_all = |name: &str, count: usize| {
        for number in 0..count {
            run(append(&store, "l", &format!("{name}-{number}"))).unwrap();
        }
    };
    append_all("stays", STAYS);
    for round in 0..60 {
        append_all("goes", 2 * SLACK as usize);
        let found = run(values(&store, "l", round * CALL_MAX_MS, goes)).unwrap();
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), STAYS, "{round}: {found:?}");
        assert_eq!(found.len(), STAYS, "{round}: {found:?}");
    }
    let span = run(count(&store, "l")).unwrap() - run(low(&store, "l")).unwrap().number;
    assert!(span < 6 * SLACK, "{span} numbers for {STAYS} entries");
}

/// Whoever reads it would make it longer each time.
#[test]
fn nothing_is_moved_while_the_begin_cannot_be_raised_past_it() {
    let store = MemoryStore::default();
    run(append(&store, "l", "stays")).unwrap();
    for number in 0..3 * SLACK {
        run(append(&store, "l", &format!("goes-{number}"))).unwrap();
    }
    let goes = async |value: &str| Ok(value.starts_with("goes"));
    for now_ms in [0, 1, CALL_MAX_MS - 1] {
        assert_eq!(run(values(&store, "l", now_ms, goes)).unwrap(), ["stays"]);
        assert_eq!(run(count(&store, "l")).unwrap(), 3 * SLACK + 1, "{now_ms}");
    }
}
