//! Copies of rules and notify configs.

use std::cell::RefCell;
use std::collections::BTreeMap;

use store::memory::{MemoryStore, run};

use super::{config, rule, triple};
use crate::copy::{Copies, Restored, keep_forbidden, keep_notify, keep_rule, restore};
use crate::rule as rules;
use crate::{Error, Forbidden, forbidden, key, notify};

/// For so long a copy is kept that was replaced.
const THIRTY_DAYS_MS: u64 = 2_592_000_000;

#[derive(Default)]
struct Bucket {
    objects: RefCell<BTreeMap<String, Vec<u8>>>,
    is_down: bool,
}

impl Bucket {
    fn answer<T>(&self, answer: T) -> Result<T, String> {
        if self.is_down { Err("down".into()) } else { Ok(answer) }
    }

    fn names(&self) -> Vec<String> {
        self.objects.borrow().keys().cloned().collect()
    }
}

impl Copies for Bucket {
    async fn create(&self, name: &str, body: &[u8]) -> Result<(), String> {
        self.objects.borrow_mut().entry(name.into()).or_insert_with(|| body.into());
        self.answer(())
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.answer(self.objects.borrow().get(name).cloned())
    }

    async fn delete(&self, name: &str) -> Result<(), String> {
        self.objects.borrow_mut().remove(name);
        self.answer(())
    }

    async fn list(&self, prefix: &str, after: &str, most: u32) -> Result<Vec<String>, String> {
        let names = self.names().into_iter();
        let found = names.filter(|name| name.starts_with(prefix) && name.as_str() > after);
        self.answer(found.take(most as usize).collect())
    }
}

fn restored(bucket: &Bucket) -> MemoryStore {
    let (store, mut after) = (MemoryStore::default(), None);
    loop {
        after = run(restore(Some(&store), bucket, after.as_deref())).unwrap().next;
        if after.is_none() {
            return store;
        }
    }
}

fn found(store: &MemoryStore, app: &str) -> Option<String> {
    run(rules::get(store, &triple(app, "*"))).unwrap().map(|found| found.value.oss_bucket)
}

#[test]
fn what_was_set_last_comes_back() {
    let (store, bucket) = (MemoryStore::default(), Bucket::default());
    let keep = |app: &str, now_ms| run(keep_rule(&store, &bucket, &triple(app, "*"), now_ms)).unwrap();
    for app in ["a", "b", "c"] {
        run(rules::add(&store, rule(app, "*", "first"))).unwrap();
        keep(app, 1_000);
    }
    let version = run(rules::get(&store, &triple("a", "*"))).unwrap().unwrap().version;
    run(rules::update(&store, rule("a", "*", "second"), version)).unwrap();
    keep("a", 1_500);
    run(rules::delete(&store, &triple("b", "*"))).unwrap();
    // The clock of the host that took this is behind.
    keep("b", 500);
    keep("never", 1_000);
    run(notify::add(&store, config("http://n"))).unwrap();
    run(keep_notify(&store, &bucket, "LIVE.example.com", 1_000)).unwrap();

    let again = restored(&bucket);
    assert_eq!(
        ["a", "b", "c"].map(|app| found(&again, app)),
        [Some("second".into()), None, Some("first".into())]
    );
    let known = run(notify::get(&again, "live.example.com")).unwrap().unwrap().value;
    assert_eq!(known, config("http://n"));
    // What is set in the store after it counts, though its tickets are lower.
    let version = run(rules::get(&again, &triple("a", "*"))).unwrap().unwrap().version;
    run(rules::update(&again, rule("a", "*", "third"), version)).unwrap();
    run(keep_rule(&again, &bucket, &triple("a", "*"), 60_000)).unwrap();
    assert_eq!(found(&restored(&bucket), "a").as_deref(), Some("third"));
}

/// Two hosts may copy a register at once, by clocks that differ; and a store that was lost counts its tickets anew.
#[test]
fn of_copies_of_a_few_seconds_the_higher_ticket_counts_and_of_others_the_later_time() {
    for (elapsed_ms, kept) in [(5_000, "before"), (5_001, "after")] {
        let (lost, store, bucket) = (MemoryStore::default(), MemoryStore::default(), Bucket::default());
        let made_ms = 1_700_000_000_000;
        run(rules::add(&lost, rule("a", "*", "first"))).unwrap();
        let version = run(rules::get(&lost, &triple("a", "*"))).unwrap().unwrap().version;
        run(rules::update(&lost, rule("a", "*", "before"), version)).unwrap();
        run(keep_rule(&lost, &bucket, &triple("a", "*"), made_ms)).unwrap();
        run(rules::add(&store, rule("a", "*", "after"))).unwrap();
        run(keep_rule(&store, &bucket, &triple("a", "*"), made_ms + elapsed_ms)).unwrap();
        assert_eq!(found(&restored(&bucket), "a").as_deref(), Some(kept), "{elapsed_ms}");
    }
}

