//! The key-value store is lost while pushes are live, and filled anew.

use serde_json::{Value, json};
use shared::testing::rule;

use crate::site::{Push, Site};

/// What gateways, users and clients can see, but for when files were made.
fn seen(site: &Site) -> Value {
    let index_files: Vec<_> = site
        .index_files("cam")
        .into_iter()
        .map(|mut file| {
            file.as_object_mut().unwrap().remove("CreateTime");
            file
        })
        .collect();
    let made = site.in_range(
        "CreateLiveStreamRecordIndexFiles",
        "cam",
        &[("OssEndpoint", "store"), ("OssBucket", "bkt"), ("OssObject", "index/{StreamName}.m3u8")],
    );
    let mut made = made.unwrap();
    for own in ["RecordId", "CreateTime"] {
        made["RecordInfo"].as_object_mut().unwrap().remove(own);
    }
    json!({"spans": site.spans("cam"), "files": index_files, "index": made["RecordInfo"]})
}

/// The index that a client has made is of the lost store alone.
fn forget_index(site: &Site) {
    let mut objects = site.any().buckets.objects.borrow_mut();
    objects.retain(|name, _| !name.contains("/index/"));
}

/// The record files, each with its playlist.
fn files(site: &Site) -> Vec<(String, String)> {
    let files = site.files().into_iter().filter(|file| !file.name.contains("/index/"));
    files.map(|file| (file.name, file.text)).collect()
}

/// Loses the store, and fills it anew; answers the slices that came of users' buckets, and the buckets that cannot be
/// listed.
fn lose_and_rebuild(site: &mut Site) -> (u64, Vec<Value>) {
    let [(world, _)] = &mut site.hosts[..] else { panic!("hosts share a store") };
    world.lose_store();
    let (mut slices, mut unlisted, mut at) = (0, Vec::new(), Value::Null);
    loop {
        let made = site.post("/rebuild", &json!({"at": at})).unwrap();
        at = made["next"].clone();
        slices += made["tail"].as_u64().unwrap();
        unlisted.clone_from(made["unlisted"].as_array().unwrap());
        if at.is_null() {
            site.tick();
            return (slices, unlisted);
        }
    }
}

/// Whatever can be in a recording: two pushes with a break between them, a lost chunk, a command, and a silent gateway.
fn recorded() -> (Site, Push) {
    let site = Site::under(rule());
    site.start("g", "spool.1");
    let mut first = site.begin("g", "cam");
    site.record(&mut first, 6);
    site.seconds(5);
    site.lose(&first, first.seq, 30..35).unwrap();
    first.seq += 1;
    site.record(&mut first, 3);
    site.end(&first);
    site.seconds(5);
    let after = json!({"after": {"session": first.session, "gap_ms": 5_000}});
    let mut push = site.begin_with("g", "cam", &after);
    site.record(&mut push, 3);
    assert_eq!(site.command("cam", "restart"), "OK");
    site.seconds(1);
    push.confirm_at(&site, "2.1");
    site.record(&mut push, 7);
    // For two minutes the gateway is not heard, and its file is closed.
    let heard = site.silence("g");
    site.seconds(180);
    site.heard.borrow_mut().insert("g".into(), heard);
    site.record(&mut push, 90);
    (site, push)
}

/// The rest of the push; answers what is left in the end.
fn finish(site: &Site, push: &mut Push) -> (Vec<(String, String)>, Value) {
    site.record(push, 12);
    site.end(push);
    site.seconds(60);
    (files(site), seen(site))
}

#[test]
fn a_store_that_is_lost_in_mid_recording_is_filled_anew_and_nothing_is_lost() {
    let (site, mut push) = recorded();
    let (expected_files, expected) = (files(&site), seen(&site));
    forget_index(&site);
    site.seconds(20);
    let end = finish(&site, &mut push);

    let (mut site, mut push) = recorded();
    let (slices, unlisted) = lose_and_rebuild(&mut site);
    assert_eq!((slices, unlisted), (9 + 100, vec![]));
    site.seconds(20);
    assert_eq!(files(&site), expected_files);
    assert_eq!(seen(&site), expected);
    forget_index(&site);
    // The same numbers, names and playlists: as if nothing had happened.
    let again = finish(&site, &mut push);
    assert_eq!(again.0, end.0);
    assert_eq!(again.1["spans"], end.1["spans"]);
}

