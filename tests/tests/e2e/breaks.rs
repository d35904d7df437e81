//! Breaks and commands of live streams, between processes: functions, a line to them, and gateways.

mod relay;
mod show;

use std::thread;
use std::time::Duration;

use harness::gateway::Gateway;
use harness::server::Server;

use relay::{Held, Relay};
use show::{PIECE, SLACK, Show, record};

/// The shortest delay of a rule, and a long one, in seconds.
const DELAY_S: u64 = 15;
const LONG_DELAY_S: u64 = 180;

const DELAY: Duration = Duration::from_secs(DELAY_S);
const SECOND: Duration = Duration::from_secs(1);
const HOLD: Duration = Duration::from_millis(500);

/// How long a command may take that closes a file.
const AT_ONCE: Duration = Duration::from_secs(15);

/// How long a publisher may take to connect.
const CONNECT: Duration = Duration::from_secs(3);

/// Lengths of a piece of a show, and of two in one file, in seconds.
const ONE_S: f64 = 4.0;
const TWO_S: f64 = 8.0;

/// Holds begins and ends as the name of their stream says.
fn hold(path: &str) -> Held {
    let is_call = path.ends_with("/sessions") && path.contains("begin-")
        || path.ends_with("/end") && path.contains("end-");
    let held = if is_call { HOLD } else { Duration::ZERO };
    if path.contains("-answer") {
        Held { answer: held, ..Held::default() }
    } else {
        Held { call: held, ..Held::default() }
    }
}

#[test]
fn a_break_is_judged_by_its_length_whatever_is_slow() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("up")).unwrap();
    record(&server, "live", DELAY_S);
    let relay = Relay::start(&server.functions, hold).unwrap();
    let gateway = Gateway::start(&relay.url, &folder.path().join("gateway")).unwrap();
    let slow = ["prompt", "begin-", "end-", "begin-end-", "begin-end-answer"];
    let breaks = [("short", DELAY - SECOND, &[TWO_S][..]), ("long", DELAY + SECOND, &[ONE_S, ONE_S])];
    thread::scope(|scope| {
        for (length, away, files) in breaks {
            for slow in slow {
                for ends in ["told", "cut"] {
                    let (server, rtmp) = (&server, &gateway.rtmp);
                    scope.spawn(move || {
                        let stream = format!("{slow}{length}-{ends}");
                        let mut show = Show::new(server, "live", &stream);
                        let mut publisher = show.publish(rtmp);
                        show.send(&mut publisher, 0).unwrap();
                        if ends == "told" {
                            show.finish(publisher);
                        } else {
                            publisher.hang_up().unwrap();
                        }
                        show.stay_away(away - CONNECT);
                        let mut publisher = show.publish(rtmp);
                        show.send_after(away, &mut publisher).unwrap();
                        show.finish(publisher);
                        show.expect_files(files, DELAY + SLACK);
                    });
                }
            }
        }
    });
}

#[test]
fn an_outage_of_the_functions_changes_no_break() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("up")).unwrap();
    record(&server, "live", DELAY_S);
    let relay = Relay::start(&server.functions, |_| Held::default()).unwrap();
    let gateway = Gateway::start(&relay.url, &folder.path().join("gateway")).unwrap();
    let begun = std::time::Instant::now();
    let until = |time: Duration| thread::sleep(time.saturating_sub(begun.elapsed()));
    let (cut, long) = (PIECE, DELAY + SECOND);
    let streams = [
        ("before", Duration::ZERO, SECOND, &[TWO_S][..]),
        ("within", PIECE + SECOND, SECOND, &[TWO_S]),
        ("long", Duration::ZERO, long, &[ONE_S, ONE_S]),
    ];
    thread::scope(|scope| {
        let mut pushing = Vec::new();
        for (stream, from, away, files) in streams {
            let (server, rtmp, until) = (&server, &gateway.rtmp, &until);
            pushing.push(scope.spawn(move || {
                until(from);
                let mut show = Show::new(server, "live", stream);
                let mut publisher = show.publish(rtmp);
                show.send(&mut publisher, 0).unwrap();
                // What came before the cut is told a little later than it was cut.
                show.finish(publisher);
                show.stay_away(away.saturating_sub(CONNECT));
                let mut publisher = show.publish(rtmp);
                show.send_after(away, &mut publisher).unwrap();
                show.finish(publisher);
                (show, files)
            }));
        }
        // The first pushes have begun by then, and none has ended.
        until(cut - SECOND);
        relay.cut();
        let shows: Vec<_> = pushing.into_iter().map(|push| push.join().unwrap()).collect();
        until(cut + long + PIECE);
        relay.mend();
        for (show, files) in shows {
            show.expect_files(files, DELAY + SLACK);
        }
    });
}

