use super::{
    Frame::{Audio, Inter, Key},
    *,
};

const POLICY: ChunkPolicy = ChunkPolicy { target_ms: 5_000, max_ms: 20_000, max_bytes: 1_000_000 };

/// A frame, its timestamp, and when it arrives.
type Sent = (Frame, u32, u64);

/// Tells where frames are cut, as the recorder does.
struct Chunks {
    cutter: Cutter,
    sent: Vec<Sent>,
    /// First frames of the chunks but the first.
    starts: Vec<usize>,
    /// The last keyframe of the current chunk.
    mark: Option<(usize, Mark)>,
}

impl Chunks {
    fn new(policy: ChunkPolicy) -> Self {
        Self { cutter: Cutter::new(policy), sent: Vec::new(), starts: Vec::new(), mark: None }
    }

    fn add(&mut self, (frame, timestamp_ms, arrival_ms): Sent, bytes: u64) {
        let at = self.sent.len();
        let cut = self.cutter.take(frame, timestamp_ms, arrival_ms);
        let is_full = !self.cutter.fits(bytes);
        if at == 0 {
            self.cutter.begin(frame.track(), 0);
        } else if is_full || cut == Cut::Here {
            self.cutter.begin(frame.track(), 0);
            self.starts.push(at);
            self.mark = None;
        } else if cut == Cut::AtKeyframe {
            match self.mark.take() {
                // As the recorder does: a chunk that begins there is left as it is.
                Some((start, _)) if self.starts.last() == Some(&start) => {}
                Some((start, mark)) => {
                    self.cutter.cut_back(mark, 0);
                    self.starts.push(start);
                }
                None => {
                    self.cutter.begin(frame.track(), 0);
                    self.starts.push(at);
                }
            }
        }
        if self.cutter.is_entry(frame) {
            self.mark = Some((at, self.cutter.mark()));
        }
        self.cutter.add(bytes);
        self.sent.push((frame, timestamp_ms, arrival_ms));
    }

    fn of(sent: impl IntoIterator<Item = Sent>) -> Self {
        let mut chunks = Self::new(POLICY);
        sent.into_iter().for_each(|sent| chunks.add(sent, 1));
        chunks
    }

    /// When the chunks but the first begin, by arrival.
    fn times_ms(&self) -> Vec<u64> {
        self.starts.iter().map(|&at| self.sent[at].2).collect()
    }

    #[track_caller]
    fn check_keyframes(&self) {
        assert!(self.starts.iter().all(|&at| self.sent[at].0 == Key), "{:?}", self.times_ms());
    }
}

/// A push of 25 pictures a second with a keyframe every two, and of a sound every 20 ms: each with the time at
/// which it arrives, in order.
fn show(seconds: u32) -> Vec<Sent> {
    let video = (0..seconds * 25).map(|at| (if at % 50 == 0 { Key } else { Inter }, at * 40));
    let audio = (0..seconds * 50).map(|at| (Audio, at * 20 + 5));
    let mut sent: Vec<_> = video.chain(audio).map(|(frame, ms)| (frame, ms, u64::from(ms))).collect();
    sent.sort_by_key(|&(.., arrival_ms)| arrival_ms);
    sent
}

/// The show with other stamps.
fn stamped(seconds: u32, stamp: impl Fn(Frame, u32) -> u32) -> Vec<Sent> {
    show(seconds).into_iter().map(|(frame, ms, arrival_ms)| (frame, stamp(frame, ms), arrival_ms)).collect()
}

const EVERY_6_S: [u64; 3] = [6_000, 12_000, 18_000];

#[test]
fn video_is_cut_at_the_first_keyframe_past_the_target() {
    let chunks = Chunks::of(show(24));
    assert_eq!(chunks.times_ms(), EVERY_6_S);
    chunks.check_keyframes();
    let video = show(24).into_iter().filter(|(frame, ..)| *frame != Audio);
    assert_eq!(Chunks::of(video).times_ms(), EVERY_6_S);
}

