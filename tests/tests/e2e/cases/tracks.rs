//! Tracks that come late, go, come back, or change between pushes; keyframes far apart.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use harness::bucket::Recording;

use crate::flv_tags::Tag;
use crate::judge::{Expected, is_whole, plays};
use crate::source::{LONG, LONG_GOP, PLAIN, SHORT};
use crate::stage::{Case, Push, recorded};
use crate::transport_stream::h264_access_units;

/// When the sound begins, in a push that begins without.
const SOUND_MS: u64 = 12_500;

/// When the picture begins, in a push that begins without: a keyframe's time.
const PICTURE_MS: u64 = 10_000;

/// When a track goes, and when it comes back.
const GONE_MS: u64 = 6_000;
const BACK_MS: u64 = 18_000;

/// How long the encoder is away between two pushes; less than the rule's delay.
const BREAK: Duration = Duration::from_secs(4);

pub(super) const CASES: &[Case] =
    &[
        Case { name: "clean", clip: PLAIN, push: |push| push.tags(&push.clip.tags) },
        // video-dev/hls.js#7245: a track begins later than the other, announced by its header or not.
        Case { name: "sound-late", clip: LONG, push: |push| push.tags(&sound_late(&push.clip.tags)) },
        Case {
            name: "sound-late-but-announced",
            clip: LONG,
            push: |push| {
                push.bent(|tag| {
                    if tag.is_sound() && tag.sent_ms < SOUND_MS { Vec::new() } else { vec![tag.clone()] }
                })
            },
        },
        Case { name: "picture-late", clip: LONG, push: |push| push.tags(&picture_late(&push.clip.tags)) },
        // A phone whose camera is taken away.
        Case { name: "picture-ends", clip: LONG, push: |push| push.tags(&picture_ends(&push.clip.tags)) },
        Case { name: "sound-ends", clip: LONG, push: |push| push.tags(&sound_ends(&push.clip.tags)) },
        Case { name: "picture-away", clip: LONG, push: |push| push.tags(&picture_away(&push.clip.tags)) },
        // GPUOpen-LibrariesAndSDKs/AMF#263, savonet/liquidsoap#5327: keyframes 25 s apart.
        Case { name: "long-gop", clip: LONG_GOP, push: |push| push.tags(&push.clip.tags) },
        // video-dev/hls.js#7245 by way of a reconnect: the encoder comes back with other tracks.
        Case {
            name: "sound-after-a-reconnect",
            clip: SHORT,
            push: |push| reconnect(push, &without_sound(&push.clip.tags), &push.clip.tags),
        },
        Case {
            name: "no-sound-after-a-reconnect",
            clip: SHORT,
            push: |push| reconnect(push, &push.clip.tags, &without_sound(&push.clip.tags)),
        },
    ];

fn sound_late(tags: &[Tag]) -> Vec<Tag> {
    late(tags, SOUND_MS, Tag::is_audio_header, Tag::is_sound)
}

fn picture_late(tags: &[Tag]) -> Vec<Tag> {
    late(tags, PICTURE_MS, Tag::is_video_header, Tag::is_picture)
}

/// The track's header comes with its first frame at or after `from_ms`.
fn late(tags: &[Tag], from_ms: u64, is_header: fn(&Tag) -> bool, is_frame: fn(&Tag) -> bool) -> Vec<Tag> {
    let header = tags.iter().find(|tag| is_header(tag)).unwrap();
    let is_kept = |tag: &&Tag| !is_header(tag) && (!is_frame(tag) || tag.sent_ms >= from_ms);
    let mut kept: Vec<Tag> = tags.iter().filter(is_kept).cloned().collect();
    let at = kept.iter().position(is_frame).unwrap();
    let header = kept[at].with_body(header.body.clone());
    kept.insert(at, header);
    kept
}

fn picture_ends(tags: &[Tag]) -> Vec<Tag> {
    tags.iter().filter(|tag| !(tag.is_picture() && tag.sent_ms >= GONE_MS)).cloned().collect()
}

fn sound_ends(tags: &[Tag]) -> Vec<Tag> {
    tags.iter().filter(|tag| !(tag.is_sound() && tag.sent_ms >= GONE_MS)).cloned().collect()
}

fn picture_away(tags: &[Tag]) -> Vec<Tag> {
    let is_away = |tag: &Tag| tag.is_picture() && (GONE_MS..BACK_MS).contains(&tag.sent_ms);
    tags.iter().filter(|tag| !is_away(tag)).cloned().collect()
}

fn without_sound(tags: &[Tag]) -> Vec<Tag> {
    tags.iter().filter(|tag| !tag.is_sound() && !tag.is_audio_header()).cloned().collect()
}

pub(super) fn reconnect(push: &Push<'_>, first: &[Tag], second: &[Tag]) -> Result<()> {
    push.in_real_time(first)?;
    std::thread::sleep(BREAK);
    push.tags(second)
}