#[test]
fn a_gateway_that_is_killed_in_mid_push_changes_no_break() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("up")).unwrap();
    record(&server, "live", DELAY_S);
    let gateway = Gateway::start(&server.functions, &folder.path().join("gateway")).unwrap();
    let streams = [("soon", DELAY - SECOND, &[TWO_S][..]), ("late", DELAY + SECOND, &[ONE_S, ONE_S])];
    let mut shows = streams.map(|(stream, away, files)| (Show::new(&server, "live", stream), away, files));
    let mut publishers: Vec<_> = shows.iter().map(|(show, ..)| show.publish(&gateway.rtmp)).collect();
    thread::scope(|scope| {
        for ((show, ..), publisher) in shows.iter_mut().zip(&mut publishers) {
            scope.spawn(move || show.send(publisher, 0).unwrap());
        }
    });
    // What came is on disk a tenth of a second later.
    thread::sleep(Duration::from_millis(300));
    let gateway = gateway.kill_and_start_again().unwrap();
    drop(publishers);
    thread::scope(|scope| {
        for (show, away, files) in &mut shows {
            let rtmp = &gateway.rtmp;
            scope.spawn(move || {
                show.stay_away(*away - CONNECT);
                let mut publisher = show.publish(rtmp);
                show.send_after(*away, &mut publisher).unwrap();
                show.finish(publisher);
                show.expect_files(files, DELAY + SLACK);
            });
        }
    });
}

#[test]
fn a_command_closes_the_file_at_once_also_while_the_encoder_is_stalled() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("up")).unwrap();
    record(&server, "live", LONG_DELAY_S);
    record(&server, "paused", DELAY_S);
    let commands = [&["restart"][..], &["stop", "cancel_delay"]];
    thread::scope(|scope| {
        for commands in commands {
            for is_stalled in [false, true] {
                let server = &server;
                scope.spawn(move || {
                    let stream = format!("{}-{is_stalled}", commands[0]);
                    let mut show = Show::new(server, "live", &stream);
                    let mut publisher = show.publish(&server.rtmp);
                    show.send(&mut publisher, 0).unwrap();
                    commands.iter().for_each(|command| show.command(command));
                    if !is_stalled {
                        show.send(&mut publisher, 1).unwrap();
                    }
                    let begun = std::time::Instant::now();
                    while show.files().is_empty() {
                        assert!(begun.elapsed() < AT_ONCE, "{stream}: no file is closed");
                        thread::sleep(Duration::from_millis(100));
                    }
                    // It ends at the first keyframe after the command, or with the last frame.
                    let length_s = show.files()[0];
                    assert!((ONE_S - 0.5..TWO_S - 1.0).contains(&length_s), "{stream}: {length_s} s");
                    if is_stalled {
                        show.send(&mut publisher, 1).unwrap();
                    }
                    show.finish(publisher);
                });
            }
        }
        let server = &server;
        scope.spawn(move || {
            let mut show = Show::new(server, "paused", "stop");
            let mut publisher = show.publish(&server.rtmp);
            show.send(&mut publisher, 0).unwrap();
            show.command("stop");
            // The push goes on: what is closed is the file.
            show.expect_files(&[ONE_S], DELAY + SLACK);
            show.command("start");
            show.send(&mut publisher, 1).unwrap();
            show.finish(publisher);
            show.expect_files(&[ONE_S, ONE_S], DELAY + SLACK);
        });
    });
}