#[test]
fn under_a_backlog_chunks_are_longer_and_still_begin_with_keyframes() {
    let mut chunks = Chunks::new(POLICY);
    for sent in show(48) {
        chunks.cutter.has_backlog = (10_000..38_001).contains(&sent.2);
        chunks.add(sent, 1);
    }
    assert_eq!(chunks.times_ms(), [6_000, 22_000, 38_000, 44_000]);
    chunks.check_keyframes();
}

#[test]
fn timestamps_that_stand_still_are_cut_by_arrival() {
    let at = |(frame, timestamp_ms, arrival_ms): Sent| (frame, timestamp_ms.min(7_000), arrival_ms);
    let chunks = Chunks::of(show(70).into_iter().map(at));
    assert_eq!(chunks.times_ms(), [6_000, 26_000, 46_000, 66_000]);
    chunks.check_keyframes();
    // Without keyframes and sound, too.
    let chunks = Chunks::of((0..100).map(|second| (Inter, 0, second * 1_000)));
    assert_eq!(chunks.times_ms(), [40_000, 80_000]);
}

#[test]
fn tracks_whose_clocks_differ_are_cut_alike() {
    let by_track = |video: u32, audio: u32| {
        stamped(24, move |frame, ms| ms.wrapping_add(if frame == Audio { audio } else { video }))
    };
    let days = 86_400_000;
    for (video, audio) in [
        (21 * days, 10_000),
        (10_000, 21 * days),
        (0, 3_500),
        (3_500, 0),
        (0, 10_500),
        (u32::MAX - 9_000, 0),
        (0, u32::MAX - 9_000),
        (1 << 31, 0),
    ] {
        let chunks = Chunks::of(by_track(video, audio));
        assert_eq!(chunks.times_ms(), EVERY_6_S, "{video} {audio}");
        chunks.check_keyframes();
    }
    // Sound that stands still, picture that stands still by its stamps.
    assert_eq!(
        Chunks::of(stamped(24, |frame, ms| if frame == Audio { 7 } else { ms })).times_ms(),
        EVERY_6_S
    );
    let times_ms = Chunks::of(stamped(24, |frame, ms| if frame == Audio { ms } else { 7 })).times_ms();
    assert!((3..=5).contains(&times_ms.len()), "{times_ms:?}");
}

#[test]
fn tracks_that_arrive_apart_are_cut_alike() {
    for late_ms in [200, 1_000, 3_000, 8_000] {
        for late in [true, false] {
            let mut sent = show(24);
            for (frame, _, arrival_ms) in &mut sent {
                *arrival_ms += if (*frame == Audio) == late { late_ms } else { 0 };
            }
            sent.sort_by_key(|&(.., arrival_ms)| arrival_ms);
            sent.retain(|&(.., arrival_ms)| arrival_ms < 24_000);
            let chunks = Chunks::of(sent);
            let count = chunks.starts.len();
            assert!((3..=4).contains(&count), "{late_ms} {late}: {:?}", chunks.times_ms());
            if late {
                chunks.check_keyframes();
            }
        }
    }
}

#[test]
fn sound_that_lags_behind_begins_no_chunk_inside_the_picture() {
    for late_ms in [500, 1_000, 3_000, 5_000, 8_000] {
        let mut sent = show(23);
        for (frame, _, arrival_ms) in &mut sent {
            *arrival_ms += if *frame == Audio { late_ms } else { 0 };
        }
        sent.sort_by_key(|&(.., arrival_ms)| arrival_ms);
        // What sound is left when the picture has ended goes into the last chunk.
        Chunks::of(sent).check_keyframes();
    }
}

#[test]
fn sound_in_bursts_cuts_at_keyframes_alone() {
    for burst_ms in [500, 1_500, 3_000] {
        let mut sent = show(24);
        for (frame, _, arrival_ms) in &mut sent {
            if *frame == Audio {
                *arrival_ms = arrival_ms.next_multiple_of(burst_ms);
            }
        }
        sent.sort_by_key(|&(.., arrival_ms)| arrival_ms);
        Chunks::of(sent).check_keyframes();
    }
}

