//! A stream that is pushed in pieces, and what is recorded of it.

use std::time::{Duration, Instant};

use anyhow::Result;
use harness::server::Server;
use harness::{api, bucket};

use crate::flv_tags::Tag;
use crate::publisher::Publisher;
use crate::source::{SHORT, clip};

/// Streaming domain of every stream here.
const DOMAIN: &str = "breaks.example.com";

/// Length of the slices, in seconds: longer than a piece.
const SLICE_S: &str = "5";

/// Length of a piece of the show.
pub(crate) const PIECE: Duration = Duration::from_secs(4);

/// How far a record file may be from the length that it should have: what is on its way at a crash, and a frame.
const TOLERANCE_S: f64 = 0.5;

/// How far a break may be from the length that it should have. A test of breaks that differ by more proves nothing.
const LATE: Duration = Duration::from_millis(500);

/// How long a record file may take beyond its rule's delay.
pub(crate) const SLACK: Duration = Duration::from_secs(30);

/// A stream of an application, whose publisher may come and go.
pub(crate) struct Show<'a> {
    server: &'a Server,
    app: &'a str,
    stream: &'a str,
    /// When the last frame was sent.
    last: Option<Instant>,
}

/// Records every stream of an application that is away for longer than `delay_s` in another file.
pub(crate) fn record(server: &Server, app: &str, delay_s: u64) {
    api::add_rule(server, DOMAIN, app, SLICE_S, &delay_s.to_string()).unwrap();
}

impl<'a> Show<'a> {
    pub(crate) fn new(server: &'a Server, app: &'a str, stream: &'a str) -> Self {
        Self { server, app, stream, last: None }
    }

    /// Begins to publish, and sends nothing yet.
    pub(crate) fn publish(&self, rtmp: &str) -> Publisher {
        Publisher::of_stream(rtmp, DOMAIN, self.app, self.stream).unwrap()
    }

    /// Sends a piece of the show in real time: the first or the second one of a push.
    pub(crate) fn send(&mut self, publisher: &mut Publisher, piece: u32) -> Result<()> {
        let from_ms = u64::from(piece) * PIECE.as_millis() as u64;
        let piece_ms = from_ms..from_ms + PIECE.as_millis() as u64;
        let clip = clip(SHORT);
        let tags = clip.tags.iter().filter(|tag| piece_ms.contains(&tag.sent_ms));
        let sent = publisher.send_paced(&tags.cloned().collect::<Vec<Tag>>(), 1.0);
        self.last = Some(Instant::now());
        sent
    }

    /// Sends the first piece so long after the last frame.
    pub(crate) fn send_after(&mut self, away: Duration, publisher: &mut Publisher) -> Result<()> {
        let due = self.last.expect("something was sent") + away;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let late = due.elapsed();
        assert!(late < LATE, "{}: this machine is {late:?} late, which decides nothing", self.stream);
        self.send(publisher, 0)
    }

    /// Sleeps until so long after the last frame.
    pub(crate) fn stay_away(&self, away: Duration) {
        let due = self.last.expect("something was sent") + away;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }

    /// Ends the stream as encoders do.
    pub(crate) fn finish(&self, publisher: Publisher) {
        publisher.finish(self.stream).unwrap();
    }

    /// Gives a command as soon as it can be given.
    pub(crate) fn command(&self, command: &str) {
        let names = [("DomainName", DOMAIN), ("AppName", self.app), ("StreamName", self.stream)];
        let begun = Instant::now();
        loop {
            let parameters = [&names[..], &[("Command", command)]].concat();
            let (status, answer) = api::call(self.server, "RealTimeRecordCommand", &parameters).unwrap();
            if status == 200 {
                return;
            }
            assert!(begun.elapsed() < SLACK, "{}: {command}: {answer}", self.stream);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Lengths of its record files, in order, in seconds.
    pub(crate) fn files(&self) -> Vec<f64> {
        let prefix = format!("record/{}/{}/", self.app, self.stream);
        let mut files = bucket::recordings(self.server, "recordings", &prefix).unwrap();
        files.sort_by_key(|file| file.playlist.segments[0].program_date_time);
        files.iter().map(bucket::Recording::duration_s).collect()
    }

    /// Waits until the record files hold what they should, and checks that they are as long as expected.
    pub(crate) fn expect_files(&self, expected_s: &[f64], patience: Duration) {
        let begun = Instant::now();
        let whole_s: f64 = expected_s.iter().sum();
        let files = loop {
            let files = self.files();
            if files.iter().sum::<f64>() > whole_s - TOLERANCE_S || begun.elapsed() > patience {
                break files;
            }
            std::thread::sleep(Duration::from_millis(200));
        };
        let is_near = |(found, expected): (&f64, &f64)| (found - expected).abs() < TOLERANCE_S;
        let are_right = files.len() == expected_s.len() && files.iter().zip(expected_s).all(is_near);
        assert!(are_right, "{}: record files of {files:?} s, not {expected_s:?} s", self.stream);
    }
}
