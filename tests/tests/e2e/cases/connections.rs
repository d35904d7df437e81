//! What publishers send beside the media, or around it, and other servers pass over.

use anyhow::Result;

use crate::flv_tags::{Kind, Tag};
use crate::publisher::{
    AGGREGATE, COMMAND_AMF0, COMMAND_AMF3, DATA_AMF0, DATA_AMF3, Header, Publisher, USER_CONTROL,
    WINDOW_ACKNOWLEDGEMENT_SIZE, null, number, object, string,
};
use crate::source::PLAIN;
use crate::stage::{APP, Case, INNER_APP, Push};

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
    // A second publish on the connection: of the same stream, and of another one whose media comes too.
    Case {
        name: "published-again",
        clip: PLAIN,
        push: |push| at_tag_100(push, |publisher| publisher.publish_on(1, push.stream)),
    },
    Case {
        name: "published-beside-another",
        clip: PLAIN,
        push: |push| {
            push.by_hand(|publisher, at, tag| {
                if at == 100 {
                    publisher.command(0, &[string("createStream"), number(8.0), null()])?;
                    publisher.publish_on(2, "another")?;
                }
                publisher.send(tag)?;
                let header = Header::Full { timestamp_ms: tag.timestamp_ms, stream_id: 2 };
                if at > 100 {
                    publisher.message(FRESH, tag.kind.type_id(), header, &tag.body)
                } else {
                    Ok(())
                }
            })
        },
    },
    // Where a stream belongs, said in other ways than usual.
    Case {
        name: "no-tc-url",
        clip: PLAIN,
        push: |push| push.opened_by(|publisher| publisher.publish(APP, push.stream, None), as_it_is),
    },
    Case {
        name: "two-levels",
        clip: PLAIN,
        push: |push| push.opened_by(|publisher| push.publish(publisher, INNER_APP, "x"), as_it_is),
    },
    Case {
        name: "default-instance",
        clip: PLAIN,
        push: |push| {
            let app = format!("{APP}/_definst_");
            push.opened_by(|publisher| push.publish(publisher, &app, push.stream), as_it_is)
        },
    },
    // A publisher that waits for no answer; all others wait for each, those of FCPublish and FCUnpublish too.
    Case {
        name: "waits-for-nothing",
        clip: PLAIN,
        push: |push| push.opened_by(|publisher| publisher.publish_unasked(APP, push.stream), as_it_is),
    },
    // A window in which each byte is to be acknowledged, and one of none.
    Case {
        name: "short-window",
        clip: PLAIN,
        push: |push| at_tag_100(push, |publisher| window(publisher, 1)),
    },
    Case { name: "no-window", clip: PLAIN, push: |push| at_tag_100(push, |publisher| window(publisher, 0)) },
    // Captions and cue points, and data messages that say nothing.
    Case {
        name: "script-data",
        clip: PLAIN,
        push: |push| {
            push.by_hand(|publisher, at, tag| {
                publisher.send(tag)?;
                if at % 20 == 0 { script_data(publisher, tag.timestamp_ms) } else { Ok(()) }
            })
        },
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

fn as_it_is(publisher: &mut Publisher, _: usize, tag: &Tag) -> Result<()> {
    publisher.send(tag)
}

fn window(publisher: &mut Publisher, bytes: u32) -> Result<()> {
    publisher.message(2, WINDOW_ACKNOWLEDGEMENT_SIZE, CONTROL, &bytes.to_be_bytes())
}

fn script_data(publisher: &mut Publisher, timestamp_ms: u32) -> Result<()> {
    let header = Header::Full { timestamp_ms, stream_id: 1 };
    let text = [string("onTextData"), object(&[("text", "hello")])].concat();
    let cue = [string("onCuePoint"), object(&[("name", "x"), ("type", "event")])].concat();
    // AMF3 data begins with a byte that says in which of the two it goes on.
    let messages = [(DATA_AMF0, text.clone()), (DATA_AMF0, cue), (DATA_AMF3, [&[0][..], &text].concat())];
    for (type_id, body) in messages {
        publisher.message(5, type_id, header, &body)?;
    }
    [DATA_AMF0, DATA_AMF3].iter().try_for_each(|&type_id| publisher.message(5, type_id, header, &[]))
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
    a_second_publish_of_the_stream_changes_nothing: "published-again",
    media_of_another_publish_on_the_connection_is_kept_out: "published-beside-another",
    a_publisher_without_a_tc_url_has_the_default_domain: "no-tc-url",
    an_application_may_have_two_levels: "two-levels",
    the_default_instance_is_the_application: "default-instance",
    a_publisher_need_not_wait_for_answers: "waits-for-nothing",
    a_window_of_a_byte_is_served: "short-window",
    a_window_of_nothing_is_passed_over: "no-window",
    script_data_harms_nothing: "script-data",
    aggregates_are_taken_apart: "aggregates",
    times_inside_an_aggregate_count_from_its_first: "aggregates-from-zero",
}