#[test]
fn jumps_and_glitches_shatter_nothing() {
    type Stamp = fn(Frame, u32) -> u32;
    let stamps: [(&str, Stamp); 8] = [
        ("a jump forward of both", |_, ms| if ms < 9_000 { ms } else { ms + 3_600_000 }),
        ("a jump back of both", |_, ms| if ms < 9_000 { ms + 3_600_000 } else { ms }),
        ("a jump of sound", |frame, ms| if frame == Audio && ms >= 9_000 { ms + 5_000 } else { ms }),
        (
            "a jump of the picture back",
            |frame, ms| if frame != Audio && ms >= 9_000 { ms - 8_000 } else { ms },
        ),
        ("each second picture is elsewhere", |frame, ms| {
            if frame != Audio && ms / 40 % 2 == 1 { ms + 8_000 } else { ms }
        }),
        ("each second sound is elsewhere", |frame, ms| {
            if frame == Audio && ms / 20 % 2 == 1 { ms + 3_600_000 } else { ms }
        }),
        ("one glitch a second", |_, ms| if ms % 1_000 < 5 { ms + 4_000 } else { ms }),
        ("the push begins anew", |_, ms| if ms < 9_000 { ms } else { ms - 9_000 }),
    ];
    for (what, stamp) in stamps {
        let chunks = Chunks::of(stamped(24, stamp));
        let count = chunks.starts.len();
        assert!((2..=4).contains(&count), "{what}: {:?}", chunks.times_ms());
        chunks.check_keyframes();
    }
}

#[test]
fn a_picture_that_stops_leaves_the_cuts_to_sound() {
    // Gone after 6 s, for good; then back at 18 s.
    for back_ms in [u32::MAX, 18_000] {
        let sent =
            show(24).into_iter().filter(|&(frame, ms, _)| frame == Audio || ms < 6_000 || ms >= back_ms);
        let chunks = Chunks::of(sent);
        let times_ms = chunks.times_ms();
        let lengths: Vec<_> = times_ms.iter().zip([0].iter().chain(&times_ms)).map(|(b, a)| b - a).collect();
        assert!((2..=4).contains(&lengths.len()), "{times_ms:?}");
        assert!(lengths.iter().all(|length| (4_900..7_200).contains(length)), "{times_ms:?}");
    }
}

#[test]
fn slow_pictures_are_no_stillness() {
    for every_ms in [1_000, 2_000, 4_000] {
        // Only keyframes, far apart, with sound.
        let mut sent: Vec<_> = show(60).into_iter().filter(|(frame, ..)| *frame == Audio).collect();
        sent.extend((0..60_000 / every_ms).map(|at| (Key, at * every_ms, u64::from(at * every_ms))));
        sent.sort_by_key(|&(.., arrival_ms)| arrival_ms);
        let chunks = Chunks::of(sent);
        chunks.check_keyframes();
        assert!((6..=11).contains(&chunks.starts.len()), "{every_ms}: {:?}", chunks.times_ms());
    }
    // Alone, a picture each five seconds, at its pace and as fast as it goes.
    for pace in [1, 0] {
        let sent = (0..12).map(|at| (Key, at * 5_000, u64::from(at * 5_000 * pace)));
        let chunks = Chunks::of(sent);
        assert!((5..=11).contains(&chunks.starts.len()), "{:?}", chunks.starts);
    }
}

#[test]
fn how_slow_pictures_were_long_ago_does_not_count() {
    // A picture each four seconds for 20 s, then 25 a second until 44 s, then none.
    let sent = show(60).into_iter().filter(|&(frame, ms, _)| match frame {
        Audio => true,
        _ => ms < 44_000 && (ms >= 20_000 || ms % 4_000 == 0),
    });
    let times_ms = Chunks::of(sent).times_ms();
    let last: Vec<_> = times_ms.into_iter().filter(|start| *start >= 44_000).collect();
    assert!((44_900..47_000).contains(&last[0]) && last.len() == 3, "{last:?}");
}

