//! Timestamps that are not what they should be.

use crate::flv_tags::{Kind, Tag};
use crate::judge::{Expected, is_whole};
use crate::source::{LONG, PLAIN};
use crate::stage::{Case, recorded};

const DAY_MS: i64 = 86_400_000;

/// When the clip of 24 s has a keyframe in its middle, in milliseconds.
const MIDDLE_MS: u64 = 10_000;

pub(super) const CASES: &[Case] = &[
    // ossrs/srs#4586: the tracks count from times 21 days apart.
    Case {
        name: "clocks-21-days-apart",
        clip: LONG,
        push: |push| push.bent(|tag| shifted(tag, |tag| if is_video(tag) { 21 * DAY_MS } else { 10_000 })),
    },
    // bluenviron/mediamtx#2790: the tracks' times lie seconds apart from the start.
    Case {
        name: "audio-stamped-3500-ms-ahead",
        clip: LONG,
        push: |push| push.bent(|tag| shifted(tag, |tag| if is_video(tag) { 0 } else { 3_500 })),
    },
    // BililiveRecorder/BililiveRecorder#167: video restarts 48 s below audio in the middle, and stays there.
    Case {
        name: "video-restarts-48-s-below",
        clip: LONG,
        push: |push| {
            push.bent(|tag| {
                shifted(tag, |tag| if is_video(tag) && tag.sent_ms >= MIDDLE_MS { 2_000 } else { 50_000 })
            })
        },
    },
    // AlexxIT/go2rtc#1969: presentation times as timestamps, composition offsets of zero.
    Case {
        name: "presentation-times-as-timestamps",
        clip: PLAIN,
        push: |push| push.bent(|tag| vec![presentation_stamped(tag)]),
    },
    // BililiveRecorder/BililiveRecorder#527: all times step back at each second keyframe.
    Case {
        name: "steps-back-of-70-ms",
        clip: LONG,
        push: |push| push.bent(|tag| vec![stepping_back(tag, 70)]),
    },
    Case {
        name: "steps-back-of-400-ms",
        clip: LONG,
        push: |push| push.bent(|tag| vec![stepping_back(tag, 400)]),
    },
];

fn is_video(tag: &Tag) -> bool {
    tag.kind == Kind::Video
}

fn shifted(tag: &Tag, by_ms: impl Fn(&Tag) -> i64) -> Vec<Tag> {
    vec![tag.stamped(i64::from(tag.timestamp_ms) + by_ms(tag))]
}

fn presentation_stamped(tag: &Tag) -> Tag {
    if !tag.is_picture() {
        return tag.clone();
    }
    let stamped = tag.stamped(i64::from(tag.timestamp_ms) + i64::from(tag.composition_offset_ms()));
    let mut body = stamped.body.clone();
    body[2..5].fill(0);
    stamped.with_body(body)
}

/// Each 4 s of the show the clock of all tracks goes back by so much.
fn stepping_back(tag: &Tag, by_ms: i64) -> Tag {
    let steps = i64::from(tag.timestamp_ms) / 4_000;
    tag.stamped(i64::from(tag.timestamp_ms) - steps * by_ms)
}

/// Checks that a case is recorded in step, and in slices of about the length that the rule asks for.
fn is_in_step(name: &str) {
    let recorded = recorded(name);
    let expected = Expected { tolerance_ms: 50.0, ..Expected::EXACT };
    is_whole(recorded, &recorded.clip.tags, &expected);
    let slices: usize = recorded.files.iter().map(|file| file.playlist.segments.len()).sum();
    assert!((4..=5).contains(&slices), "{name}: {slices} slices");
}

#[test]
fn clocks_days_apart_are_brought_together() {
    is_in_step("clocks-21-days-apart");
}

#[test]
fn clocks_seconds_apart_are_brought_together() {
    is_in_step("audio-stamped-3500-ms-ahead");
}

#[test]
fn a_track_that_restarts_far_below_the_other_goes_on_in_step() {
    is_in_step("video-restarts-48-s-below");
}

#[test]
fn small_steps_back_of_all_tracks_squeeze_nothing() {
    is_in_step("steps-back-of-70-ms");
}

#[test]
fn larger_steps_back_of_all_tracks_squeeze_nothing() {
    is_in_step("steps-back-of-400-ms");
}

recorded_like_a_clean_push! {
    pictures_stamped_with_their_presentation_time_are_shown_then: "presentation-times-as-timestamps",
}
