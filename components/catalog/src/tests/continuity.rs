//! Where files end among slices that cannot be entered, bring tracks or say little of how long they play.

use store::memory::MemoryStore;

use super::files::{close_all, due};
use super::{SECOND, run, session, stream};
use crate::commands::give;
use crate::content::{recorded_spans, slices_between};
use crate::files::{advance, entries};
use crate::log::{self, PAGE};
use crate::sessions::{begin, end, heartbeat};
use crate::types::{
    AudioTrack, ChunkStatus, Command, Container, Format, NextFile, PictureSize, RecordFile, Slice, VideoTrack,
};

const BEGAN_MS: u64 = 100_000;

fn video(codec: &str) -> Option<VideoTrack> {
    Some(VideoTrack { codec: codec.into(), size: None })
}

fn audio() -> Option<AudioTrack> {
    Some(AudioTrack { codec: "aac".into() })
}

/// Slices of 5 s with both tracks, as changed by `change`.
fn slices(count: u64, change: impl Fn(u64, &mut Slice)) -> Vec<Slice> {
    let slice = |seq| {
        let mut slice = super::slice(BEGAN_MS, seq);
        change(seq, &mut slice);
        slice
    };
    (0..count).map(slice).collect()
}

async fn commit_all(store: &MemoryStore, id: &str, slices: Vec<Slice>) {
    for (seq, slice) in (0..).zip(slices) {
        let now_ms = slice.start_ms + 5_000;
        let commit = log::Commit { slice: Some(slice), remux_state: Vec::new(), anchor_ms: 1, now_ms };
        assert_eq!(log::commit(store, id, seq, commit).await, Ok(ChunkStatus::Committed));
    }
}

/// A push of these slices that goes on.
async fn live(slices: Vec<Slice>) -> MemoryStore {
    let store = MemoryStore::with_any_key();
    begin(&store, session("x", BEGAN_MS)).await.unwrap();
    commit_all(&store, "x", slices).await;
    store
}

/// How many slices each file of a push holds that has ended.
async fn files(slices: Vec<Slice>) -> Vec<u64> {
    let store = live(slices).await;
    end(&store, "x", BEGAN_MS + 100_000).await.unwrap();
    let (runs, next) = close_all(&store, BEGAN_MS + 200_000).await;
    assert_eq!(next, NextFile::None);
    runs.into_iter().map(|[_, first, _, end]| end - first).collect()
}

#[test]
fn a_slice_that_brings_a_track_begins_the_next_file() {
    run(async {
        let late_sound = |seq, slice: &mut Slice| slice.audio = audio().filter(|_| seq >= 2);
        assert_eq!(files(slices(4, late_sound)).await, [2, 2]);
        let late_picture = |seq, slice: &mut Slice| slice.video = video("h264").filter(|_| seq >= 1);
        assert_eq!(files(slices(4, late_picture)).await, [1, 3]);
        let first_sound_then_picture_then_both = |seq, slice: &mut Slice| match seq {
            0 => slice.video = None,
            1 => slice.audio = None,
            _ => {}
        };
        assert_eq!(files(slices(4, first_sound_then_picture_then_both)).await, [1, 1, 2]);
    });
}

#[test]
fn the_file_before_a_track_is_due_as_soon_as_the_track_is_there() {
    run(async {
        let store = live(slices(3, |seq, slice| slice.audio = audio().filter(|_| seq == 2))).await;
        let file = due(&store, BEGAN_MS + 15_000).await;
        assert_eq!((file.slice_count, file.duration90khz), (2, 10 * SECOND));
    });
}

#[test]
fn a_track_that_falls_silent_ends_nothing() {
    run(async {
        let by_turns = |seq, slice: &mut Slice| match seq % 4 {
            1 => slice.audio = None,
            3 => slice.video = None,
            _ => {}
        };
        assert_eq!(files(slices(4, by_turns)).await, [4]);
    });
}

#[test]
fn another_codec_begins_the_next_file_and_another_size_does_not() {
    run(async {
        let hevc = |seq, slice: &mut Slice| slice.video = video(if seq == 1 { "hevc" } else { "h264" });
        assert_eq!(files(slices(3, hevc)).await, [1, 1, 1]);
        let mp3 = |seq, slice: &mut Slice| {
            slice.audio = Some(AudioTrack { codec: if seq == 2 { "mp3" } else { "aac" }.into() });
        };
        assert_eq!(files(slices(4, mp3)).await, [2, 1, 1]);
        let larger = |seq: u64, slice: &mut Slice| {
            let size = Some(PictureSize { width: 320 + seq as u32, height: 240 });
            slice.video = Some(VideoTrack { codec: "h264".into(), size });
        };
        assert_eq!(files(slices(3, larger)).await, [3]);
    });
}

