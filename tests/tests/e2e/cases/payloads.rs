//! Media that is framed as FLV does not frame it, and that FFmpeg reads all the same.

use crate::flv_tags::{Tag, nal_units};
use crate::source::{IN_SLICES, PLAIN};
use crate::stage::Case;

pub(super) const CASES: &[Case] = &[
    // ant-media/Ant-Media-Server#3790: ADTS in every message, with and without a configuration.
    Case {
        name: "adts-without-a-configuration",
        clip: PLAIN,
        push: |push| push.bent(|tag| if tag.is_audio_header() { Vec::new() } else { vec![with_adts(tag)] }),
    },
    Case {
        name: "adts-beside-a-configuration",
        clip: PLAIN,
        push: |push| push.bent(|tag| vec![with_adts(tag)]),
    },
    // bilibili/flv.js#473: start codes in place of lengths, under an ordinary record.
    Case {
        name: "annex-b",
        clip: PLAIN,
        push: |push| push.bent(|tag| vec![with_start_codes(tag, &[0, 0, 0, 1])]),
    },
    Case {
        name: "annex-b-of-three-bytes",
        clip: PLAIN,
        push: |push| push.bent(|tag| vec![with_start_codes(tag, &[0, 0, 1])]),
    },
    // bilibili/flv.js#689: bytes after the last NAL unit.
    Case {
        name: "an-empty-unit-last",
        clip: PLAIN,
        push: |push| push.bent(|tag| vec![with_rest(tag, &[0, 0, 0, 0])]),
    },
    Case { name: "two-zeros-last", clip: PLAIN, push: |push| push.bent(|tag| vec![with_rest(tag, &[0, 0])]) },
    Case {
        name: "two-other-bytes-last",
        clip: PLAIN,
        push: |push| push.bent(|tag| vec![with_rest(tag, &[0x5a, 0xa5])]),
    },
    // Each slice of a picture in a message of its own, with a stamp of its own or with that of the picture.
    Case { name: "slices-1-ms-apart", clip: IN_SLICES, push: |push| push.bent(|tag| slices(tag, 1)) },
    Case { name: "slices-of-one-stamp", clip: IN_SLICES, push: |push| push.bent(|tag| slices(tag, 0)) },
];

/// A frame behind an ADTS header (14496-3 §1.A.2): AAC LC, 44.1 kHz, stereo, no checksum.
fn with_adts(tag: &Tag) -> Tag {
    if !tag.is_sound() {
        return tag.clone();
    }
    let frame = tag.payload();
    let length = (frame.len() + 7) as u64;
    // Syncword, MPEG-4, no checksum; profile, rate, channels; the length, a buffer of any fullness, one frame.
    let header = 0xfff1 << 40 | 1 << 38 | 4 << 34 | 2 << 30 | length << 13 | 0x7ff << 2;
    tag.with_payload(&[&u64::to_be_bytes(header)[1..], frame].concat())
}

fn with_start_codes(tag: &Tag, start_code: &[u8]) -> Tag {
    if !tag.is_picture() {
        return tag.clone();
    }
    let units = nal_units(tag.payload());
    tag.with_payload(&units.into_iter().flat_map(|unit| [start_code, unit].concat()).collect::<Vec<u8>>())
}

fn with_rest(tag: &Tag, rest: &[u8]) -> Tag {
    if tag.is_picture() { tag.with_payload(&[tag.payload(), rest].concat()) } else { tag.clone() }
}

/// A message for each slice of a picture; what stands before the first slice goes with it.
fn slices(tag: &Tag, apart_ms: i64) -> Vec<Tag> {
    if !tag.is_picture() {
        return vec![tag.clone()];
    }
    let (mut messages, mut payload) = (Vec::new(), Vec::new());
    for unit in nal_units(tag.payload()) {
        payload.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        payload.extend_from_slice(unit);
        if matches!(unit[0] & 0x1f, 1 | 5) {
            let timestamp_ms = i64::from(tag.timestamp_ms) + apart_ms * messages.len() as i64;
            messages.push(tag.with_payload(&std::mem::take(&mut payload)).stamped(timestamp_ms));
        }
    }
    assert_eq!(messages.len(), 4, "a picture of the clip has four slices");
    messages
}

recorded_like_a_clean_push! {
    adts_in_messages_says_the_configuration: "adts-without-a-configuration",
    adts_beside_a_configuration_is_taken_off: "adts-beside-a-configuration",
    start_codes_in_place_of_lengths_are_read: "annex-b",
    start_codes_of_three_bytes_are_read: "annex-b-of-three-bytes",
    an_empty_unit_costs_no_picture: "an-empty-unit-last",
    zeros_after_the_last_unit_cost_no_picture: "two-zeros-last",
    bytes_after_the_last_unit_cost_no_picture: "two-other-bytes-last",
    slices_with_stamps_of_their_own_are_one_picture: "slices-1-ms-apart",
    slices_in_messages_of_one_stamp_are_one_picture: "slices-of-one-stamp",
}