#[test]
fn a_chunk_that_was_on_its_way_is_taken_and_one_that_was_acknowledged_is_not_asked_for() {
    let (mut site, push) = recorded();
    lose_and_rebuild(&mut site);
    site.seconds(5);
    let to = (site.now_ms.get() - push.began_ms) / 1_000;
    // The last one that was answered is answered again, the next one is next.
    site.chunk(&push, push.seq - 1, to - 10..to - 5).unwrap();
    assert_eq!(site.chunk(&push, push.seq + 1, to..to + 5), Err((409, "gap".into())));
    site.chunk(&push, push.seq, to - 5..to).unwrap();
    assert_eq!(site.state("cam"), "online");
}

#[test]
fn a_store_that_is_lost_twice_is_filled_anew_twice() {
    let (site, _) = recorded();
    let expected = (files(&site), seen(&site));
    let (mut site, mut push) = recorded();
    lose_and_rebuild(&mut site);
    site.seconds(2);
    let (slices, _) = lose_and_rebuild(&mut site);
    assert_eq!(slices, 109);
    site.seconds(18);
    assert_eq!((files(&site), seen(&site)), expected);
    forget_index(&site);
    site.record(&mut push, 1);
}

#[test]
fn a_bucket_that_may_not_be_listed_leaves_a_gap_with_its_reason() {
    let (mut site, mut push) = recorded();
    let before = files(&site).len();
    *site.any().buckets.unlisted.borrow_mut() = Some("AccessDenied".into());
    let (slices, unlisted) = lose_and_rebuild(&mut site);
    assert_eq!((slices, unlisted), (0, vec![json!("http://store/bkt")]));
    site.seconds(5);
    let to = (site.now_ms.get() - push.began_ms) / 1_000;
    // Nothing of the push is known: its gateway tells what it had been acknowledged, once the push before is told.
    assert_eq!(site.chunk(&push, push.seq, to - 5..to), Err((409, "gap".into())));
    assert_eq!(site.lose_for(&push, 0, 0..5, "acknowledged"), Err((409, "before".into())));
    // That is what nobody brings for three quarters of an hour.
    for _ in 0..500 {
        site.pass_ms(10_000);
        site.seconds(1);
    }
    for seq in 0..push.seq {
        site.lose_for(&push, seq, seq * 5..seq * 5 + 5, "acknowledged").unwrap();
    }
    site.record(&mut push, 5);
    site.end(&push);
    site.seconds(60);
    let files = files(&site);
    assert!(files.len() > before);
    assert!(files.iter().any(|(name, _)| name.contains("/cam/10")), "numbers are left out: {files:?}");
}

#[test]
fn objects_without_a_note_leave_a_gap_as_those_of_earlier_builds_do() {
    let (mut site, push) = recorded();
    let seq = push.seq - 10;
    let tag = format!("{}/{seq}", push.session);
    let objects = site.any().buckets.objects.borrow();
    let name = objects.iter().find(|(_, object)| object.tag == tag).map(|(name, _)| name.clone()).unwrap();
    drop(objects);
    site.any().buckets.notes.borrow_mut().remove(&name).unwrap();
    let (slices, unlisted) = lose_and_rebuild(&mut site);
    assert_eq!((slices, unlisted), (109 - 10, vec![]));
    site.seconds(5);
    let to = (site.now_ms.get() - push.began_ms) / 1_000;
    assert_eq!(site.chunk(&push, push.seq, to - 5..to), Err((409, "gap".into())));
    site.lose_for(&push, seq, seq * 5..seq * 5 + 5, "acknowledged").unwrap();
}