#[test]
fn a_push_that_comes_back_with_other_tracks_begins_the_next_file() {
    run(async {
        for (sound_before, sound_after, expected) in
            [(true, false, vec![1, 1]), (false, true, vec![1, 1]), (true, true, vec![2])]
        {
            let sound = |wanted| move |_, slice: &mut Slice| slice.audio = audio().filter(|_| wanted);
            let store = live(slices(1, sound(sound_before))).await;
            end(&store, "x", BEGAN_MS + 5_000).await.unwrap();
            begin(&store, session("y", BEGAN_MS + 9_000)).await.unwrap();
            commit_all(&store, "y", slices(1, sound(sound_after))).await;
            end(&store, "y", BEGAN_MS + 14_000).await.unwrap();
            let mut counts = Vec::new();
            while let NextFile::Due(file) =
                advance(&store, &stream(), Container::M3u8, BEGAN_MS + 100_000).await.unwrap()
            {
                counts.push(file.slice_count);
                crate::files::commit_file(&store, &stream(), file).await.unwrap();
            }
            assert_eq!(counts, expected, "{sound_before} {sound_after}");
        }
    });
}

#[test]
fn a_container_that_can_take_tracks_up_is_not_split() {
    run(async {
        let store = MemoryStore::with_any_key();
        let mut session = session("x", BEGAN_MS);
        session.rule.as_mut().unwrap().formats = vec![Format {
            container: Container::Mp4,
            cycle_seconds: 20,
            object_prefix: "f".into(),
            slices: None,
        }];
        begin(&store, session).await.unwrap();
        commit_all(&store, "x", slices(4, |seq, slice| slice.audio = audio().filter(|_| seq >= 2))).await;
        end(&store, "x", BEGAN_MS + 20_000).await.unwrap();
        let next = advance(&store, &stream(), Container::Mp4, BEGAN_MS + 20_000).await.unwrap();
        assert!(matches!(next, NextFile::Due(RecordFile { slice_count: 4, .. })), "{next:?}");
    });
}

#[test]
fn a_cycle_ends_where_the_next_file_can_be_entered() {
    run(async {
        // A keyframe each 25 s, and cycles of 20 s.
        let long_gop = |seq: u64, slice: &mut Slice| slice.independent = seq.is_multiple_of(5);
        assert_eq!(files(slices(12, long_gop)).await, [5, 5, 2]);
        // Nothing can be entered after the begin: the next file is not waited for forever.
        assert_eq!(files(slices(12, |seq, slice| slice.independent = seq == 0)).await, [8, 4]);
        // The first slice of all cannot be entered, and no other file could hold it.
        assert_eq!(files(slices(5, |seq, slice| slice.independent = seq > 0)).await, [4, 1]);
    });
}

#[test]
fn a_file_cut_by_command_ends_where_the_next_can_be_entered() {
    run(async {
        let store = live(slices(1, |_, _| {})).await;
        give(&store, &stream(), Command::Restart, BEGAN_MS + 7_000).await.unwrap();
        // The slice being recorded is the old file's, and so is the one after it, which goes on in its pictures.
        commit_all(&store, "x", slices(4, |seq, slice| slice.independent = seq != 2)).await;
        let file = due(&store, BEGAN_MS + 21_000).await;
        assert_eq!(file.slice_count, 3);
    });
}

#[test]
fn a_whole_file_closes_once_its_session_has_ended_or_has_been_still_for_the_delay() {
    run(async {
        let store = live(slices(4, |_, _| {})).await;
        let name = stream();
        let at = |now_ms| advance(&store, &name, Container::M3u8, now_ms);
        for now_ms in (BEGAN_MS + 20_000..BEGAN_MS + 35_000).step_by(5_000) {
            heartbeat(&store, "g", 0, now_ms).await.unwrap();
            assert_eq!(at(now_ms).await, Ok(NextFile::NotBefore(now_ms + 1_000)));
        }
        let now_ms = BEGAN_MS + 35_000;
        assert!(matches!(at(now_ms).await, Ok(NextFile::Due(_))));

        let store = live(slices(4, |_, _| {})).await;
        end(&store, "x", BEGAN_MS + 20_000).await.unwrap();
        assert_eq!(due(&store, BEGAN_MS + 20_000).await.slice_count, 4);
    });
}

/// Slices of one frame each, 5 s apart: each says only how long one frame plays.
fn one_frame_each(count: u64) -> Vec<Slice> {
    slices(count, |_, slice| slice.duration90khz = SECOND / 25)
}

