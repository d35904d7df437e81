//! Rules and notify configs: what each call answers, alone and in a crowd.

mod costs;

use store::memory::{Actor, MemoryStore, Random, run};

use super::{config, rule, triple};
use crate::rule as rules;
use crate::{Error, NotifyConfig, Rule, Versioned, notify};

fn listed(store: &MemoryStore) -> Vec<String> {
    let rules = run(rules::list_domain(store, "live.example.com")).unwrap();
    rules.into_iter().map(|rule| format!("{}/{}", rule.triple.app, rule.triple.stream)).collect()
}

fn found(store: &MemoryStore, app: &str, stream: &str) -> Option<String> {
    run(rules::find_for_push(store, "live.example.com", app, stream)).unwrap().map(|rule| rule.oss_bucket)
}

#[test]
fn a_second_rule_of_a_triple_is_refused_and_changes_nothing() {
    let store = MemoryStore::default();
    assert_eq!(run(rules::add(&store, rule("live", "*", "first"))), Ok(()));
    assert!(matches!(run(rules::add(&store, rule("live", "*", "second"))), Err(Error::AlreadyExists { .. })));
    assert_eq!(found(&store, "live", "x").as_deref(), Some("first"));
    assert_eq!(listed(&store), ["live/*"]);
}

#[test]
fn a_push_falls_under_the_most_specific_rule() {
    let store = MemoryStore::default();
    for (app, stream, bucket) in
        [("*", "*", "domain"), ("live", "*", "app"), ("*", "s", "name"), ("live", "s", "stream")]
    {
        run(rules::add(&store, rule(app, stream, bucket))).unwrap();
    }
    assert_eq!(found(&store, "live", "s").as_deref(), Some("stream"));
    assert_eq!(found(&store, "live", "t").as_deref(), Some("app"));
    assert_eq!(found(&store, "vod", "s").as_deref(), Some("name"));
    assert_eq!(found(&store, "vod", "t").as_deref(), Some("domain"));
    run(rules::delete(&store, &triple("live", "s"))).unwrap();
    assert_eq!(found(&store, "live", "s").as_deref(), Some("name"));
}

#[test]
fn a_rule_of_another_domain_is_not_found() {
    let store = MemoryStore::default();
    run(rules::add(&store, rule("*", "*", "b"))).unwrap();
    assert_eq!(run(rules::find_for_push(&store, "other.example.com", "a", "s")), Ok(None));
    assert_eq!(run(rules::list_domain(&store, "other.example.com")), Ok(vec![]));
    // Names of domains have no case.
    assert!(run(rules::find_for_push(&store, "LIVE.example.com", "a", "s")).unwrap().is_some());
}

#[test]
fn rules_are_listed_oldest_first() {
    let store = MemoryStore::default();
    for (app, created) in [("c", 30), ("a", 10), ("b", 20), ("a2", 10)] {
        run(rules::add(&store, Rule { created_s: created, ..rule(app, "*", "b") })).unwrap();
    }
    assert_eq!(listed(&store), ["a/*", "a2/*", "b/*", "c/*"]);
    run(rules::delete(&store, &triple("b", "*"))).unwrap();
    run(rules::add(&store, Rule { created_s: 40, ..rule("b", "*", "b") })).unwrap();
    assert_eq!(listed(&store), ["a/*", "a2/*", "c/*", "b/*"]);
}

#[test]
fn an_update_of_a_version_that_is_past_is_refused() {
    let store = MemoryStore::default();
    run(rules::add(&store, rule("a", "*", "1"))).unwrap();
    let Versioned { version, value } = run(rules::get(&store, &triple("a", "*"))).unwrap().unwrap();
    assert_eq!(run(rules::update(&store, Rule { delay_s: 60, ..value.clone() }, version)), Ok(()));
    assert!(matches!(run(rules::update(&store, value, version)), Err(Error::Changed { .. })));
    let current = run(rules::get(&store, &triple("a", "*"))).unwrap().unwrap();
    assert_eq!(current.value.delay_s, 60);
    assert_eq!(listed(&store), ["a/*"]);
}

