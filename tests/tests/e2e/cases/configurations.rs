//! Sequence headers that are empty, nearly right, repeated, or said in two ways.

use crate::flv_tags::Tag;
use crate::source::{PLAIN, SETS_IN_BAND};
use crate::stage::{Case, Push};

/// An AVC sequence header without a record, and an AAC one without a configuration.
const EMPTY_VIDEO: &[u8] = &[0x17, 0, 0, 0, 0];
const EMPTY_AUDIO: &[u8] = &[0xaf, 0];

pub(super) const CASES: &[Case] = &[
    // bluenviron/mediamtx#6132, #6118: a camera says nothing before it says the configuration.
    Case {
        name: "empty-configurations-first",
        clip: PLAIN,
        push: |push| {
            push.bent(|tag| match tag {
                _ if tag.is_video_header() => vec![tag.with_body(EMPTY_VIDEO), tag.clone()],
                _ if tag.is_audio_header() => vec![tag.with_body(EMPTY_AUDIO), tag.clone()],
                _ => vec![tag.clone()],
            })
        },
    },
    Case {
        name: "empty-configurations-again",
        clip: PLAIN,
        push: |push| {
            before_later_keyframes(push, |_, tag| {
                vec![tag.with_body(EMPTY_VIDEO), audio(tag, EMPTY_AUDIO.to_vec())]
            })
        },
    },
    Case {
        name: "empty-and-real-configurations-again",
        clip: PLAIN,
        push: |push| {
            let (video, sound) = headers(push);
            before_later_keyframes(push, |_, tag| {
                let empty = [tag.with_body(EMPTY_VIDEO), audio(tag, EMPTY_AUDIO.to_vec())];
                let real = [tag.with_body(video.clone()), audio(tag, sound.clone())];
                [empty, real].concat()
            })
        },
    },
    Case {
        name: "empty-configuration-in-the-middle",
        clip: PLAIN,
        push: |push| {
            let at = push.clip.tags.iter().position(|tag| tag.sent_ms > 4_300 && tag.is_picture()).unwrap();
            let mut tags = push.clip.tags.clone();
            tags.insert(at, tags[at].with_body(EMPTY_VIDEO));
            push.tags(&tags)
        },
    },
    // BililiveRecorder/BililiveRecorder#79: several nearly equal headers before the first frame, the last is right.
    Case {
        name: "nearly-equal-headers",
        clip: PLAIN,
        push: |push| {
            push.bent(|tag| {
                if tag.is_video_header() {
                    let mut other_profile = tag.body.clone();
                    other_profile[6] = 0x4d;
                    vec![tag.with_body(other_profile), tag.clone()]
                } else if tag.is_audio_header() {
                    vec![tag.with_body(without_extension(&tag.body)), tag.clone()]
                } else {
                    vec![tag.clone()]
                }
            })
        },
    },
    Case {
        name: "equivalent-headers-by-turns",
        clip: PLAIN,
        push: |push| {
            let (_, sound) = headers(push);
            before_later_keyframes(push, |number, tag| {
                let is_short = number % 2 == 1;
                vec![audio(tag, if is_short { without_extension(&sound) } else { sound.clone() })]
            })
        },
    },
    Case {
        name: "headers-with-stray-times",
        clip: PLAIN,
        push: |push| {
            let (video, sound) = headers(push);
            before_later_keyframes(push, |number, tag| {
                let stray_ms = match number {
                    2 => 0,
                    4 => 7_200_000,
                    _ => return Vec::new(),
                };
                let pair = [tag.with_body(video.clone()), audio(tag, sound.clone())];
                pair.map(|header| header.stamped(stray_ms)).to_vec()
            })
        },
    },
    // bluenviron/mediamtx#4200: a record with two parameter sets of a kind, and one with none.
    Case {
        name: "two-sequence-parameter-sets",
        clip: SETS_IN_BAND,
        push: |push| {
            push.bent(|tag| {
                rewrite_record(tag, |record, sps, rest| {
                    [&record[..5], &[0xe2], &sps_entry(sps), &sps_entry(sps), rest].concat()
                })
            })
        },
    },
    Case {
        name: "no-parameter-sets-in-the-record",
        clip: SETS_IN_BAND,
        push: |push| push.bent(|tag| rewrite_record(tag, |record, _, _| [&record[..5], &[0xe0, 0]].concat())),
    },
    Case {
        name: "no-sequence-header",
        clip: SETS_IN_BAND,
        push: |push| push.bent(|tag| if tag.is_video_header() { Vec::new() } else { vec![tag.clone()] }),
    },
];