#[test]
fn slices_that_say_little_play_until_the_next_one_begins() {
    run(async {
        let store = live(one_frame_each(9)).await;
        let first = due(&store, BEGAN_MS + 45_000).await;
        assert_eq!((first.slice_count, first.duration90khz), (4, 20 * SECOND));
        assert_eq!((first.start_ms, first.end_ms), (BEGAN_MS, BEGAN_MS + 20_000));
        end(&store, "x", BEGAN_MS + 45_000).await.unwrap();
        assert_eq!(files(one_frame_each(9)).await, [4, 4, 1]);

        let spans = recorded_spans(&store, &stream(), 0, u64::MAX).await.unwrap();
        let [span] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((span.start_ms, span.end_ms), (BEGAN_MS, BEGAN_MS + 40_040));
        assert_eq!(span.duration90khz, 40 * SECOND + SECOND / 25);
        // Between two frames the first of them plays.
        let inside = recorded_spans(&store, &stream(), BEGAN_MS + 7_000, BEGAN_MS + 8_000).await.unwrap();
        let times: Vec<_> = inside.iter().map(|span| (span.start_ms, span.end_ms)).collect();
        assert_eq!(times, [(BEGAN_MS + 5_000, BEGAN_MS + 10_000)]);

        let index = slices_between(&store, &stream(), BEGAN_MS, BEGAN_MS + 15_000, false).await.unwrap();
        let durations: Vec<_> = index.iter().map(|found| found.entry.slice.duration90khz).collect();
        assert_eq!(durations, [5 * SECOND; 3]);
    });
}

#[test]
fn tracks_that_reach_past_the_next_slice_count_once() {
    run(async {
        // Sound of each slice ends 200 ms after the picture of the next one begins.
        let overlapping = slices(9, |_, slice| slice.duration90khz += SECOND / 5);
        let store = live(overlapping).await;
        end(&store, "x", BEGAN_MS + 45_200).await.unwrap();
        let mut total = 0;
        while let NextFile::Due(file) =
            advance(&store, &stream(), Container::M3u8, BEGAN_MS + 100_000).await.unwrap()
        {
            let listed = entries(&store, &stream(), file.slices).await.unwrap();
            let (_, before_last) = listed.split_last().unwrap();
            assert!(before_last.iter().all(|entry| entry.slice.duration90khz == 5 * SECOND));
            total += file.duration90khz;
            crate::files::commit_file(&store, &stream(), file).await.unwrap();
        }
        assert_eq!(total, 45 * SECOND + SECOND / 5);
    });
}

#[test]
fn an_index_into_a_long_gop_begins_where_it_can_be_entered() {
    run(async {
        let store = live(slices(PAGE + 10, |seq, slice| slice.independent = seq % 5 == 0)).await;
        let found = async |from_s: u64, to_s: u64| -> Vec<u64> {
            let range = (BEGAN_MS + from_s * 1000, BEGAN_MS + to_s * 1000);
            let found = slices_between(&store, &stream(), range.0, range.1, false).await.unwrap();
            found.iter().map(|found| (found.entry.slice.start_ms - BEGAN_MS) / 5_000).collect()
        };
        assert_eq!(found(15, 30).await, [0, 1, 2, 3, 4, 5]);
        assert_eq!(found(25, 30).await, [5]);
        // The entry lies in the page before.
        assert_eq!(found(PAGE * 5, PAGE * 5 + 1).await, [PAGE - 4, PAGE - 3, PAGE - 2, PAGE - 1, PAGE]);
        // A range without a slice's begin stays empty.
        assert!(found(16, 17).await.is_empty());
    });
}

#[test]
fn an_index_goes_back_over_no_gap_and_not_forever() {
    run(async {
        let gap =
            |seq: u64, slice: &mut Slice| (slice.independent, slice.discontinuity) = (seq == 0, seq == 2);
        let never = |_, slice: &mut Slice| slice.independent = false;
        for change in [&gap as &dyn Fn(u64, &mut Slice), &never] {
            let store = live(slices(4, change)).await;
            let found = slices_between(&store, &stream(), BEGAN_MS + 15_000, u64::MAX, false).await.unwrap();
            assert_eq!(found.len(), 1);
        }
    });
}

#[test]
fn an_index_over_tracks_that_change_says_where() {
    run(async {
        let late_sound = |seq, slice: &mut Slice| {
            (slice.audio, slice.discontinuity) = (audio().filter(|_| seq >= 2), seq == 2);
        };
        let store = live(slices(4, late_sound)).await;
        let found = slices_between(&store, &stream(), 0, u64::MAX, false).await.unwrap();
        let discontinuities: Vec<_> = found.iter().map(|found| found.entry.discontinuity).collect();
        assert_eq!(discontinuities, [false, false, true, false]);
    });
}