#[test]
fn sound_alone_is_cut_on_time() {
    let sent = show(24).into_iter().filter(|(frame, ..)| *frame == Audio);
    assert_eq!(Chunks::of(sent).times_ms(), [5_005, 10_005, 15_005, 20_005]);
}

#[test]
fn a_pause_is_cut_at_its_end() {
    let policy = ChunkPolicy { target_ms: 30_000, max_ms: 60_000, ..POLICY };
    for frame in [Audio, Inter, Key] {
        // At the pace of the media, at six times that, and as fast as it goes.
        for (pace, is_pause) in [(1, true), (6, true), (1_000, false)] {
            let mut chunks = Chunks::new(policy);
            let sent = (0..400).map(|at| at * 20).chain((0..400).map(|at| 20_000 + at * 20));
            sent.for_each(|ms| chunks.add((frame, ms, u64::from(ms) / pace), 1));
            let expected: &[usize] = if is_pause { &[400] } else { &[] };
            assert_eq!(chunks.starts, expected, "{frame:?} at {pace}");
        }
    }
    // One track goes on: the push has not paused.
    let gone =
        show(40).into_iter().filter(|&(frame, ms, _)| frame == Audio || !(6_000..20_000).contains(&ms));
    let mut chunks = Chunks::new(policy);
    gone.for_each(|sent| chunks.add(sent, 1));
    assert!(chunks.times_ms().iter().all(|start| *start != 20_000), "{:?}", chunks.times_ms());
}

#[test]
fn a_pause_that_arrives_fast_is_part_of_one_chunk() {
    for pace in [1, 6, 1_000] {
        let away = |ms: u32, pause_ms: u32| (15_000..15_000 + pause_ms).contains(&ms);
        // A pause of the sound alone, which may end a chunk, but not fill the next one.
        let sent = show(40).into_iter().filter(|&(frame, ms, _)| frame == Audio && !away(ms, 8_000));
        let chunks = Chunks::of(sent.map(|(frame, ms, at)| (frame, ms, at / pace)));
        let times_ms: Vec<u32> = chunks.starts.iter().map(|&at| chunks.sent[at].1).collect();
        assert!(times_ms.is_sorted_by(|a, b| b - a >= 5_000), "{pace}: {times_ms:?}");
        // A pause of both, after which the sound makes no picture still.
        let sent = show(40).into_iter().filter(|&(_, ms, _)| !away(ms, 5_000));
        Chunks::of(sent.map(|(frame, ms, at)| (frame, ms, at / pace))).check_keyframes();
    }
}

#[test]
fn a_group_of_pictures_past_the_maximum_is_cut_anyway() {
    let long = |(frame, ms, arrival_ms): Sent| match frame {
        Key if ms % 26_000 != 0 => (Inter, ms, arrival_ms),
        _ => (frame, ms, arrival_ms),
    };
    let chunks = Chunks::of(show(55).into_iter().map(long));
    assert_eq!(chunks.times_ms(), [20_000, 26_000, 46_000, 52_000]);

    let mut chunks = Chunks::new(ChunkPolicy { max_bytes: 1_000, ..POLICY });
    for (at, (frame, bytes)) in
        [(Key, 600), (Audio, 400), (Inter, 1), (Audio, 999), (Audio, 5_000), (Key, 5_000)]
            .into_iter()
            .enumerate()
    {
        chunks.add((frame, at as u32 * 40, 0), bytes);
    }
    assert_eq!(chunks.starts, [2, 4, 5]);
}

#[test]
fn a_late_picture_begins_a_chunk() {
    for (from_ms, expected) in [(1_000, &EVERY_6_S[..]), (10_000, &[5_005, 10_000, 16_000, 22_000])] {
        let sent = show(24).into_iter().filter(|&(frame, ms, _)| frame == Audio || ms >= from_ms);
        let chunks =
            Chunks::of(sent.map(|(frame, ms, at)| if ms == 1_000 { (Key, ms, at) } else { (frame, ms, at) }));
        let times_ms = chunks.times_ms();
        // A second late it is in the first chunk beside the sound: nothing is cut for it.
        assert_eq!(times_ms, expected, "from {from_ms}");
    }
}

