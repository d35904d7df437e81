//! What publishers send beside the media, or around it, and other servers pass over.

use anyhow::Result;

use crate::flv_tags::{Kind, Tag};
use crate::publisher::{
    AGGREGATE, COMMAND_AMF0, COMMAND_AMF3, Header, Publisher, USER_CONTROL, null, number,
};
use crate::source::PLAIN;
use crate::stage::{Case, Push};

/// A chunk stream that nothing has used before.
const FRESH: u8 = 7;

/// The header of a message that belongs to the connection.
const CONTROL: Header = Header::Full { timestamp_ms: 0, stream_id: 0 };

pub(super) const CASES: &[Case] = &[
    // ossrs/srs#1006: the first chunk of a chunk stream has a header of type 1, as librtmp writes it.
    Case {
        name: "fresh-type-1-audio",
        clip: PLAIN,
        push: |push| {
            let mut last_ms = 0;
            push.by_hand(|publisher, _, tag| {
                if tag.kind != Kind::Audio {
                    return publisher.send(tag);
                }
                let delta_ms = tag.timestamp_ms - last_ms;
                last_ms = tag.timestamp_ms;
                publisher.message(FRESH, tag.kind.type_id(), Header::Delta { delta_ms }, &tag.body)
            })
        },
    },
    Case {
        name: "fresh-type-1-ping",
        clip: PLAIN,
        push: |push| {
            at_tag_100(push, |publisher| {
                publisher.message(FRESH, USER_CONTROL, Header::Delta { delta_ms: 0 }, &[0, 7, 0, 0, 0, 1])
            })
        },
    },
    // Commands that cannot be read, and one whose name is a number.
    Case {
        name: "empty-command",
        clip: PLAIN,
        push: |push| at_tag_100(push, |publisher| publisher.message(3, COMMAND_AMF0, CONTROL, &[])),
    },
    Case {
        name: "amf3-command",
        clip: PLAIN,
        push: |push| {
            at_tag_100(push, |publisher| publisher.message(3, COMMAND_AMF3, CONTROL, b"\x11\x06\x0bhello"))
        },
    },
    Case {
        name: "cut-command",
        clip: PLAIN,
        push: |push| {
            at_tag_100(push, |publisher| publisher.message(3, COMMAND_AMF0, CONTROL, b"\x02\0\x09on"))
        },
    },
    Case {
        name: "nameless-command",
        clip: PLAIN,
        push: |push| at_tag_100(push, |publisher| publisher.command(0, &[number(7.0), number(8.0), null()])),
    },
    // Aggregate messages (RTMP 1.0 §7.1.6): ten tags at a time, stamped as they are, and counted from zero.
    Case { name: "aggregates", clip: PLAIN, push: |push| aggregated(push, 0) },
    Case { name: "aggregates-from-zero", clip: PLAIN, push: |push| aggregated(push, 1) },
];

/// Pushes the clip, and sends something else after its first 100 tags.
fn at_tag_100(push: &Push<'_>, mut send: impl FnMut(&mut Publisher) -> Result<()>) -> Result<()> {
    push.by_hand(|publisher, at, tag| {
        publisher.send(tag)?;
        if at == 100 { send(publisher) } else { Ok(()) }
    })
}

/// Pushes the clip's frames in aggregates; the times inside begin with that of the message, or with zero.
fn aggregated(push: &Push<'_>, from_zero: u32) -> Result<()> {
    let mut waiting: Vec<Tag> = Vec::new();
    let last = push.clip.tags.len() - 1;
    push.by_hand(|publisher, at, tag| {
        if !(tag.is_picture() || tag.is_sound()) {
            return publisher.send(tag);
        }
        waiting.push(tag.clone());
        if waiting.len() < 10 && at < last {
            return Ok(());
        }
        let timestamp_ms = waiting[0].timestamp_ms;
        let mut body = Vec::new();
        for tag in waiting.drain(..) {
            let [t0, t1, t2, t3] = (tag.timestamp_ms - timestamp_ms * from_zero).to_be_bytes();
            let size = (tag.body.len() as u32).to_be_bytes();
            body.extend_from_slice(&[tag.kind.type_id(), size[1], size[2], size[3], t1, t2, t3, t0, 0, 0, 0]);
            body.extend_from_slice(&tag.body);
            body.extend_from_slice(&(tag.body.len() as u32 + 11).to_be_bytes());
        }
        publisher.message(6, AGGREGATE, Header::Full { timestamp_ms, stream_id: 1 }, &body)
    })
}

recorded_like_a_clean_push! {
    a_chunk_stream_may_begin_with_a_header_of_type_1: "fresh-type-1-audio",
    a_control_message_may_come_with_a_header_of_type_1: "fresh-type-1-ping",
    an_empty_command_is_passed_over: "empty-command",
    a_command_in_amf3_is_passed_over: "amf3-command",
    a_cut_command_is_passed_over: "cut-command",
    a_command_without_a_name_is_passed_over: "nameless-command",
    aggregates_are_taken_apart: "aggregates",
    times_inside_an_aggregate_count_from_its_first: "aggregates-from-zero",
}