/// Checks that each file begins where the one before it ends, to one frame of sound.
fn files_join(files: &[Recording]) {
    for pair in files.windows(2) {
        let begin =
            |file: &Recording| file.playlist.segments[0].program_date_time.unwrap().timestamp_millis();
        let end_ms = begin(&pair[0]) as f64 + pair[0].duration_s() * 1_000.0;
        let apart_ms = begin(&pair[1]) as f64 - end_ms;
        assert!(
            apart_ms.abs() <= 30.0,
            "{} begins {apart_ms} ms after {} ends",
            pair[1].object,
            pair[0].object
        );
    }
}

/// Checks that a push is recorded in two files, which together are what was pushed.
fn is_in_two_files(name: &str, reference: impl Fn(&[Tag]) -> Vec<Tag>) {
    let recorded = recorded(name);
    is_whole(recorded, &reference(&recorded.clip.tags), &Expected::EXACT);
    assert_eq!(recorded.files.len(), 2, "{name}");
    files_join(&recorded.files);
}

/// Checks that a push is recorded in one file of slices of about the length that the rule asks for.
fn is_in_one_file(name: &str, reference: impl Fn(&[Tag]) -> Vec<Tag>) {
    let recorded = recorded(name);
    is_whole(recorded, &reference(&recorded.clip.tags), &Expected::EXACT);
    assert_eq!(recorded.files.len(), 1, "{name}");
    for segment in &recorded.files[0].playlist.segments {
        assert!(segment.duration < 7.5, "{name}: a slice of {} s where 5 s are asked for", segment.duration);
    }
}

#[test]
fn a_late_sound_begins_the_next_file_and_both_add_up() {
    is_in_two_files("sound-late", sound_late);
}

#[test]
fn a_late_sound_that_was_announced_begins_the_next_file_and_both_add_up() {
    is_in_two_files("sound-late-but-announced", sound_late);
}

#[test]
fn a_late_picture_begins_the_next_file_and_both_add_up() {
    is_in_two_files("picture-late", picture_late);
}

/// The spans that the API tells are those of all tracks, whichever begins first or ends last.
fn span_is_that_of_all_tracks(name: &str) {
    let recorded = recorded(name);
    let answer = recorded.call("DescribeLiveStreamRecordContent", (-60, 120), &[]);
    let spans = answer["RecordContentInfoList"]["RecordContentInfo"].as_array().unwrap();
    let seconds: Vec<f64> = spans.iter().map(|span| span["Duration"].as_f64().unwrap()).collect();
    assert!(matches!(seconds[..], [seconds] if (seconds - 24.0).abs() <= 0.11), "{name}: {answer}");
}

#[test]
fn the_span_of_a_push_begins_with_its_first_track() {
    span_is_that_of_all_tracks("picture-late");
}

#[test]
fn the_span_of_a_push_ends_with_its_last_track() {
    span_is_that_of_all_tracks("picture-ends");
}

#[test]
fn a_picture_that_ends_ends_nothing() {
    is_in_one_file("picture-ends", picture_ends);
}

#[test]
fn a_sound_that_ends_ends_nothing() {
    is_in_one_file("sound-ends", sound_ends);
}

#[test]
fn a_picture_that_goes_and_comes_back_ends_nothing() {
    is_in_one_file("picture-away", picture_away);
}

#[test]
fn every_slice_says_its_parameter_sets_before_its_first_picture() {
    let recorded = recorded("long-gop");
    plays(recorded);
    for slice in recorded.files.iter().flat_map(Recording::slices) {
        let units = h264_access_units(&fs::read(&slice).unwrap());
        let first = &units[0];
        let picture = first.iter().position(|kind| matches!(kind, 1..=5)).unwrap();
        for set in [7, 8] {
            assert!(first[..picture].contains(&set), "{}: {first:?} lacks {set}", slice.display());
        }
    }
    is_whole(recorded, &recorded.clip.tags, &Expected::EXACT);
}

/// Checks that two pushes of 8 s, or the halves of one, are a file each.
pub(super) fn is_a_file_each(name: &str) {
    let recorded = recorded(name);
    plays(recorded);
    let seconds: Vec<f64> = recorded.files.iter().map(Recording::duration_s).collect();
    assert_eq!(seconds.len(), 2, "{name}: {seconds:?}");
    assert!(seconds.iter().all(|seconds| (seconds - 8.0).abs() <= 0.11), "{name}: {seconds:?}");
    let slices: Vec<usize> = recorded.files.iter().map(|file| file.playlist.segments.len()).collect();
    assert_eq!(slices, [2, 2], "{name}");
}

#[test]
fn a_push_with_sound_after_one_without_begins_the_next_file() {
    is_a_file_each("sound-after-a-reconnect");
}

#[test]
fn a_push_without_sound_after_one_with_begins_the_next_file() {
    is_a_file_each("no-sound-after-a-reconnect");
}

recorded_like_a_clean_push! {
    a_clean_push_is_recorded_whole: "clean",
}
