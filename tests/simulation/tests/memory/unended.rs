//! Sessions that nobody ends.

use crate::site::Site;

#[test]
fn a_session_that_nobody_ends_does_not_hold_up_later_record_files() {
    let site = Site::new();
    site.start("g", "lost.1");
    let mut first = site.begin("g", "cam");
    site.record(&mut first, 2);
    // The gateway dies, and its spool with it: nobody will ever end that push.
    site.silence("g");
    site.seconds(12);
    site.start("g", "new.1");
    let mut second = site.begin("g", "cam");
    site.record(&mut second, 4);
    site.end(&second);
    site.seconds(20);
    assert_eq!(site.files_of(&second), [[0, 1, 2, 3]], "{:#?}", site.files());
    // What was recorded of the first one comes as a file, too, while a gateway of that name lives on.
    site.seconds(300);
    assert_eq!(site.files_of(&first), [[0, 1]], "{:#?}", site.files());
    assert_eq!(site.files().len(), 2);
    assert_eq!(site.state("cam"), "offline");
}

#[test]
fn a_session_that_the_next_boot_does_not_hold_ends_at_its_last_media() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut first = site.begin("g", "cam");
    site.record(&mut first, 3);
    // The folder of this push cannot be read any more, so the next boot does not name it.
    site.silence("g");
    site.start("g", "spool.2");
    assert_eq!(site.state("cam"), "offline");
    assert_eq!(site.command("cam", "stop"), "InvalidDomain.NotFound");
    let mut second = site.begin("g", "cam");
    site.record(&mut second, 2);
    site.end(&second);
    site.seconds(180);
    assert_eq!((site.files_of(&first), site.files_of(&second)), (vec![vec![0, 1, 2]], vec![vec![0, 1]]));
    assert_eq!(site.spans("cam").len(), 2, "a chunk of the first may still be on its way");
}

#[test]
fn a_session_that_the_next_boot_holds_goes_on_until_it_is_ended() {
    let site = Site::new();
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    site.silence("g");
    site.start_holding("g", "spool.2", &[&push]);
    site.seconds(60);
    // What was still in the spool.
    site.chunk(&push, 2, 10..15).unwrap();
    push.seq = 3;
    site.end_ago(&push, 55_000).unwrap();
    site.seconds(180);
    assert_eq!(site.files_of(&push), [[0, 1, 2]], "{:#?}", site.files());
}

#[test]
fn a_chunk_that_is_answered_404_holds_nobody_up() {
    let site = Site::new();
    site.start("g", "spool.1");
    // An offer that the gateway neither adopts nor sends a chunk of for hours is gone.
    let offer = site.offer("g", "cam", &serde_json::json!({})).unwrap();
    for _ in 0..3 {
        site.pass_ms(3_600_000);
        site.seconds(10);
    }
    assert_eq!(site.chunk(&offer, 0, 0..5).unwrap_err().0, 404);
    assert_eq!(site.end_ago(&offer, 0).unwrap_err().0, 404);
    // The gateway begins anew, and everything of the stream comes.
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 3);
    assert_eq!(site.chunk(&offer, 0, 0..5).unwrap_err().0, 404);
    site.end(&push);
    site.seconds(30);
    assert_eq!(site.files_of(&push), [[0, 1, 2]]);
    assert_eq!(site.files().len(), 1);
}
