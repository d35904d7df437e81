//! What calls cost, and what they leave behind.

use super::*;
use crate::directory::Directory;

#[test]
fn listing_skips_the_pages_that_removed_rules_left_empty() {
    let store = MemoryStore::default();
    for n in 0..200 {
        run(rules::add(&store, rule("a", &n.to_string(), "b"))).unwrap();
        if n != 199 {
            run(rules::delete(&store, &triple("a", &n.to_string()))).unwrap();
        }
    }
    assert_eq!(listed(&store), ["a/199"]);
    // Of the index nothing is left of the removed rules but the counters of its pages.
    assert_eq!(store.keys().iter().filter(|key| key.contains(".slot.")).count(), 1);
}

#[test]
fn a_list_costs_an_operation_a_rule_and_few_a_page() {
    let store = MemoryStore::default();
    let directory = Directory::of_rules(&store, "live.example.com");
    for number in 0..150 {
        run(directory.take(&triple("live", &number.to_string()))).unwrap();
    }
    let before = store.operations();
    assert_eq!(run(directory.slots_in_use()).unwrap().len(), 150);
    let operations = store.operations() - before;
    assert!(operations <= 150 + 10, "{operations}");
}

#[test]
fn a_lookup_costs_one_operation_where_there_is_nothing_and_three_where_there_is_a_rule() {
    let store = MemoryStore::default();
    let lookup = || {
        let before = store.operations();
        let found = run(rules::get(&store, &triple("live", "s"))).unwrap().is_some();
        (found, store.operations() - before)
    };
    assert_eq!(lookup(), (false, 1));
    run(rules::add(&store, rule("live", "s", "b"))).unwrap();
    assert_eq!(lookup(), (true, 3));
}

#[test]
fn a_domain_has_a_rule_until_its_last_one_is_removed_and_telling_costs_no_more_with_many() {
    let store = MemoryStore::default();
    let has_any = |domain: &str| {
        let before = store.operations();
        let has_any = run(rules::has_any(&store, domain)).unwrap();
        (has_any, store.operations() - before)
    };
    assert!(!has_any("live.example.com").0);
    run(rules::add(&store, rule("live", "0", "b"))).unwrap();
    let (_, one) = has_any("live.example.com");
    for number in 1..200 {
        run(rules::add(&store, rule("live", &number.to_string(), "b"))).unwrap();
    }
    assert_eq!(has_any("live.example.com"), (true, one));
    assert!(!has_any("other.example.com").0);
    // What the oldest leave behind costs an operation a page of 64, and those of one page.
    for number in 0..199 {
        run(rules::delete(&store, &triple("live", &number.to_string()))).unwrap();
    }
    let (has_one, operations) = has_any("live.example.com");
    assert!(has_one && operations <= one + 3 + 64, "{operations}");
    run(rules::delete(&store, &triple("live", "199"))).unwrap();
    assert!(!has_any("live.example.com").0);
}
