//! A codec that changes, and HEVC as different encoders signal it.

use harness::bucket::Recording;

use crate::flv_tags::Tag;
use crate::hevc;
use crate::judge::{frames, plays, same_frames};
use crate::source::{MP3, OTHER_SIZE, PLAIN, SHORT, clip, clip_file};
use crate::stage::{Case, Push, recorded};

use super::tracks::{is_a_file_each, reconnect};

pub(super) const CASES: &[Case] = &[
    // An encoder that comes back with its sound, or its picture, set up otherwise.
    Case {
        name: "mp3-after-aac",
        clip: SHORT,
        push: |push| reconnect(push, &push.clip.tags, &clip(MP3).tags),
    },
    Case {
        name: "hevc-after-h264",
        clip: SHORT,
        push: |push| reconnect(push, &push.clip.tags, &legacy_hevc()),
    },
    // A mixer that mutes, and goes on with other sound.
    Case { name: "mp3-after-silence", clip: SHORT, push: |push| push.tags(&mp3_after_silence(push)) },
    // BililiveRecorder/BililiveRecorder#79: two pushes glued together on one connection.
    Case {
        name: "other-size-in-the-middle",
        clip: PLAIN,
        push: |push| push.tags(&glued(&push.clip.tags, clip(OTHER_SIZE).tags.clone(), 14_000)),
    },
    Case {
        name: "hevc-in-the-middle",
        clip: SHORT,
        push: |push| push.tags(&glued(&push.clip.tags, legacy_hevc(), 8_000)),
    },
    // Enhanced RTMP with the other FourCC of HEVC: its record may have no parameter sets (14496-15 §8.4.1).
    Case {
        name: "hev1-with-sets-in-band",
        clip: SHORT,
        push: |push| {
            let clip = hevc::clip();
            // The arrays of parameter sets begin at the 23rd byte.
            let record = [&clip.record[..22], &[0]].concat();
            push.tags(&hevc::tags(clip, &record, enhanced))
        },
    },
];

/// Sound until 3 s, and from 5 s on by another codec.
fn mp3_after_silence(push: &Push<'_>) -> Vec<Tag> {
    let of_clip = push.clip.tags.iter().filter(|tag| !tag.is_sound() || tag.sent_ms < 3_000);
    let mp3 = clip(MP3);
    let after = mp3.tags.iter().filter(|tag| tag.is_sound() && tag.sent_ms >= 5_000);
    let mut tags: Vec<Tag> = of_clip.chain(after).cloned().collect();
    tags.sort_by_key(|tag| tag.sent_ms);
    tags
}

/// HEVC by codec id 12, beside the sound of the clip of 8 s.
fn legacy_hevc() -> Vec<Tag> {
    let clip_of_hevc = hevc::clip();
    let video = hevc::tags(clip_of_hevc, &clip_of_hevc.record, |is_header, is_key| {
        vec![if is_key { 0x1c } else { 0x2c }, u8::from(!is_header), 0, 0, 0]
    });
    let is_sound = |tag: &&Tag| tag.is_sound() || tag.is_audio_header();
    let mut tags: Vec<Tag> = clip(SHORT).tags.iter().filter(is_sound).cloned().chain(video).collect();
    tags.sort_by_key(|tag| tag.sent_ms);
    tags
}

/// The header of Enhanced RTMP: a sequence header, or a frame without composition time.
fn enhanced(is_header: bool, is_key: bool) -> Vec<u8> {
    let packet_type = if is_header { 0 } else { 3 };
    let frame_type = if is_key { 1 } else { 2 };
    [&[0x80 | frame_type << 4 | packet_type][..], b"hev1"].concat()
}

/// Another push on the same connection, whose times begin at zero again.
fn glued(tags: &[Tag], second: Vec<Tag>, after_ms: u64) -> Vec<Tag> {
    let second = second.into_iter().map(|tag| Tag { sent_ms: tag.sent_ms + after_ms, ..tag });
    tags.iter().cloned().chain(second).collect()
}

#[test]
fn another_codec_of_the_sound_begins_the_next_file() {
    is_a_file_each("mp3-after-aac");
}

#[test]
fn another_codec_of_the_sound_after_silence_begins_the_next_file_at_a_keyframe() {
    let recorded = recorded("mp3-after-silence");
    plays(recorded);
    let seconds: Vec<f64> = recorded.files.iter().map(Recording::duration_s).collect();
    assert!(
        matches!(seconds[..], [first, second] if (first - 4.0).abs() <= 0.05 && (second - 4.0).abs() <= 0.11),
        "{seconds:?}"
    );
    let video = same_frames(recorded, &frames(&clip_file(SHORT), "v"), "v");
    assert!(video.spread_ms <= 2.0, "{video:?}");
}

#[test]
fn another_codec_of_the_picture_begins_the_next_file() {
    is_a_file_each("hevc-after-h264");
}

#[test]
fn another_codec_of_the_picture_in_the_middle_begins_the_next_file() {
    is_a_file_each("hevc-in-the-middle");
}

#[test]
fn another_size_goes_on_in_the_file() {
    let recorded = recorded("other-size-in-the-middle");
    plays(recorded);
    let seconds: Vec<f64> = recorded.files.iter().map(Recording::duration_s).collect();
    assert!(matches!(seconds[..], [seconds] if (seconds - 26.0).abs() <= 0.2), "{seconds:?}");
}

#[test]
fn hevc_with_its_parameter_sets_in_band_is_recorded() {
    let recorded = recorded("hev1-with-sets-in-band");
    plays(recorded);
    let video = same_frames(recorded, &frames(&hevc::clip().file, "v"), "v");
    assert!(video.spread_ms <= 2.0, "{video:?}");
}