/// Sends what `headers` makes before each keyframe but the first; they are counted from 1.
fn before_later_keyframes(
    push: &Push<'_>,
    mut headers: impl FnMut(usize, &Tag) -> Vec<Tag>,
) -> anyhow::Result<()> {
    let mut keyframes = 0;
    push.bent(|tag| {
        if !tag.is_keyframe() {
            return vec![tag.clone()];
        }
        keyframes += 1;
        let mut tags = if keyframes > 1 { headers(keyframes - 1, tag) } else { Vec::new() };
        tags.push(tag.clone());
        tags
    })
}

/// The bodies of the clip's sequence headers: video and audio.
fn headers(push: &Push<'_>) -> (Vec<u8>, Vec<u8>) {
    let find = |is_header: fn(&Tag) -> bool| push.clip.tags.iter().find(|tag| is_header(tag)).unwrap();
    (find(Tag::is_video_header).body.clone(), find(Tag::is_audio_header).body.clone())
}

/// An audio tag at the place of another.
fn audio(at: &Tag, body: Vec<u8>) -> Tag {
    Tag { kind: crate::flv_tags::Kind::Audio, ..at.with_body(body) }
}

/// An AAC sequence header whose configuration ends before its extension, which says that there is none.
fn without_extension(header: &[u8]) -> Vec<u8> {
    header[..4].to_vec()
}

/// Makes a record anew of the old one, its first sequence parameter set and what follows that.
type Rewrite = fn(&[u8], &[u8], &[u8]) -> Vec<u8>;

/// Rewrites the record of an AVC sequence header (14496-15 §5.3.3.1.2), given its first sequence parameter set
/// and what follows that one.
fn rewrite_record(tag: &Tag, rewrite: Rewrite) -> Vec<Tag> {
    if !tag.is_video_header() {
        return vec![tag.clone()];
    }
    let record = tag.payload();
    let length = usize::from(u16::from_be_bytes([record[6], record[7]]));
    let (sps, rest) = record[8..].split_at(length);
    vec![tag.with_payload(&rewrite(record, sps, rest))]
}

fn sps_entry(sps: &[u8]) -> Vec<u8> {
    [&(sps.len() as u16).to_be_bytes()[..], sps].concat()
}

recorded_like_a_clean_push! {
    empty_configurations_before_the_real_ones_count_for_nothing: "empty-configurations-first",
    an_empty_configuration_replaces_none_that_can_be_used: "empty-configurations-again",
    a_configuration_that_comes_again_after_an_empty_one_cuts_nothing: "empty-and-real-configurations-again",
    an_empty_configuration_between_keyframes_loses_no_track: "empty-configuration-in-the-middle",
    the_last_of_several_headers_before_the_first_frame_counts: "nearly-equal-headers",
    configurations_that_mean_the_same_cut_nothing: "equivalent-headers-by-turns",
    the_time_of_a_header_means_nothing: "headers-with-stray-times",
    a_record_may_repeat_a_parameter_set: "two-sequence-parameter-sets",
    parameter_sets_are_found_in_band_where_the_record_has_none: "no-parameter-sets-in-the-record",
    parameter_sets_are_found_in_band_where_there_is_no_record: "no-sequence-header",
}