#[test]
fn late_sound_begins_a_chunk_at_the_keyframe_before_it() {
    for (from_ms, expected) in [
        (1_000, &EVERY_6_S[..]),
        (1_995, &EVERY_6_S),
        (12_500, &[6_000, 12_000, 18_000]),
        (14_500, &[6_000, 12_000, 14_000, 20_000]),
        (3_100, &[2_000, 8_000, 14_000, 20_000]),
    ] {
        let sent = show(24).into_iter().filter(|&(frame, ms, _)| frame != Audio || ms >= from_ms);
        let chunks = Chunks::of(sent);
        assert_eq!(chunks.times_ms(), expected, "from {from_ms}");
    }
}

#[test]
fn an_announced_track_is_awaited_for_two_seconds() {
    let policy = ChunkPolicy { target_ms: 1_000, ..POLICY };
    for (announced, from_ms, expected) in [
        (true, 1_500, vec![2_000, 4_000]),
        (true, 3_500, vec![2_000, 4_000]),
        (false, 3_500, vec![2_000, 4_000]),
    ] {
        let mut chunks = Chunks::new(policy);
        if announced {
            chunks.cutter.announce(Track::Audio);
        }
        let sent = show(5).into_iter().filter(|&(frame, ms, _)| frame != Audio || ms >= from_ms);
        sent.for_each(|sent| chunks.add(sent, 1));
        assert_eq!(chunks.times_ms(), expected, "{announced} {from_ms}");
    }
    // Sound alone could be cut each second, and the picture is announced.
    let sound = |ms| show(5).into_iter().filter(move |&(frame, at, _)| frame == Audio || at >= ms);
    let mut chunks = Chunks::new(policy);
    chunks.cutter.announce(Track::Video);
    sound(2_000).for_each(|sent| chunks.add(sent, 1));
    assert_eq!(chunks.times_ms(), [4_000]);
    let mut chunks = Chunks::new(policy);
    sound(2_000).for_each(|sent| chunks.add(sent, 1));
    assert_eq!(chunks.times_ms(), [1_005, 2_000, 4_000]);
}

/// Whether a chunk of so many bytes, headers among them, may end so long after its first frame came.
fn may_end(cutter: &mut Cutter, is_change: bool, header_bytes: u64, bytes: u64, arrival_ms: u64) -> bool {
    cutter.take(Key, 0, 0);
    cutter.arrival_ms = 0;
    cutter.begin(Track::Video, header_bytes);
    cutter.add(bytes - header_bytes);
    cutter.take(Key, 1, arrival_ms);
    cutter.may_end(is_change)
}

#[test]
fn a_chunk_ends_early_where_it_is_worth_a_file() {
    let mut cutter = Cutter::new(POLICY);
    for (header_bytes, bytes, arrival_ms) in
        [(200, 4_296, 0), (200, 250, 2_500), (100_000, 200_000, 0), (100_000, 100_020, 2_500)]
    {
        for _ in 0..100 {
            for is_change in [false, true] {
                assert!(
                    may_end(&mut cutter, is_change, header_bytes, bytes, arrival_ms),
                    "{header_bytes} {bytes}"
                );
            }
        }
    }
    // Long headers are not repeated for less than they have themselves, not even at first.
    assert!(!may_end(&mut cutter, true, 100_000, 199_999, 2_499));
    for chunk in 0..50 {
        let is_given =
            may_end(&mut Cutter { small_chunks: chunk * 25, ..cutter.clone() }, false, 100_000, 100_020, 0);
        assert_eq!(is_given, chunk < 40, "so many chunks of 25 blocks of headers: {chunk}");
    }
    for (is_change, most) in [(true, 16), (false, 1_024)] {
        for chunk in 0..most + 2 {
            assert_eq!(
                may_end(&mut cutter, is_change, 200, 4_295, 2_499),
                chunk < most,
                "small chunk {chunk}"
            );
        }
        assert!(may_end(&mut cutter, is_change, 200, 4_296, 0));
    }
}
