//! One user's bucket that hangs, and everybody else's record files.

use store::memory::Actor;

use shared::Answer;
use shared::bucket::Error;
use shared::testing::Trouble;

use crate::site::{Push, Site, long_cycles};

const SLOW: &str = "http://slow/bkt";

/// A user's streams that are recorded into a bucket of theirs, beside others.
fn push_into_slow(site: &Site, streams: usize) -> Vec<Push> {
    let mut slow = long_cycles();
    slow.oss_endpoint = "http://slow".into();
    site.set_rule(&slow);
    let pushes = (0..streams).map(|number| {
        let mut push = site.begin("g", &format!("slow{number}"));
        site.beat("g").unwrap();
        site.chunk(&push, 0, 0..5).unwrap();
        push.seq = 1;
        push
    });
    let pushes = pushes.collect();
    site.set_rule(&long_cycles());
    pushes
}

/// A cron job that calls every second whether or not its calls before are answered; each is cut off after two minutes.
struct Cron<'a> {
    site: &'a Site,
    calls: Vec<(u64, Actor<'a, Answer>)>,
}

impl Cron<'_> {
    fn second(&mut self) {
        let site = self.site;
        site.seconds(1);
        let now_ms = site.now_ms.get();
        self.calls.push((now_ms, site.tick_under_way()));
        // What is not over by then waits for the bucket.
        let most = |began_ms: u64| if began_ms == now_ms { 4_000 } else { 10 };
        self.calls.retain_mut(|(began_ms, call)| site.go_on(call, most(*began_ms)).is_none());
        self.calls.retain(|(began_ms, _)| now_ms - began_ms < 120_000);
    }
}

/// How long it takes from a push's end until its playlist is there, in seconds.
fn ended_until_written(cron: &mut Cron<'_>, stream: &str) -> u64 {
    let site = cron.site;
    let mut push = site.begin("g", stream);
    site.beat("g").unwrap();
    site.chunk(&push, 0, 0..5).unwrap();
    push.seq = 1;
    for _ in 0..5 {
        cron.second();
    }
    site.end(&push);
    for second in 1..120 {
        cron.second();
        if site.files_of(&push) == [[0]] {
            return second;
        }
    }
    panic!("{stream} has no playlist after two minutes");
}

#[test]
fn streams_on_a_bucket_that_hangs_do_not_delay_another_users_playlist() {
    for streams in [3, 40] {
        let site = Site::new();
        site.start("g", "spool.1");
        site.ticks.set(false);
        let slow = push_into_slow(&site, streams);
        site.any().buckets.troubles.borrow_mut().insert(SLOW.into(), Trouble::Hangs);
        for push in &slow {
            site.end(push);
        }
        let mut cron = Cron { site: &site, calls: Vec::new() };
        let mut hung = 0;
        for number in 0..8 {
            let seconds = ended_until_written(&mut cron, &format!("cam{number}"));
            // Its delay is 15 s; one tick a second takes sixteen streams in hand.
            assert!(
                (15..=15 + 2 + streams as u64 / 16).contains(&seconds),
                "{seconds} s with {streams} that hang"
            );
            hung = hung.max(cron.calls.len());
        }
        assert!(hung > 0, "no call hung");
        // Once the bucket answers again, its files come.
        site.any().buckets.troubles.borrow_mut().clear();
        for _ in 0..300 {
            cron.second();
        }
        assert!(slow.iter().all(|push| site.files_of(push) == [[0]]), "{:#?}", site.files());
        assert_eq!(site.files().len(), streams + 8);
    }
}

#[test]
fn a_bucket_that_refuses_is_tried_again_ever_later_and_named_in_the_ticks_answer() {
    let site = Site::new();
    site.start("g", "spool.1");
    let slow = push_into_slow(&site, 3);
    let refuses = Trouble::Refuses(Error::Unavailable("503 SlowDown".into()));
    site.any().buckets.troubles.borrow_mut().insert(SLOW.into(), refuses);
    for push in &slow {
        site.end(push);
    }
    site.ticks.set(false);
    let (mut failures, mut waits) = (0, Vec::new());
    for _ in 0..600 {
        site.seconds(1);
        for failure in site.tick().as_array().unwrap() {
            assert!(failure["reason"].as_str().unwrap().contains("503 SlowDown"), "{failure}");
            failures += 1;
            waits.push(failure["retry_in_s"].as_u64().unwrap());
        }
    }
    // 5 s, 10 s, 20 s and so on up to 300 s, for each of the three; what is due twice is tried twice as often.
    assert!((3 * 5..=3 * 2 * 8).contains(&failures), "{failures} failures: {waits:?}");
    assert_eq!((waits[0], waits[waits.len() - 1]), (5, 300), "{waits:?}");
    let mut push = site.begin("g", "cam");
    site.beat("g").unwrap();
    site.chunk(&push, 0, 0..5).unwrap();
    push.seq = 1;
    site.seconds(5);
    site.end(&push);
    for _ in 0..17 {
        site.seconds(1);
        site.tick();
    }
    assert_eq!(site.files_of(&push), [[0]]);
    site.any().buckets.troubles.borrow_mut().clear();
    for _ in 0..300 {
        site.seconds(1);
        site.tick();
    }
    assert_eq!(site.files().len(), 4);
}