#[test]
fn a_stream_that_was_forbidden_is_forbidden_again() {
    let (store, bucket) = (MemoryStore::default(), Bucket::default());
    for stream in ["x", "y"] {
        let forbid = Forbidden { stream: triple("live", stream), since_s: 1, until_s: 9 };
        run(forbidden::add(&store, forbid)).unwrap();
        run(keep_forbidden(&store, &bucket, &triple("live", stream), 1_000)).unwrap();
    }
    run(forbidden::resume(&store, &triple("live", "y"), 2)).unwrap();
    run(keep_forbidden(&store, &bucket, &triple("live", "y"), 2_000)).unwrap();
    let again = restored(&bucket);
    let holds =
        |stream, now_s| run(forbidden::get(&again, &triple("live", stream), now_s)).unwrap().is_some();
    assert_eq!((holds("x", 8), holds("x", 9), holds("y", 8)), (true, false, false));
    assert_eq!(run(restore(None::<&MemoryStore>, &bucket, None)).unwrap().found, 1);
}

#[test]
fn what_is_there_stays_and_a_dry_run_counts() {
    let (store, bucket) = (MemoryStore::default(), Bucket::default());
    for number in 0..120 {
        let app = format!("app-{number}");
        run(rules::add(&store, rule(&app, "*", "old"))).unwrap();
        run(keep_rule(&store, &bucket, &triple(&app, "*"), 1_000)).unwrap();
    }
    let (mut count, mut calls, mut after) = (0, 0, None);
    loop {
        let Restored { next, found } = run(restore(None::<&MemoryStore>, &bucket, after.as_deref())).unwrap();
        (count, calls, after) = (count + found, calls + 1, next);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((count, calls), (120, 3));
    let other = MemoryStore::default();
    run(rules::add(&other, rule("app-7", "*", "new"))).unwrap();
    let first = run(restore(Some(&other), &bucket, None)).unwrap();
    let second = run(restore(Some(&other), &bucket, first.next.as_deref())).unwrap();
    run(restore(Some(&other), &bucket, second.next.as_deref())).unwrap();
    assert_eq!(found(&other, "app-7").as_deref(), Some("new"));
    assert_eq!(run(rules::list_domain(&other, "live.example.com")).unwrap().len(), 120);
}

#[test]
fn a_copy_that_was_replaced_is_kept_for_thirty_days() {
    let (store, bucket) = (MemoryStore::default(), Bucket::default());
    run(rules::add(&store, rule("a", "*", "0"))).unwrap();
    let change = |text: &str, now_ms| {
        let version = run(rules::get(&store, &triple("a", "*"))).unwrap().unwrap().version;
        run(rules::update(&store, rule("a", "*", text), version)).unwrap();
        run(keep_rule(&store, &bucket, &triple("a", "*"), now_ms)).unwrap();
        bucket.names().len()
    };
    assert_eq!(change("1", 10_000), 1);
    assert_eq!(change("2", 20_000), 2);
    assert_eq!(change("3", 20_000 + THIRTY_DAYS_MS), 3);
    assert_eq!(change("4", 20_001 + THIRTY_DAYS_MS), 3);
    // The same once more leaves nothing new.
    run(keep_rule(&store, &bucket, &triple("a", "*"), 20_002 + THIRTY_DAYS_MS)).unwrap();
    assert_eq!(bucket.names().len(), 3);
    assert_eq!(found(&restored(&bucket), "a").as_deref(), Some("4"));
}

#[test]
fn the_last_copy_of_each_stream_that_was_ever_forbidden_stays() {
    let (store, bucket) = (MemoryStore::default(), Bucket::default());
    let keep =
        |stream, now_ms| run(keep_forbidden(&store, &bucket, &triple("live", stream), now_ms)).unwrap();
    for stream in ["over", "resumed"] {
        let forbid = Forbidden { stream: triple("live", stream), since_s: 1, until_s: 9 };
        run(forbidden::add(&store, forbid)).unwrap();
        keep(stream, 1_000);
    }
    run(forbidden::resume(&store, &triple("live", "resumed"), 2)).unwrap();
    keep("resumed", 2_000);
    // Long after both can be pushed again, a list forgets what is over, and the other one is resumed once more.
    let now_ms = 10 * THIRTY_DAYS_MS;
    let listed = run(forbidden::list_domain(&store, "live.example.com", now_ms / 1_000)).unwrap();
    assert_eq!(listed, []);
    keep("resumed", now_ms);
    restored(&bucket);
    let folder = |name: &String| name.rsplit_once('/').unwrap().0.to_owned();
    let left: Vec<String> = bucket.names().iter().map(folder).collect();
    let of = |stream| format!("config/{}", key::forbidden(&triple("live", stream)));
    assert_eq!(left, ["over", "resumed"].map(of));
}

#[test]
fn a_change_without_its_copy_is_not_done() {
    let (store, bucket) = (MemoryStore::default(), Bucket { is_down: true, ..Bucket::default() });
    run(rules::add(&store, rule("a", "*", "b"))).unwrap();
    let kept = run(keep_rule(&store, &bucket, &triple("a", "*"), 1_000));
    assert_eq!(kept, Err(Error::Copies("down".into())));
}
