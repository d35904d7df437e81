//! Chunks and replies that are lost.

use serde_json::json;
use shared::testing::{Sent, World, request_to};
use store::memory::{Actor, Random};

use crate::site::{Site, long_cycles};

#[test]
fn a_begin_whose_reply_was_lost_leaves_nothing_behind_and_loses_nothing() {
    let site = Site::new();
    site.start("g", "spool.1");
    // The same push asks twice: the first answer never came.
    let lost = site.offer("g", "cam", &json!({})).unwrap();
    let mut push = site.begin_with("g", "cam", &json!({"began_ago_ms": 0}));
    assert_ne!(lost.session, push.session);
    site.record(&mut push, 3);
    assert_eq!(site.online(), ["cam"]);
    site.end(&push);
    site.seconds(20);
    assert_eq!(site.files_of(&push), [[0, 1, 2]]);
    assert_eq!((site.state("cam"), site.spans("cam").len(), site.files().len()), ("offline".into(), 1, 1));
    // The offer expires: from then on it is unknown, and the keys that named it are gone.
    let keys = |id: &str| site.any().store.keys().iter().filter(|key| key.contains(id)).count();
    assert!(keys(&lost.session) > 0);
    for _ in 0..3 {
        site.pass_ms(3_600_000);
        site.seconds(60);
    }
    assert_eq!(keys(&lost.session), 0);
    assert_eq!(site.chunk(&lost, 0, 0..5).unwrap_err().0, 404);
}

#[test]
fn two_begins_of_one_push_at_once_lose_nothing() {
    let mut orders = std::collections::BTreeSet::new();
    for seed in 1..=200 {
        let site = Site::new();
        site.start("g", "spool.1");
        let mut first = site.begin("g", "cam");
        site.record(&mut first, 2);
        site.end(&first);
        site.seconds(2);
        let body = json!({
            "gateway": "g", "boot": "spool.1", "push": "p", "client": "192.0.2.1:1935",
            "after": {"session": first.session, "gap_ms": 2_000},
        });
        let begin = || {
            request_to(http::Method::POST, "/streams/live.example.com/live/cam/sessions", body.to_string())
        };
        let sessions = at_once(site.any(), vec![begin(), begin()], seed);
        assert_ne!(sessions[0], sessions[1]);
        orders.insert(sessions[0] < sessions[1]);
        // Whichever of the two answers came through: the gateway goes by one.
        let session = sessions[seed as usize % 2].clone();
        let path = format!("/streams/live.example.com/live/cam/sessions/{session}");
        let mut second = crate::site::Push {
            gateway: "g".into(),
            path,
            session,
            began_ms: site.now_ms.get(),
            orders: json!([]),
            generation: "1.0".into(),
            seq: 0,
        };
        site.adopt(&second);
        site.record(&mut second, 2);
        site.end(&second);
        site.seconds(20);
        assert_eq!(site.files().len(), 1, "seed {seed}: {:#?}", site.files());
        assert_eq!((site.files_of(&first), site.files_of(&second)), (vec![vec![0, 1]], vec![vec![0, 1]]));
        assert_eq!(site.spans("cam").len(), 1);
    }
    assert_eq!(orders.len(), 2, "the two begins never overtook one another");
}

/// The sessions that begins are offered which run at once, one operation of one of them at a time.
fn at_once(world: &World, requests: Vec<http::Request<Sent>>, seed: u64) -> Vec<String> {
    let begin = |request| -> Actor<'_, String> {
        Box::pin(async move {
            let answer = recorder_on_demand_function::handler::handle(world, request).await;
            let body: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
            body["session"].as_str().unwrap().to_owned()
        })
    };
    let actors = requests.into_iter().map(begin).collect();
    let answers = world.store.scheduler().run(actors, Random::new(seed).fair());
    answers.into_iter().map(Option::unwrap).collect()
}

#[test]
fn hundreds_of_lost_chunks_hide_nothing_before_them() {
    for lost in [1, 63, 64, 65, 128, 300] {
        let site = Site::new();
        site.start("g", "spool.1");
        let mut push = site.begin("g", "cam");
        site.record(&mut push, 4);
        for _ in 0..lost {
            site.seconds(5);
            let from = push.seq * 5;
            site.lose(&push, push.seq, from..from + 5).unwrap();
            push.seq += 1;
        }
        assert_eq!(site.spans("cam"), [(0, 20)], "after {lost} lost chunks");
        site.record(&mut push, 2);
        site.end(&push);
        site.seconds(20);
        let from = (4 + lost) * 5;
        let spans = if lost * 5 <= 15 { vec![(0, from + 10)] } else { vec![(0, 20), (from, from + 10)] };
        assert_eq!(site.spans("cam"), spans, "{lost} lost chunks");
        assert_eq!(site.files_of(&push).concat(), [0, 1, 2, 3, 4 + lost, 5 + lost], "{lost} lost chunks");
        let target =
            [("OssEndpoint", "store"), ("OssBucket", "bkt"), ("OssObject", "index/{StreamName}.m3u8")];
        let made = site.in_range("CreateLiveStreamRecordIndexFiles", "cam", &target).unwrap();
        assert_eq!(made["RecordInfo"]["Duration"], 30.0, "{lost} lost chunks");
    }
}

#[test]
fn the_number_of_a_lost_chunk_never_names_other_bytes() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 1);
    // Told lost, told again, and then its media comes after all.
    let answered = site.lose(&push, 1, 5..10).unwrap();
    assert_eq!(site.lose(&push, 1, 5..10), Ok(answered));
    assert_eq!(site.chunk(&push, 1, 5..10), Err((409, "lost".into())));
    site.chunk(&push, 2, 10..15).unwrap();
    assert_eq!(site.chunk(&push, 1, 5..10), Err((409, "lost".into())));
    // The other way round: what is committed is not lost any more.
    site.lose(&push, 2, 10..15).unwrap();
    site.chunk(&push, 2, 10..15).unwrap();
    push.seq = 3;
    site.seconds(10);
    site.end(&push);
    site.seconds(20);
    assert_eq!(site.files_of(&push), [[0, 2]]);
    assert!(site.files()[0].text.contains("#EXT-X-DISCONTINUITY\n"), "{}", site.files()[0].text);
    // Sent again by hand, it goes into a session of its own, under the old one's rule, zone and begin.
    site.set_rule(&{
        let mut other = long_cycles();
        other.oss_bucket = "other".into();
        other
    });
    let more = json!({"resends": {"session": push.session, "seq": 1}});
    let mut again = site.begin_with("g", "cam", &more);
    site.chunk(&again, 0, 5..10).unwrap();
    again.seq = 1;
    site.end_ago(&again, 0).unwrap();
    site.seconds(60);
    assert_eq!(site.files_of(&again), [[0]]);
    let file = site.files().into_iter().find(|file| file.slices[0].0 == again.session).unwrap();
    assert!(file.text.contains("#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:10.000Z"), "{}", file.text);
    assert!(file.name.starts_with("http://store/bkt/"), "{}", file.name);
}

#[test]
fn the_number_of_a_chunk_that_is_there_is_told_where_one_is_left_out() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    assert_eq!(site.chunk(&push, 4, 20..25), Err((409, "gap".into())));
    // A chunk that is repeated is answered as it was, however old.
    let first = site.chunk(&push, 0, 0..5).unwrap();
    site.record(&mut push, 200);
    assert_eq!(site.chunk(&push, 0, 0..5), Ok(first));
    assert_eq!(site.any().buckets.names("http://store/bkt/").len(), 202);
}