#[test]
fn what_is_not_there_cannot_be_changed_or_removed() {
    let store = MemoryStore::default();
    assert!(matches!(run(rules::update(&store, rule("a", "*", "b"), 1)), Err(Error::NotFound { .. })));
    assert!(matches!(run(rules::delete(&store, &triple("a", "*"))), Err(Error::NotFound { .. })));
    assert!(matches!(run(notify::update(&store, config("u"), 1)), Err(Error::NotFound { .. })));
    assert!(matches!(run(notify::delete(&store, "live.example.com")), Err(Error::NotFound { .. })));
    // An exact triple: the wildcard's rule is another one.
    run(rules::add(&store, rule("a", "*", "b"))).unwrap();
    assert!(matches!(run(rules::delete(&store, &triple("a", "s"))), Err(Error::NotFound { .. })));
}

#[test]
fn sixteen_adds_of_one_triple_have_one_winner() {
    for seed in 0..300 {
        let store = MemoryStore::default();
        let callers: Vec<Actor<'_, _>> = (0..16)
            .map(|n| Box::pin(rules::add(&store, rule("a", "s", &n.to_string()))) as Actor<'_, _>)
            .collect();
        let mut random = Random::new(seed);
        let outcomes = if seed % 2 == 0 {
            store.scheduler().run(callers, random.fair())
        } else {
            store.scheduler().run(callers, random.lopsided())
        };
        let mut winners = Vec::new();
        for (number, outcome) in outcomes.into_iter().flatten().enumerate() {
            match outcome {
                Ok(()) => winners.push(number.to_string()),
                Err(error) => assert!(matches!(error, Error::AlreadyExists { .. }), "seed {seed}: {error}"),
            }
        }
        assert_eq!(winners.len(), 1, "seed {seed}");
        assert_eq!(found(&store, "a", "s").as_ref(), winners.first(), "seed {seed}");
        assert_eq!(listed(&store), ["a/s"], "seed {seed}");
    }
}

#[test]
fn adds_of_many_triples_at_once_are_all_listed() {
    for seed in 0..50 {
        let store = MemoryStore::default();
        let callers: Vec<Actor<'_, _>> = (10..40)
            .map(|n| Box::pin(rules::add(&store, rule("a", &n.to_string(), "b"))) as Actor<'_, _>)
            .collect();
        assert!(
            store
                .scheduler()
                .run(callers, Random::new(seed).fair())
                .into_iter()
                .all(|outcome| outcome == Some(Ok(())))
        );
        let mut all = listed(&store);
        all.sort();
        assert_eq!(all, (10..40).map(|n| format!("a/{n}")).collect::<Vec<_>>(), "seed {seed}");
    }
}

/// Adds, updates and removals of two triples at once, some callers dying or meeting a failing store: afterwards the
/// list and the rules agree, every success is accounted for, and everything can still be changed.
#[test]
fn list_and_rules_agree_whatever_happened() {
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum What {
        Add,
        Update,
        Delete,
    }
    async fn call(store: &MemoryStore, what: What, stream: &str) -> Result<(), Error> {
        match what {
            What::Add => rules::add(store, rule("a", stream, "b")).await,
            What::Update => match rules::get(store, &triple("a", stream)).await? {
                Some(read) => rules::update(store, read.value, read.version).await,
                None => Err(Error::NotFound { what: stream.into() }),
            },
            What::Delete => rules::delete(store, &triple("a", stream)).await,
        }
    }
    for seed in 0..3_000 {
        let store = MemoryStore::default();
        let mut random = Random::new(seed);
        let plan: Vec<_> = (0..10)
            .map(|_| {
                (
                    [What::Add, What::Add, What::Update, What::Delete][random.below(4)],
                    ["s", "t"][random.below(2)],
                )
            })
            .collect();
        let callers: Vec<Actor<'_, _>> =
            plan.iter().map(|&(what, stream)| Box::pin(call(&store, what, stream)) as Actor<'_, _>).collect();
        let outcomes =
            store.scheduler().run(callers, random.faulty(if seed % 2 == 0 { 60 } else { usize::MAX }));
        for stream in ["s", "t"] {
            let count = |what, accept: fn(&Option<Result<(), Error>>) -> bool| {
                let calls = plan.iter().zip(&outcomes).filter(|(call, _)| **call == (what, stream));
                calls.filter(|(_, outcome)| accept(outcome)).count()
            };
            let present = usize::from(run(rules::get(&store, &triple("a", stream))).unwrap().is_some());
            let (added, removed) =
                (count(What::Add, |o| *o == Some(Ok(()))), count(What::Delete, |o| *o == Some(Ok(()))));
            // Of a caller that died, and of one that was told of a failing store, nobody knows.
            let unknown = |o: &Option<_>| matches!(o, None | Some(Err(Error::Store(_))));
            let (maybe_added, maybe_removed) = (count(What::Add, unknown), count(What::Delete, unknown));
            assert!(
                added + maybe_added >= removed + present && added <= removed + maybe_removed + present,
                "seed {seed} {stream}: {added} + {maybe_added}? added, {removed} + {maybe_removed}? removed, {present} there"
            );
        }
        for stream in ["s", "t"] {
            let there = run(rules::get(&store, &triple("a", stream))).unwrap().is_some();
            assert_eq!(listed(&store).contains(&format!("a/{stream}")), there, "seed {seed} {stream}");
            let repaired = if there {
                run(rules::delete(&store, &triple("a", stream)))
            } else {
                run(rules::add(&store, rule("a", stream, "b")))
            };
            assert_eq!(repaired, Ok(()), "seed {seed} {stream}");
            assert_eq!(listed(&store).contains(&format!("a/{stream}")), !there, "seed {seed} {stream}");
        }
    }
}

#[test]
fn what_is_refused_is_named() {
    let store = MemoryStore::default();
    let said = |error: Result<(), Error>| error.unwrap_err().to_string();
    let name = "rule live.example.com/live/s";
    assert!(said(run(rules::delete(&store, &triple("live", "s")))).contains(name));
    run(rules::add(&store, rule("live", "s", "b"))).unwrap();
    assert!(said(run(rules::add(&store, rule("live", "s", "b")))).contains(name));
    assert!(said(run(rules::update(&store, rule("live", "s", "b"), 99))).contains(name));
    let name = "notify config of live.example.com";
    assert!(said(run(notify::delete(&store, "live.example.com"))).contains(name));
    run(notify::add(&store, config("u"))).unwrap();
    assert!(said(run(notify::add(&store, config("u")))).contains(name));
    assert!(said(run(notify::update(&store, config("u"), 99))).contains(name));
}

#[test]
fn of_sixteen_notify_configs_added_at_once_one_stays() {
    for seed in 0..200 {
        let store = MemoryStore::default();
        let callers: Vec<Actor<'_, _>> =
            (0..16).map(|n| Box::pin(notify::add(&store, config(&n.to_string()))) as Actor<'_, _>).collect();
        let outcomes = store.scheduler().run(callers, Random::new(seed).fair());
        let winners: Vec<_> =
            (0..16).filter(|&n| outcomes[n] == Some(Ok(()))).map(|n| n.to_string()).collect();
        assert_eq!(winners.len(), 1, "seed {seed}");
        let stored = run(notify::get(&store, "live.example.com")).unwrap().unwrap();
        assert_eq!(stored.value.notify_url.as_ref(), winners.first(), "seed {seed}");
    }
}

#[test]
fn a_notify_config_is_added_changed_and_removed() {
    let store = MemoryStore::default();
    assert_eq!(run(notify::get(&store, "live.example.com")), Ok(None));
    run(notify::add(&store, config("http://a"))).unwrap();
    let Versioned { version, value } = run(notify::get(&store, "Live.example.com")).unwrap().unwrap();
    let changed = NotifyConfig { notify_url: Some("http://b".into()), ..value.clone() };
    run(notify::update(&store, changed.clone(), version)).unwrap();
    assert!(matches!(run(notify::update(&store, value, version)), Err(Error::Changed { .. })));
    assert_eq!(run(notify::get(&store, "live.example.com")).unwrap().unwrap().value, changed);
    run(notify::delete(&store, "live.example.com")).unwrap();
    assert_eq!(run(notify::get(&store, "live.example.com")), Ok(None));
    run(notify::add(&store, config("http://c"))).unwrap();
}
