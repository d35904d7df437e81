//! One stream on two gateways.

use std::collections::BTreeSet;

use crate::site::{File, Site};

/// The moments that a playlist gives its slices, in order.
fn dates(file: &File) -> Vec<&str> {
    file.text.lines().filter_map(|line| line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:")).collect()
}

/// Checks that each file is of one push, steps never back, and is listed with an end after its begin.
fn check_files(site: &Site, stream: &str) {
    let files = site.files();
    for file in &files {
        let sessions: BTreeSet<_> = file.slices.iter().map(|(session, _)| session).collect();
        assert_eq!(sessions.len(), 1, "{file:#?}");
        assert!(dates(file).is_sorted(), "{}", file.text);
    }
    let listed = site.index_files(stream);
    assert_eq!(listed.len(), files.len(), "{listed:#?}");
    for file in &listed {
        let at_s = |name: &str| acs::time::parse(file[name].as_str().unwrap()).unwrap();
        assert!(at_s("StartTime") < at_s("EndTime"), "{file:#?}");
        let object = file["OssObject"].as_str().unwrap();
        assert!(files.iter().any(|file| file.name.ends_with(object)), "{object}");
    }
}

#[test]
fn when_the_newer_push_ends_the_older_one_is_still_online_and_can_be_stopped() {
    let site = Site::new();
    site.start("a", "a.1");
    site.start("b", "b.1");
    let mut older = site.begin("a", "cam");
    site.record(&mut older, 4);
    let mut newer = site.begin("b", "cam");
    for _ in 0..3 {
        site.record(&mut newer, 1);
        let to = (site.now_ms.get() - older.began_ms) / 1_000;
        site.chunk(&older, older.seq, to - 5..to).unwrap();
        older.seq += 1;
    }
    assert_eq!(site.online(), ["cam"], "once, though it is pushed twice");
    site.end(&newer);
    site.seconds(30);
    assert_eq!((site.state("cam"), site.online()), ("online".into(), vec!["cam".into()]));
    assert_eq!(site.files_of(&newer), [[0, 1, 2]]);

    assert_eq!(site.command("cam", "stop"), "OK");
    site.seconds(2);
    let orders = site.heard.borrow()["a"].orders[&older.session].clone();
    assert_eq!((&orders[1]["generation"], &orders[1]["record"]), (&"2.0".into(), &false.into()));
    // The gateway stops at its next keyframe, and says after which chunk.
    older.confirm_at(&site, "2.0");
    site.seconds(20);
    // From its last frame on the pause is a break like any other: once it is over, that closes the file.
    let orders = site.heard.borrow()["a"].orders[&older.session].clone();
    assert_eq!((&orders[2]["generation"], &orders[2]["record"]), (&"3.1".into(), &false.into()));
    older.confirm_at(&site, "3.1");
    site.seconds(3);
    assert_eq!(site.files_of(&older), [[0, 1, 2, 3, 4, 5, 6]]);
    assert_eq!(site.state("cam"), "online", "it is pushed, though nothing of it is recorded");
    site.end(&older);
    site.seconds(20);
    assert_eq!(site.state("cam"), "offline");
    check_files(&site, "cam");
    assert_eq!(site.spans("cam"), [(0, 35), (20, 35)]);
}

#[test]
fn a_command_reaches_every_push_of_a_stream() {
    let site = Site::new();
    site.start("a", "a.1");
    site.start("b", "b.1");
    let pushes = [site.begin("a", "cam"), site.begin("b", "cam")];
    site.seconds(2);
    assert_eq!(site.command("cam", "start"), "TaskAlreadyStarted");
    assert_eq!(site.command("cam", "stop"), "OK");
    site.seconds(2);
    for push in &pushes {
        let orders = site.heard.borrow()[&push.gateway].orders[&push.session].clone();
        assert_eq!(orders.as_array().unwrap().last().unwrap()["record"], false, "{orders}");
    }
    // Another push records: only what cannot take a command at all is refused.
    let third = site.begin("a", "cam");
    site.seconds(2);
    assert_eq!(site.command("cam", "stop"), "OK");
    site.seconds(2);
    assert_eq!(site.command("cam", "stop"), "TaskNotStarted");
    assert_eq!(site.heard.borrow()["a"].orders[&third.session][1]["record"], false);
}

#[test]
fn four_short_pushes_beside_a_recording_of_two_hours_hide_nothing_of_it() {
    let site = Site::new();
    site.start("a", "a.1");
    site.start("b", "b.1");
    for _ in 0..4 {
        let mut short = site.begin("b", "cam");
        site.record(&mut short, 1);
        site.end(&short);
        site.seconds(20);
    }
    let mut long = site.begin("a", "cam");
    let mut short = Vec::new();
    for minute in 0..120 {
        // Four short ones while the long one records, too.
        if minute % 30 == 7 {
            let mut push = site.begin("b", "cam");
            push.seq = 1;
            short.push(push);
        }
        site.record(&mut long, 12);
        if minute % 30 == 7 {
            let push = short.last().unwrap();
            site.chunk(push, 0, 0..5).unwrap();
            site.end_ago(push, 55_000).unwrap();
        }
    }
    let began_s = (long.began_ms - crate::site::BEGAN_MS) / 1_000;
    assert!(site.spans("cam").contains(&(began_s, began_s + 7_200)), "{:?}", site.spans("cam"));
    assert_eq!(site.spans("cam").len(), 4 + 1 + 4);
    // So in every part of it, though four pushes began and ended after it had begun.
    for from_s in (began_s..began_s + 7_200).step_by(900) {
        let found = site.spans_between("cam", from_s, from_s + 900);
        assert!(found.contains(&(from_s, from_s + 900)), "from {from_s} s: {found:?}");
    }
    site.end(&long);
    site.seconds(20);
    assert_eq!(site.files_of(&long), [(0..1_440).collect::<Vec<u64>>()]);
    check_files(&site, "cam");
}
