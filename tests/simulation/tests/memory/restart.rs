//! Restarts: the file is there at once, whether or not anything more comes.

use crate::site::Site;

#[test]
fn a_restart_closes_the_file_before_any_later_chunk() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 3);
    assert_eq!(site.command("cam", "restart"), "OK");
    site.seconds(1);
    let orders = site.heard.borrow()["g"].orders[&push.session].clone();
    assert_eq!((&orders[1]["generation"], &orders[1]["record"]), (&"2.1".into(), &true.into()));
    assert_eq!(site.files(), [], "what the gateway cuts before it hears is in the same file");
    push.confirm_at(&site, "2.1");
    site.seconds(2);
    assert_eq!(site.files_of(&push), [[0, 1, 2]]);
    assert_eq!(site.index_files("cam").len(), 1);
    site.record(&mut push, 3);
    site.end(&push);
    site.seconds(20);
    assert_eq!(site.files_of(&push), [[0, 1, 2], [3, 4, 5]]);
    assert_eq!(site.spans("cam"), [(0, 33)], "nothing is missing between the two");
}

#[test]
fn a_restart_closes_the_file_of_an_encoder_that_has_stalled() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 3);
    // No frame has come for ten minutes. The connection stands, and the gateway is heard.
    site.seconds(600);
    assert_eq!((site.files(), site.state("cam")), (vec![], "online".into()));
    assert_eq!(site.command("cam", "restart"), "OK");
    site.seconds(1);
    push.confirm_at(&site, "2.1");
    site.seconds(2);
    assert_eq!(site.files_of(&push), [[0, 1, 2]]);
    site.seconds(600);
    assert_eq!(site.files().len(), 1);
}

#[test]
fn a_restart_closes_the_file_with_the_last_chunk_before_it_whatever_becomes_of_that() {
    for is_lost in [false, true] {
        let site = Site::new();
        site.start("g", "spool.1");
        let mut push = site.begin("g", "cam");
        site.record(&mut push, 2);
        assert_eq!(site.command("cam", "restart"), "OK");
        site.seconds(5);
        // Chunk 2 was cut before the order, and is still on its way.
        push.seq = 3;
        push.confirm_at(&site, "2.1");
        site.seconds(5);
        assert_eq!(site.files(), []);
        push.generation = "1.0".into();
        if is_lost {
            site.lose(&push, 2, 10..15).unwrap();
        } else {
            site.chunk(&push, 2, 10..15).unwrap();
        }
        site.seconds(10);
        let first = if is_lost { vec![0, 1] } else { vec![0, 1, 2] };
        assert_eq!(site.files_of(&push), [first], "the chunk is lost: {is_lost}");
    }
}

#[test]
fn a_restart_that_is_given_twice_begins_two_files_and_loses_nothing() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    assert_eq!((site.command("cam", "restart"), site.command("cam", "restart")), ("OK".into(), "OK".into()));
    site.seconds(1);
    // Nothing came between the two: the gateway goes by the later one.
    push.confirm_at(&site, "3.2");
    site.record(&mut push, 2);
    assert_eq!(site.files_of(&push), [[0, 1]]);
    site.end(&push);
    site.seconds(20);
    assert_eq!(site.files_of(&push), [[0, 1], [2, 3]]);
}

#[test]
fn a_restart_during_a_push_that_then_ends_closes_both_files() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    assert_eq!(site.command("cam", "restart"), "OK");
    // The push ends before its gateway has heard; an end confirms every order.
    site.end(&push);
    push.seq = 2;
    site.seconds(3);
    assert_eq!(site.files_of(&push), [[0, 1]]);
}
